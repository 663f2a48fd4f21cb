//! The pointer, and the crosshair that shows where it is.

use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Circle, Line, PrimitiveStyle};

use super::canvas::Canvas;
use super::palette::{LAMP, PANEL, SAGE};

/// Where the pointer is and what it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pointer {
    pub(super) at: Point,
    buttons: u8,
    /// How many notches the wheel was turned away from the person, less those towards them.
    pub(super) wheel: i32,
}

/// The wheel is not counted further than this, so that the count keeps its place.
const FURTHEST: i32 = 999;

impl Pointer {
    /// The pointer after a PointerEvent: bit 0 of `buttons` is the left one, 1 the middle one, 2 the
    /// right one, 3 and 4 are the wheel's two ways.
    pub(super) fn moved(self, x: u16, y: u16, buttons: u8) -> Self {
        let pressed = buttons & !self.buttons;
        let turned = i32::from(pressed & 1 << 3 != 0) - i32::from(pressed & 1 << 4 != 0);
        Self {
            at: Point::new(x.into(), y.into()),
            buttons,
            wheel: (self.wheel + turned).clamp(-FURTHEST, FURTHEST),
        }
    }

    /// Whether the left, the middle and the right button are held.
    pub(super) fn held(self) -> [bool; 3] {
        [0, 1, 2].map(|button| self.buttons & 1 << button != 0)
    }

    /// Draws a cross with a ring around the place that the pointer points at.
    pub(super) fn draw(self, onto: &mut Canvas) {
        let color = if self.held().contains(&true) {
            LAMP
        } else {
            SAGE
        };
        // The wide stroke below keeps it apart from whatever it stands on.
        for (stroke, color) in [(5, PANEL), (1, color)] {
            let style = PrimitiveStyle::with_stroke(color, stroke);
            for (x, y) in [(1, 0), (-1, 0), (0, 1), (0, -1)] {
                let way = Point::new(x, y);
                let arm = Line::new(self.at + way * 5, self.at + way * 20);
                let Ok(()) = arm.into_styled(style).draw(onto);
            }
            let ring = Circle::with_center(self.at, 25);
            let Ok(()) = ring.into_styled(style).draw(onto);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notch_counts_once_and_buttons_are_held() {
        let mut pointer = Pointer::default();
        for buttons in [0b1000, 0b1000, 0, 0b1000, 0, 0b1_0101] {
            pointer = pointer.moved(7, 9, buttons);
        }
        assert_eq!(pointer.wheel, 1, "twice up, once down");
        assert_eq!(pointer.held(), [true, false, true]);
        assert_eq!(pointer.at, Point::new(7, 9));
        for _ in 0..2000 {
            pointer = pointer.moved(0, 0, 0b1000).moved(0, 0, 0);
        }
        assert_eq!(pointer.wheel, FURTHEST);
    }
}
