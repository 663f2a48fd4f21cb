//! The file behind `--password-file`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context as _, ensure};
use zeroize::Zeroizing;

use crate::rfb::login::MAX_PASSWORD;
use crate::secret::Secret;

/// The most that is read, in bytes: the longest password and the end of its line.
const MAX_FILE: usize = MAX_PASSWORD + 2;

/// The password in a file, without the end of its last line; `-` is standard input.
pub(super) fn read(path: &Path) -> anyhow::Result<Secret> {
    if path == Path::new("-") {
        return take(io::stdin().lock()).context("the password on standard input");
    }
    File::open(path)
        .map_err(anyhow::Error::from)
        .and_then(take)
        .with_context(|| format!("the password file {}", path.display()))
}

fn take(source: impl Read) -> anyhow::Result<Secret> {
    // One byte more than is read, so that the buffer never grows and leaves a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE + 2));
    let limit = u64::try_from(MAX_FILE + 1)?;
    source.take(limit).read_to_end(&mut bytes)?;
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let password = line.strip_suffix(b"\r").unwrap_or(line);
    ensure!(!password.is_empty(), "it is empty");
    ensure!(
        password.len() <= MAX_PASSWORD,
        "it is longer than {MAX_PASSWORD} bytes"
    );
    Ok(Secret::new(password))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for (bytes, said) in [
            (String::new(), "it is empty"),
            ("\n".to_owned(), "it is empty"),
            (format!("{long}p\n"), "it is longer than 256 bytes"),
            ("p".repeat(100_000), "it is longer than 256 bytes"),
        ] {
            assert_eq!(take(bytes.as_bytes()).unwrap_err().to_string(), said);
        }
    }
}
