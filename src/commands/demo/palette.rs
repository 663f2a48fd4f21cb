//! The colours of the picture, and how two of them mix.

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::RgbColor;

pub(super) const NIGHT: Rgb888 = Rgb888::new(0x11, 0x15, 0x1e);
pub(super) const DUSK: Rgb888 = Rgb888::new(0x1a, 0x20, 0x2d);
pub(super) const PANEL: Rgb888 = Rgb888::new(0x0c, 0x10, 0x17);
pub(super) const EDGE: Rgb888 = Rgb888::new(0x2e, 0x37, 0x48);
pub(super) const IVORY: Rgb888 = Rgb888::new(0xee, 0xe6, 0xd6);
pub(super) const MIST: Rgb888 = Rgb888::new(0x94, 0x9d, 0xae);
pub(super) const LAMP: Rgb888 = Rgb888::new(0xf4, 0xbc, 0x6a);
pub(super) const SAGE: Rgb888 = Rgb888::new(0x93, 0xb8, 0x9e);

pub(super) const MORTAR: Rgb888 = Rgb888::new(0x1b, 0x1e, 0x28);
pub(super) const STONE: Rgb888 = Rgb888::new(0xb9, 0xaf, 0x9d);
pub(super) const STONE_SHADE: Rgb888 = Rgb888::new(0x7d, 0x78, 0x70);
pub(super) const LEAD: Rgb888 = Rgb888::new(0xd8, 0xd0, 0xc0);
pub(super) const GLASS: Rgb888 = Rgb888::new(0x24, 0x33, 0x4a);
pub(super) const FLAME: Rgb888 = Rgb888::new(0xff, 0xe6, 0xae);
pub(super) const EMBER: Rgb888 = Rgb888::new(0xb0, 0x6a, 0x35);
pub(super) const DOOR: Rgb888 = Rgb888::new(0x1f, 0x4a, 0x4a);
pub(super) const DOOR_LIGHT: Rgb888 = Rgb888::new(0x33, 0x68, 0x66);
pub(super) const DOOR_SHADE: Rgb888 = Rgb888::new(0x13, 0x31, 0x33);
pub(super) const BRASS: Rgb888 = Rgb888::new(0xd2, 0xa8, 0x5c);

/// `from` at 0, `to` at 255, evenly between.
pub(super) fn mix(from: Rgb888, to: Rgb888, share: u8) -> Rgb888 {
    let channel = |from: u8, to: u8| {
        let share = u32::from(share);
        let sum = u32::from(from) * (255 - share) + u32::from(to) * share;
        u8::try_from((sum + 127) / 255).unwrap_or(u8::MAX)
    };
    Rgb888::new(
        channel(from.r(), to.r()),
        channel(from.g(), to.g()),
        channel(from.b(), to.b()),
    )
}

/// A share between 0.0 and 1.0 as [`mix`] takes it; what lies outside counts as the nearer end.
pub(super) fn share(of_one: f32) -> u8 {
    // A cast from a float saturates.
    (of_one * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_meets_both_ends_and_the_middle() {
        assert_eq!(mix(NIGHT, LAMP, 0), NIGHT);
        assert_eq!(mix(NIGHT, LAMP, 255), LAMP);
        let grey = mix(Rgb888::BLACK, Rgb888::WHITE, 128);
        assert_eq!((grey.r(), grey.g(), grey.b()), (128, 128, 128));
        assert_eq!((share(-1.0), share(0.5), share(7.0)), (0, 128, 255));
    }
}
