//! Bytes that must not be seen: passwords and keys.

use std::fmt;

use zeroize::Zeroizing;

/// A password, key or other secret: prints as `***`, cannot be serialised, is zeroised on drop.
///
/// There is one way to its bytes, [`Secret::expose`], so that every use can be found.
#[derive(Clone)]
pub struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    /// Takes the bytes over. A `Vec` with spare capacity is copied into an exact allocation, and
    /// the larger one is zeroised.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = Zeroizing::new(bytes.into());
        Self(Zeroizing::new(bytes.as_slice().into()))
    }

    /// The bytes themselves. Never log, print or serialise what this returns.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The deserialiser's own words would repeat what it found: a PIN, say, without its quotes.
        match String::deserialize(deserializer) {
            Ok(text) => Ok(Self::new(text)),
            Err(_) => Err(serde::de::Error::custom("a secret has to be a string")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_not_even_the_length() {
        let long = Secret::new("correct horse battery staple");
        assert_eq!(format!("{long:?}"), "***");
        assert_eq!(format!("{:?}", Some(Secret::new(""))), "Some(***)");
    }

    #[test]
    fn an_error_does_not_repeat_what_was_no_string() {
        let error = serde_json::from_str::<Secret>("12345678")
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("a secret has to be a string"), "{error}");
        let secret: Secret = serde_json::from_str(r#""p\u00e4ss""#).unwrap();
        assert_eq!(secret.expose(), "p\u{e4}ss".as_bytes());
    }
}
