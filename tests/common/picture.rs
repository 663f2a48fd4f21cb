//! Pictures: what a guest painted, what arrived.

use std::io::Cursor;
use std::path::Path;

/// Pixels of 3 bytes (red, green, blue), row by row from the top left.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `3 * width * height` bytes.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// A picture of one colour.
    pub fn plain(width: usize, height: usize, colour: [u8; 3]) -> Self {
        Self::paint(width, height, |_, _| colour)
    }

    /// A picture by a formula of column and row.
    pub fn paint(width: usize, height: usize, at: impl Fn(usize, usize) -> [u8; 3]) -> Self {
        let rows = 0..height;
        let rgb = rows.flat_map(|y| (0..width).map(move |x| (x, y)));
        let rgb = rgb.flat_map(|(x, y)| at(x, y)).collect();
        Self { width, height, rgb }
    }

    /// The colour of one pixel.
    pub fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let start = 3 * (y * self.width + x);
        [self.rgb[start], self.rgb[start + 1], self.rgb[start + 2]]
    }

    /// Sets the colour of one pixel.
    pub fn set(&mut self, x: usize, y: usize, colour: [u8; 3]) {
        let start = 3 * (y * self.width + x);
        self.rgb[start..start + 3].copy_from_slice(&colour);
    }

    /// Where two pictures differ, in words, or `None`.
    pub fn difference(&self, other: &Self) -> Option<String> {
        if self == other {
            return None;
        }
        let (size, other_size) = ((self.width, self.height), (other.width, other.height));
        if size != other_size {
            return Some(format!("sizes {size:?} and {other_size:?}"));
        }
        let pixels = || (0..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y)));
        let differs = |&(x, y): &(usize, usize)| self.at(x, y) != other.at(x, y);
        let (x, y) = pixels().find(differs)?;
        let count = pixels().filter(differs).count();
        let (one, two) = (self.at(x, y), other.at(x, y));
        Some(format!(
            "{count} pixels, the first at {x},{y}: {one:?} and {two:?}"
        ))
    }

    /// Panics unless both are the same, pixel for pixel.
    pub fn assert_same(&self, other: &Self, what: &str) {
        if let Some(difference) = self.difference(other) {
            panic!("{what}: {difference}");
        }
    }

    /// Reads a binary portable pixmap of 8 bits a channel, as QEMU's `screendump` writes it.
    pub fn from_ppm(bytes: &[u8]) -> Result<Self, String> {
        let mut fields = bytes.splitn(4, u8::is_ascii_whitespace);
        let mut field = || fields.next().ok_or("too short");
        let magic = field()?;
        let mut number = || -> Result<usize, String> {
            let text = std::str::from_utf8(field()?).map_err(|e| e.to_string())?;
            text.parse().map_err(|_| format!("{text:?} is no number"))
        };
        let (width, height) = (number()?, number()?);
        let rest = field()?
            .strip_prefix(b"255\n")
            .ok_or("not 8 bits a channel")?;
        if magic != b"P6" || rest.len() != 3 * width * height {
            return Err(format!("{} bytes for {width}x{height}", rest.len()));
        }
        Ok(Self {
            width,
            height,
            rgb: rest.to_vec(),
        })
    }

    /// Reads a PNG of 8 bits a channel, with or without alpha, as a canvas gives it.
    pub fn from_png(bytes: &[u8]) -> Self {
        let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
        let mut raw = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut raw).unwrap();
        assert_eq!(info.bit_depth, png::BitDepth::Eight);
        let channels = info.color_type.samples();
        assert!(channels >= 3, "{:?}", info.color_type);
        let pixels = raw[..info.buffer_size()].chunks_exact(channels);
        Self {
            width: info.width as usize,
            height: info.height as usize,
            rgb: pixels.flat_map(|p| [p[0], p[1], p[2]]).collect(),
        }
    }

    /// Writes a PNG for a person to look at.
    pub fn save(&self, path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = std::fs::File::create(path).unwrap();
        let mut encoder = png::Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder
            .write_header()
            .unwrap()
            .write_image_data(&self.rgb)
            .unwrap();
    }
}
