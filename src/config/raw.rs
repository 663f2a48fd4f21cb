//! What was typed and where, before anybody asks what it means: the file, the environment and the
//! flags laid over each other.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Place, Problem, did_you_mean};
use super::setting::{
    PROFILE_SETTINGS, PROFILES, SETTINGS, Setting, find, find_in_profile, is_section,
};
use crate::regular_file;
use crate::target::{BadProfileName, ProfileName};

/// The variable that names the file; it is read before the file is.
pub(super) const CONFIG_VARIABLE: &str = "FANLIGHT_CONFIG";

/// The variable with the key for commands that ask the API; it is no setting.
const API_KEY_VARIABLE: &str = "FANLIGHT_API_KEY";

/// A value as somebody typed it.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// What kinds of values there are.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Whole(i64),
    Truth(bool),
    List(Vec<Typed>),
    /// Each key with its own place, and its value.
    Table(Vec<(String, Place, Typed)>),
    /// A kind that no setting has, as TOML calls it.
    Other(&'static str),
}

/// The last layer that sets a setting wins.
#[derive(Clone, Default)]
pub(super) struct Raw {
    /// By the dotted path.
    typed: BTreeMap<String, Typed>,
    /// The profiles that were typed, by name.
    pub(super) profiles: BTreeSet<ProfileName>,
    pub(super) problems: Vec<Problem>,
}

impl Raw {
    pub(super) fn get(&self, path: &str) -> Option<&Typed> {
        self.typed.get(path)
    }

    /// Puts what was typed `before` of the settings that need a restart in place of what is there.
    pub(super) fn keep_restart_of(&mut self, before: &Self) {
        let restart = SETTINGS.iter().filter(|setting| setting.restart);
        for setting in restart {
            match before.typed.get(setting.path) {
                Some(typed) => self.typed.insert(setting.path.to_owned(), typed.clone()),
                None => self.typed.remove(setting.path),
            };
        }
    }

    /// Lays a file over what is there.
    pub(super) fn lay_file(&mut self, path: &Path) {
        let path: Arc<Path> = path.into();
        let whole = |path: &Arc<Path>| Place::File {
            path: Arc::clone(path),
            at: None,
        };
        let text = match regular_file::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("cannot be read: {error}");
                return self.problems.push(Problem::at(whole(&path), message));
            }
        };
        let lines = Lines { path, text: &text };
        let (table, errors) = DeTable::parse_recoverable(&text);
        if errors.is_empty() {
            return self.lay_table(&lines, "", table.into_inner());
        }
        // What a parser guesses behind a syntax error would only raise false alarms.
        self.problems.extend(errors.iter().map(|error| {
            let place = error
                .span()
                .map_or_else(|| whole(&lines.path), |span| lines.place(span.start));
            // What it says of a text without quotes that does not start like a number.
            let message = match error.message() {
                words if words.starts_with("invalid boolean") => {
                    "expected true, false, or a text in quotes"
                }
                words => words,
            };
            Problem::at(place, format!("not TOML: {message}"))
        }));
    }

    fn lay_table(&mut self, lines: &Lines<'_>, section: &str, table: DeTable<'_>) {
        for (key, value) in table {
            let place = lines.place(key.span().start);
            let path = if section.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{section}.{}", key.get_ref())
            };
            if let Some(setting) = find(&path) {
                self.typed
                    .insert(setting.path.to_owned(), lines.typed(value));
            } else if path == PROFILES {
                self.lay_profiles(lines, place, value.into_inner());
            } else if section.is_empty() && is_section(&path) {
                match value.into_inner() {
                    DeValue::Table(table) => self.lay_table(lines, &path, table),
                    _ => self.problems.push(Problem::with(
                        place,
                        &path,
                        format!("is a section: write [{path}] and its settings below"),
                    )),
                }
            } else {
                let paths = SETTINGS.iter().map(|s| s.path);
                let sections = SETTINGS.iter().map(|s| s.section());
                let sections = sections.filter(|section| !section.is_empty());
                let known = paths.chain(sections).chain([PROFILES]);
                let message = unknown(&path, known);
                self.problems.push(Problem::with(place, &path, message));
            }
        }
    }

    /// Profiles stand in the file alone: their names are free, and a variable could not tell them
    /// from the settings.
    fn lay_profiles(&mut self, lines: &Lines<'_>, place: Place, value: DeValue<'_>) {
        const SHAPE: &str = "has a table for each profile: write [profiles.NAME]";
        let DeValue::Table(profiles) = value else {
            self.problems.push(Problem::with(place, PROFILES, SHAPE));
            return;
        };
        for (name, profile) in profiles {
            let place = lines.place(name.span().start);
            let path = format!("{PROFILES}.{}", name.get_ref());
            match (name.get_ref().parse(), profile.into_inner()) {
                (Ok(name), DeValue::Table(settings)) => self.lay_profile(lines, name, settings),
                (Ok(_), _) => self.problems.push(Problem::with(place, &path, SHAPE)),
                (Err(bad), _) => {
                    let bad: BadProfileName = bad;
                    self.problems
                        .push(Problem::with(place, &path, bad.to_string()));
                }
            }
        }
    }

    fn lay_profile(&mut self, lines: &Lines<'_>, name: ProfileName, settings: DeTable<'_>) {
        for (key, value) in settings {
            let path = format!("{PROFILES}.{name}.{}", key.get_ref());
            if find_in_profile(key.get_ref()).is_some() {
                self.typed.insert(path, lines.typed(value));
            } else {
                let place = lines.place(key.span().start);
                let known = PROFILE_SETTINGS.iter().map(|setting| setting.key());
                let message = unknown(key.get_ref(), known);
                self.problems.push(Problem::with(place, &path, message));
            }
        }
        self.profiles.insert(name);
    }

    /// Lays the environment over what is there: of all variables those that start with
    /// `FANLIGHT_`.
    pub(super) fn lay_environment(
        &mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) {
        let known: Vec<_> = SETTINGS.iter().map(|s| (s.variable(), *s)).collect();
        for (name, value) in variables {
            let Some(name) = name.to_str() else { continue };
            let other = [CONFIG_VARIABLE, API_KEY_VARIABLE].contains(&name);
            if !name.starts_with("FANLIGHT_") || other || is_service_link(name) {
                continue;
            }
            let place = Place::Environment(name.to_owned());
            let Some((_, setting)) = known.iter().find(|(variable, _)| variable == name) else {
                let message = unknown(name, known.iter().map(|(variable, _)| variable.as_str()));
                self.problems.push(Problem::at(place, message));
                continue;
            };
            match value.into_string() {
                Ok(text) => self.lay_text(setting, place, text),
                Err(_) => self.problems.push(Problem::at(place, "is not UTF-8")),
            }
        }
    }

    /// Lays one flag over what is there.
    pub(super) fn lay_flag(&mut self, flag: &'static str, text: String) {
        if let Some(setting) = SETTINGS.iter().find(|s| s.flag == Some(flag)) {
            self.lay_text(setting, Place::Flag(flag), text);
        }
    }

    fn lay_text(&mut self, setting: &'static Setting, place: Place, text: String) {
        let value = Value::Text(text);
        self.typed
            .insert(setting.path.to_owned(), Typed { place, value });
    }
}

impl fmt::Debug for Raw {
    /// What was typed may be a secret in the wrong place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.typed.keys();
        f.debug_set().entries(settings).finish()
    }
}

/// "Unknown", with a guess at what was meant.
pub(super) fn unknown<'a>(
    typed: &str,
    candidates: impl Iterator<Item = &'a str> + Clone,
) -> String {
    did_you_mean(typed, candidates).map_or_else(
        || "is not a setting".to_owned(),
        |meant| format!("is not a setting; did you mean {meant}?"),
    )
}

/// Whether Kubernetes put a variable there because a service in the namespace has a name that
/// starts with `fanlight`: `FANLIGHT_SERVICE_HOST`, `FANLIGHT_PORT_8080_TCP_ADDR` and the like
/// ([service environment variables][1]). None of our settings looks like that.
///
/// [1]: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
fn is_service_link(name: &str) -> bool {
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || name.ends_with("_PORT")
        || name.split("_PORT_").skip(1).any(|rest| {
            let mut words = rest.split('_');
            words.next().is_some_and(|port| port.parse::<u16>().is_ok())
                && words
                    .next()
                    .is_some_and(|word| matches!(word, "TCP" | "UDP" | "SCTP"))
        })
}

/// A file's text, to tell places in it.
struct Lines<'a> {
    path: Arc<Path>,
    text: &'a str,
}

impl Lines<'_> {
    fn place(&self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Place::File {
            path: Arc::clone(&self.path),
            at: Some((before.matches('\n').count() + 1, line.chars().count() + 1)),
        }
    }

    fn typed(&self, value: Spanned<DeValue<'_>>) -> Typed {
        let place = self.place(value.span().start);
        let value = match value.into_inner() {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Value::Other("number of more than 64 bits"), Value::Whole),
            DeValue::Boolean(truth) => Value::Truth(truth),
            DeValue::Array(items) => {
                Value::List(items.into_iter().map(|item| self.typed(item)).collect())
            }
            DeValue::Table(table) => Value::Table(
                table
                    .into_iter()
                    .map(|(key, value)| {
                        let place = self.place(key.span().start);
                        (key.into_inner().into_owned(), place, self.typed(value))
                    })
                    .collect(),
            ),
            other => Value::Other(other.type_str()),
        };
        Typed { place, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubernetes_service_links_are_told_from_settings() {
        for name in [
            "FANLIGHT_SERVICE_HOST",
            "FANLIGHT_SERVICE_PORT",
            "FANLIGHT_SERVICE_PORT_HTTP",
            "FANLIGHT_PORT",
            "FANLIGHT_PORT_8080_TCP",
            "FANLIGHT_PORT_8080_TCP_ADDR",
            "FANLIGHT_GATEWAY_PORT_443_TCP_PROTO",
        ] {
            assert!(is_service_link(name), "{name}");
        }
        for name in ["FANLIGHT_LISTEN", "FANLIGHT_PORT_X", "FANLIGHT_PORTS"] {
            assert!(!is_service_link(name), "{name}");
        }
        for setting in SETTINGS {
            assert!(!is_service_link(&setting.variable()), "{}", setting.path);
        }
    }
}
