//! What of the picture never changes: the wall at night, and the door below the fanlight.

use embedded_graphics::mono_font::iso_8859_1::FONT_10X20;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Circle, PrimitiveStyle, Rectangle};

use super::canvas::{Canvas, HEIGHT, WIDTH};
use super::emblem::{ARCH, CENTER};
use super::palette::{
    self, BRASS, DOOR, DOOR_LIGHT, DOOR_SHADE, DUSK, LAMP, MORTAR, NIGHT, STONE, STONE_SHADE, mix,
};

/// Where the bricks end and the night begins, in pixels from the left.
const WALL: i32 = 368;
const BRICK: Size = Size::new(46, 18);
const STREET: i32 = 606;

/// Draws the house without its fanlight.
pub(super) fn draw(canvas: &mut Canvas) {
    wall(canvas);
    door(canvas);
}

/// Bricks that are warm near the window and fade into the night.
fn wall(canvas: &mut Canvas) {
    for y in 0..HEIGHT as i32 {
        let night = mix(DUSK, NIGHT, palette::share(y as f32 / HEIGHT as f32));
        for x in 0..WIDTH as i32 {
            let at = Point::new(x, y);
            let color = if x < WALL { brick(at, night) } else { night };
            if let Some(pixel) = canvas.pixel_mut(at) {
                *pixel = color;
            }
        }
    }
}

fn brick(at: Point, night: Rgb888) -> Rgb888 {
    let (width, height) = (BRICK.width as i32, BRICK.height as i32);
    let course = at.y / height;
    let x = at.x + if course % 2 == 0 { 0 } else { width / 2 };
    let mortar = at.y % height < 2 || x % width < 2;
    // Each brick has a tone of its own.
    let number = (x / width * 7 + course * 13) % 11;
    let clay = mix(
        Rgb888::new(0x2b, 0x26, 0x2c),
        Rgb888::new(0x37, 0x2e, 0x31),
        number as u8 * 23,
    );
    let color = if mortar { MORTAR } else { clay };

    // The light comes from a little above the sill.
    let away = at - CENTER + Point::new(0, 40);
    let from_the_window = (away.x as f32).hypot(away.y as f32) - ARCH;
    let glow = (1.0 - from_the_window / 190.0).clamp(0.0, 1.0);
    let lit = mix(color, LAMP, palette::share(glow * glow * 0.30));
    let shade = (at.x - (WALL - 150)).max(0) as f32 / 150.0;
    mix(
        lit,
        night,
        palette::share(shade * shade * (3.0 - 2.0 * shade)),
    )
}

fn door(canvas: &mut Canvas) {
    let reach = ARCH as i32;
    let left = CENTER.x - reach;
    let mut fill = |x: i32, y: i32, width: i32, height: i32, color| {
        let size = Size::new(width as u32, height as u32);
        let Ok(()) = canvas.fill_solid(&Rectangle::new(Point::new(x, y), size), color);
    };
    let top = CENTER.y + 1;
    let pilaster = 36;

    // The two pilasters, and the beam that the window stands on.
    for x in [left, left + 2 * reach - pilaster] {
        fill(x, top, pilaster, STREET - top, mix(STONE, STONE_SHADE, 120));
        fill(x, top, 2, STREET - top, STONE);
        fill(
            x + pilaster - 3,
            top,
            3,
            STREET - top,
            mix(STONE_SHADE, NIGHT, 120),
        );
        for flute in [9, 16, 23] {
            fill(
                x + flute,
                top + 34,
                3,
                STREET - top - 62,
                mix(STONE_SHADE, NIGHT, 60),
            );
        }
        fill(
            x - 4,
            STREET - 20,
            pilaster + 8,
            20,
            mix(STONE, STONE_SHADE, 170),
        );
        fill(x - 4, STREET - 20, pilaster + 8, 2, STONE);
    }
    fill(
        left - 8,
        top,
        2 * reach + 16,
        18,
        mix(STONE, STONE_SHADE, 60),
    );
    fill(left - 8, top, 2 * reach + 16, 2, mix(STONE, LAMP, 90));
    fill(
        left - 8,
        top + 18,
        2 * reach + 16,
        4,
        mix(STONE_SHADE, NIGHT, 130),
    );

    // The leaf and its six panels.
    let (leaf_x, leaf_y) = (left + pilaster, top + 22);
    let leaf_width = 2 * (reach - pilaster);
    fill(
        leaf_x,
        leaf_y,
        leaf_width,
        STREET - leaf_y,
        mix(DOOR_SHADE, NIGHT, 120),
    );
    fill(
        leaf_x + 4,
        leaf_y + 4,
        leaf_width - 8,
        STREET - leaf_y - 4,
        DOOR,
    );
    let panel_width = (leaf_width - 8 - 3 * 22) / 2;
    for (y, height) in [(20, 50), (88, 98), (204, 64)] {
        for side in 0..2 {
            let x = leaf_x + 4 + 22 + side * (panel_width + 22);
            let y = leaf_y + y;
            fill(x, y, panel_width, height, DOOR_SHADE);
            fill(x + 2, y + 2, panel_width - 2, height - 2, DOOR_LIGHT);
            fill(
                x + 2,
                y + 2,
                panel_width - 4,
                height - 4,
                mix(DOOR, DOOR_SHADE, 70),
            );
            fill(x + 9, y + 9, panel_width - 18, height - 18, DOOR_LIGHT);
            fill(x + 10, y + 10, panel_width - 19, height - 19, DOOR_SHADE);
            fill(x + 10, y + 10, panel_width - 20, height - 20, DOOR);
        }
    }

    // Two steps down to the street.
    fill(
        left - 14,
        STREET,
        2 * reach + 28,
        14,
        mix(STONE, STONE_SHADE, 130),
    );
    fill(left - 14, STREET, 2 * reach + 28, 2, mix(STONE, LAMP, 60));
    fill(
        left - 26,
        STREET + 14,
        2 * reach + 52,
        20,
        mix(STONE_SHADE, NIGHT, 70),
    );
    fill(left - 26, STREET + 14, 2 * reach + 52, 2, STONE_SHADE);

    brass(canvas, leaf_x, leaf_y, leaf_width);
}

/// The number of the house, which is VNC's port, the letter box and the knob.
fn brass(canvas: &mut Canvas, leaf_x: i32, leaf_y: i32, leaf_width: i32) {
    let number = "5900";
    let number_x = CENTER.x - 10 * number.len() as i32 / 2;
    let shade = mix(BRASS, NIGHT, 140);
    canvas.write(
        number,
        Point::new(number_x + 1, leaf_y + 68),
        &FONT_10X20,
        shade,
    );
    canvas.write(
        number,
        Point::new(number_x, leaf_y + 67),
        &FONT_10X20,
        BRASS,
    );

    let slot = Point::new(CENTER.x - 34, leaf_y + 189);
    let Ok(()) = canvas.fill_solid(&Rectangle::new(slot, Size::new(68, 12)), BRASS);
    let inner = Rectangle::new(slot + Point::new(3, 4), Size::new(62, 4));
    let Ok(()) = canvas.fill_solid(&inner, mix(BRASS, NIGHT, 190));

    let knob = Point::new(leaf_x + leaf_width - 15, leaf_y + 195);
    for (diameter, color) in [
        (15, mix(BRASS, NIGHT, 150)),
        (12, BRASS),
        (4, mix(BRASS, LAMP, 200)),
    ] {
        let circle = Circle::with_center(knob - Point::new(1, 1), diameter);
        let Ok(()) = circle
            .into_styled(PrimitiveStyle::with_fill(color))
            .draw(canvas);
    }
}
