//! Tight and TightPNG ([rfbproto](https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst#tight-encoding)).

use super::body::Next;
use super::field::Field;
use super::rectangle::Rectangle;
use super::violation::Violation;
use crate::rfb::encoding::Encoding;
use crate::wire::Reader;

/// Below so many bytes nothing is compressed, and there is no length.
const MIN_COMPRESSED: u64 = 12;

/// The upper half of the control byte; the lower one resets zlib streams.
mod control {
    pub(super) const FILL: u8 = 8;
    pub(super) const JPEG: u8 = 9;
    pub(super) const PNG: u8 = 10;
    /// One of these is set where there is no zlib stream.
    pub(super) const NOT_BASIC: u8 = 8;
    /// A filter byte follows.
    pub(super) const FILTER: u8 = 4;
}

/// The filters.
mod filter {
    pub(super) const COPY: u8 = 0;
    pub(super) const PALETTE: u8 = 1;
    pub(super) const GRADIENT: u8 = 2;
}

/// A rectangle of Tight: what it has is told by its first bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tight {
    width: u16,
    height: u16,
    png: bool,
    /// Bytes of a TPIXEL.
    pixel: u64,
    part: Part,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Part {
    Control,
    Filter,
    /// The number of colours less one; the colours follow.
    Palette,
    /// Data that has so many bytes before it is compressed.
    Data(u64),
    /// A length of 1 to 3 bytes, 7 bits in each but the last, and the first two of them so far.
    Length {
        so_far: u64,
        shift: u32,
    },
}

impl Tight {
    pub(super) fn of(rectangle: &Rectangle, pixel: u64) -> Self {
        Self {
            width: rectangle.width,
            height: rectangle.height,
            png: rectangle.encoding == Encoding::TIGHT_PNG,
            pixel,
            part: Part::Control,
        }
    }

    #[inline]
    pub(super) fn walk(
        &mut self,
        input: &mut Reader<'_>,
        field: &mut Field,
    ) -> Result<Next, Violation> {
        loop {
            if let Part::Data(len) = self.part {
                if len < MIN_COMPRESSED {
                    return Ok(Next::Last(len));
                }
                self.part = LENGTH;
            }
            let Some([byte]) = field.take(input) else {
                return Ok(Next::Wait);
            };
            match self.part {
                Part::Control => match byte >> 4 {
                    control::FILL => return Ok(Next::Last(self.pixel)),
                    control::JPEG => self.part = LENGTH,
                    control::PNG if self.png => self.part = LENGTH,
                    basic if basic & control::NOT_BASIC != 0 || self.png => {
                        return Err(Violation::TightControl(byte));
                    }
                    basic if basic & control::FILTER != 0 => self.part = Part::Filter,
                    _ => self.part = self.pixels(),
                },
                Part::Filter => match byte {
                    filter::COPY | filter::GRADIENT => self.part = self.pixels(),
                    filter::PALETTE => self.part = Part::Palette,
                    other => return Err(Violation::TightFilter(other)),
                },
                Part::Palette => {
                    let colours = u64::from(byte) + 1;
                    let row = if colours <= 2 {
                        u64::from(self.width.div_ceil(8))
                    } else {
                        self.width.into()
                    };
                    self.part = Part::Data(row * u64::from(self.height));
                    return Ok(Next::Skip(colours * self.pixel));
                }
                Part::Length { so_far, shift } => {
                    let last = shift == 14;
                    let bits = if last { byte } else { byte & 0x7f };
                    let len = so_far | u64::from(bits) << shift;
                    if last || byte & 0x80 == 0 {
                        return Ok(Next::Last(len));
                    }
                    self.part = Part::Length {
                        so_far: len,
                        shift: shift + 7,
                    };
                }
                Part::Data(_) => {}
            }
        }
    }

    fn pixels(&self) -> Part {
        Part::Data(u64::from(self.width) * u64::from(self.height) * self.pixel)
    }
}

/// A length of which nothing was read.
const LENGTH: Part = Part::Length {
    so_far: 0,
    shift: 0,
};
