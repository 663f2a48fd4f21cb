//! Hextile ([RFC 6143, 7.7.4](https://www.rfc-editor.org/rfc/rfc6143#section-7.7.4)).

use super::body::Next;
use super::field::Field;
use super::rectangle::Rectangle;
use super::violation::Violation;
use crate::wire::Reader;

/// Width and height of a tile that is not at the edge, in pixels.
const TILE: u16 = 16;

/// A tile's mask.
mod mask {
    pub(super) const RAW: u8 = 1;
    pub(super) const BACKGROUND: u8 = 2;
    pub(super) const FOREGROUND: u8 = 4;
    pub(super) const SUBRECTANGLES: u8 = 8;
    pub(super) const COLOURED: u8 = 16;
    /// Nothing above has a meaning, and noVNC gives up.
    pub(super) const HIGHEST: u8 = 30;
}

/// Tiles from left to right and from top to bottom, each with a mask that says what it has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hextile {
    width: u16,
    /// What is left of the row of tiles, in pixels.
    across: u16,
    /// What is left of the rectangle with that row, in pixels.
    down: u16,
    /// The bytes of each subrectangle, when their number comes next.
    subrectangle: Option<u64>,
}

impl Hextile {
    pub(super) const fn of(rectangle: &Rectangle) -> Self {
        let width = rectangle.width;
        Self {
            width,
            across: width,
            down: if width == 0 { 0 } else { rectangle.height },
            subrectangle: None,
        }
    }

    #[inline]
    pub(super) fn walk(
        &mut self,
        input: &mut Reader<'_>,
        field: &mut Field,
        pixel: u64,
    ) -> Result<Next, Violation> {
        if let Some(each) = self.subrectangle {
            let Some([number]) = field.take(input) else {
                return Ok(Next::Wait);
            };
            self.subrectangle = None;
            return Ok(Next::Skip(u64::from(number) * each));
        }
        while self.down > 0 {
            let Some([mask]) = field.take(input) else {
                return Ok(Next::Wait);
            };
            let has = |bit: u8| u64::from(mask & bit != 0);
            if mask > mask::HIGHEST {
                return Err(Violation::HextileMask(mask));
            }
            let area = self.leave_tile();
            let len = if mask & mask::RAW != 0 {
                area * pixel
            } else {
                if mask & mask::SUBRECTANGLES != 0 {
                    // A place and a size of four bits each.
                    self.subrectangle = Some(has(mask::COLOURED) * pixel + 2);
                }
                (has(mask::BACKGROUND) + has(mask::FOREGROUND)) * pixel
            };
            if len > 0 || self.subrectangle.is_some() {
                return Ok(Next::Skip(len));
            }
        }
        Ok(Next::Last(0))
    }

    /// Goes to the next tile; how many pixels this one has.
    fn leave_tile(&mut self) -> u64 {
        let (width, height) = (self.across.min(TILE), self.down.min(TILE));
        self.across -= width;
        if self.across == 0 {
            self.across = self.width;
            self.down -= height;
        }
        u64::from(width) * u64::from(height)
    }
}
