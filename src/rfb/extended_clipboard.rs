//! What both directions need to know of the extended clipboard ([rfbproto]).
//!
//! [rfbproto]: https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst#extended-clipboard-pseudo-encoding

/// The longest body, in bytes, that can have `most` bytes of text in it, compressed as badly as
/// zlib compresses.
#[must_use]
pub const fn longest_body(most: u32) -> u32 {
    most.saturating_add(most / 256).saturating_add(256)
}
