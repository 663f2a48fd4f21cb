//! The keys that tokens are sealed and opened with.
//!
//! The first key seals, all open: a new key goes in front, and tokens sealed with the old ones stay
//! good until they expire. The text form has a line per key: its id, when it was made, and 32 bytes
//! in base64url. Lines that start with `#` are comments.

use std::fmt::Write as _;

use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use crate::clock::UnixTime;
use crate::id::KeyId;

/// Length of a key in bytes (AES-256).
pub const KEY_LEN: usize = 32;

/// What a key ring file starts with.
const HEADER: &str = "# Fanlight key ring: the first key seals new tokens, every key opens.\n\
                      # Whoever can read this file can open any console: keep it secret.\n";

/// One key of the ring.
#[derive(Clone)]
pub struct Key {
    /// How tokens name it.
    pub id: KeyId,
    /// When it was made.
    pub created: UnixTime,
    secret: Zeroizing<[u8; KEY_LEN]>,
}

/// The keys, the sealing one first; never empty.
#[derive(Clone, Debug)]
pub struct KeyRing {
    first: Key,
    older: Vec<Key>,
}

/// Why a text is not a key ring. It never repeats a line, which may hold a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKeyRing {
    /// There is no key in it.
    #[error("the key ring has no key")]
    Empty,
    /// A line is not `id created key`.
    #[error("line {line} is not a key: it needs an id, a time and 32 bytes in base64url")]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// Two keys have one id, so that a token's `kid` would be ambiguous.
    #[error("line {line} repeats a key id")]
    Twice {
        /// Counted from 1.
        line: usize,
    },
}

impl Key {
    /// Makes a key out of fresh random bytes.
    #[must_use]
    pub fn new(id: KeyId, created: UnixTime, secret: [u8; KEY_LEN]) -> Self {
        Self {
            id,
            created,
            secret: Zeroizing::new(secret),
        }
    }

    /// The key itself, for the cipher alone.
    pub(super) const fn secret(&self) -> &Zeroizing<[u8; KEY_LEN]> {
        &self.secret
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let id = words.next()?.parse().ok()?;
        let created = words.next()?.parse().ok()?;
        let encoded = words.next()?;
        if words.next().is_some() {
            return None;
        }
        let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(encoded.as_bytes()).ok()?);
        let secret = Zeroizing::new(<[u8; KEY_LEN]>::try_from(bytes.as_slice()).ok()?);
        Some(Self {
            id,
            created,
            secret,
        })
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({}, ***)", self.id)
    }
}

impl KeyRing {
    /// A ring of one key.
    #[must_use]
    pub const fn new(key: Key) -> Self {
        Self {
            first: key,
            older: Vec::new(),
        }
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// [`BadKeyRing`], with the line.
    pub fn parse(text: &str) -> Result<Self, BadKeyRing> {
        let mut keys: Vec<Key> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let content = line.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let line = index + 1;
            let key = Key::parse(content).ok_or(BadKeyRing::Line { line })?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(BadKeyRing::Twice { line });
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or(BadKeyRing::Empty)?;
        Ok(Self {
            first,
            older: keys.collect(),
        })
    }

    /// The text form, which is itself a secret.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        // A line is under 100 bytes; the exact capacity keeps keys out of outgrown allocations.
        let capacity = HEADER.len() + 100 * (1 + self.older.len());
        let mut text = Zeroizing::new(String::with_capacity(capacity));
        text.push_str(HEADER);
        for key in self.keys() {
            let encoded = Zeroizing::new(BASE64URL_NOPAD.encode(&*key.secret));
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{} {} {}", key.id, key.created, *encoded);
        }
        text
    }

    /// The key that seals.
    #[must_use]
    pub const fn sealing_key(&self) -> &Key {
        &self.first
    }

    /// All keys, the sealing one first.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.first).chain(&self.older)
    }

    /// The key that a token names.
    #[must_use]
    pub fn find(&self, id: KeyId) -> Option<&Key> {
        self.keys().find(|key| key.id == id)
    }

    /// A ring in which `key` seals and all former keys still open.
    #[must_use]
    pub fn rotated(self, key: Key) -> Self {
        let older = std::iter::once(self.first).chain(self.older).collect();
        Self { first: key, older }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> Key {
        Key::new(
            KeyId::from_random([n; 4]),
            UnixTime::from_secs(1_795_249_800),
            [n; KEY_LEN],
        )
    }

    #[test]
    fn a_ring_round_trips_and_the_newest_key_seals() {
        let ring = KeyRing::new(key(1)).rotated(key(2)).rotated(key(3));
        let again = KeyRing::parse(&ring.to_text()).unwrap();
        let ids: Vec<_> = again.keys().map(|k| k.id.to_string()).collect();
        assert_eq!(ids, ["03030303", "02020202", "01010101"]);
        assert_eq!(again.sealing_key().id, key(3).id);
        assert_eq!(**again.find(key(1).id).unwrap().secret(), [1; KEY_LEN]);
        assert!(again.find(key(9).id).is_none());
    }

    #[test]
    fn bad_lines_are_named_and_never_repeated() {
        let good = KeyRing::new(key(1)).to_text();
        assert_eq!(
            KeyRing::parse("\n# nothing\n").unwrap_err(),
            BadKeyRing::Empty
        );
        for bad in [
            "01020304",
            "01020304 2026-11-21T08:30:00Z c2VjcmV0",
            "x y z",
            "a b c d",
        ] {
            let error = KeyRing::parse(&format!("{}{bad}\n", *good)).unwrap_err();
            assert_eq!(error, BadKeyRing::Line { line: 4 });
            assert!(!error.to_string().contains("c2VjcmV0"));
        }
        let twice = format!("{}{}", *good, *good);
        assert_eq!(
            KeyRing::parse(&twice).unwrap_err(),
            BadKeyRing::Twice { line: 6 }
        );
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", key(1)), "Key(01010101, ***)");
    }
}
