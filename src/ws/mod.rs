//! The WebSocket protocol as bytes: no socket, no clock, no buffer of its own. Towards browsers we
//! are the server; towards hosts that have their console behind a WebSocket, the client.
//!
//! The gateway stands between a host that sends whenever it likes and a browser that may send
//! anything. So this codec holds no payload: what the browser sends is unmasked where it was read
//! and handed on as far as it is there ([`Decoder`]), and what the host sends gets its header
//! written into the room left free in front of it ([`head`]). A session at rest owns the decoder's
//! couple of hundred bytes and nothing else.
//!
//! | file | what |
//! |---|---|
//! | `handshake` | is this request a WebSocket upgrade, and what is the answer to its key |
//! | `frame` | the frame header, both ways |
//! | `decode` | the stream of a peer's frames as events |
//! | `event` | what those events are |
//! | `partial` | a header or a control payload that arrives in pieces |
//! | `violation` | how a peer can break the protocol |
//! | `mask` | the XOR that clients must put on everything |
//! | `close` | the payload of a close frame |
//!
//! No extension is spoken, so every reserved bit is a violation. Whether a text message is UTF-8
//! is not looked at: the gateway refuses text as such. Everything else that [RFC 6455] forbids a
//! peer is refused, and nothing after the first refusal is read.
//!
//! [RFC 6455]: https://www.rfc-editor.org/rfc/rfc6455

#![warn(clippy::indexing_slicing)]

mod close;
mod decode;
mod event;
mod frame;
mod handshake;
mod mask;
mod partial;
mod violation;

pub use close::{CloseFrame, close_payload};
pub use decode::Decoder;
pub use event::{Control, DataKind, Event};
pub use frame::{HEAD_ROOM, Opcode, frame, head, masked_frame};
pub use handshake::{
    BadUpgrade, ExtendedConnect, KEY_LEN, UpgradeRequest, VERSION, accept_key, protocols,
};
pub use mask::unmask;
pub use violation::{Violation, ViolationKind};
