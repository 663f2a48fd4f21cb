//! The files behind `--password-file` and its like: what must not stand in a command line.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context as _, ensure};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// What a file holds, for people, and the most bytes that it may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) what: &'static str,
    pub(super) max: usize,
}

impl Kind {
    /// The secret in a file, without the end of its last line; `-` is standard input.
    pub(super) fn read(self, path: &Path) -> anyhow::Result<Secret> {
        let what = self.what;
        if is_stdin(path) {
            let stdin = io::stdin().lock();
            return self
                .take(stdin)
                .with_context(|| format!("the {what} on standard input"));
        }
        File::open(path)
            .map_err(anyhow::Error::from)
            .and_then(|file| self.take(file))
            .with_context(|| format!("the {what} file {}", path.display()))
    }

    fn take(self, source: impl Read) -> anyhow::Result<Secret> {
        // The longest secret and the end of its line, and a byte more than is read, so that the
        // buffer never grows and leaves a copy behind.
        let most = self.max + 3;
        let mut bytes = Zeroizing::new(Vec::with_capacity(most + 1));
        source.take(u64::try_from(most)?).read_to_end(&mut bytes)?;
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let secret = line.strip_suffix(b"\r").unwrap_or(line);
        ensure!(!secret.is_empty(), "it is empty");
        ensure!(
            secret.len() <= self.max,
            "it is longer than {} bytes; it is to hold the {} alone",
            self.max,
            self.what
        );
        Ok(Secret::new(secret))
    }
}

/// Whether a path stands for standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_PASSWORD: usize = 256;

    fn take(bytes: &[u8]) -> anyhow::Result<Secret> {
        let what = "password";
        let max = MAX_PASSWORD;
        Kind { what, max }.take(bytes)
    }

    #[test]
    fn only_the_end_of_the_last_line_is_taken_away() {
        let long = "p".repeat(MAX_PASSWORD);
        for (bytes, password) in [
            ("secret", "secret"),
            ("secret\n", "secret"),
            ("secret\r\n", "secret"),
            ("secret\n\n", "secret\n"),
            (" secret \n", " secret "),
            (&format!("{long}\r\n"), &long),
        ] {
            assert_eq!(
                take(bytes.as_bytes()).unwrap().expose(),
                password.as_bytes()
            );
        }
        let too_long = "it is longer than 256 bytes; it is to hold the password alone";
        for (bytes, said) in [
            (String::new(), "it is empty"),
            ("\n".to_owned(), "it is empty"),
            (format!("{long}p\n"), too_long),
            ("p".repeat(100_000), too_long),
        ] {
            assert_eq!(take(bytes.as_bytes()).unwrap_err().to_string(), said);
        }
    }
}
