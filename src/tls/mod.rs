//! TLS: towards browsers we are the server, towards hosts the client.

pub mod connect;
pub mod listen;
mod pem;
pub mod verify;

pub use pem::TlsError;
