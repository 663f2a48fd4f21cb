//! The messages of a host after ServerInit, told apart as they pass.
//!
//! No message has a length of its own, and an update is as long as its rectangles, which are as
//! long as their encodings say. The walk reads just so much: heads, counts and lengths. It neither
//! inflates nor gathers anything, keeps nothing but where it stands, and passes over a payload with
//! a length in one step for each chunk.
//!
//! ```text
//!   message ── head ──┬─ payload of known length ──> message
//!                     └─ update ──> rectangle ── header, body ──┬──> rectangle
//!                                                               └─ the last ──> message
//! ```
//!
//! # The pixel format
//!
//! The lengths of some encodings depend on the pixel format, which the browser may set, and nothing
//! in the host's stream says from where on it holds. The host reads in order: what it is asked after
//! SetPixelFormat it answers in the new format, and it sends no pixels before it was told encodings or
//! asked for an update. So a format counts from the first byte on as long as nothing of that kind has
//! gone to the host ([`Walk::set_pixel_format`], [`Walk::pin_pixel_format`]). noVNC sets its format
//! once, before everything else. After that, only a format with pixels of the same size can be told
//! from no change at all, and another is an error of the browser: what is under way could be in either.
//!
//! # What noVNC cannot take
//!
//! noVNC 1.7.0 reads two things otherwise than the specifications have them: rectangles of Zlib and of
//! Tight without area, behind which it looks for the next header elsewhere. They are violations,
//! as is everything that would let it wait forever or ask for more memory than it has.

mod body;
mod field;
mod hextile;
mod jpeg;
mod message;
mod pixel;
mod rectangle;
mod tight;
mod violation;
mod walk;

pub use field::Head;
pub use message::Message;
pub use rectangle::{Rectangle, Screen};
pub use violation::Violation;
pub use walk::{LatePixelFormat, Piece, Walk};

/// The longest part of a message that has a length, in bytes: noVNC keeps at most so much that it
/// has not understood.
pub const MAX_PART: u64 = 40 * 1024 * 1024;

/// The most pixels of a cursor in one direction. QEMU allows itself the same.
pub const MAX_CURSOR: u16 = 512;

#[cfg(test)]
pub(crate) mod tests;
