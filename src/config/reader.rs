//! Takes the settings one by one out of what was typed, and notes every problem on the way.

use super::problem::{Place, Problem};
use super::raw::{Raw, Typed, Value};
use super::setting::{DefaultValue, PROFILE_SETTINGS, PROFILES, SETTINGS, Setting};
use super::value::{Setable, Wrong, quote};
use crate::target::ProfileName;

/// A setting as it was resolved, for printing.
#[derive(Clone, Debug)]
struct Shown {
    path: String,
    toml: String,
    place: Place,
}

/// The settings as they were resolved and where each came from.
#[derive(Clone, Debug)]
pub struct Origins {
    shown: Vec<Shown>,
    profiles: Vec<ProfileName>,
}

impl Origins {
    /// Where the setting of a path was typed.
    pub(super) fn place(&self, path: &str) -> Place {
        self.find(path)
            .map_or(Place::Default, |shown| shown.place.clone())
    }

    /// The value of a setting as TOML, if it has one.
    pub(super) fn toml(&self, path: &str) -> Option<&str> {
        self.find(path).map(|shown| shown.toml.as_str())
    }

    fn find(&self, path: &str) -> Option<&Shown> {
        self.shown.iter().find(|shown| shown.path == path)
    }

    /// The whole configuration as TOML, a comment behind each value telling where it came from.
    /// What has no value is a comment.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        for setting in SETTINGS {
            if setting.section() != section {
                section = setting.section();
                text.push_str(&format!("\n[{section}]\n"));
            }
            text.push_str(&self.line(setting, setting.path));
        }
        for name in &self.profiles {
            text.push_str(&format!("\n[{PROFILES}.{}]\n", quote(name.as_str())));
            for setting in PROFILE_SETTINGS {
                text.push_str(&self.line(setting, &in_profile(name, setting)));
            }
        }
        text
    }

    fn line(&self, setting: &Setting, path: &str) -> String {
        match self.find(path) {
            Some(Shown { toml, place, .. }) => {
                let origin = place.to_string();
                format!("{} = {toml} # {}\n", setting.key(), origin.escape_debug())
            }
            None => format!("# {} is not set\n", setting.key()),
        }
    }
}

/// The path of a profile's setting.
pub(super) fn in_profile(name: &ProfileName, setting: &Setting) -> String {
    format!("{PROFILES}.{name}.{}", setting.key())
}

/// Reads settings; whatever is wrong with one is noted, and the next is read all the same.
#[derive(Debug)]
pub(super) struct Reader {
    raw: Raw,
    shown: Vec<Shown>,
    /// Whose settings are read: those of a profile, or those that stand once.
    profile: Option<ProfileName>,
}

impl Reader {
    pub(super) const fn new(raw: Raw) -> Self {
        Self {
            raw,
            shown: Vec::new(),
            profile: None,
        }
    }

    /// The names of the profiles that were typed.
    pub(super) fn profiles(&self) -> Vec<ProfileName> {
        self.raw.profiles.iter().cloned().collect()
    }

    /// From now on the settings of a profile are read, or with `None` those that stand once.
    pub(super) fn enter(&mut self, profile: Option<ProfileName>) {
        self.profile = profile;
    }

    fn path(&self, setting: &Setting) -> String {
        match &self.profile {
            None => setting.path.to_owned(),
            Some(name) => in_profile(name, setting),
        }
    }

    /// The value of a setting or its default; `None` when there is neither, or when what was typed
    /// is wrong.
    pub(super) fn take<T: Setable>(&mut self, setting: &'static Setting) -> Option<T> {
        let typed = self.typed(setting)?;
        let value = T::read(&typed)
            .map_err(|wrongs| self.note(setting, wrongs))
            .ok()?;
        self.show(setting, &value, typed.place);
        Some(value)
    }

    /// Like [`Reader::take`], and notes a value outside the setting's range.
    pub(super) fn take_in_range<T: Setable + PartialOrd>(
        &mut self,
        setting: &'static Setting,
    ) -> Option<T> {
        let value: T = self.take(setting)?;
        let bound = |text: &str| {
            let value = Value::Text(text.to_owned());
            let place = Place::Default;
            T::read(&Typed { place, value }).ok()
        };
        let (least_text, most_text) = setting.range?;
        let (least, most) = (bound(least_text)?, bound(most_text)?);
        if value < least || value > most {
            let typed = self.typed(setting)?;
            let message = format!("must be {least_text} to {most_text}");
            self.note(setting, vec![Wrong::with(&typed, message)]);
            return None;
        }
        Some(value)
    }

    /// Tells for printing what a setting that nobody set was derived to be.
    pub(super) fn derived<T: Setable>(&mut self, setting: &'static Setting, value: &T) {
        self.show(setting, value, Place::Default);
    }

    /// Whether somebody typed something for a setting, right or wrong.
    pub(super) fn is_set(&self, setting: &Setting) -> bool {
        self.raw.get(&self.path(setting)).is_some()
    }

    /// Notes a problem with a setting, at the place where it was typed.
    pub(super) fn refuse(&mut self, setting: &Setting, message: &str) {
        let path = self.path(setting);
        let place = self.raw.get(&path).map(|typed| typed.place.clone());
        let place = place.unwrap_or(Place::Default);
        self.raw.problems.push(Problem::with(place, &path, message));
    }

    /// All problems by their places, all settings in their order, and what was typed.
    pub(super) fn finish(mut self) -> (Vec<Problem>, Origins, Raw) {
        let mut problems = std::mem::take(&mut self.raw.problems);
        problems.sort_by_key(|problem| match &problem.place {
            Place::File { at, .. } => (0, *at),
            Place::Environment(_) => (1, None),
            Place::Flag(_) => (2, None),
            Place::Default => (3, None),
        });
        let profiles = self.raw.profiles.iter().cloned().collect();
        let shown = self.shown;
        (problems, Origins { shown, profiles }, self.raw)
    }

    fn typed(&self, setting: &Setting) -> Option<Typed> {
        let default = || match setting.default {
            DefaultValue::Typed(text) => Some(Typed {
                place: Place::Default,
                value: Value::Text(text.to_owned()),
            }),
            DefaultValue::Derived(_) => None,
        };
        self.raw.get(&self.path(setting)).cloned().or_else(default)
    }

    fn note(&mut self, setting: &Setting, wrongs: Vec<Wrong>) {
        let path = self.path(setting);
        let problems = wrongs
            .into_iter()
            .map(|wrong| Problem::with(wrong.place, &path, wrong.message));
        self.raw.problems.extend(problems);
    }

    fn show<T: Setable>(&mut self, setting: &'static Setting, value: &T, place: Place) {
        self.shown.push(Shown {
            path: self.path(setting),
            toml: value.to_toml(),
            place,
        });
    }
}
