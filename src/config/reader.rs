//! Takes the settings one by one out of what was typed, and notes every problem on the way.

use super::problem::{Place, Problem};
use super::raw::{Raw, Typed, Value};
use super::setting::{DefaultValue, SETTINGS, Setting};
use super::value::{Setable, Wrong};

/// A setting as it was resolved, for printing.
#[derive(Clone, Debug)]
struct Shown {
    path: &'static str,
    toml: String,
    place: Place,
}

/// The settings as they were resolved and where each came from.
#[derive(Clone, Debug)]
pub struct Origins(Vec<Shown>);

impl Origins {
    /// Where a setting was typed.
    pub(super) fn place(&self, setting: &Setting) -> Place {
        self.find(setting)
            .map_or(Place::Default, |shown| shown.place.clone())
    }

    fn find(&self, setting: &Setting) -> Option<&Shown> {
        self.0.iter().find(|shown| shown.path == setting.path)
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
            text.push_str(&match self.find(setting) {
                Some(Shown { toml, place, .. }) => {
                    let origin = place.to_string();
                    format!("{} = {toml} # {}\n", setting.key(), origin.escape_debug())
                }
                None => format!("# {} is not set\n", setting.key()),
            });
        }
        text
    }
}

/// Reads settings; whatever is wrong with one is noted, and the next is read all the same.
#[derive(Debug)]
pub(super) struct Reader {
    raw: Raw,
    shown: Vec<Shown>,
}

impl Reader {
    pub(super) const fn new(raw: Raw) -> Self {
        Self {
            raw,
            shown: Vec::new(),
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
        self.raw.get(setting).is_some()
    }

    /// Notes a problem with a setting, at the place where it was typed.
    pub(super) fn refuse(&mut self, setting: &Setting, message: &str) {
        let place = self.raw.get(setting).map(|typed| typed.place.clone());
        let place = place.unwrap_or(Place::Default);
        self.raw
            .problems
            .push(Problem::with(place, setting.path, message));
    }

    /// All problems by their places, and all settings in their order.
    pub(super) fn finish(self) -> (Vec<Problem>, Origins) {
        let mut problems = self.raw.problems;
        problems.sort_by_key(|problem| match &problem.place {
            Place::File { at, .. } => (0, *at),
            Place::Environment(_) => (1, None),
            Place::Flag(_) => (2, None),
            Place::Default => (3, None),
        });
        (problems, Origins(self.shown))
    }

    fn typed(&self, setting: &Setting) -> Option<Typed> {
        let default = || match setting.default {
            DefaultValue::Typed(text) => Some(Typed {
                place: Place::Default,
                value: Value::Text(text.to_owned()),
            }),
            DefaultValue::Derived(_) => None,
        };
        self.raw.get(setting).cloned().or_else(default)
    }

    fn note(&mut self, setting: &Setting, wrongs: Vec<Wrong>) {
        let problems = wrongs
            .into_iter()
            .map(|wrong| Problem::with(wrong.place, setting.path, wrong.message));
        self.raw.problems.extend(problems);
    }

    fn show<T: Setable>(&mut self, setting: &'static Setting, value: &T, place: Place) {
        self.shown.push(Shown {
            path: setting.path,
            toml: value.to_toml(),
            place,
        });
    }
}
