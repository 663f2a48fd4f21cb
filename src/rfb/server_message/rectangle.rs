//! A rectangle's header ([RFC 6143, 7.6.1](https://www.rfc-editor.org/rfc/rfc6143#section-7.6.1)).

use super::violation::Violation;
use crate::rfb::encoding::Encoding;

/// A rectangle as its header has it. What a pseudo-encoding means by its four numbers is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rectangle {
    /// Distance from the left edge, in pixels.
    pub x: u16,
    /// Distance from the upper edge, in pixels.
    pub y: u16,
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
    /// What follows.
    pub encoding: Encoding,
}

impl Rectangle {
    /// Length of the header in bytes.
    pub const LEN: usize = 12;

    /// Reads the header.
    #[inline]
    #[must_use]
    pub const fn decode(bytes: [u8; Self::LEN]) -> Self {
        let [x0, x1, y0, y1, w0, w1, h0, h1, e0, e1, e2, e3] = bytes;
        Self {
            x: u16::from_be_bytes([x0, x1]),
            y: u16::from_be_bytes([y0, y1]),
            width: u16::from_be_bytes([w0, w1]),
            height: u16::from_be_bytes([h0, h1]),
            encoding: Encoding(i32::from_be_bytes([e0, e1, e2, e3])),
        }
    }

    /// How many pixels it has.
    pub(super) const fn area(&self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// Whether the host says by it that a change of the screen did not come about.
    pub(super) const fn is_refused_resize(&self) -> bool {
        /// The change was asked for by this viewer.
        const ASKED: u16 = 1;
        self.x == ASKED && self.y != 0
    }
}

/// The size of the framebuffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
}

impl Screen {
    /// That a rectangle of some size at some place is inside.
    #[inline]
    pub(super) fn check(self, (x, y): (u16, u16), of: &Rectangle) -> Result<(), Violation> {
        let right = u32::from(x) + u32::from(of.width);
        let bottom = u32::from(y) + u32::from(of.height);
        let inside = right <= u32::from(self.width) && bottom <= u32::from(self.height);
        inside.then_some(()).ok_or(Violation::Outside(of.encoding))
    }
}
