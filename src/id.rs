//! Names of things that Fanlight makes: consoles, sessions, keys.

use std::fmt;
use std::str::FromStr;

use data_encoding::{Encoding, HEXLOWER};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Hexadecimal in lower case: safe in URLs, logs, labels and file names, and easy to read out.
const TEXT: Encoding = HEXLOWER;

/// Why a text is not an identifier of the kind asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of this kind")]
pub struct BadId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Length in bytes; the text form has twice as many characters.
            pub const LEN: usize = $bytes;

            /// Names a new thing; `random` comes from the system's random source.
            #[must_use]
            pub const fn from_random(random: [u8; $bytes]) -> Self {
                Self(random)
            }

            /// The bytes as they travel inside a token.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                TEXT.encode_display(&self.0).fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let bytes = TEXT.decode(text.as_bytes()).map_err(|_| BadId)?;
                bytes.try_into().map(Self).map_err(|_| BadId)
            }
        }
    };
}

id! {
    /// A minted console: what a token opens into has one, and the audit speaks of it.
    ConsoleId, 16
}

id! {
    /// One admission of a console: from its first legs to its end reason.
    SessionId, 16
}

id! {
    /// A key of the key ring, as the `kid` of a token names it.
    KeyId, 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_and_parse_back() {
        let id = ConsoleId::from_random([0xab; 16]);
        assert_eq!(id.to_string(), "ab".repeat(16));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(
            format!("{:?}", KeyId::from_random([1, 2, 3, 4])),
            "KeyId(01020304)"
        );
    }

    #[test]
    fn one_id_has_one_text() {
        for text in [
            "",
            "0102030",
            "010203041",
            "0102030A",
            "0102030g",
            "0102 304",
            "01020304 ",
        ] {
            assert_eq!(text.parse::<KeyId>(), Err(BadId), "{text:?}");
        }
    }
}
