//! What stands between a rectangle's header and its end.

use super::field::Field;
use super::hextile::Hextile;
use super::jpeg::Jpeg;
use super::pixel::PixelSize;
use super::rectangle::{Rectangle, Screen};
use super::tight::Tight;
use super::violation::Violation;
use super::{MAX_CURSOR, MAX_PART};
use crate::rfb::encoding::Encoding;
use crate::rfb::init::MAX_NAME;
use crate::wire::Reader;

/// The body of one rectangle, as far as it has been walked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body {
    part: Part,
    /// Bytes to pass over before the next part.
    skip: u64,
}

/// What comes next in a body.
#[derive(Clone, Copy, Debug)]
enum Part {
    End,
    /// From where to copy: x and y.
    Source(Rectangle, Screen),
    /// The number of subrectangles, for so many pixels.
    Subrectangles(u64),
    /// A length of what follows.
    Length,
    /// A length and flags of what follows.
    LengthAndFlags,
    /// A length of a name.
    Name,
    /// The number of screens, which follow.
    Screens,
    /// The kind of a cursor of so many pixels.
    CursorKind(u64),
    Hextile(Hextile),
    Tight(Tight),
    Jpeg(Jpeg),
}

/// What came of a part.
pub(super) enum Next {
    /// It goes on when more has arrived.
    Wait,
    /// It goes on behind so many bytes.
    Skip(u64),
    /// The body ends behind so many bytes.
    Last(u64),
}

impl Body {
    /// The body of a rectangle, of which the header was read.
    #[inline]
    pub(super) fn of(
        rectangle: &Rectangle,
        pixel: PixelSize,
        screen: &mut Screen,
    ) -> Result<Self, Violation> {
        let area = rectangle.area();
        let (part, skip) = match rectangle.encoding {
            Encoding::CURSOR => {
                let (width, height) = cursor(rectangle)?;
                let mask = width.div_ceil(8) * height;
                (Part::End, area * pixel.whole + mask)
            }
            Encoding::VMWARE_CURSOR => {
                cursor(rectangle)?;
                (Part::CursorKind(area * pixel.whole), 0)
            }
            Encoding::DESKTOP_SIZE => {
                *screen = size(rectangle);
                (Part::End, 0)
            }
            Encoding::EXTENDED_DESKTOP_SIZE => {
                if !rectangle.is_refused_resize() {
                    *screen = size(rectangle);
                }
                (Part::Screens, 0)
            }
            Encoding::DESKTOP_NAME => (Part::Name, 0),
            Encoding::QEMU_LED_STATE => (Part::End, 1),
            Encoding::LAST_RECT
            | Encoding::QEMU_EXTENDED_KEY_EVENT
            | Encoding::EXTENDED_MOUSE_BUTTONS
            | Encoding::POINTER_POSITION
            | Encoding::QEMU_POINTER_MOTION
            | Encoding::QEMU_AUDIO
            | Encoding::GII => (Part::End, 0),
            _ => {
                screen.check((rectangle.x, rectangle.y), rectangle)?;
                return Self::of_picture(rectangle, pixel, *screen);
            }
        };
        Ok(Self { part, skip })
    }

    #[inline]
    fn of_picture(
        rectangle: &Rectangle,
        pixel: PixelSize,
        screen: Screen,
    ) -> Result<Self, Violation> {
        let area = rectangle.area();
        let (part, skip) = match rectangle.encoding {
            Encoding::RAW => (Part::End, area * pixel.whole),
            Encoding::COPY_RECT => (Part::Source(*rectangle, screen), 0),
            Encoding::RRE => (Part::Subrectangles(area), 0),
            Encoding::HEXTILE => (Part::Hextile(Hextile::of(rectangle)), 0),
            Encoding::ZLIB | Encoding::TIGHT | Encoding::TIGHT_PNG if area == 0 => {
                return Err(Violation::Empty(rectangle.encoding));
            }
            Encoding::ZLIB | Encoding::ZRLE => (Part::Length, 0),
            Encoding::TIGHT | Encoding::TIGHT_PNG => {
                (Part::Tight(Tight::of(rectangle, pixel.tight)), 0)
            }
            Encoding::JPEG => (Part::Jpeg(Jpeg::default()), 0),
            Encoding::H264 => (Part::LengthAndFlags, 0),
            other => return Err(Violation::UnknownEncoding(other)),
        };
        Ok(Self { part, skip })
    }

    /// Whether there is none.
    pub(super) const fn is_empty(&self) -> bool {
        matches!(self.part, Part::End) && self.skip == 0
    }

    /// Passes over as much as is there, and says whether that was all of it.
    #[inline]
    pub(super) fn walk(
        &mut self,
        input: &mut Reader<'_>,
        field: &mut Field,
        pixel: PixelSize,
    ) -> Result<bool, Violation> {
        loop {
            if !skip(&mut self.skip, input) {
                return Ok(false);
            }
            let next = match &mut self.part {
                Part::End => return Ok(true),
                Part::Hextile(hextile) => hextile.walk(input, field, pixel.whole)?,
                Part::Tight(tight) => tight.walk(input, field)?,
                Part::Jpeg(jpeg) => jpeg.walk(input, field)?,
                part => part.walk(input, field, pixel.whole)?,
            };
            match next {
                Next::Wait => return Ok(false),
                Next::Skip(len) => self.skip = len,
                Next::Last(len) => {
                    *self = Self {
                        part: Part::End,
                        skip: len,
                    }
                }
            }
        }
    }
}

impl Part {
    /// The parts that are one field and what it counts.
    #[inline]
    fn walk(
        &self,
        input: &mut Reader<'_>,
        field: &mut Field,
        pixel: u64,
    ) -> Result<Next, Violation> {
        let len = match self {
            Self::CursorKind(pixels) => {
                // The kind and padding.
                let Some([kind, _]) = field.take(input) else {
                    return Ok(Next::Wait);
                };
                return match kind {
                    // A mask to keep with and one to change with.
                    0 => Ok(Next::Last(2 * pixels)),
                    // Always 32 bits.
                    1 => Ok(Next::Last(pixels / pixel * 4)),
                    other => Err(Violation::CursorKind(other)),
                };
            }
            Self::LengthAndFlags => {
                let Some([a, b, c, d, _, _, _, _]) = field.take(input) else {
                    return Ok(Next::Wait);
                };
                [a, b, c, d]
            }
            _ => {
                let Some(len) = field.take(input) else {
                    return Ok(Next::Wait);
                };
                len
            }
        };
        let number = u32::from_be_bytes(len);
        match self {
            Self::Source(rectangle, screen) => {
                let [x0, x1, y0, y1] = len;
                let from = (u16::from_be_bytes([x0, x1]), u16::from_be_bytes([y0, y1]));
                screen.check(from, rectangle)?;
                Ok(Next::Last(0))
            }
            Self::Subrectangles(area) if u64::from(number) > *area => {
                Err(Violation::Subrectangles(number))
            }
            // The background, and for each a colour, a place and a size.
            Self::Subrectangles(_) => Ok(Next::Last(pixel + u64::from(number) * (pixel + 8))),
            // The number, padding, and for each: id, place, size and flags.
            Self::Screens => Ok(Next::Last(u64::from(number >> 24) * 16)),
            Self::Name => bounded("a desktop name", number, MAX_NAME.into()),
            _ => bounded("a rectangle's data", number, MAX_PART),
        }
    }
}

/// Passes over at most `left` bytes; whether none are left.
#[inline]
pub(super) fn skip(left: &mut u64, input: &mut Reader<'_>) -> bool {
    let there = input.rest().len();
    let len = usize::try_from(*left).unwrap_or(usize::MAX).min(there);
    if input.bytes(len, "payload").is_ok() {
        *left -= len as u64;
    }
    *left == 0
}

fn bounded(field: &'static str, len: u32, max: u64) -> Result<Next, Violation> {
    let len = u64::from(len);
    if len > max {
        return Err(Violation::TooLong { field, len, max });
    }
    Ok(Next::Last(len))
}

const fn size(rectangle: &Rectangle) -> Screen {
    Screen {
        width: rectangle.width,
        height: rectangle.height,
    }
}

fn cursor(rectangle: &Rectangle) -> Result<(u64, u64), Violation> {
    let Rectangle { width, height, .. } = *rectangle;
    if width > MAX_CURSOR || height > MAX_CURSOR {
        return Err(Violation::Cursor(width, height));
    }
    Ok((width.into(), height.into()))
}
