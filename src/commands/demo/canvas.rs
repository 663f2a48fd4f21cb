//! What is drawn on: 1024 x 640 pixels in memory.

use std::convert::Infallible;

use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use embedded_graphics::text::{Baseline, Text};

/// Width of the picture in pixels.
pub(super) const WIDTH: usize = 1024;
/// Height of the picture in pixels.
pub(super) const HEIGHT: usize = 640;

/// The picture's pixels, row by row from the top left. Drawing beyond the edge is cut off.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Canvas {
    pixels: Box<[Rgb888]>,
}

impl Canvas {
    /// All of one colour.
    pub(super) fn filled(color: Rgb888) -> Self {
        Self {
            pixels: vec![color; WIDTH * HEIGHT].into(),
        }
    }

    /// All pixels, row by row.
    #[cfg(test)]
    pub(super) fn pixels(&self) -> &[Rgb888] {
        &self.pixels
    }

    /// Takes over every pixel of `other`.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.pixels.copy_from_slice(&other.pixels);
    }

    /// The pixel at a place, unless that is outside.
    pub(super) fn pixel_mut(&mut self, at: Point) -> Option<&mut Rgb888> {
        let x = usize::try_from(at.x).ok().filter(|x| *x < WIDTH)?;
        let y = usize::try_from(at.y).ok().filter(|y| *y < HEIGHT)?;
        self.pixels.get_mut(y * WIDTH + x)
    }

    /// `width` pixels of row `y`, from column `x` on; empty when that is outside.
    pub(super) fn run(&self, x: usize, y: usize, width: usize) -> &[Rgb888] {
        let start = y * WIDTH + x;
        self.pixels.get(start..start + width).unwrap_or_default()
    }

    /// Writes one line whose top left corner is at `at`; returns where the next glyph would stand.
    pub(super) fn write(
        &mut self,
        text: &str,
        at: Point,
        font: &'static MonoFont<'static>,
        color: Rgb888,
    ) -> Point {
        let style = MonoTextStyle::new(font, color);
        let Ok(next) = Text::with_baseline(text, at, style, Baseline::Top).draw(self);
        next
    }

    /// Writes one line with every pixel of the font twice as wide and high.
    pub(super) fn write_large(
        &mut self,
        text: &str,
        at: Point,
        font: &'static MonoFont<'static>,
        color: Rgb888,
    ) {
        let style = MonoTextStyle::new(font, color);
        let mut doubled = Doubled { canvas: self, at };
        let Ok(_) =
            Text::with_baseline(text, Point::zero(), style, Baseline::Top).draw(&mut doubled);
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(WIDTH as u32, HEIGHT as u32)
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<Rgb888>>,
    {
        for Pixel(at, color) in pixels {
            if let Some(pixel) = self.pixel_mut(at) {
                *pixel = color;
            }
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, color: Rgb888) -> Result<(), Infallible> {
        let area = area.intersection(&self.bounding_box());
        let width = area.size.width as usize;
        for row in area.rows() {
            if let Some(first) = self.pixel_index(area.top_left.x, row)
                && let Some(run) = self.pixels.get_mut(first..first + width)
            {
                run.fill(color);
            }
        }
        Ok(())
    }
}

impl Canvas {
    fn pixel_index(&self, x: i32, y: i32) -> Option<usize> {
        Some(usize::try_from(y).ok()? * WIDTH + usize::try_from(x).ok()?)
    }
}

/// The canvas seen through a glass that makes everything twice as large.
struct Doubled<'a> {
    canvas: &'a mut Canvas,
    at: Point,
}

impl OriginDimensions for Doubled<'_> {
    fn size(&self) -> Size {
        self.canvas.size() / 2
    }
}

impl DrawTarget for Doubled<'_> {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<Rgb888>>,
    {
        for Pixel(place, color) in pixels {
            let square = Rectangle::new(self.at + place * 2, Size::new(2, 2));
            self.canvas.fill_solid(&square, color)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_is_cut_off() {
        let mut canvas = Canvas::filled(Rgb888::BLACK);
        let corner = Point::new(WIDTH as i32 - 1, HEIGHT as i32 - 1);
        let over_the_corner = Rectangle::new(corner, Size::new(50, 50));
        let Ok(()) = canvas.fill_solid(&over_the_corner, Rgb888::WHITE);
        let Ok(()) = canvas.draw_iter([
            Pixel(Point::new(-1, 0), Rgb888::RED),
            Pixel(Point::new(WIDTH as i32, 0), Rgb888::RED),
        ]);
        let lit = |pixel: &&Rgb888| **pixel != Rgb888::BLACK;
        assert_eq!(canvas.pixels().iter().filter(lit).count(), 1);
        assert_eq!(canvas.run(WIDTH - 1, HEIGHT - 1, 1), [Rgb888::WHITE]);
        assert!(canvas.run(0, HEIGHT, 1).is_empty());
    }
}
