//! A directory to run the command in, and what came of it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A directory with a configuration whose key ring lies beside it.
pub(crate) struct Home(pub(crate) TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.write(
            "fanlight.toml",
            "public_url = 'https://console.example/x'\nstate_dir = '.'\n",
        );
        home
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Runs `fanlight`, with this configuration when the command takes one.
    pub(crate) fn run(&self, words: &str, input: &str) -> Ran {
        let mut command = fanlight(words.split_whitespace());
        if !words.starts_with("keys api") {
            command.arg("--config").arg(self.path("fanlight.toml"));
        }
        let command = command.current_dir(self.0.path());
        Ran::of(command, input, self.0.path())
    }
}

pub(crate) fn fanlight<'a>(words: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fanlight"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("FANLIGHT_") {
            command.env_remove(name);
        }
    }
    command.args(words).env("COLUMNS", "100");
    command
}

/// What came of a command, with DIR for the directory of its home.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(command: &mut Command, input: &str, dir: &Path) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may be gone before it is written to.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let Output {
            status,
            stdout,
            stderr,
        } = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            text.replace(&dir.display().to_string(), "DIR")
        };
        Self {
            code: status.code(),
            out: text(stdout),
            err: text(stderr),
        }
    }

    #[track_caller]
    pub(crate) fn good(self) -> String {
        assert_eq!(
            (self.code, self.err.as_str()),
            (Some(0), ""),
            "{}",
            self.out
        );
        self.out
    }

    #[track_caller]
    pub(crate) fn failed(self) -> String {
        assert_eq!(
            (self.code, self.out.as_str()),
            (Some(1), ""),
            "{}",
            self.err
        );
        self.err
    }
}
