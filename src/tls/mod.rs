//! TLS towards browsers.

pub mod listen;
