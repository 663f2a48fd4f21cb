//! TLS: towards browsers we are the server, towards hosts the client.

pub mod certificates;
pub mod clients;
pub mod connect;
pub mod listen;
mod pem;
pub mod self_signed;
pub mod validity;
pub mod verify;

pub use pem::TlsError;
