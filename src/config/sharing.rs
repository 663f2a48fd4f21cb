//! What gateways that share a store need to say about themselves and their sessions.

use super::raw::{Typed, Value};
use super::value::{Item, Setable, Wrong, quote};

/// What a gateway is called in lists of sessions: 1 to 64 letters, digits, hyphens, underscores and
/// dots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayName(String);

impl GatewayName {
    /// The name of this machine, as far as it fits.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self::from_text(name.trim()).unwrap_or(Self("gateway".to_owned()))
    }

    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setable for GatewayName {
    const EXPECTED: &'static str = "1 to 64 letters, digits, hyphens, underscores and dots";

    fn from_text(text: &str) -> Option<Self> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        let good = (1..=64).contains(&text.len()) && text.bytes().all(fits);
        good.then(|| Self(text.to_owned()))
    }

    fn to_toml(&self) -> String {
        quote(&self.0)
    }
}

/// How many sessions there may be for each value of a label: `tenant=50`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelQuota {
    /// The label's key.
    pub key: String,
    /// How many sessions.
    pub most: usize,
}

impl Item for LabelQuota {
    const LIST: &'static str = "a list of labels and numbers such as [\"tenant=50\"]";

    fn read_item(typed: &Typed) -> Result<Self, Wrong> {
        let quota = match &typed.value {
            Value::Text(text) => text.split_once('='),
            _ => None,
        };
        let quota = quota.and_then(|(key, most)| {
            let most = most.trim().parse().ok().filter(|most| *most > 0)?;
            let key = key.trim().to_owned();
            (!key.is_empty()).then_some(Self { key, most })
        });
        quota.ok_or_else(|| Wrong::not(typed, "a label and a number such as tenant=50"))
    }

    fn clash(items: &[Self]) -> Option<String> {
        let twice = |(at, item): (usize, &Self)| {
            let before = items.get(..at).unwrap_or_default();
            let same = before.iter().any(|other| other.key == item.key);
            same.then(|| format!("{} stands twice", item.key))
        };
        items.iter().enumerate().find_map(twice)
    }

    fn item_to_toml(&self) -> String {
        quote(&format!("{}={}", self.key, self.most))
    }
}
