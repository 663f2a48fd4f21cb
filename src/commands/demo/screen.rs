//! The picture: what the machine shows of itself, of the keys and of the pointer.

use std::time::Duration;

use embedded_graphics::mono_font::iso_8859_1::{FONT_8X13, FONT_10X20};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Circle, Line, PrimitiveStyle, Rectangle};

use crate::clock::UnixTime;

use super::canvas::Canvas;
use super::cards;
use super::emblem::Emblem;
use super::house;
use super::keys::Key;
use super::layout::{FOOT, GLYPH, LEFT, RIGHT, TERMINAL, TERMINAL_TEXT, TRACK, WIDE, panel};
use super::palette::{self, EDGE, IVORY, LAMP, MIST, NIGHT, SAGE, mix};
use super::pointer::Pointer;
use super::terminal::{COLUMNS, Cell, Ink, ROWS, Terminal};

/// The machine's name, as its title and in its ServerInit.
pub(super) const NAME: &str = "Fanlight demo machine";

const GREETING: [&str; 6] = [
    "A fanlight is the small window over a door: it lets you",
    "look in and lets nobody through.",
    "",
    "This machine asked the gateway for a VNC password, not",
    "your browser. Type something, and move the pointer.",
    "",
];

/// What a frame is painted for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// The time of day.
    pub(super) time: UnixTime,
    /// How long the machine is running.
    pub(super) uptime: Duration,
    /// How many are looking.
    pub(super) viewers: usize,
}

/// The state that the picture shows, and the picture as far as it stands still.
///
/// Each part is drawn again only when what it shows is another than the last time.
#[derive(Debug)]
pub(super) struct Screen {
    canvas: Canvas,
    emblem: Emblem,
    terminal: Terminal,
    key: Option<(u32, bool)>,
    pointer: Option<Pointer>,
    rate: Rate,
    shown: Shown,
}

/// What each part showed the last time.
#[derive(Debug, Default)]
struct Shown {
    clock: Option<UnixTime>,
    terminal: Option<u64>,
    key: Option<Option<(u32, bool)>>,
    pointer: Option<Option<Pointer>>,
    machine: Option<(u64, u32)>,
    viewers: Option<usize>,
}

impl Screen {
    /// The picture as it is when nobody has touched anything.
    pub(super) fn new() -> Self {
        let mut canvas = Canvas::filled(NIGHT);
        house::draw(&mut canvas);
        let emblem = Emblem::new(&mut canvas);
        canvas.write_large(NAME, Point::new(LEFT, 32), &FONT_10X20, IVORY);
        canvas.write(
            "RFB 3.8 · VNC authentication · Raw",
            Point::new(LEFT, 80),
            &FONT_10X20,
            MIST,
        );
        Self {
            canvas,
            emblem,
            terminal: Terminal::new(&GREETING),
            key: None,
            pointer: None,
            rate: Rate::default(),
            shown: Shown::default(),
        }
    }

    /// A key went down or up.
    pub(super) fn key(&mut self, keysym: u32, down: bool) {
        self.key = Some((keysym, down));
        if down {
            self.terminal.press(Key::of(keysym));
        }
    }

    /// The pointer is at `x`, `y` with these buttons held.
    pub(super) fn pointer(&mut self, x: u16, y: u16, buttons: u8) {
        self.pointer = Some(self.pointer.unwrap_or_default().moved(x, y, buttons));
    }

    /// Paints the whole picture of this moment onto `onto`.
    pub(super) fn paint(&mut self, now: Moment, onto: &mut Canvas) {
        self.rate.count(now.uptime);
        self.emblem.light(&mut self.canvas, now.uptime);
        if self.shown.clock.replace(now.time) != Some(now.time) {
            self.clock(now.time);
        }
        let revision = self.terminal.revision();
        if self.shown.terminal.replace(revision) != Some(revision) {
            self.terminal();
        }
        if self.shown.key.replace(self.key) != Some(self.key) {
            cards::key(&mut self.canvas, self.key);
        }
        if self.shown.pointer.replace(self.pointer) != Some(self.pointer) {
            cards::pointer(&mut self.canvas, self.pointer);
        }
        let machine = (now.uptime.as_secs(), self.rate.last_second);
        if self.shown.machine.replace(machine) != Some(machine) {
            cards::machine(&mut self.canvas, now.uptime, self.rate.last_second);
        }
        if self.shown.viewers.replace(now.viewers) != Some(now.viewers) {
            self.viewers(now.viewers);
        }

        onto.copy_from(&self.canvas);
        comet(onto, now.uptime);
        if now.uptime.subsec_millis() < 500 {
            self.cursor(onto);
        }
        if let Some(pointer) = self.pointer {
            pointer.draw(onto);
        }
    }

    fn clock(&mut self, time: UnixTime) {
        // 2026-11-21T08:30:00Z
        let text = time.to_string();
        let (date, clock) = text.split_once('T').unwrap_or((&text, ""));
        let clock = clock.trim_end_matches('Z');
        let left = RIGHT - 2 * 10 * 8;
        self.clear(Rectangle::new(Point::new(left, 32), Size::new(160, 40)));
        self.canvas
            .write_large(clock, Point::new(left, 32), &FONT_10X20, LAMP);
        let date = format!("{date} UTC");
        let left = RIGHT - 10 * 14;
        self.clear(Rectangle::new(Point::new(left, 80), Size::new(140, 20)));
        self.canvas
            .write(&date, Point::new(left, 80), &FONT_10X20, MIST);
    }

    /// The background is the night's, which shades from row to row: each row is the colour of its end.
    fn clear(&mut self, area: Rectangle) {
        for y in area.rows() {
            let Some(color) = self.canvas.pixel_mut(Point::new(RIGHT + 8, y)).copied() else {
                continue;
            };
            let row = Rectangle::new(
                Point::new(area.top_left.x, y),
                Size::new(area.size.width, 1),
            );
            let Ok(()) = self.canvas.fill_solid(&row, color);
        }
    }

    fn terminal(&mut self) {
        panel(&mut self.canvas, TERMINAL);
        let bar = TERMINAL.top_left;
        for (number, color) in (0..).zip([LAMP, SAGE, EDGE]) {
            let center = bar + Point::new(20 + 18 * number, 17);
            let Ok(()) = Circle::with_center(center, 10)
                .into_styled(PrimitiveStyle::with_fill(color))
                .draw(&mut self.canvas);
        }
        let title = "console";
        let title_x = TERMINAL.center().x - 8 * title.len() as i32 / 2;
        self.canvas
            .write(title, Point::new(title_x, bar.y + 11), &FONT_8X13, MIST);
        let rule = Line::new(
            bar + Point::new(1, 34),
            bar + Point::new(WIDE as i32 - 2, 34),
        );
        let Ok(()) = rule
            .into_styled(PrimitiveStyle::with_stroke(EDGE, 1))
            .draw(&mut self.canvas);

        for (row, cells) in (0..).zip(self.terminal.rows().take(ROWS)) {
            let mut at = TERMINAL_TEXT + Point::new(0, GLYPH.height as i32 * row);
            for run in cells.chunk_by(|(_, left), (_, right)| left == right) {
                at = self
                    .canvas
                    .write(&text_of(run), at, &FONT_10X20, ink_of(run));
            }
        }
    }

    fn viewers(&mut self, viewers: usize) {
        let text = match viewers {
            1 => "1 viewer".to_owned(),
            viewers => format!("{viewers} viewers"),
        };
        self.clear(Rectangle::new(FOOT, Size::new(WIDE, 13)));
        let at = Point::new(RIGHT - 8 * text.len() as i32, FOOT.y);
        self.canvas.write(&text, at, &FONT_8X13, MIST);
    }

    /// The block that blinks where the next character will stand.
    fn cursor(&self, onto: &mut Canvas) {
        let (column, row) = self.terminal.cursor();
        let place = Point::new(column.min(COLUMNS) as i32, row.min(ROWS) as i32);
        let at = TERMINAL_TEXT
            + place.component_mul(Point::new(GLYPH.width as i32, GLYPH.height as i32));
        let Ok(()) = onto.fill_solid(
            &Rectangle::new(at + Point::new(0, 1), Size::new(10, 18)),
            LAMP,
        );
    }
}

/// Frames painted within a second.
#[derive(Debug, Default)]
struct Rate {
    second: u64,
    counted: u32,
    last_second: u32,
}

impl Rate {
    fn count(&mut self, uptime: Duration) {
        if self.second != uptime.as_secs() {
            self.second = uptime.as_secs();
            self.last_second = std::mem::take(&mut self.counted);
        }
        self.counted += 1;
    }
}

fn text_of(run: &[Cell]) -> String {
    run.iter().map(|(char, _)| char).collect()
}

fn ink_of(run: &[Cell]) -> Rgb888 {
    match run.first() {
        Some((_, Ink::Typed)) => IVORY,
        Some((_, Ink::Named)) => SAGE,
        Some((_, Ink::Prompt)) => LAMP,
        Some((_, Ink::Said)) | None => MIST,
    }
}

/// A light that swings along its track, so that one sees at once whether the picture lives.
fn comet(onto: &mut Canvas, uptime: Duration) {
    const REACH: f32 = 70.0;
    let half = TRACK.size.width as f32 / 2.0;
    let head = half - half * 0.95 * (uptime.as_secs_f32() * 0.9).cos();
    for at in TRACK.points() {
        let away = ((at.x - TRACK.top_left.x) as f32 - head).abs() / REACH;
        let light = (1.0 - away).max(0.0);
        if let Some(pixel) = onto.pixel_mut(at) {
            *pixel = mix(EDGE, LAMP, palette::share(light * light));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::{CARD, CARD_GAP, CARDS_Y};
    use super::*;

    fn now() -> Moment {
        Moment {
            time: UnixTime::from_secs(1_795_249_817),
            uptime: Duration::from_millis(5700),
            viewers: 1,
        }
    }

    /// The smallest rectangle that holds every pixel in which the two differ.
    fn difference(left: &Canvas, right: &Canvas) -> Option<Rectangle> {
        let differing = left
            .bounding_box()
            .points()
            .zip(left.pixels().iter().zip(right.pixels()))
            .filter(|(_, (left, right))| left != right)
            .map(|(at, _)| at);
        differing.fold(None, |all: Option<Rectangle>, at| {
            Some(all.map_or(Rectangle::new(at, Size::new(1, 1)), |all| {
                let end = all.bottom_right().unwrap_or(at);
                Rectangle::with_corners(all.top_left.component_min(at), end.component_max(at))
            }))
        })
    }

    #[test]
    fn the_same_moment_is_the_same_picture() {
        let mut screen = Screen::new();
        let mut first = Canvas::filled(NIGHT);
        let mut second = Canvas::filled(LAMP);
        screen.paint(now(), &mut first);
        screen.paint(now(), &mut second);
        assert_eq!(difference(&first, &second), None);
    }

    #[test]
    fn a_typed_key_shows_in_the_terminal_and_its_end_only_on_the_card() {
        let mut screen = Screen::new();
        let [mut before, mut typed, mut released] = [(); 3].map(|()| Canvas::filled(NIGHT));
        screen.paint(now(), &mut before);
        screen.key(u32::from(b'w'), true);
        screen.paint(now(), &mut typed);
        screen.key(u32::from(b'w'), false);
        screen.paint(now(), &mut released);

        let echo = difference(&before, &typed).unwrap();
        assert!(TERMINAL.contains(echo.top_left), "{echo:?}");
        let card = Rectangle::new(Point::new(LEFT, CARDS_Y), CARD);
        let change = difference(&typed, &released).unwrap();
        assert_eq!(change.intersection(&card), change);
    }

    #[test]
    fn the_pointer_is_shown_where_it_is_and_at_the_edge_too() {
        let mut screen = Screen::new();
        let [mut before, mut after] = [(); 2].map(|()| Canvas::filled(NIGHT));
        screen.pointer(700, 60, 0);
        screen.paint(now(), &mut before);
        for (x, y) in [(0, 0), (1023, 639), (u16::MAX, u16::MAX)] {
            screen.pointer(x, y, 0);
            screen.paint(now(), &mut after);
        }
        screen.pointer(700, 60, 8);
        screen.pointer(700, 60, 0);
        screen.paint(now(), &mut after);
        let card = Rectangle::new(
            Point::new(LEFT + CARD.width as i32 + CARD_GAP, CARDS_Y),
            CARD,
        );
        let change = difference(&before, &after).unwrap();
        assert_eq!(change.intersection(&card), change, "only the wheel's count");
    }
}
