//! Who else may be at a machine, and what somebody is there for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a session means for others at the same machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// Everybody is in, each on a host connection of their own.
    #[default]
    Shared,
    /// Nobody else: a newcomer is refused, and so is this one where somebody is in already.
    Exclusive,
    /// Gets in, and whoever was in is out.
    TakeOver,
}

/// What somebody is there for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Keyboard and mouse, as far as the permissions go.
    #[default]
    Driver,
    /// Sees, and moves nothing.
    Watcher,
}

/// Why a text is none of the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {0}")]
pub struct BadWord(&'static str);

impl Sharing {
    /// The word in the API and the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Exclusive => "exclusive",
            Self::TakeOver => "take_over",
        }
    }
}

impl Role {
    /// The word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Watcher => "watcher",
        }
    }
}

impl FromStr for Sharing {
    type Err = BadWord;

    fn from_str(text: &str) -> Result<Self, BadWord> {
        [Self::Shared, Self::Exclusive, Self::TakeOver]
            .into_iter()
            .find(|sharing| sharing.as_str() == text)
            .ok_or(BadWord("shared, exclusive, take_over"))
    }
}

impl FromStr for Role {
    type Err = BadWord;

    fn from_str(text: &str) -> Result<Self, BadWord> {
        [Self::Driver, Self::Watcher]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(BadWord("driver, watcher"))
    }
}

impl fmt::Display for Sharing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for sharing in [Sharing::Shared, Sharing::Exclusive, Sharing::TakeOver] {
            assert_eq!(sharing.to_string().parse(), Ok(sharing));
        }
        for role in [Role::Driver, Role::Watcher] {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        assert!("Shared".parse::<Sharing>().is_err());
        assert!("".parse::<Role>().is_err());
    }
}
