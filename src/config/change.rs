//! What of a configuration that was read again takes effect, and what needs a restart.

use super::setting::{PROFILE_SETTINGS, SETTINGS, Setting};
use super::sources::Resolved;
use super::{Config, Limits, Log, Tokens};
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
    #[must_use]
    pub fn new(running: &Resolved, read: Resolved) -> Self {
        let changed = |setting: &Setting| {
            read.origins.toml(setting.path) != running.origins.toml(setting.path)
        };
        let paths = |restart: bool| {
            let settings = SETTINGS.iter().filter(move |it| it.restart == restart);
            settings
                .filter(|it| changed(it))
                .map(|it| it.path.to_owned())
        };
        let mut taken_up: Vec<_> = paths(false).collect();
        let need_restart = paths(true).collect();
        let names = read.config.profiles.keys();
        let mut names: Vec<&ProfileName> = names.chain(running.config.profiles.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            for setting in PROFILE_SETTINGS {
                let path = super::reader::in_profile(name, setting);
                if read.origins.toml(&path) != running.origins.toml(&path) {
                    taken_up.push(path);
                }
            }
        }
        let Resolved { config, origins } = read;
        let origins = origins.with_restart_of(&running.origins);
        let config = keep(config, running.config.clone());
        Self {
            resolved: Resolved { config, origins },
            taken_up,
            need_restart,
        }
    }
}

/// The configuration that was read, with all that needs a restart as it was.
fn keep(read: Config, running: Config) -> Config {
    Config {
        tokens: Tokens {
            keyring_file: running.tokens.keyring_file,
            ..read.tokens
        },
        limits: Limits {
            sessions: running.limits.sessions,
            connections: running.limits.connections,
            handshakes: running.limits.handshakes,
            ..read.limits
        },
        host: super::Host {
            dials_per_host: running.host.dials_per_host,
            ..read.host
        },
        log: Log {
            format: running.log.format,
            ..read.log
        },
        name: running.name,
        listen: running.listen,
        public_url: running.public_url,
        base_path: running.base_path,
        state_dir: running.state_dir,
        tls: running.tls,
        store: running.store,
        audit: running.audit,
        webhook: running.webhook,
        metrics_listen: running.metrics_listen,
        ..read
    }
}
