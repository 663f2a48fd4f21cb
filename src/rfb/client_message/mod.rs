//! What a viewer sends after ServerInit, told apart message by message
//! ([RFC 6143, 7.5](https://www.rfc-editor.org/rfc/rfc6143#section-7.5) and the [rfbproto]
//! extensions), without gathering a message together.
//!
//! A message is a [`Head`], which is looked at whole and has at most [`MAX_HEAD`] bytes, and a body
//! that is only counted. [`Splitter`] says where one ends and the next begins, at any chunking.
//!
//! [rfbproto]: https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst

mod head;
mod kind;
mod splitter;

pub use head::{Head, MAX_HEAD};
pub use kind::Kind;
pub use splitter::{Part, Splitter};

use crate::rfb::server_message::LatePixelFormat;

/// The longest body of a ClientCutText, in bytes: 16 MiB. What a grant allows is far less; what is
/// over this is not waited for at all.
pub const MAX_CUT_TEXT: u32 = 16 * 1024 * 1024;

/// The most encodings that a SetEncodings may list. Viewers know some thirty.
pub const MAX_ENCODINGS: u16 = 1024;

/// The longest payload of a fence, in bytes.
pub const MAX_FENCE: u8 = 64;

/// The longest line of UltraVNC's chat, in bytes.
pub const MAX_CHAT: u32 = 4096;

/// How a viewer broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// A message that cannot be told from what follows it.
    #[error("message type {0} is not known, or its length is not")]
    Type(u8),
    /// The same of the messages that share a type.
    #[error("message type {0} with subtype {1} is not known")]
    Subtype(u8, u16),
    /// A length over its bound.
    #[error("{field} is {announced}, and at most {most} is allowed")]
    TooLong {
        /// The field, in the words of its specification.
        field: &'static str,
        /// What it says.
        announced: u32,
        /// Its bound.
        most: u32,
    },
    /// An extended clipboard message too short for its own flags.
    #[error("an extended clipboard message of {0} bytes has no room for its flags")]
    NoFlags(u32),
    /// More keys are down than anybody has fingers.
    #[error("more than {0} keys are held down")]
    TooManyKeys(usize),
    /// Compressed text that is none, or becomes more than it may.
    #[error("the compressed clipboard text cannot be read")]
    BadClipboard,
    /// A pixel format at a time when it cannot be known from where on it holds.
    #[error(transparent)]
    LatePixelFormat(#[from] LatePixelFormat),
}

#[cfg(test)]
pub(crate) mod tests;
