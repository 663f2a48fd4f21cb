//! The names of WebSocket subprotocols.

use std::fmt;
use std::str::FromStr;

/// The longest name, in bytes.
pub const MAX_SUBPROTOCOL: usize = 64;

/// The name of a WebSocket subprotocol, such as `binary`: a token of 1 to [`MAX_SUBPROTOCOL`] bytes
/// ([RFC 9110, 5.6.2]).
///
/// [RFC 9110, 5.6.2]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subprotocol(Box<str>);

/// Why a text is not such a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a WebSocket subprotocol, of at most {MAX_SUBPROTOCOL} bytes")]
pub struct BadSubprotocol;

impl Subprotocol {
    /// The name.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Subprotocol {
    type Err = BadSubprotocol;

    fn from_str(text: &str) -> Result<Self, BadSubprotocol> {
        let lawful = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if (1..=MAX_SUBPROTOCOL).contains(&text.len()) && text.bytes().all(lawful) {
            Ok(Self(text.into()))
        } else {
            Err(BadSubprotocol)
        }
    }
}

impl fmt::Display for Subprotocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tokens_are_names() {
        let long = "a".repeat(MAX_SUBPROTOCOL + 1);
        for name in ["binary", "plain.kubevirt.io", &long[1..]] {
            assert_eq!(name.parse::<Subprotocol>().unwrap().as_str(), name);
        }
        for name in [
            "", "a b", "a,b", "a;b", "a\r\nb", "a\n", "\u{e9}", "\"a\"", &long,
        ] {
            assert_eq!(name.parse::<Subprotocol>(), Err(BadSubprotocol), "{name:?}");
        }
    }
}
