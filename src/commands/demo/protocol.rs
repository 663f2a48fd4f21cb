//! The messages of a running connection: those the machine reads, and the one it writes.
//!
//! [RFC 6143, 7.5 and 7.6](https://www.rfc-editor.org/rfc/rfc6143#section-7.5).

use bytes::BufMut;

use crate::rfb::init::PixelFormat;
use crate::wire::{Reader, Short};

use super::damage::Area;
use super::frame::Frame;
use super::pixels::PixelWriter;

/// The most encodings that a viewer may list.
const MAX_ENCODINGS: u16 = 1024;
/// The longest text that a viewer may put on the clipboard, in bytes.
const MAX_CUT_TEXT: u32 = 64 * 1024;

/// What a viewer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientMessage {
    /// SetPixelFormat ([7.5.1](https://www.rfc-editor.org/rfc/rfc6143#section-7.5.1)).
    PixelFormat(PixelFormat),
    /// FramebufferUpdateRequest ([7.5.3](https://www.rfc-editor.org/rfc/rfc6143#section-7.5.3)).
    UpdateRequest {
        /// Only what changed is asked for.
        incremental: bool,
        area: Area,
    },
    /// KeyEvent ([7.5.4](https://www.rfc-editor.org/rfc/rfc6143#section-7.5.4)).
    Key { down: bool, keysym: u32 },
    /// PointerEvent ([7.5.5](https://www.rfc-editor.org/rfc/rfc6143#section-7.5.5)).
    Pointer { buttons: u8, x: u16, y: u16 },
    /// SetEncodings or ClientCutText, which change nothing here: every viewer takes Raw, and the
    /// machine has no clipboard.
    Ignored,
}

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadMessage {
    /// They are not all there yet.
    #[error(transparent)]
    Short(#[from] Short),
    /// The machine knows no message of that type.
    #[error("a message of unknown type {0}")]
    UnknownType(u8),
    /// It is longer than the machine takes.
    #[error("{field} of {len} is too long")]
    TooLong { field: &'static str, len: u32 },
}

impl ClientMessage {
    /// Reads one message.
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, BadMessage> {
        Ok(match reader.u8("message-type")? {
            0 => {
                reader.bytes(3, "padding")?;
                Self::PixelFormat(PixelFormat::decode(reader)?)
            }
            2 => {
                reader.bytes(1, "padding")?;
                let count = reader.u16("number-of-encodings")?;
                if count > MAX_ENCODINGS {
                    return Err(too_long("number-of-encodings", count.into()));
                }
                reader.bytes(usize::from(count) * 4, "encoding-type")?;
                Self::Ignored
            }
            3 => Self::UpdateRequest {
                incremental: reader.u8("incremental")? != 0,
                area: Area {
                    x: reader.u16("x-position")?,
                    y: reader.u16("y-position")?,
                    width: reader.u16("width")?,
                    height: reader.u16("height")?,
                },
            },
            4 => {
                let down = reader.u8("down-flag")? != 0;
                reader.bytes(2, "padding")?;
                let keysym = reader.u32("key")?;
                Self::Key { down, keysym }
            }
            5 => Self::Pointer {
                buttons: reader.u8("button-mask")?,
                x: reader.u16("x-position")?,
                y: reader.u16("y-position")?,
            },
            6 => {
                reader.bytes(3, "padding")?;
                let len = reader.u32("length")?;
                if len > MAX_CUT_TEXT {
                    return Err(too_long("length", len));
                }
                reader.bytes(len as usize, "text")?;
                Self::Ignored
            }
            unknown => return Err(BadMessage::UnknownType(unknown)),
        })
    }
}

fn too_long(field: &'static str, len: u32) -> BadMessage {
    BadMessage::TooLong { field, len }
}

/// Begins a FramebufferUpdate of that many rectangles
/// ([7.6.1](https://www.rfc-editor.org/rfc/rfc6143#section-7.6.1)).
pub(super) fn put_update_header(rectangles: u16, out: &mut Vec<u8>) {
    out.put_u8(0);
    out.put_u8(0);
    out.put_u16(rectangles);
}

/// Writes one of its rectangles in the encoding Raw
/// ([7.7.1](https://www.rfc-editor.org/rfc/rfc6143#section-7.7.1)).
pub(super) fn put_rectangle(frame: &Frame, area: Area, pixels: &PixelWriter, out: &mut Vec<u8>) {
    const RAW: i32 = 0;
    for field in [area.x, area.y, area.width, area.height] {
        out.put_u16(field);
    }
    out.put_i32(RAW);
    for y in area.y..area.y + area.height {
        let run = frame.canvas.run(area.x.into(), y.into(), area.width.into());
        pixels.put(run, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> Result<ClientMessage, BadMessage> {
        ClientMessage::decode(&mut Reader::new(bytes))
    }

    #[test]
    fn reads_each_message_and_every_cut_is_short() {
        let area = Area {
            x: 1,
            y: 2,
            width: 3,
            height: 4,
        };
        let messages: [(&[u8], ClientMessage); 5] = [
            (
                &[3, 1, 0, 1, 0, 2, 0, 3, 0, 4],
                ClientMessage::UpdateRequest {
                    incremental: true,
                    area,
                },
            ),
            (
                &[4, 1, 0, 0, 0, 0, 0xff, 0x0d],
                ClientMessage::Key {
                    down: true,
                    keysym: 0xff0d,
                },
            ),
            (
                &[5, 4, 1, 0, 0, 9],
                ClientMessage::Pointer {
                    buttons: 4,
                    x: 256,
                    y: 9,
                },
            ),
            (&[2, 0, 0, 1, 0, 0, 0, 7], ClientMessage::Ignored),
            (
                &[6, 0, 0, 0, 0, 0, 0, 2, b'h', b'i'],
                ClientMessage::Ignored,
            ),
        ];
        for (bytes, message) in messages {
            assert_eq!(decode(bytes), Ok(message));
            for len in 0..bytes.len() {
                assert!(matches!(decode(&bytes[..len]), Err(BadMessage::Short(_))));
            }
        }
    }

    #[test]
    fn unknown_and_endless_messages_are_refused_at_once() {
        assert_eq!(decode(b"GET /"), Err(BadMessage::UnknownType(b'G')));
        assert_eq!(
            decode(&[6, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]),
            Err(too_long("length", u32::MAX))
        );
        assert_eq!(
            decode(&[2, 0, 0xff, 0xff]),
            Err(too_long("number-of-encodings", 0xffff))
        );
    }
}
