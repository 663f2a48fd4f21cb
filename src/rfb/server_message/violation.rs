//! How a host can break what it says after ServerInit.

use crate::rfb::encoding::Encoding;

/// What a host did that cannot be passed on, nor read past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A message of a type whose length is not known.
    #[error("a message of the unknown type {0}")]
    MessageType(u8),
    /// A rectangle whose length is not known.
    #[error("a rectangle in the unknown encoding {0}")]
    UnknownEncoding(Encoding),
    /// A rectangle that the browser did not ask for and cannot do without.
    #[error("a rectangle in encoding {0}, which was not asked for")]
    Unrequested(Encoding),
    /// A rectangle, or the place that it is copied from, is not inside the framebuffer.
    #[error("a rectangle in encoding {0} is outside the framebuffer")]
    Outside(Encoding),
    /// A rectangle without area in an encoding where noVNC and the specification disagree about
    /// what then follows.
    #[error("a rectangle in encoding {0} is empty")]
    Empty(Encoding),
    /// A length over its limit.
    #[error("{field} has {len} bytes, and {max} are allowed")]
    TooLong {
        /// What it is the length of.
        field: &'static str,
        /// What was announced, in bytes.
        len: u64,
        /// What is allowed, in bytes.
        max: u64,
    },
    /// A cursor of more than [`MAX_CURSOR`](super::MAX_CURSOR) pixels in one direction.
    #[error("a cursor of {0} by {1} pixels")]
    Cursor(u16, u16),
    /// A cursor of a kind whose length is not known.
    #[error("a VMware cursor of the unknown kind {0}")]
    CursorKind(u8),
    /// More subrectangles than the rectangle has pixels.
    #[error("an RRE rectangle with {0} subrectangles")]
    Subrectangles(u32),
    /// A tile with bits that mean nothing.
    #[error("a Hextile tile with the mask {0}")]
    HextileMask(u8),
    /// A compression control or filter that does not exist.
    #[error("a Tight rectangle with the control {0:#04x}")]
    TightControl(u8),
    /// A filter that does not exist.
    #[error("a Tight rectangle with the filter {0}")]
    TightFilter(u8),
    /// Something that is no JPEG file.
    #[error("a JPEG rectangle without a marker where one has to be")]
    Jpeg,
    /// An extended clipboard message that has no room for its flags.
    #[error("an extended clipboard message of {0} bytes")]
    ClipboardLength(u32),
    /// Pixels of a size that RFB does not have.
    #[error("a pixel format with {0} bits a pixel")]
    PixelSize(u8),
}
