//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Where a setting was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the file.
    File {
        /// Its path as it was named.
        path: Arc<Path>,
        /// Line and column, both from 1, the column in characters; `None` for the file as a whole.
        at: Option<(usize, usize)>,
    },
    /// In this environment variable.
    Environment(String),
    /// With this flag, two hyphens included.
    Flag(&'static str),
    /// Nowhere: the built-in default.
    Default,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, at: None } => path.display().fmt(f),
            Self::File {
                path,
                at: Some((line, column)),
            } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Environment(name) => name.escape_debug().fmt(f),
            Self::Flag(flag) => f.write_str(flag),
            Self::Default => f.write_str("default"),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it was typed.
    pub place: Place,
    /// The setting's dotted path, where the problem is about one.
    pub setting: Option<String>,
    /// What is wrong, without any secret.
    pub message: String,
}

impl Problem {
    /// A problem with the place as a whole.
    pub(super) fn at(place: Place, message: impl Into<String>) -> Self {
        Self {
            place,
            setting: None,
            message: message.into(),
        }
    }

    /// A problem with one setting.
    pub(super) fn with(place: Place, setting: &str, message: impl Into<String>) -> Self {
        Self {
            place,
            setting: Some(setting.to_owned()),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    /// `fanlight.toml:12:7: tokens.connect_within: …`, `FANLIGHT_LISTEN: …`, `--listen: …`. A
    /// variable and a flag name the setting themselves.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.place, &self.setting) {
            (Place::File { .. } | Place::Default, Some(setting)) => {
                write!(
                    f,
                    "{}: {}: {}",
                    self.place,
                    setting.escape_debug(),
                    self.message
                )
            }
            _ => write!(f, "{}: {}", self.place, self.message),
        }
    }
}

/// Everything that is wrong, one line each; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Problems(pub Vec<Problem>);

/// The candidate that somebody who typed `typed` may have meant: the same last word in another
/// section, else the nearest by typing errors.
pub(super) fn did_you_mean<'a>(
    typed: &str,
    candidates: impl Iterator<Item = &'a str> + Clone,
) -> Option<&'a str> {
    let last_word = |path: &str| path.rsplit('.').next().map(str::to_owned);
    let moved = candidates
        .clone()
        .find(|candidate| last_word(candidate) == last_word(typed));
    let near = || {
        candidates
            .map(|candidate| (distance(typed, candidate), candidate))
            .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(4).min(3))
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, candidate)| candidate)
    };
    moved.or_else(near)
}

/// How many letters have to be put in, taken out or exchanged (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut diagonal = i;
        let mut next = vec![left];
        for (y, above) in b.chars().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(x != y))
                .min(left + 1)
                .min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("listen", "listen", 0),
            ("lsiten", "listen", 2),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn suggestions() {
        let known = ["listen", "tokens.connect_within", "log.level", "log.format"];
        for (typed, expected) in [
            ("lisen", Some("listen")),
            ("connect_within", Some("tokens.connect_within")),
            ("token.connect_within", Some("tokens.connect_within")),
            ("log.levl", Some("log.level")),
            ("log.colour", None),
            ("x", None),
        ] {
            assert_eq!(did_you_mean(typed, known.into_iter()), expected, "{typed}");
        }
    }

    #[test]
    fn a_place_with_control_characters_prints_them_escaped() {
        let problem = Problem::at(Place::Environment("FANLIGHT_\u{1b}[2J".into()), "x");
        assert_eq!(problem.to_string(), "FANLIGHT_\\u{1b}[2J: x");
    }
}
