//! Which keys and mouse buttons a viewer holds down at the host.

use bytes::BufMut;

/// The most keys that may be down at once: more than two people have fingers.
pub const MAX_HELD: usize = 64;

/// Keys and buttons that are down, in the order in which they were pressed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldKeys {
    keys: Vec<Key>,
    /// The pointer's buttons and place, as last said.
    buttons: u8,
    at: [u8; 4],
}

/// A key on its way down or up, as the viewer names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// KeyEvent: by its meaning.
    Symbol(u32),
    /// QEMU's: by its place, and what it means there.
    Place {
        /// The scancode, XT set 1, with bit 7 for those behind 0xe0.
        code: u32,
        /// The meaning.
        symbol: u32,
    },
}

impl Key {
    /// Writes the message that presses or releases it.
    pub fn encode(self, down: bool, out: &mut Vec<u8>) {
        match self {
            Self::Symbol(symbol) => {
                out.put_slice(&[4, down.into(), 0, 0]);
                out.put_u32(symbol);
            }
            Self::Place { code, symbol } => {
                out.put_slice(&[255, 0, 0, down.into()]);
                out.put_u32(symbol);
                out.put_u32(code);
            }
        }
    }

    /// Whether both are one key: its place decides, since what it means depends on the others.
    const fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Symbol(one), Self::Symbol(other)) => one == other,
            (Self::Place { code: one, .. }, Self::Place { code: other, .. }) => one == other,
            _ => false,
        }
    }
}

/// Another key than [`MAX_HELD`] others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

impl HeldKeys {
    /// Notes a key that goes down or up.
    ///
    /// # Errors
    /// [`TooMany`], when it must not go down.
    pub fn key(&mut self, key: Key, down: bool) -> Result<(), TooMany> {
        let place = self.keys.iter().position(|held| held.is(key));
        match (place, down) {
            (None, true) if self.keys.len() >= MAX_HELD => return Err(TooMany),
            (None, true) => self.keys.push(key),
            (Some(place), false) => drop(self.keys.remove(place)),
            (Some(_), true) | (None, false) => {}
        }
        Ok(())
    }

    /// Notes the pointer's buttons, and where it is: its two coordinates as they were sent.
    pub const fn pointer(&mut self, buttons: u8, at: [u8; 4]) {
        self.buttons = buttons;
        self.at = at;
    }

    /// Whether this key is down.
    #[must_use]
    pub fn holds(&self, key: Key) -> bool {
        self.keys.iter().any(|held| held.is(key))
    }

    /// Whether nothing is down.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.buttons == 0
    }

    /// Writes what releases everything, the last pressed first.
    pub fn release(&mut self, out: &mut Vec<u8>) {
        for key in std::mem::take(&mut self.keys).into_iter().rev() {
            key.encode(false, out);
        }
        if self.buttons != 0 {
            self.buttons = 0;
            out.put_slice(&[5, 0]);
            out.put_slice(&self.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CTRL: Key = Key::Symbol(0xffe3);

    #[test]
    fn what_is_down_is_released_once_and_backwards() {
        let mut held = HeldKeys::default();
        let a = Key::Place {
            code: 0x1e,
            symbol: 0x61,
        };
        let shifted = Key::Place {
            code: 0x1e,
            symbol: 0x41,
        };
        held.key(CTRL, true).unwrap();
        held.key(CTRL, true).unwrap();
        held.key(a, true).unwrap();
        held.key(Key::Symbol(0x62), true).unwrap();
        held.key(Key::Symbol(0x62), false).unwrap();
        held.pointer(5, [0, 10, 0, 20]);
        assert!(held.holds(shifted), "one place is one key");
        let mut out = Vec::new();
        held.release(&mut out);
        let expected = [
            &[255, 0, 0, 0, 0, 0, 0, 0x61, 0, 0, 0, 0x1e][..],
            &[4, 0, 0, 0, 0, 0, 0xff, 0xe3],
            &[5, 0, 0, 10, 0, 20],
        ];
        assert_eq!(out, expected.concat());
        assert!(held.is_empty());
        held.release(&mut out);
        assert_eq!(out.len(), 26, "nothing is released twice");
    }

    #[test]
    fn a_hostile_viewer_holds_only_so_many() {
        let mut held = HeldKeys::default();
        for symbol in 0..65_536 {
            let fits = held.key(Key::Symbol(symbol), true).is_ok();
            assert_eq!(fits, symbol < 64);
        }
        held.key(Key::Symbol(0), false).unwrap();
        held.key(Key::Symbol(70_000), true).unwrap();
        let mut out = Vec::new();
        held.release(&mut out);
        assert_eq!(out.len(), MAX_HELD * 8);
    }
}
