//! Names and labels: what a minter calls a console, for people and for the audit.

use std::collections::BTreeMap;
use std::fmt;

use crate::rfb::peer_text::is_unseen;

use serde::{Deserialize, Deserializer, Serialize, de};

/// The longest console name, in bytes.
pub const MAX_NAME: usize = 256;
/// The most labels of one grant.
pub const MAX_LABELS: usize = 16;
/// The longest label key, in bytes.
pub const MAX_LABEL_KEY: usize = 64;
/// The longest label value, in bytes.
pub const MAX_LABEL_VALUE: usize = 128;

/// What the viewer shows as the machine's name: 1 to [`MAX_NAME`] bytes without control characters,
/// and without those that cannot be seen or turn the text around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

/// Why a name or label cannot stand in a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLabel {
    /// A name is empty, too long or has characters that nobody sees.
    #[error("a name has 1 to {MAX_NAME} bytes and no control or invisible characters")]
    Name,
    /// A label's key is empty, too long or has odd characters.
    #[error("a label key has 1 to {MAX_LABEL_KEY} of the characters a-z A-Z 0-9 . _ - /")]
    Key,
    /// A label's value is too long or has control characters.
    #[error("a label value has at most {MAX_LABEL_VALUE} bytes and no control characters")]
    Value,
    /// There are too many labels.
    #[error("a console has at most {MAX_LABELS} labels")]
    TooMany,
    /// The same key stands twice.
    #[error("a label key stands only once")]
    Twice,
}

impl Name {
    /// Checks a name.
    ///
    /// # Errors
    /// [`BadLabel::Name`].
    pub fn new(name: impl Into<String>) -> Result<Self, BadLabel> {
        let name = name.into();
        let unseen = |c: char| c.is_control() || is_unseen(c);
        let fits = (1..=MAX_NAME).contains(&name.len()) && !name.contains(unseen);
        if fits {
            Ok(Self(name))
        } else {
            Err(BadLabel::Name)
        }
    }

    /// The name as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Key and value pairs such as `vm=web-01`: they mean something to the minter and to the audit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Labels(BTreeMap<String, String>);

impl Labels {
    /// Adds one label.
    ///
    /// # Errors
    /// [`BadLabel`] when it does not fit, is one too many, or its key is there already.
    pub fn insert(&mut self, key: &str, value: &str) -> Result<(), BadLabel> {
        let key_fits = (1..=MAX_LABEL_KEY).contains(&key.len())
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b));
        if !key_fits {
            return Err(BadLabel::Key);
        }
        if value.len() > MAX_LABEL_VALUE || value.contains(char::is_control) {
            return Err(BadLabel::Value);
        }
        if self.0.contains_key(key) {
            return Err(BadLabel::Twice);
        }
        if self.0.len() == MAX_LABELS {
            return Err(BadLabel::TooMany);
        }
        self.0.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    /// The value of one label.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// All labels in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl<'de> Deserialize<'de> for Labels {
    /// Within the same bounds as ever.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut labels = Self::default();
        for (key, value) in BTreeMap::<String, String>::deserialize(deserializer)? {
            labels.insert(&key, &value).map_err(de::Error::custom)?;
        }
        Ok(labels)
    }
}

impl fmt::Display for Labels {
    /// `key=value key="two words"`, as logs show them. A value never looks like a label of its own:
    /// one that could is quoted, with its quotes and odd characters escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (key, value)) in self.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            if is_one_word(value) {
                write!(f, "{space}{key}={value}")?;
            } else {
                write!(f, "{space}{key}={value:?}")?;
            }
        }
        Ok(())
    }
}

/// Whether a value needs no quotes.
fn is_one_word(value: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c == '"' || c == '=';
    !value.is_empty() && !value.contains(odd) && value.chars().eq(value.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_bounds() {
        assert!(Name::new("web-01 (Zürich)").is_ok());
        assert!(Name::new("n".repeat(MAX_NAME)).is_ok());
        for bad in ["", "a\nb", "a\u{1b}[31m", &"n".repeat(MAX_NAME + 1)] {
            assert_eq!(Name::new(bad), Err(BadLabel::Name));
        }
        // web-01 that reads web-10, two machines with the same name, a name of nothing.
        for bad in [
            "web-\u{202e}01",
            "web\u{200b}-01",
            "\u{2066}a\u{2069}",
            "\u{ad}",
            "\u{feff}",
        ] {
            assert_eq!(Name::new(bad), Err(BadLabel::Name), "{bad:?}");
        }
        for good in [
            "\u{645}\u{627}\u{634}\u{6cc}\u{646}",
            "\u{5e9}\u{5e8}\u{5ea}",
            "\u{1f5a5} lab",
        ] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn labels_have_bounds() {
        let mut labels = Labels::default();
        assert_eq!(labels.insert("", "x"), Err(BadLabel::Key));
        assert_eq!(labels.insert("a b", "x"), Err(BadLabel::Key));
        assert_eq!(labels.insert("vm", "x\n"), Err(BadLabel::Value));
        assert_eq!(
            labels.insert("vm", &"x".repeat(MAX_LABEL_VALUE + 1)),
            Err(BadLabel::Value)
        );
        for n in 0..MAX_LABELS {
            labels.insert(&format!("k{n}"), "v").unwrap();
        }
        assert_eq!(labels.insert("k0", "v"), Err(BadLabel::Twice));
        assert_eq!(labels.insert("more", "v"), Err(BadLabel::TooMany));
    }

    #[test]
    fn labels_print_for_the_log() {
        let mut labels = Labels::default();
        labels.insert("vm", "web-01").unwrap();
        labels.insert("tenant", "acme").unwrap();
        assert_eq!(labels.to_string(), "tenant=acme vm=web-01");
    }

    #[test]
    fn a_value_cannot_pass_for_another_label() {
        let mut labels = Labels::default();
        for (key, value) in [
            ("a", "x tenant=evil"),
            ("b", "x\" tenant=\"evil"),
            ("c", "x\u{a0}tenant=evil"),
            ("d", ""),
            ("e", "abc\u{202e}fed"),
            ("f", "Z\u{fc}rich"),
        ] {
            labels.insert(key, value).unwrap();
        }
        assert_eq!(
            labels.to_string(),
            r#"a="x tenant=evil" b="x\" tenant=\"evil" c="x\u{a0}tenant=evil" d="" e="abc\u{202e}fed" f=Zürich"#
        );
    }
}
