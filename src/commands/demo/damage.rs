//! What a viewer has not seen yet.

use super::frame::{Frame, TILE, TILES_X, TILES_Y};

/// A part of the picture in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: u16,
    pub(super) y: u16,
    pub(super) width: u16,
    pub(super) height: u16,
}

impl Area {
    fn contains_some_of(&self, tile: usize) -> bool {
        let overlaps = |start: u16, length: u16, tile: usize| {
            let start = usize::from(start);
            let end = start + usize::from(length);
            start < (tile + 1) * TILE && tile * TILE < end
        };
        overlaps(self.x, self.width, tile % TILES_X)
            && overlaps(self.y, self.height, tile / TILES_X)
    }
}

/// What a viewer asked for and has not been given, tile by tile, and what it was given before.
///
/// A request is answered with whole tiles: they are never outside of the picture, but may reach
/// beyond the area that was asked for.
#[derive(Debug)]
pub(super) struct View {
    tiles: Box<[Tile]>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tile {
    /// The viewer waits for a change of it.
    wanted: bool,
    /// The tick of what the viewer has; 0 is none.
    seen: u64,
}

impl View {
    /// Nothing was asked for, nothing seen.
    pub(super) fn new() -> Self {
        Self {
            tiles: vec![Tile::default(); TILES_X * TILES_Y].into(),
        }
    }

    /// The viewer asks for what changes in `area`, or for all of it when not `incremental`. A request
    /// adds to those that wait.
    pub(super) fn request(&mut self, area: Area, incremental: bool) {
        for (number, tile) in self.tiles.iter_mut().enumerate() {
            if area.contains_some_of(number) {
                tile.wanted = true;
                if !incremental {
                    tile.seen = 0;
                }
            }
        }
    }

    /// Whether a request waits for its answer.
    pub(super) fn is_waiting(&self) -> bool {
        self.tiles.iter().any(|tile| tile.wanted)
    }

    /// The areas that answer the requests, as soon as there are any: then nothing is asked for any
    /// more. Tiles side by side come as one area.
    pub(super) fn answer(&mut self, frame: &Frame) -> Vec<Area> {
        let mut areas: Vec<Area> = Vec::new();
        let tiles = self.tiles.iter_mut().zip(frame.changed());
        for (number, (tile, changed)) in tiles.enumerate() {
            if !tile.wanted || tile.seen >= *changed {
                continue;
            }
            tile.seen = *changed;
            let side = TILE as u16;
            let x = (number % TILES_X) as u16 * side;
            let y = (number / TILES_X) as u16 * side;
            match areas.last_mut() {
                Some(left) if left.y == y && left.x + left.width == x => left.width += side,
                _ => areas.push(Area {
                    x,
                    y,
                    width: side,
                    height: side,
                }),
            }
        }
        if !areas.is_empty() {
            for tile in &mut self.tiles {
                tile.wanted = false;
            }
        }
        areas
    }
}

#[cfg(test)]
mod tests {
    use embedded_graphics::pixelcolor::Rgb888;
    use embedded_graphics::prelude::*;

    use super::super::canvas::{HEIGHT, WIDTH};
    use super::*;

    const ALL: Area = Area {
        x: 0,
        y: 0,
        width: WIDTH as u16,
        height: HEIGHT as u16,
    };

    fn after(before: &Frame, changes: &[(i32, i32)]) -> Frame {
        let mut frame = before.clone();
        for (x, y) in changes {
            *frame.canvas.pixel_mut(Point::new(*x, *y)).unwrap() = Rgb888::WHITE;
        }
        frame.follow(before);
        frame
    }

    #[test]
    fn the_first_answer_is_everything_and_the_next_only_what_changed() {
        let first = Frame::filled(Rgb888::BLACK);
        let mut view = View::new();
        assert!(view.answer(&first).is_empty(), "nobody asked");

        view.request(ALL, true);
        let everything = view.answer(&first);
        assert_eq!(everything.len(), TILES_Y, "one area a row");
        assert!(everything.iter().all(|area| area.width == ALL.width));

        view.request(ALL, true);
        assert!(view.answer(&first).is_empty());
        assert!(view.is_waiting(), "held until something changes");
        let second = after(&first, &[(40, 70), (64, 95), (1023, 639)]);
        let [two, corner] = view.answer(&second)[..] else {
            panic!("two areas");
        };
        assert_eq!((two.x, two.y, two.width, two.height), (32, 64, 64, 32));
        assert_eq!((corner.x, corner.y, corner.width), (992, 608, 32));
        assert!(!view.is_waiting());
    }

    #[test]
    fn changes_outside_of_the_area_wait_for_a_request_of_theirs() {
        let first = Frame::filled(Rgb888::BLACK);
        let mut view = View::new();
        view.request(ALL, false);
        view.answer(&first);
        let second = after(&first, &[(0, 0), (500, 500)]);
        let third = after(&second, &[(1, 1)]);
        let corner = Area {
            width: 10,
            height: 10,
            ..ALL
        };
        view.request(corner, true);
        assert_eq!(view.answer(&third).len(), 1);
        view.request(ALL, true);
        let rest = view.answer(&third);
        assert_eq!(rest.len(), 1);
        assert_eq!((rest[0].x, rest[0].y), (480, 480));
        view.request(corner, false);
        assert_eq!(view.answer(&third).len(), 1, "asked for again as a whole");
    }
}
