//! As much HTTP/1.1 as a client needs to be let through to RFB ([RFC 9112]), without I/O.
//!
//! | file | what |
//! |---|---|
//! | `request` | the head of any request |
//! | `connect` | the request for a tunnel as XAPI understands it |
//! | `upgrade` | the request for a WebSocket, and whether the answer opens it |
//! | `head` | an answer's status line and headers, as they come in |
//! | `refusal` | what a status means that is not the one hoped for |
//!
//! [RFC 9112]: https://www.rfc-editor.org/rfc/rfc9112

#![warn(clippy::indexing_slicing)]

pub mod connect;
pub mod head;
pub mod refusal;
pub mod request;
pub mod upgrade;
