//! What the peer sent, as the decoder tells it.

use std::fmt;
use std::ops::{Deref, Range};

use super::close::CloseFrame;
use super::frame::MAX_CONTROL;
use super::partial::Partial;

/// What kind of message a data frame belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataKind {
    /// Bytes.
    Binary,
    /// Text. The decoder does not check that it is UTF-8.
    Text,
}

/// The payload of a ping or a pong: at most 125 bytes, and a slice of them by `Deref`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Control(pub(super) Partial<MAX_CONTROL>);

impl Deref for Control {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Something the peer sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Payload of a data frame, or a piece of it.
    Data {
        /// The kind of the message that the frame belongs to, whichever fragment it is.
        kind: DataKind,
        /// Where in `buf` the payload lies, unmasked. Empty for a frame without payload, and for
        /// no other.
        payload: Range<usize>,
        /// The frame ends with this piece.
        end_of_frame: bool,
        /// So does the message.
        end_of_message: bool,
    },
    /// A question that wants a pong with the same payload, unless a close was sent.
    Ping(Control),
    /// The answer to a ping, or a sign of life unasked.
    Pong(Control),
    /// The peer's last word, and why if it says so. It wants a close in return, unless one was
    /// sent; then the connection ends.
    Close(Option<CloseFrame>),
}
