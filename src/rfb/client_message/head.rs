//! The front of a client message: what it is, and how long the rest of it is.

use super::{Kind, MAX_CHAT, MAX_CUT_TEXT, MAX_ENCODINGS, MAX_FENCE, Misuse};
use crate::rfb::extended_clipboard::Flags;
use crate::wire::{Reader, Short};

/// The longest head, in bytes: a SetPixelFormat, which is nothing but head.
pub const MAX_HEAD: usize = 20;

/// The front of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// What the message is.
    pub kind: Kind,
    /// How many bytes the head itself has: at most [`MAX_HEAD`].
    pub len: usize,
    /// How many bytes follow it.
    pub body: u32,
}

impl Head {
    /// Reads the head at the front of `bytes`; `None` when it is not there whole.
    ///
    /// # Errors
    /// [`Misuse`], as soon as it shows.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, Misuse> {
        let mut reader = Reader::new(bytes);
        match Self::measure(&mut reader) {
            Ok(head) if bytes.len() < head.len => Ok(None),
            Ok(head) => Ok(Some(head)),
            Err(Bad::Short) => Ok(None),
            Err(Bad::Misuse(misuse)) => Err(misuse),
        }
    }

    const fn fixed(kind: Kind, len: usize) -> Self {
        Self { kind, len, body: 0 }
    }

    // Lengths in the order of the message's fields, its type first.
    fn measure(reader: &mut Reader<'_>) -> Result<Self, Bad> {
        let head = match reader.u8("message-type")? {
            0 => Self::fixed(Kind::SetPixelFormat, 1 + 3 + 16),
            1 => {
                reader.array::<3>("first-colour")?;
                let colours = reader.u16("number-of-colours")?;
                let body = 6 * u32::from(colours);
                return Ok(Self::with(Kind::FixColourMapEntries, 1 + 1 + 2 + 2, body));
            }
            2 => {
                reader.u8("padding")?;
                let count = reader.u16("number-of-encodings")?;
                bounded("number-of-encodings", count.into(), MAX_ENCODINGS.into())?;
                Self::with(Kind::SetEncodings, 1 + 1 + 2, 4 * u32::from(count))
            }
            3 => Self::fixed(Kind::FramebufferUpdateRequest, 1 + 1 + 8),
            4 => Self::fixed(Kind::KeyEvent, 1 + 1 + 2 + 4),
            5 => Self::fixed(Kind::PointerEvent, 1 + 1 + 2 + 2),
            6 => return cut_text(reader),
            8 | 15 => Self::fixed(Kind::SetScale, 1 + 1 + 2),
            9 => Self::fixed(Kind::SetServerInput, 1 + 1 + 2),
            10 => Self::fixed(Kind::SetSingleWindow, 1 + 1 + 2 + 2),
            11 => {
                reader.array::<3>("padding")?;
                let len = match reader.u32("length")? {
                    // Open, close and finished: signs without text.
                    0xffff_fffd..=0xffff_ffff => 0,
                    len => bounded("chat length", len, MAX_CHAT)?,
                };
                Self::with(Kind::TextChat, 1 + 3 + 4, len)
            }
            150 => Self::fixed(Kind::EnableContinuousUpdates, 1 + 1 + 8),
            248 => {
                reader.array::<7>("flags")?;
                let len = reader.u8("length")?;
                bounded("fence length", len.into(), MAX_FENCE.into())?;
                Self::with(Kind::Fence, 1 + 3 + 4 + 1, len.into())
            }
            250 => Self::fixed(Kind::Xvp, 1 + 1 + 1 + 1),
            251 => {
                reader.array::<5>("width and height")?;
                let screens = reader.u8("number-of-screens")?;
                Self::with(
                    Kind::SetDesktopSize,
                    1 + 1 + 4 + 1 + 1,
                    16 * u32::from(screens),
                )
            }
            253 => {
                let order = reader.u8("endian-and-sub-type")?;
                let len = reader.array::<2>("length")?;
                let len = if order & 0x80 == 0 {
                    u16::from_le_bytes(len)
                } else {
                    u16::from_be_bytes(len)
                };
                Self::with(Kind::Gii, 1 + 1 + 2, len.into())
            }
            255 => return qemu(reader),
            other => return Err(Misuse::Type(other).into()),
        };
        Ok(head)
    }

    const fn with(kind: Kind, len: usize, body: u32) -> Self {
        Self { kind, len, body }
    }
}

/// ClientCutText. A negative length means the extended clipboard, whose flags belong to the head.
fn cut_text(reader: &mut Reader<'_>) -> Result<Head, Bad> {
    const FIXED: usize = 1 + 3 + 4;
    reader.array::<3>("padding")?;
    let len = i32::from_be_bytes(reader.array("length")?);
    let size = bounded("cut text length", len.unsigned_abs(), MAX_CUT_TEXT)?;
    if len >= 0 {
        return Ok(Head::with(Kind::CutText, FIXED, size));
    }
    let body = size.checked_sub(4).ok_or(Misuse::NoFlags(size))?;
    let flags = Flags(reader.u32("flags")?);
    Ok(Head::with(Kind::ExtendedClipboard(flags), FIXED + 4, body))
}

/// The messages of QEMU share a type.
fn qemu(reader: &mut Reader<'_>) -> Result<Head, Bad> {
    match reader.u8("submessage-type")? {
        0 => Ok(Head::fixed(Kind::QemuKey, 1 + 1 + 2 + 4 + 4)),
        1 => match reader.u16("operation")? {
            0 | 1 => Ok(Head::fixed(Kind::QemuAudio, 1 + 1 + 2)),
            2 => Ok(Head::fixed(Kind::QemuAudio, 1 + 1 + 2 + 1 + 1 + 4)),
            other => Err(Misuse::Subtype(255, 0x100 | (other & 0xff)).into()),
        },
        other => Err(Misuse::Subtype(255, other.into()).into()),
    }
}

fn bounded(field: &'static str, announced: u32, most: u32) -> Result<u32, Misuse> {
    if announced > most {
        return Err(Misuse::TooLong {
            field,
            announced,
            most,
        });
    }
    Ok(announced)
}

/// Why there is no head.
enum Bad {
    Short,
    Misuse(Misuse),
}

impl From<Short> for Bad {
    fn from(_: Short) -> Self {
        Self::Short
    }
}

impl From<Misuse> for Bad {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}
