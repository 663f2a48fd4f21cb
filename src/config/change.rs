//! What of a configuration that was read again takes effect, and what needs a restart.

use super::problem::Problems;
use super::setting::{PROFILE_SETTINGS, SETTINGS};
use super::sources::Resolved;
use crate::target::ProfileName;

/// A configuration in place of the running one.
#[derive(Debug)]
pub struct Change {
    /// What holds from now on: what needs a restart is in it as it was.
    pub resolved: Resolved,
    /// The settings that are others than before and take effect, by their paths.
    pub taken_up: Vec<String>,
    /// The settings that are others than before and need a restart.
    pub need_restart: Vec<String>,
}

impl Change {
    /// What becomes of `running` when `read` is to take its place.
    ///
    /// # Errors
    /// [`Problems`]: what was read does not go with what stays until a restart.
    pub fn new(running: &Resolved, read: Resolved) -> Result<Self, Problems> {
        let differs =
            |one: &Resolved, path: &str| one.origins.toml(path) != running.origins.toml(path);
        let restart = SETTINGS.iter().filter(|setting| setting.restart);
        let waiting = restart.filter(|setting| differs(&read, setting.path));
        let need_restart = waiting.map(|setting| setting.path.to_owned()).collect();
        let resolved = read.with_restart_of(running)?;
        let taken_up = paths(running, &resolved);
        Ok(Self {
            taken_up: taken_up.filter(|path| differs(&resolved, path)).collect(),
            resolved,
            need_restart,
        })
    }
}

/// All settings, those of the profiles of both included.
fn paths(one: &Resolved, other: &Resolved) -> impl Iterator<Item = String> {
    let profiles = one.config.profiles.keys();
    let mut names: Vec<&ProfileName> = profiles.chain(other.config.profiles.keys()).collect();
    names.sort();
    names.dedup();
    let of_profiles: Vec<_> = names
        .into_iter()
        .flat_map(|name| {
            PROFILE_SETTINGS
                .iter()
                .map(|it| super::reader::in_profile(name, it))
        })
        .collect();
    let settings = SETTINGS.iter().map(|setting| setting.path.to_owned());
    settings.chain(of_profiles)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::Sources;

    fn typed(settings: &[(&str, &str)]) -> Resolved {
        let environment = settings
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        let sources = Sources {
            environment: environment.collect(),
            ..Sources::default()
        };
        sources.load().unwrap()
    }

    #[test]
    fn what_needs_a_restart_stays_with_all_that_follows_from_it() {
        let running = typed(&[
            ("FANLIGHT_STATE_DIR", "/there"),
            ("FANLIGHT_LOG_LEVEL", "warn"),
        ]);
        let read = typed(&[
            ("FANLIGHT_STATE_DIR", "/elsewhere"),
            ("FANLIGHT_STORE_KIND", "redis"),
            ("FANLIGHT_STORE_URL", "redis://store.example"),
            ("FANLIGHT_LIMITS_SESSIONS", "7"),
            ("FANLIGHT_LIMITS_MINTS_PER_KEY", "1/s"),
            ("FANLIGHT_LOG_LEVEL", "debug"),
        ]);
        let change = Change::new(&running, read.clone()).unwrap();
        assert_eq!(change.taken_up, ["limits.mints_per_key", "log.level"]);
        let restart: BTreeSet<&str> = change.need_restart.iter().map(String::as_str).collect();
        let differ = ["state_dir", "store.kind", "store.url", "limits.sessions"];
        assert!(restart.is_superset(&differ.into()), "{restart:?}");
        assert!(restart.contains("tokens.keyring_file"), "{restart:?}");
        let mut expected = running.config.clone();
        expected.log.level = read.config.log.level;
        expected.limits.mints_per_key = read.config.limits.mints_per_key;
        // The store of gateways that are one would have them wait for sessions that move.
        assert_eq!(change.resolved.config, expected);
        assert_eq!(
            Change::new(&running, running.clone()).unwrap().taken_up,
            [""; 0]
        );
    }
}
