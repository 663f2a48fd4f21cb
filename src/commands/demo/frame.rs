//! One painting of the picture, and which of its tiles changed when.

use embedded_graphics::pixelcolor::Rgb888;

use super::canvas::{Canvas, HEIGHT, WIDTH};

/// Side of a tile in pixels. It divides both sides of the picture.
pub(super) const TILE: usize = 32;
/// Tiles in a row.
pub(super) const TILES_X: usize = WIDTH / TILE;
/// Rows of tiles.
pub(super) const TILES_Y: usize = HEIGHT / TILE;

const _: () = assert!(WIDTH.is_multiple_of(TILE) && HEIGHT.is_multiple_of(TILE));

/// The picture at one tick, with each tile's last change.
///
/// The changes are found once, by comparing with the frame before, for all viewers together: a
/// viewer only remembers which tick of each tile it has.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) canvas: Canvas,
    tick: u64,
    changed: Box<[u64]>,
}

impl Frame {
    /// One colour, at tick 1: tick 0 is before every frame.
    pub(super) fn filled(color: Rgb888) -> Self {
        Self {
            canvas: Canvas::filled(color),
            tick: 1,
            changed: vec![1; TILES_X * TILES_Y].into(),
        }
    }

    /// Takes the place after `before`: notes which tiles differ from it.
    pub(super) fn follow(&mut self, before: &Self) {
        self.tick = before.tick + 1;
        let ticks = self.changed.iter_mut().zip(&before.changed);
        for (tile, (changed, changed_before)) in ticks.enumerate() {
            *changed = if same(&self.canvas, &before.canvas, tile) {
                *changed_before
            } else {
                self.tick
            };
        }
    }

    /// For each tile, row by row, the tick at which it last changed.
    pub(super) fn changed(&self) -> &[u64] {
        &self.changed
    }
}

fn same(left: &Canvas, right: &Canvas, tile: usize) -> bool {
    let x = tile % TILES_X * TILE;
    let y = tile / TILES_X * TILE;
    (y..y + TILE).all(|y| left.run(x, y, TILE) == right.run(x, y, TILE))
}

#[cfg(test)]
mod tests {
    use embedded_graphics::prelude::*;

    use super::*;

    #[test]
    fn a_pixel_changes_its_tile_and_no_other() {
        let first = Frame::filled(Rgb888::BLACK);
        let mut second = first.clone();
        let corner = Point::new(2 * TILE as i32 - 1, 3 * TILE as i32);
        *second.canvas.pixel_mut(corner).unwrap() = Rgb888::WHITE;
        second.follow(&first);
        let mut third = second.clone();
        third.follow(&second);
        for frame in [second, third] {
            let late = (0..).zip(frame.changed()).filter(|(_, tick)| **tick > 1);
            let late: Vec<(usize, u64)> = late.map(|(tile, tick)| (tile, *tick)).collect();
            assert_eq!(late, [(3 * TILES_X + 1, 2)]);
        }
    }
}
