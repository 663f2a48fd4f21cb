//! TLS: towards browsers we are the server, towards hosts the client.

pub mod authority;
pub mod certificates;
pub mod clients;
pub mod connect;
mod der;
pub mod listen;
mod pem;
pub mod self_signed;
pub mod validity;
pub mod verify;

pub use pem::TlsError;
