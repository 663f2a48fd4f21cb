//! The name of a target profile.

use std::fmt;
use std::str::FromStr;

/// Names a target profile of the gateway's configuration: 1 to 64 lower-case letters, digits,
/// `.`, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileName(Box<str>);

/// Why a text cannot name a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not the name of a profile: 1 to {MAX_PROFILE_NAME} lower-case letters, digits, dots, underscores and hyphens"
)]
pub struct BadProfileName;

/// The longest name, in bytes.
pub const MAX_PROFILE_NAME: usize = 64;

impl ProfileName {
    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProfileName {
    type Err = BadProfileName;

    fn from_str(text: &str) -> Result<Self, BadProfileName> {
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        ((1..=MAX_PROFILE_NAME).contains(&text.len()) && text.bytes().all(good))
            .then(|| Self(text.into()))
            .ok_or(BadProfileName)
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_nothing_else_is_one() {
        let longest = "x".repeat(MAX_PROFILE_NAME);
        for text in ["libvirt", "esxi-7.0_lab", "1", &longest] {
            assert_eq!(text.parse::<ProfileName>().unwrap().as_str(), text);
        }
        let longer = format!("{longest}x");
        for text in ["", "Libvirt", "a b", "a/b", "ü", "a\"b", &longer] {
            assert_eq!(text.parse::<ProfileName>(), Err(BadProfileName), "{text:?}");
        }
    }
}
