//! Keys that are pressed together, by name: `ctrl-alt-del`.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::rfb::held_keys::Key;

/// The most keys of a chord.
pub const MAX_KEYS: usize = 5;

/// One to [`MAX_KEYS`] keys, pressed in this order and released in the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Named>")]
pub struct Chord(Vec<Named>);

/// A key as both kinds of host know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    symbol: u32,
    code: u32,
}

/// A chord that cannot be pressed. It does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadChord {
    /// A name that is not a key's.
    #[error("not a key: keys are ctrl, alt, shift, super, del, f1 to f12, sysrq and the like")]
    UnknownKey,
    /// The same key twice.
    #[error("a key stands twice")]
    Twice,
    /// More keys than one presses together.
    #[error("more than {MAX_KEYS} keys")]
    TooMany,
}

impl Named {
    /// The key by its place on the keyboard, or by its meaning.
    #[must_use]
    pub const fn named(self, place: bool) -> Key {
        let Self { symbol, code } = self;
        if place {
            Key::Place { code, symbol }
        } else {
            Key::Symbol(symbol)
        }
    }
}

impl Chord {
    /// The keys, in the order in which they are pressed.
    #[must_use]
    pub fn keys(&self) -> &[Named] {
        &self.0
    }
}

impl TryFrom<Vec<Named>> for Chord {
    type Error = BadChord;

    fn try_from(keys: Vec<Named>) -> Result<Self, BadChord> {
        if keys.len() > MAX_KEYS {
            return Err(BadChord::TooMany);
        }
        Ok(Self(keys))
    }
}

impl FromStr for Chord {
    type Err = BadChord;

    /// Names, joined by hyphens, in either case.
    fn from_str(text: &str) -> Result<Self, BadChord> {
        let mut keys = Vec::new();
        for name in text.split('-') {
            let key = key(&name.to_ascii_lowercase()).ok_or(BadChord::UnknownKey)?;
            if keys.contains(&key) {
                return Err(BadChord::Twice);
            }
            if keys.len() == MAX_KEYS {
                return Err(BadChord::TooMany);
            }
            keys.push(key);
        }
        Ok(Self(keys))
    }
}

/// X11's keysym, and the scancode of XT set 1 with bit 7 for those behind 0xe0.
fn key(name: &str) -> Option<Named> {
    let (symbol, code) = match name {
        "ctrl" => (0xffe3, 0x1d),
        "alt" => (0xffe9, 0x38),
        "altgr" => (0xfe03, 0xb8),
        "shift" => (0xffe1, 0x2a),
        "super" => (0xffeb, 0xdb),
        "del" => (0xffff, 0xd3),
        "insert" => (0xff63, 0xd2),
        "home" => (0xff50, 0xc7),
        "end" => (0xff57, 0xcf),
        "pageup" => (0xff55, 0xc9),
        "pagedown" => (0xff56, 0xd1),
        "left" => (0xff51, 0xcb),
        "up" => (0xff52, 0xc8),
        "right" => (0xff53, 0xcd),
        "down" => (0xff54, 0xd0),
        "esc" => (0xff1b, 0x01),
        "tab" => (0xff09, 0x0f),
        "enter" => (0xff0d, 0x1c),
        "space" => (0x20, 0x39),
        "backspace" => (0xff08, 0x0e),
        // Its place is where PrintScreen is while Alt is down, which is how it is meant.
        "sysrq" => (0xff61, 0x54),
        _ => return function(name).or_else(|| character(name)),
    };
    Some(Named { symbol, code })
}

fn function(name: &str) -> Option<Named> {
    let number: u32 = name.strip_prefix('f')?.parse().ok()?;
    let code = match number {
        1..=10 => 0x3a + number,
        11 | 12 => 0x4c + number,
        _ => return None,
    };
    // One spelling each: no "f01".
    (name.len() == 2 + usize::from(number > 9)).then_some(Named {
        symbol: 0xffbd + number,
        code,
    })
}

/// A letter or a digit, where a keyboard of the United States has it.
fn character(name: &str) -> Option<Named> {
    const ROWS: [(&str, u32); 4] = [
        ("1234567890", 0x02),
        ("qwertyuiop", 0x10),
        ("asdfghjkl", 0x1e),
        ("zxcvbnm", 0x2c),
    ];
    let mut letters = name.chars();
    let (letter, None) = (letters.next()?, letters.next()) else {
        return None;
    };
    ROWS.iter().find_map(|(row, first)| {
        let place = row.find(letter)?;
        Some(Named {
            symbol: letter.into(),
            code: first + u32::try_from(place).ok()?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<(u32, u32)> {
        let chord: Chord = text.parse().unwrap();
        chord.keys().iter().map(|k| (k.symbol, k.code)).collect()
    }

    #[test]
    fn chords_are_read_by_their_names() {
        let del = [(0xffe3, 0x1d), (0xffe9, 0x38), (0xffff, 0xd3)];
        assert_eq!(codes("ctrl-alt-del"), del);
        assert_eq!(codes("Ctrl-Alt-F1")[2], (0xffbe, 0x3b));
        assert_eq!(codes("f10"), [(0xffc7, 0x44)]);
        assert_eq!(codes("f11"), [(0xffc8, 0x57)]);
        assert_eq!(codes("f12"), [(0xffc9, 0x58)]);
        let reboot = [(0xffe9, 0x38), (0xff61, 0x54), (0x62, 0x30)];
        assert_eq!(codes("alt-sysrq-b"), reboot);
        assert_eq!(codes("0"), [(0x30, 0x0b)]);
    }

    #[test]
    fn what_cannot_be_pressed_is_refused() {
        for (text, error) in [
            ("", BadChord::UnknownKey),
            ("ctrl-", BadChord::UnknownKey),
            ("ctrl+alt", BadChord::UnknownKey),
            ("f0", BadChord::UnknownKey),
            ("f01", BadChord::UnknownKey),
            ("f13", BadChord::UnknownKey),
            ("é", BadChord::UnknownKey),
            ("ctrl-ctrl", BadChord::Twice),
            ("a-b-c-d-e-f", BadChord::TooMany),
        ] {
            assert_eq!(text.parse::<Chord>(), Err(error), "{text}");
        }
    }
}
