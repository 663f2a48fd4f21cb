//! What a host may say ([RFC 6143, 7.6], [rfbproto]).
//!
//! [RFC 6143, 7.6]: https://www.rfc-editor.org/rfc/rfc6143#section-7.6
//! [rfbproto]: https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst#server-to-client-messages

use super::MAX_PART;
use super::violation::Violation;
use crate::wire::{Reader, Short};

/// A message by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// FramebufferUpdate: rectangles follow ([7.6.1](https://www.rfc-editor.org/rfc/rfc6143#section-7.6.1)).
    Update {
        /// How many, unless a LastRect ends it early.
        rectangles: u16,
    },
    /// SetColourMapEntries, at whose sight noVNC gives up.
    ColourMap,
    /// Bell.
    Bell,
    /// ServerCutText with text in Latin-1.
    CutText {
        /// Length of the text in bytes.
        len: u32,
    },
    /// ServerCutText of the extended clipboard.
    ExtendedCutText {
        /// Which formats, and what is to be done with them.
        flags: u32,
        /// What follows the flags, in bytes.
        len: u32,
    },
    /// EndOfContinuousUpdates: there are continuous updates, or there are none any more.
    EndOfContinuousUpdates,
    /// A fence.
    Fence {
        /// Whether it wants an answer, and what to do about messages before and behind it.
        flags: u32,
        /// Length of its payload in bytes.
        len: u8,
    },
    /// xvp.
    Xvp {
        /// 0: it failed; 1: it can be asked for.
        code: u8,
    },
    /// QEMU's sound.
    Audio,
    /// The General Input Interface.
    Gii,
}

/// How far the known types go.
mod kind {
    pub(super) const UPDATE: u8 = 0;
    pub(super) const COLOUR_MAP: u8 = 1;
    pub(super) const BELL: u8 = 2;
    pub(super) const CUT_TEXT: u8 = 3;
    pub(super) const END_OF_CONTINUOUS_UPDATES: u8 = 150;
    pub(super) const FENCE: u8 = 248;
    pub(super) const XVP: u8 = 250;
    pub(super) const GII: u8 = 253;
    pub(super) const QEMU: u8 = 255;
}

/// QEMU's sub-type for sound, and the operation that carries some.
const QEMU_AUDIO: u8 = 1;
const AUDIO_DATA: [u8; 2] = [0, 2];

/// The most bytes that a fence may carry.
const MAX_FENCE: u8 = 64;

/// How many bytes the head of a message has, as far as those that are there tell.
#[inline]
pub(super) fn head_len(bytes: &[u8]) -> Result<usize, Violation> {
    Ok(match *bytes {
        [] => 1,
        // Type, padding, number of rectangles.
        [kind::UPDATE, ..] => 4,
        // Type, padding, first colour, number of colours.
        [kind::COLOUR_MAP, ..] => 6,
        [kind::BELL | kind::END_OF_CONTINUOUS_UPDATES, ..] => 1,
        // Type, padding, length, and flags where the length is negative.
        [kind::CUT_TEXT, _, _, _, high, _, _, _, ..] if high >= 0x80 => {
            Message::EXTENDED_CUT_TEXT_HEAD
        }
        [kind::CUT_TEXT, ..] => 8,
        // Type, padding, flags, length.
        [kind::FENCE, ..] => 1 + 3 + 4 + 1,
        // Type, padding, version, code.
        [kind::XVP, ..] => 4,
        // Type, endianness and sub-type, length.
        [kind::GII, ..] => 4,
        [kind::QEMU] => 2,
        // Type, sub-type, operation, and a length where it is data.
        [kind::QEMU, QEMU_AUDIO, a, b, ..] if [a, b] == AUDIO_DATA => 4 + 4,
        [kind::QEMU, QEMU_AUDIO, ..] => 4,
        [other, ..] => return Err(Violation::MessageType(other)),
    })
}

impl Message {
    /// Length of the head of an extended cut text in bytes: type, padding, length, flags.
    pub const EXTENDED_CUT_TEXT_HEAD: usize = 8 + 4;

    /// Reads a whole head, and says how many bytes follow it: for an update, none beside its
    /// rectangles.
    #[inline]
    pub(super) fn read(head: &[u8]) -> Result<(Self, u64), Violation> {
        let mut fields = Reader::new(head);
        let kind = fields.u8("message-type").unwrap_or_default();
        Self::read_kind(kind, fields).unwrap_or(Err(Violation::MessageType(kind)))
    }

    #[inline]
    fn read_kind(
        kind: u8,
        mut fields: Reader<'_>,
    ) -> Result<Result<(Self, u64), Violation>, Short> {
        let (message, follows) = match kind {
            kind::UPDATE => {
                fields.bytes(1, "padding")?;
                let rectangles = fields.u16("number-of-rectangles")?;
                (Self::Update { rectangles }, 0)
            }
            kind::COLOUR_MAP => {
                fields.bytes(3, "padding, first-colour")?;
                let colours = fields.u16("number-of-colours")?;
                (Self::ColourMap, u64::from(colours) * 6)
            }
            kind::BELL => (Self::Bell, 0),
            kind::CUT_TEXT => return Self::read_cut_text(fields),
            kind::END_OF_CONTINUOUS_UPDATES => (Self::EndOfContinuousUpdates, 0),
            kind::FENCE => {
                fields.bytes(3, "padding")?;
                let flags = fields.u32("flags")?;
                let len = fields.u8("length")?;
                if len > MAX_FENCE {
                    return Ok(Err(too_long("a fence", len.into(), MAX_FENCE.into())));
                }
                (Self::Fence { flags, len }, len.into())
            }
            kind::XVP => {
                fields.bytes(2, "padding, version")?;
                let code = fields.u8("message-code")?;
                (Self::Xvp { code }, 0)
            }
            kind::GII => {
                let big_endian = fields.u8("endian-and-sub-type")? & 0x80 != 0;
                let len = fields.u16("length")?;
                let len = if big_endian { len } else { len.swap_bytes() };
                (Self::Gii, len.into())
            }
            // No other sub-type has a head.
            _ => {
                fields.bytes(3, "submessage-type, operation")?;
                let len = fields.u32("data-length").unwrap_or_default();
                if u64::from(len) > MAX_PART {
                    return Ok(Err(too_long("sound", len.into(), MAX_PART)));
                }
                (Self::Audio, len.into())
            }
        };
        Ok(Ok((message, follows)))
    }

    fn read_cut_text(mut fields: Reader<'_>) -> Result<Result<(Self, u64), Violation>, Short> {
        fields.bytes(3, "padding")?;
        let signed = fields.u32("length")?.cast_signed();
        let len = signed.unsigned_abs();
        if u64::from(len) > MAX_PART {
            return Ok(Err(too_long("a cut text", len.into(), MAX_PART)));
        }
        if signed >= 0 {
            return Ok(Ok((Self::CutText { len }, len.into())));
        }
        let flags = fields.u32("flags")?;
        Ok(match len.checked_sub(4) {
            Some(len) => Ok((Self::ExtendedCutText { flags, len }, len.into())),
            None => Err(Violation::ClipboardLength(len)),
        })
    }
}

const fn too_long(field: &'static str, len: u64, max: u64) -> Violation {
    Violation::TooLong { field, len, max }
}
