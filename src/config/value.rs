//! How each type of setting is read from what was typed, and printed again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::problem::Place;
use super::raw::{Typed, Value};
use crate::audit::{Destination, WhenFull};
use crate::fetch::Url;
use crate::rfb::pacing::Pacing;
use crate::telemetry::{LogFilter, LogFormat};
use crate::unit::{self, ByteSize};

/// A type that settings have.
pub(super) trait Setable: Sized {
    /// What a right value is, after the word "expected".
    const EXPECTED: &'static str;

    /// Reads a text. A type that is typed in another way has a [`Setable::read`] of its own.
    fn from_text(_: &str) -> Option<Self> {
        None
    }

    /// Reads whatever was typed.
    fn read(typed: &Typed) -> Result<Self, Vec<Wrong>> {
        match &typed.value {
            Value::Text(text) => Self::from_text(text),
            _ => None,
        }
        .ok_or_else(|| vec![Wrong::not(typed, Self::EXPECTED)])
    }

    /// TOML that reads back as this value, secrets excepted.
    fn to_toml(&self) -> String;
}

/// One place where a value is not what it should be.
pub(super) struct Wrong {
    pub(super) place: Place,
    pub(super) message: String,
}

impl Wrong {
    /// "expected this, not that".
    pub(super) fn not(typed: &Typed, expected: &str) -> Self {
        let found = match &typed.value {
            Value::Text(text) if text.chars().count() > 80 => {
                format!("{:?}…", text.chars().take(80).collect::<String>())
            }
            Value::Text(text) => format!("{text:?}"),
            Value::Whole(number) => format!("the number {number}"),
            Value::Truth(truth) => truth.to_string(),
            Value::List(_) => "a list".to_owned(),
            Value::Table(_) => "a table".to_owned(),
            Value::Other(kind) => format!("a {kind}"),
        };
        Self::with(typed, format!("expected {expected}, not {found}"))
    }

    pub(super) fn with(typed: &Typed, message: impl Into<String>) -> Self {
        Self {
            place: typed.place.clone(),
            message: message.into(),
        }
    }
}

/// A TOML string.
pub(super) fn quote(text: &str) -> String {
    toml::Value::from(text).to_string()
}

impl Setable for Duration {
    const EXPECTED: &'static str = "a time with its unit such as 500ms, 60s, 5m or 8h";

    fn from_text(text: &str) -> Option<Self> {
        unit::parse_duration(text)
    }

    fn to_toml(&self) -> String {
        quote(&unit::print_duration(*self))
    }
}

impl Setable for ByteSize {
    const EXPECTED: &'static str = "a size with its unit such as 512B, 64KiB or 1MiB";

    fn from_text(text: &str) -> Option<Self> {
        unit::parse_size(text)
    }

    fn to_toml(&self) -> String {
        quote(&unit::print_size(*self))
    }
}

/// Numbers stand bare in the file, and as text in variables and flags.
impl Setable for usize {
    const EXPECTED: &'static str = "a whole number";

    fn read(typed: &Typed) -> Result<Self, Vec<Wrong>> {
        match (&typed.value, &typed.place) {
            (Value::Whole(number), _) => Self::try_from(*number).ok(),
            (Value::Text(text), Place::Environment(_) | Place::Flag(_) | Place::Default) => {
                text.parse().ok()
            }
            _ => None,
        }
        .ok_or_else(|| vec![Wrong::not(typed, Self::EXPECTED)])
    }

    fn to_toml(&self) -> String {
        self.to_string()
    }
}

/// True and false stand bare in the file, and as text in variables.
impl Setable for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(typed: &Typed) -> Result<Self, Vec<Wrong>> {
        match (&typed.value, &typed.place) {
            (Value::Truth(truth), _) => Some(*truth),
            (Value::Text(text), Place::Environment(_) | Place::Flag(_) | Place::Default) => {
                text.parse().ok()
            }
            _ => None,
        }
        .ok_or_else(|| vec![Wrong::not(typed, Self::EXPECTED)])
    }

    fn to_toml(&self) -> String {
        self.to_string()
    }
}

/// A relative path in the file starts at the file's directory; elsewhere at the working directory.
impl Setable for PathBuf {
    const EXPECTED: &'static str = "a path";

    fn from_text(text: &str) -> Option<Self> {
        (!text.is_empty() && !text.contains('\0')).then(|| text.into())
    }

    fn read(typed: &Typed) -> Result<Self, Vec<Wrong>> {
        let path = match &typed.value {
            Value::Text(text) => Self::from_text(text),
            _ => None,
        };
        let path = path.ok_or_else(|| vec![Wrong::not(typed, Self::EXPECTED)])?;
        let path = match &typed.place {
            Place::File { path: file, .. } => file.parent().unwrap_or(Path::new("")).join(path),
            _ => path,
        };
        // Without the dots that joining leaves in the middle.
        Ok(path.components().collect())
    }

    fn to_toml(&self) -> String {
        quote(&self.to_string_lossy())
    }
}

impl Setable for Destination {
    const EXPECTED: &'static str = "stdout, stderr or a path";

    fn read(typed: &Typed) -> Result<Self, Vec<Wrong>> {
        match &typed.value {
            Value::Text(text) if text == "stdout" => Ok(Self::Stdout),
            Value::Text(text) if text == "stderr" => Ok(Self::Stderr),
            Value::Text(_) => PathBuf::read(typed).map(Self::File),
            _ => Err(vec![Wrong::not(typed, Self::EXPECTED)]),
        }
    }

    fn to_toml(&self) -> String {
        match self {
            Self::File(path) => path.to_toml(),
            Self::Stdout => quote("stdout"),
            Self::Stderr => quote("stderr"),
        }
    }
}

/// What stands behind a question mark may be a secret: the configuration has none, and what was
/// typed is not repeated.
impl Setable for Url {
    const EXPECTED: &'static str =
        "a URL such as https://cloud.example/hooks/fanlight, without a query";

    fn read(typed: &Typed) -> Result<Self, Vec<Wrong>> {
        match &typed.value {
            Value::Text(text) if !text.contains('?') => text.parse().ok(),
            _ => None,
        }
        .ok_or_else(|| vec![Wrong::with(typed, format!("expected {}", Self::EXPECTED))])
    }

    fn to_toml(&self) -> String {
        quote(&self.to_string())
    }
}

impl Setable for WhenFull {
    const EXPECTED: &'static str = "refuse or continue";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "refuse" => Some(Self::Refuse),
            "continue" => Some(Self::Continue),
            _ => None,
        }
    }

    fn to_toml(&self) -> String {
        quote(match self {
            Self::Refuse => "refuse",
            Self::Continue => "continue",
        })
    }
}

impl Setable for Pacing {
    const EXPECTED: &'static str = "auto, on or off";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn to_toml(&self) -> String {
        quote(self.as_str())
    }
}

impl Setable for LogFormat {
    const EXPECTED: &'static str = "text or json";

    fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == text)
    }

    fn to_toml(&self) -> String {
        quote(self.as_str())
    }
}

impl Setable for LogFilter {
    const EXPECTED: &'static str =
        "error, warn, info, debug, trace or a filter such as info,fanlight::host=debug";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn to_toml(&self) -> String {
        quote(self.as_str())
    }
}

/// A list in the file; in a variable the items stand with commas between them.
impl<T: Item> Setable for Vec<T> {
    const EXPECTED: &'static str = T::LIST;

    fn read(typed: &Typed) -> Result<Self, Vec<Wrong>> {
        let mut items = Vec::new();
        let mut wrong = Vec::new();
        let mut sort = |item: Result<T, Wrong>| match item {
            Ok(item) => items.push(item),
            Err(error) => wrong.push(error),
        };
        match &typed.value {
            Value::Text(text) if !matches!(typed.place, Place::File { .. }) => {
                for item in text
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                {
                    sort(T::read_item(&Typed {
                        place: typed.place.clone(),
                        value: Value::Text(item.to_owned()),
                    }));
                }
            }
            Value::List(list) => list.iter().map(T::read_item).for_each(&mut sort),
            // What was typed instead may be a secret, and is not repeated.
            _ => wrong.push(Wrong::with(typed, format!("expected {}", T::LIST))),
        }
        if let Some(message) = T::clash(&items) {
            wrong.push(Wrong::with(typed, message));
        }
        if wrong.is_empty() {
            Ok(items)
        } else {
            Err(wrong)
        }
    }

    fn to_toml(&self) -> String {
        let items: Vec<_> = self.iter().map(T::item_to_toml).collect();
        format!("[{}]", items.join(", "))
    }
}

/// What a list setting is a list of.
pub(super) trait Item: Sized {
    /// What a right list is, after the word "expected".
    const LIST: &'static str;

    /// Reads an item, from the file or from between two commas.
    fn read_item(typed: &Typed) -> Result<Self, Wrong>;

    /// What is wrong with the items together.
    fn clash(items: &[Self]) -> Option<String>;

    /// TOML for one item.
    fn item_to_toml(&self) -> String;
}
