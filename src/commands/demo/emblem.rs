//! The project's emblem: a fanlight, the half-round window over a door, whose panes light up in turn.
//!
//! What does not move is drawn once. A pane keeps, for each of its pixels, how it looks dark and how
//! it looks lit, and the picture moves between the two. Edges are smooth because each pixel is an
//! average over a grid of samples.

use std::f32::consts::PI;
use std::time::Duration;

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;

use super::canvas::Canvas;
use super::palette::{self, EMBER, FLAME, GLASS, LAMP, LEAD, MIST, NIGHT, STONE, STONE_SHADE, mix};

/// Centre of the half circle, on the line where the door begins.
pub(super) const CENTER: Point = Point::new(184, 290);
/// Outer radius of the stone arch around the glass, in pixels.
pub(super) const ARCH: f32 = 156.0;
/// Outer radius of the glass.
const RIM: f32 = 134.0;
/// Radius where the long panes end and the short ones begin.
const RING: f32 = 98.0;
/// Radius of the half-round pane in the middle.
const HUB: f32 = 34.0;
/// Half the thickness of the bars between the panes.
const BAR: f32 = 2.0;
/// Panes in each of the two rings.
const RAYS: u8 = 7;
/// Stones in the arch; the middle one is the keystone.
const STONES: f32 = 13.0;
/// Samples along each side of a pixel.
const GRID: i32 = 4;

/// Seconds from one pane's beginning to light up to the next one's.
const STEP: f32 = 1.1;
/// Seconds one pane takes from dark to lit.
const RISE: f32 = 2.2;
/// How much later than its long pane a short one at the rim begins.
const RIM_LATE: f32 = 0.7;
/// How long all stay lit.
const LIT: f32 = 6.0;
/// How long all stay dark.
const DARK: f32 = 1.5;
/// Steps between dark and lit: fewer steps, fewer updates.
const LEVELS: f32 = 24.0;

/// What a ray from the eye meets in one point of the emblem.
enum Material {
    Beyond,
    Stone(Rgb888),
    Bar,
    /// Glass of the pane of that number, and how near it is to the light: 0.0 to 1.0.
    Glass(u8, f32),
}

/// The panes of the fanlight.
#[derive(Clone, Debug)]
pub(super) struct Emblem {
    panes: Vec<Pane>,
}

#[derive(Clone, Debug, Default)]
struct Pane {
    pixels: Vec<PanePixel>,
    /// What is on the canvas; `None` before the first time.
    level: Option<u8>,
}

#[derive(Clone, Copy, Debug)]
struct PanePixel {
    at: Point,
    dark: Rgb888,
    lit: Rgb888,
}

impl Emblem {
    /// Draws the arch and the bars onto `canvas` and remembers where the glass is.
    pub(super) fn new(canvas: &mut Canvas) -> Self {
        let mut panes = vec![Pane::default(); 1 + 2 * usize::from(RAYS)];
        let reach = ARCH.ceil() as i32;
        for y in -reach..=0 {
            for x in -reach..=reach {
                let at = CENTER + Point::new(x, y);
                let Some(pixel) = canvas.pixel_mut(at) else {
                    continue;
                };
                let (dark, lit, pane) = sampled(x, y, *pixel);
                *pixel = dark;
                if let Some(pane) = pane.and_then(|pane| panes.get_mut(usize::from(pane))) {
                    pane.pixels.push(PanePixel { at, dark, lit });
                }
            }
        }
        Self { panes }
    }

    /// Brings each pane to its light at that time of the machine's life.
    pub(super) fn light(&mut self, canvas: &mut Canvas, uptime: Duration) {
        for (number, pane) in (0..).zip(&mut self.panes) {
            let level = palette::share(brightness(number, uptime.as_secs_f32()));
            if pane.level.replace(level) == Some(level) {
                continue;
            }
            for PanePixel { at, dark, lit } in &pane.pixels {
                if let Some(pixel) = canvas.pixel_mut(*at) {
                    *pixel = kindled(*dark, *lit, level);
                }
            }
        }
    }
}

/// Between dark and lit, by way of embers: straight from blue to yellow everything would be grey.
fn kindled(dark: Rgb888, lit: Rgb888, level: u8) -> Rgb888 {
    let embers = mix(mix(dark, lit, 110), EMBER, 130);
    match level.checked_sub(128) {
        None => mix(dark, embers, level * 2),
        Some(above) => mix(embers, lit, above * 2 + 1),
    }
}

/// How a pane is lit: 0.0 to 1.0. Left to right they light up, rest, and go out again; the hub, pane
/// 0, always has some light, because somebody is at home.
fn brightness(pane: u8, uptime: f32) -> f32 {
    if pane == 0 {
        let breath = 0.9 + 0.1 * (uptime * 0.8).sin();
        return (breath * LEVELS).round() / LEVELS;
    }
    let all = f32::from(RAYS - 1) * STEP + RIM_LATE + RISE;
    let time = uptime % (all + LIT + all + DARK);
    let ray = f32::from((pane - 1) % RAYS);
    let late = ray * STEP + if pane > RAYS { RIM_LATE } else { 0.0 };
    let up = ((time - late) / RISE).clamp(0.0, 1.0);
    let down = ((time - all - LIT - late) / RISE).clamp(0.0, 1.0);
    let level = up - down;
    let eased = level * level * (3.0 - 2.0 * level);
    (eased * LEVELS).round() / LEVELS
}

/// The average of a pixel's samples, dark and lit, and the pane that most of its glass belongs to.
fn sampled(x: i32, y: i32, behind: Rgb888) -> (Rgb888, Rgb888, Option<u8>) {
    let (mut dark, mut lit) = (Average::default(), Average::default());
    let mut pane = None;
    for sample in 0..GRID * GRID {
        let offset = |step: i32| (step as f32 + 0.5) / GRID as f32 - 0.5;
        let sample_x = x as f32 + offset(sample % GRID);
        let sample_y = y as f32 + offset(sample / GRID);
        let (when_dark, when_lit) = match material(sample_x, sample_y) {
            Material::Beyond => (behind, behind),
            Material::Stone(color) => (color, color),
            Material::Bar => (mix(LEAD, GLASS, 45), LEAD),
            Material::Glass(number, near) => {
                pane = Some(number);
                let sky = palette::share((1.0 - near) * 0.35);
                let glow = mix(LAMP, FLAME, palette::share(near * near));
                (mix(GLASS, MIST, sky / 2), glow)
            }
        };
        dark.add(when_dark);
        lit.add(when_lit);
    }
    (dark.color(), lit.color(), pane)
}

/// What is at a place, from the centre; up is negative.
fn material(x: f32, y: f32) -> Material {
    let radius = x.hypot(y);
    if radius > ARCH || y > 0.0 {
        return Material::Beyond;
    }
    // 0.0 at the left end of the sill, 1.0 at its right end.
    let turn = 1.0 - (-y).atan2(x) / PI;
    if radius > RIM {
        return Material::Stone(stone(radius, turn));
    }
    let bar = radius > RIM - 2.0 * BAR
        || (radius - RING).abs() < BAR
        || (radius - HUB).abs() < BAR
        || -y < 2.0 * BAR;
    if bar {
        return Material::Bar;
    }
    let near = 1.0 - radius / RIM;
    if radius < HUB {
        return Material::Glass(0, near);
    }
    let ray = turn * f32::from(RAYS);
    let from_the_bar = (ray - ray.round()).abs() / f32::from(RAYS) * PI * radius;
    if from_the_bar < BAR {
        return Material::Bar;
    }
    let number = 1 + (ray as u8).min(RAYS - 1);
    Material::Glass(if radius > RING { number + RAYS } else { number }, near)
}

/// The arch: wedge stones with joints, a keystone, and a darker edge to the glass.
fn stone(radius: f32, turn: f32) -> Rgb888 {
    let place = turn * STONES;
    let joint = (place - place.round()).abs() / STONES * PI * radius < 0.8;
    let face = (RIM + 3.0..=ARCH - 1.5).contains(&radius);
    if joint || !face {
        return mix(STONE_SHADE, NIGHT, 110);
    }
    let keystone = place as i32 == STONES as i32 / 2;
    // Each stone has a tone of its own.
    let tone = (place.floor() * 2.4).sin().abs() * 0.25 + if keystone { 0.0 } else { 0.3 };
    mix(STONE, STONE_SHADE, palette::share(tone))
}

#[derive(Default)]
struct Average {
    sums: [u32; 3],
    count: u32,
}

impl Average {
    fn add(&mut self, color: Rgb888) {
        for (sum, channel) in self.sums.iter_mut().zip([color.r(), color.g(), color.b()]) {
            *sum += u32::from(channel);
        }
        self.count += 1;
    }

    fn color(&self) -> Rgb888 {
        let [r, g, b] = self
            .sums
            .map(|sum| u8::try_from(sum / self.count.max(1)).unwrap_or(u8::MAX));
        Rgb888::new(r, g, b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pane_has_glass_and_goes_from_dark_to_lit_and_back() {
        let mut canvas = Canvas::filled(Rgb888::BLACK);
        let emblem = Emblem::new(&mut canvas);
        assert!(emblem.panes.iter().all(|pane| pane.pixels.len() > 200));
        for pane in 1..=2 * RAYS {
            let levels = (0..600).map(|tenth| brightness(pane, tenth as f32 / 10.0));
            let (darkest, brightest) = levels.fold((1.0_f32, 0.0_f32), |(low, high), level| {
                (low.min(level), high.max(level))
            });
            assert_eq!((darkest, brightest), (0.0, 1.0), "pane {pane}");
        }
    }

    #[test]
    fn light_changes_the_glass_only_when_its_level_changes() {
        let mut canvas = Canvas::filled(Rgb888::BLACK);
        let mut emblem = Emblem::new(&mut canvas);
        emblem.light(&mut canvas, Duration::from_secs(1));
        let before = canvas.clone();
        emblem.light(&mut canvas, Duration::from_secs(4));
        assert_ne!(canvas, before);
    }
}
