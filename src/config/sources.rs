//! Where settings come from, and loading them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::problem::{Place, Problem, Problems};
use super::raw::{CONFIG_VARIABLE, Raw};
use super::reader::{Origins, Reader};
use super::resolve::resolve;
use super::{Config, contents, files};

/// The file that is read when none is named and it exists.
pub const SYSTEM_FILE: &str = "/etc/fanlight/fanlight.toml";

/// The layers that a configuration is made of, the lowest first.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file; without one the built-in defaults are the lowest layer.
    pub file: Option<PathBuf>,
    /// Variables; only those that start with `FANLIGHT_` are looked at.
    pub environment: Vec<(OsString, OsString)>,
    /// Flags with their values, such as `("--listen", "[::]:80")`.
    pub flags: Vec<(&'static str, String)>,
}

/// A configuration, and where each of its settings came from.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The settings.
    pub config: Config,
    /// Where they came from.
    pub origins: Origins,
    /// What they were made of.
    raw: Raw,
}

impl Sources {
    /// This process's sources: the file of `--config`, else of `FANLIGHT_CONFIG`, else
    /// [`SYSTEM_FILE`] if it exists; this process's environment; `flags`.
    #[must_use]
    pub fn of_process(named: Option<PathBuf>, flags: Vec<(&'static str, String)>) -> Self {
        let system = || {
            let file = Path::new(SYSTEM_FILE);
            file.exists().then(|| file.to_owned())
        };
        Self {
            file: named
                .or_else(|| std::env::var_os(CONFIG_VARIABLE).map(PathBuf::from))
                .or_else(system),
            environment: std::env::vars_os().collect(),
            flags,
        }
    }

    /// Reads and checks everything, the named files' contents excepted.
    ///
    /// # Errors
    /// [`Problems`]: all that is wrong, by place.
    pub fn load(self) -> Result<Resolved, Problems> {
        let mut raw = Raw::default();
        if let Some(file) = &self.file {
            raw.lay_file(file);
        }
        raw.lay_environment(self.environment);
        for (flag, text) in self.flags {
            raw.lay_flag(flag, text);
        }
        Resolved::from_raw(raw)
    }
}

impl Resolved {
    fn from_raw(raw: Raw) -> Result<Self, Problems> {
        let mut reader = Reader::new(raw);
        let config = resolve(&mut reader);
        let (mut problems, origins, raw) = reader.finish();
        match config {
            Some(config) if problems.is_empty() => Ok(Self {
                config,
                origins,
                raw,
            }),
            _ => {
                // Every way to no configuration notes a problem; should one not, that is said.
                if problems.is_empty() {
                    let message = "a built-in default is not valid";
                    problems.push(Problem::at(Place::Default, message));
                }
                Err(Problems(problems))
            }
        }
    }

    /// The same, with the settings that need a restart as they are in `running`, and what follows
    /// from them.
    ///
    /// # Errors
    /// [`Problems`]: what does not go with those.
    pub(super) fn with_restart_of(mut self, running: &Self) -> Result<Self, Problems> {
        self.raw.keep_restart_of(&running.raw);
        Self::from_raw(self.raw)
    }

    /// Checks that the files that settings name can be read, and returns those settings' paths.
    ///
    /// # Errors
    /// [`Problems`]: all that cannot.
    pub fn check_files(&self) -> Result<Vec<String>, Problems> {
        files::check(self)
    }

    /// Checks that what those files hold can be used, as a start does. Beside a gateway that runs by
    /// `running`, what that has in use until a restart is passed over.
    ///
    /// # Errors
    /// [`Problems`]: all that cannot.
    pub fn check_contents(&self, running: Option<&Self>) -> Result<(), Problems> {
        contents::check(self, running.map(|it| &it.config))
    }
}
