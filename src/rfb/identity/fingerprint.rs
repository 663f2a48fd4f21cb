//! What a public key is recognised by.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use sha2::{Digest, Sha256};

/// A SHA-256 hash of a public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

/// Why a text is not a [`Fingerprint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 fingerprint: 64 hexadecimal digits, or 44 characters of base64")]
pub struct BadFingerprint;

impl Fingerprint {
    /// A hash that was taken before.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash of a key.
    #[must_use]
    pub fn of(key: &[u8]) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Fingerprint {
    type Err = BadFingerprint;

    /// Takes hexadecimal digits, also with colons between the bytes as OpenSSL prints them, and
    /// base64 as `curl --pinnedpubkey` takes it; in front `sha256:` or `sha256//`, or nothing.
    fn from_str(text: &str) -> Result<Self, BadFingerprint> {
        let hash = text
            .strip_prefix("sha256//")
            .or_else(|| text.strip_prefix("sha256:"))
            .unwrap_or(text);
        let hex = if hash.len() == 95 {
            let bytes: Vec<&str> = hash.split(':').collect();
            bytes
                .iter()
                .all(|byte| byte.len() == 2)
                .then(|| bytes.concat())
        } else {
            Some(hash.to_owned()).filter(|hash| hash.len() == 64)
        };
        let bytes = match hex {
            Some(hex) => HEXLOWER_PERMISSIVE.decode(hex.as_bytes()),
            None => BASE64.decode(hash.as_bytes()),
        };
        bytes
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(BadFingerprint)
    }
}

/// `sha256:` and 64 hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of "abc": FIPS 180-2, B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn fingerprints_are_read_in_all_their_spellings() {
        let colons: Vec<_> = ABC
            .as_bytes()
            .chunks(2)
            .map(|b| str::from_utf8(b).unwrap())
            .collect();
        for text in [
            ABC.to_owned(),
            format!("sha256:{}", ABC.to_uppercase()),
            colons.join(":"),
            "sha256//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=".to_owned(),
        ] {
            assert_eq!(text.parse(), Ok(Fingerprint::of(b"abc")), "{text}");
        }
        assert_eq!(Fingerprint::of(b"abc").to_string(), format!("sha256:{ABC}"));
        for text in [
            "",
            "abc",
            &ABC[1..],
            &ABC.replace('b', "g"),
            &ABC.replace("ba", "b:"),
        ] {
            assert_eq!(text.parse::<Fingerprint>(), Err(BadFingerprint), "{text}");
        }
    }
}
