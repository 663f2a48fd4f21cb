//! Where things are in the picture, in pixels.

use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyleBuilder, Rectangle, RoundedRectangle};

use super::canvas::Canvas;
use super::palette::{EDGE, PANEL};

/// Where everything beside the house begins and ends.
pub(super) const LEFT: i32 = 386;
pub(super) const RIGHT: i32 = 1000;
pub(super) const WIDE: u32 = (RIGHT - LEFT) as u32;
/// The panel that echoes what is typed, and the first character in it.
pub(super) const TERMINAL: Rectangle = Rectangle::new(Point::new(LEFT, 124), Size::new(WIDE, 320));
pub(super) const TERMINAL_TEXT: Point = Point::new(LEFT + 15, 124 + 46);
/// A character of the terminal.
pub(super) const GLYPH: Size = Size::new(10, 20);
/// One of the three cards below it.
pub(super) const CARD: Size = Size::new(194, 104);
pub(super) const CARD_GAP: i32 = 16;
pub(super) const CARDS_Y: i32 = 462;
/// Where the light swings that shows that the picture lives.
pub(super) const TRACK: Rectangle = Rectangle::new(Point::new(LEFT, 588), Size::new(WIDE, 4));
/// The line of small text at the bottom.
pub(super) const FOOT: Point = Point::new(LEFT, 606);

/// An empty panel with round corners.
pub(super) fn panel(canvas: &mut Canvas, area: Rectangle) {
    let style = PrimitiveStyleBuilder::new()
        .fill_color(PANEL)
        .stroke_color(EDGE)
        .stroke_width(1)
        .build();
    let Ok(()) = RoundedRectangle::with_equal_corners(area, Size::new(8, 8))
        .into_styled(style)
        .draw(canvas);
}
