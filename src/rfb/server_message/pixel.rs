//! How many bytes a pixel takes.

use super::violation::Violation;
use crate::rfb::init::PixelFormat;

/// What lengths depend on in a pixel format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PixelSize {
    /// Bytes of a pixel.
    pub(super) whole: u64,
    /// Bytes of Tight's TPIXEL, which leaves out the byte that has no colour.
    pub(super) tight: u64,
}

impl PixelSize {
    pub(super) fn of(format: &PixelFormat) -> Result<Self, Violation> {
        let whole = match format.bits_per_pixel {
            8 => 1,
            16 => 2,
            32 => 4,
            other => return Err(Violation::PixelSize(other)),
        };
        let three_bytes = whole == 4
            && format.depth == 24
            && format.true_colour
            && format.max.iter().all(|max| *max == 255);
        let tight = if three_bytes { 3 } else { whole };
        Ok(Self { whole, tight })
    }
}
