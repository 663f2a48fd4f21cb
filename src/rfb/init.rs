//! ClientInit and ServerInit ([RFC 6143, 7.3](https://www.rfc-editor.org/rfc/rfc6143#section-7.3)).

use bytes::BufMut;

use crate::wire::{Reader, Short};

/// The ClientInit that Fanlight sends: leave other viewers connected. Zero would throw them out.
pub const SHARED: u8 = 1;

/// The longest desktop name that is taken from a host, in bytes.
pub const MAX_NAME: u32 = 64 * 1024;

/// The name by which noVNC recognises Intel AMT, whose 8-bit mode it then uses. It must reach the
/// browser unchanged, or the picture fails.
const AMT_NAME: &[u8] = b"Intel(r) AMT KVM";

/// PIXEL_FORMAT, 16 bytes ([7.4](https://www.rfc-editor.org/rfc/rfc6143#section-7.4)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelFormat {
    /// 8, 16 or 32.
    pub bits_per_pixel: u8,
    /// How many of those bits mean something.
    pub depth: u8,
    /// Byte order of a pixel with several bytes.
    pub big_endian: bool,
    /// Colours are in the pixel, and not looked up in a colour map.
    pub true_colour: bool,
    /// The largest value of red, green and blue.
    pub max: [u16; 3],
    /// How far red, green and blue are shifted to the left.
    pub shift: [u8; 3],
}

impl PixelFormat {
    /// Length in bytes, padding included.
    pub const LEN: usize = 16;

    /// What noVNC asks for: 32 bits, of which 24 have colours, red first.
    pub const NOVNC: Self = Self {
        bits_per_pixel: 32,
        depth: 24,
        big_endian: false,
        true_colour: true,
        max: [255; 3],
        shift: [0, 8, 16],
    };

    /// Reads the 16 bytes.
    ///
    /// # Errors
    /// [`Short`] when fewer are there.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, Short> {
        let mut fields = Reader::new(reader.bytes(Self::LEN, "PIXEL_FORMAT")?);
        Ok(Self {
            bits_per_pixel: fields.u8("bits-per-pixel")?,
            depth: fields.u8("depth")?,
            big_endian: fields.u8("big-endian-flag")? != 0,
            true_colour: fields.u8("true-colour-flag")? != 0,
            max: [
                fields.u16("red-max")?,
                fields.u16("green-max")?,
                fields.u16("blue-max")?,
            ],
            shift: [
                fields.u8("red-shift")?,
                fields.u8("green-shift")?,
                fields.u8("blue-shift")?,
            ],
        })
    }

    /// Writes the 16 bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_slice(&[
            self.bits_per_pixel,
            self.depth,
            self.big_endian.into(),
            self.true_colour.into(),
        ]);
        for max in self.max {
            out.put_u16(max);
        }
        out.put_slice(&self.shift);
        out.put_bytes(0, 3);
    }
}

/// ServerInit: 24 bytes and the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerInit {
    /// Width of the framebuffer in pixels.
    pub width: u16,
    /// Height of the framebuffer in pixels.
    pub height: u16,
    /// The server's own format.
    pub format: PixelFormat,
    /// The desktop's name, in the host's encoding, at most [`MAX_NAME`] bytes.
    pub name: Vec<u8>,
}

/// Why bytes are not a ServerInit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadServerInit {
    /// They are not all there yet.
    #[error(transparent)]
    Short(#[from] Short),
    /// The name is announced with more than [`MAX_NAME`] bytes.
    #[error("a desktop name of {0} bytes is announced, and {MAX_NAME} are allowed")]
    NameTooLong(u32),
}

impl ServerInit {
    /// Reads the message.
    ///
    /// # Errors
    /// [`BadServerInit`].
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, BadServerInit> {
        let width = reader.u16("framebuffer-width")?;
        let height = reader.u16("framebuffer-height")?;
        let format = PixelFormat::decode(reader)?;
        let name_len = reader.u32("name-length")?;
        if name_len > MAX_NAME {
            return Err(BadServerInit::NameTooLong(name_len));
        }
        let name_len = usize::try_from(name_len).unwrap_or(usize::MAX);
        let name = reader.bytes(name_len, "name-string")?.to_vec();
        Ok(Self {
            width,
            height,
            format,
            name,
        })
    }

    /// Writes the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u16(self.width);
        out.put_u16(self.height);
        self.format.encode(out);
        out.put_u32(u32::try_from(self.name.len()).unwrap_or(u32::MAX));
        out.put_slice(&self.name);
    }

    /// Gives the desktop another name, unless that would break the viewer.
    pub fn rename(&mut self, name: &str) {
        if self.name != AMT_NAME {
            self.name = name.as_bytes().to_vec();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// 720x400 as QEMU announces it.
    pub(crate) fn qemu() -> ServerInit {
        ServerInit {
            width: 720,
            height: 400,
            format: PixelFormat {
                shift: [16, 8, 0],
                ..PixelFormat::NOVNC
            },
            name: b"QEMU (web-01)".to_vec(),
        }
    }

    #[test]
    fn server_init_round_trips_and_every_cut_is_short() {
        let mut bytes = Vec::new();
        qemu().encode(&mut bytes);
        assert_eq!(bytes.len(), 24 + 13);
        assert_eq!(ServerInit::decode(&mut Reader::new(&bytes)), Ok(qemu()));
        for len in 0..bytes.len() {
            let cut = ServerInit::decode(&mut Reader::new(&bytes[..len]));
            assert!(matches!(cut, Err(BadServerInit::Short(_))), "cut at {len}");
        }
    }

    #[test]
    fn a_name_of_four_gigabytes_is_refused_before_it_arrives() {
        let mut bytes = Vec::new();
        qemu().encode(&mut bytes);
        bytes.truncate(20);
        bytes.extend([0xff; 4]);
        let error = ServerInit::decode(&mut Reader::new(&bytes)).unwrap_err();
        assert_eq!(error, BadServerInit::NameTooLong(u32::MAX));
    }

    #[test]
    fn amt_keeps_its_name() {
        let mut init = qemu();
        init.rename("web-01");
        assert_eq!(init.name, b"web-01");
        init.name = AMT_NAME.to_vec();
        init.rename("web-01");
        assert_eq!(init.name, AMT_NAME);
    }
}
