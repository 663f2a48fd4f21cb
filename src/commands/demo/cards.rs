//! The three cards below the terminal: the last key, the pointer, the machine.

use std::time::Duration;

use embedded_graphics::mono_font::iso_8859_1::{FONT_8X13, FONT_10X20};
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Circle, PrimitiveStyleBuilder, Rectangle};

use super::canvas::Canvas;
use super::keys::Key;
use super::layout::{CARD, CARD_GAP, CARDS_Y, LEFT, panel};
use super::palette::{IVORY, LAMP, MIST, PANEL, SAGE};
use super::pointer::Pointer;

const SECOND_LINE: Point = Point::new(0, 28);

/// A keysym, and whether its key went down and not up.
pub(super) fn key(canvas: &mut Canvas, last: Option<(u32, bool)>) {
    let at = card(canvas, 0, "LAST KEY");
    let Some((keysym, down)) = last else {
        canvas.write("none yet", at, &FONT_10X20, IVORY);
        return;
    };
    let (way, color) = if down { ("down", LAMP) } else { ("up", IVORY) };
    canvas.write(&Key::of(keysym).label(), at, &FONT_10X20, color);
    let what = format!("{keysym:#06x} {way}");
    canvas.write(&what, at + SECOND_LINE, &FONT_10X20, MIST);
}

/// The pointer's place, a lamp for each button, and how far the wheel was turned.
pub(super) fn pointer(canvas: &mut Canvas, pointer: Option<Pointer>) {
    let at = card(canvas, 1, "POINTER");
    let Some(pointer) = pointer else {
        canvas.write("not here yet", at, &FONT_10X20, IVORY);
        return;
    };
    let place = format!("{}, {}", pointer.at.x, pointer.at.y);
    canvas.write(&place, at, &FONT_10X20, IVORY);
    for (number, held) in (0..).zip(pointer.held()) {
        let center = at + Point::new(8 + 24 * number, 38);
        let style = PrimitiveStyleBuilder::new()
            .stroke_color(if held { LAMP } else { MIST })
            .stroke_width(2)
            .fill_color(if held { LAMP } else { PANEL })
            .build();
        let lamp = Circle::with_center(center, 15);
        let Ok(()) = lamp.into_styled(style).draw(canvas);
    }
    if pointer.wheel != 0 {
        let wheel = format!("wheel{:+}", pointer.wheel);
        canvas.write(
            &wheel,
            at + SECOND_LINE + Point::new(80, 0),
            &FONT_10X20,
            MIST,
        );
    }
}

/// How long the machine is running, and how often it paints.
pub(super) fn machine(canvas: &mut Canvas, uptime: Duration, frames_per_second: u32) {
    let at = card(canvas, 2, "MACHINE");
    let seconds = uptime.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let up = format!("up {hours}:{minutes:02}:{:02}", seconds % 60);
    canvas.write(&up, at, &FONT_10X20, IVORY);
    let rate = format!("{frames_per_second} frames/s");
    canvas.write(&rate, at + SECOND_LINE, &FONT_10X20, MIST);
}

/// An empty card in that place of the row; returns where its text begins.
fn card(canvas: &mut Canvas, place: i32, label: &str) -> Point {
    let left = LEFT + place * (CARD.width as i32 + CARD_GAP);
    let top_left = Point::new(left, CARDS_Y);
    panel(canvas, Rectangle::new(top_left, CARD));
    canvas.write(label, top_left + Point::new(15, 14), &FONT_8X13, SAGE);
    top_left + Point::new(15, 40)
}
