//! The gateway's log, read as a collector would: one JSON object a line.

use serde_json::Value;

/// One line of the log.
#[derive(Clone, Debug)]
pub struct Line(pub Value);

impl Line {
    /// The lines of a log so far. What is not JSON is left out: see [`strays`].
    pub fn parse_all(log: &str) -> Vec<Self> {
        let objects = log.lines().filter_map(|l| serde_json::from_str(l).ok());
        objects.filter(Value::is_object).map(Self).collect()
    }

    /// A field as text, empty when it is not there.
    pub fn text(&self, field: &str) -> String {
        match self.0.get(field) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    /// A field as a number.
    pub fn number(&self, field: &str) -> Option<u64> {
        let value = self.0.get(field)?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    }

    /// Whether this line says that a session was refused or ended, and why.
    pub fn is_session_end(&self) -> bool {
        !self.text("session").is_empty()
            && !self.text("reason").is_empty()
            && !matches!(self.text("level").as_str(), "DEBUG" | "TRACE")
    }
}

/// Lines that are not JSON: a panic's message, or something printed past the log.
pub fn strays(log: &str) -> Vec<&str> {
    let is_object = |l: &&str| serde_json::from_str::<Value>(l).is_ok_and(|v| v.is_object());
    log.lines()
        .filter(|l| !l.trim().is_empty() && !is_object(l))
        .collect()
}
