//! Names of things that Fanlight makes: consoles, sessions, keys.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

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

/// A request, as the log and its answer name it: one that a proxy in front has named already keeps
/// that name. Clones are cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The longest name, in bytes.
    pub const MAX: usize = 128;

    /// Names a new request; `random` comes from the system's random source.
    #[must_use]
    pub fn from_random(random: [u8; 16]) -> Self {
        Self(TEXT.encode(&random).into())
    }

    /// The name itself: safe in headers, in JSON and in lines of a log.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RequestId {
    type Err = BadId;

    /// Letters, digits and what usual proxies put between them: `.`, `-`, `_`, `:`, `/`, `+`, `=`, `@`.
    fn from_str(text: &str) -> Result<Self, BadId> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b".-_:/+=@".contains(&b);
        let good = (1..=Self::MAX).contains(&text.len()) && text.bytes().all(fits);
        good.then(|| Self(text.into())).ok_or(BadId)
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
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

    #[test]
    fn names_of_requests_are_bounded_and_plain() {
        for good in ["a", "0A-b.c_d", "C0A8:D2F_10:1F90_6@x+/=", &"x".repeat(128)] {
            let id: RequestId = good.parse().unwrap();
            assert_eq!(id.to_string(), good);
        }
        for bad in [
            "",
            "a b",
            "a\"b",
            "a\\b",
            "a\nb",
            "é",
            "a,b",
            "{}",
            &"x".repeat(129),
        ] {
            assert_eq!(bad.parse::<RequestId>(), Err(BadId), "{bad:?}");
        }
        let ours = RequestId::from_random([0xab; 16]);
        assert_eq!(ours.as_str().parse(), Ok(ours));
    }
}
