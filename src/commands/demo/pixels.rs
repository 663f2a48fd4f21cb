//! The picture's colours in the viewer's pixel format.

use bytes::BufMut;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::RgbColor;

use crate::rfb::init::PixelFormat;

/// The machine's own format: 32 bits, little-endian, blue first.
pub(super) const NATIVE: PixelFormat = PixelFormat {
    shift: [16, 8, 0],
    ..PixelFormat::NOVNC
};

/// Writes colours in one pixel format.
#[derive(Clone, Debug)]
pub(super) struct PixelWriter {
    width: Width,
    /// For each value of red, green and blue, its share of a pixel.
    shares: Box<[[u32; 256]; 3]>,
}

#[derive(Clone, Copy, Debug)]
enum Width {
    One,
    Two { big_endian: bool },
    Four { big_endian: bool },
}

impl PixelWriter {
    /// A writer for that format; `None` when it needs a colour map or does not fit into its bits.
    pub(super) fn new(format: &PixelFormat) -> Option<Self> {
        let big_endian = format.big_endian;
        let width = match format.bits_per_pixel {
            8 => Width::One,
            16 => Width::Two { big_endian },
            32 => Width::Four { big_endian },
            _ => return None,
        };
        if !format.true_colour {
            return None;
        }
        let mut shares = Box::new([[0; 256]; 3]);
        for (table, (max, shift)) in shares
            .iter_mut()
            .zip(format.max.into_iter().zip(format.shift))
        {
            let largest = u64::from(max).checked_shl(shift.into())?;
            if shift >= 32 || largest >> format.bits_per_pixel != 0 {
                return None;
            }
            for (value, share) in (0_u32..).zip(table) {
                *share = ((value * u32::from(max) + 127) / 255) << shift;
            }
        }
        Some(Self { width, shares })
    }

    /// Writes pixels one after the other.
    pub(super) fn put(&self, colors: &[Rgb888], out: &mut Vec<u8>) {
        let [red, green, blue] = &*self.shares;
        for color in colors {
            let pixel = red[usize::from(color.r())]
                | green[usize::from(color.g())]
                | blue[usize::from(color.b())];
            // `new` has made sure that the pixel fits.
            match self.width {
                Width::One => out.put_u8(pixel as u8),
                Width::Two { big_endian: true } => out.put_u16(pixel as u16),
                Width::Two { big_endian: false } => out.put_u16_le(pixel as u16),
                Width::Four { big_endian: true } => out.put_u32(pixel),
                Width::Four { big_endian: false } => out.put_u32_le(pixel),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLOR: Rgb888 = Rgb888::new(0xff, 0x80, 0x01);

    fn pixel(format: PixelFormat) -> Vec<u8> {
        let mut out = Vec::new();
        PixelWriter::new(&format).unwrap().put(&[COLOR], &mut out);
        out
    }

    #[test]
    fn every_layout_of_true_colour() {
        assert_eq!(pixel(NATIVE), [0x01, 0x80, 0xff, 0]);
        let big_endian = true;
        assert_eq!(
            pixel(PixelFormat {
                big_endian,
                ..NATIVE
            }),
            [0, 0xff, 0x80, 0x01]
        );
        assert_eq!(pixel(PixelFormat::NOVNC), [0xff, 0x80, 0x01, 0]);
        let rgb565 = PixelFormat {
            bits_per_pixel: 16,
            depth: 16,
            max: [31, 63, 31],
            shift: [11, 5, 0],
            ..NATIVE
        };
        assert_eq!(pixel(rgb565), 0xfc00_u16.to_le_bytes());
        assert_eq!(
            pixel(PixelFormat {
                big_endian,
                ..rgb565
            }),
            0xfc00_u16.to_be_bytes()
        );
        let bgr233 = PixelFormat {
            bits_per_pixel: 8,
            depth: 8,
            max: [7, 7, 3],
            shift: [0, 3, 6],
            ..NATIVE
        };
        assert_eq!(pixel(bgr233), [0x27]);
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        let refused = [
            PixelFormat {
                true_colour: false,
                ..NATIVE
            },
            PixelFormat {
                bits_per_pixel: 24,
                ..NATIVE
            },
            PixelFormat {
                bits_per_pixel: 16,
                ..NATIVE
            },
            PixelFormat {
                shift: [25, 8, 0],
                ..NATIVE
            },
            PixelFormat {
                shift: [255, 8, 0],
                ..NATIVE
            },
            PixelFormat {
                max: [0; 3],
                shift: [40, 8, 0],
                ..NATIVE
            },
        ];
        for format in refused {
            assert!(PixelWriter::new(&format).is_none(), "{format:?}");
        }
    }
}
