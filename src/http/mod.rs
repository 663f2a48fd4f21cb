//! The HTTP face of the gateway.

pub mod assets;
pub mod content_coding;
pub mod headers;
pub mod page;
