//! What a keysym is: text, a key with a name, or something else.
//!
//! Keysyms are the X Window System's, as [RFC 6143, 7.5.4] says.
//!
//! [RFC 6143, 7.5.4]: https://www.rfc-editor.org/rfc/rfc6143#section-7.5.4

/// A key as the picture shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// It types this character.
    Text(char),
    /// It ends the line.
    Enter,
    /// It takes the last character away.
    Backspace,
    /// It only changes what other keys type.
    Shift(&'static str),
    /// It has a name.
    Named(&'static str),
    /// It is none that this machine knows.
    Unknown,
}

impl Key {
    /// The key of a keysym.
    pub(super) fn of(keysym: u32) -> Self {
        match keysym {
            0x20..=0x7e | 0xa0..=0xff => text(keysym),
            // The keypad's "*" to "9" stand in ASCII's order.
            0xffaa..=0xffb9 => text(keysym - 0xffaa + u32::from(b'*')),
            // Unicode beyond Latin-1 is its code point plus this.
            0x0100_0100..=0x0110_ffff => text(keysym - 0x0100_0000),
            0xff08 => Self::Backspace,
            0xff0d | 0xff8d => Self::Enter,
            0xffe1 | 0xffe2 => Self::Shift("Shift"),
            0xffe5 => Self::Shift("Caps Lock"),
            0xfe03 => Self::Shift("AltGr"),
            0xff7f => Self::Shift("Num Lock"),
            _ => named(keysym).map_or(Self::Unknown, Self::Named),
        }
    }

    /// What a person calls it.
    pub(super) fn label(self) -> String {
        match self {
            Self::Text(' ') => "Space".to_owned(),
            Self::Text(char) => char.to_string(),
            Self::Enter => "Enter".to_owned(),
            Self::Backspace => "Backspace".to_owned(),
            Self::Shift(name) | Self::Named(name) => name.to_owned(),
            Self::Unknown => "unknown".to_owned(),
        }
    }
}

fn text(code_point: u32) -> Key {
    char::from_u32(code_point)
        .filter(|char| !char.is_control())
        .map_or(Key::Unknown, Key::Text)
}

fn named(keysym: u32) -> Option<&'static str> {
    const FUNCTION: [&str; 12] = [
        "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12",
    ];
    Some(match keysym {
        0xff09 | 0xfe20 => "Tab",
        0xff13 => "Pause",
        0xff14 => "Scroll Lock",
        0xff15 | 0xff61 => "Print",
        0xff1b => "Esc",
        0xff50 | 0xff95 => "Home",
        0xff51 | 0xff96 => "Left",
        0xff52 | 0xff97 => "Up",
        0xff53 | 0xff98 => "Right",
        0xff54 | 0xff99 => "Down",
        0xff55 | 0xff9a => "Page Up",
        0xff56 | 0xff9b => "Page Down",
        0xff57 | 0xff9c => "End",
        0xff63 | 0xff9e => "Insert",
        0xff67 => "Menu",
        0xffbe..=0xffc9 => FUNCTION.get((keysym - 0xffbe) as usize)?,
        0xffe3 | 0xffe4 => "Ctrl",
        0xffe7 | 0xffe8 => "Meta",
        0xffe9 | 0xffea => "Alt",
        0xffeb | 0xffec => "Super",
        0xffff | 0xff9f => "Delete",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_from_latin_1_the_keypad_and_unicode() {
        assert_eq!(Key::of(0x41), Key::Text('A'));
        assert_eq!(Key::of(0xe4), Key::Text('ä'));
        assert_eq!(Key::of(0xffb7), Key::Text('7'));
        assert_eq!(Key::of(0xffab), Key::Text('+'));
        assert_eq!(Key::of(0x0100_20ac), Key::Text('€'));
        assert_eq!(Key::of(0x0100_d800), Key::Unknown, "half a surrogate pair");
        assert_eq!(Key::of(0x0011_0000), Key::Unknown);
        assert_eq!(Key::of(u32::MAX), Key::Unknown);
    }

    #[test]
    fn keys_have_the_names_people_use() {
        let labels = [0xffbe, 0xffc9, 0xff51, 0xffe3, 0xffff, 0xff0d, 0x20]
            .map(|keysym| Key::of(keysym).label());
        assert_eq!(
            labels,
            ["F1", "F12", "Left", "Ctrl", "Delete", "Enter", "Space"]
        );
        assert_eq!(Key::of(0xffe1), Key::Shift("Shift"));
    }
}
