//! Files that settings name, opened without waiting for anybody.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read as _, Result};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

/// Opens what a path leads to, through symbolic links.
///
/// # Errors
/// What the system says, or that it is no regular file: a pipe would be waited for until somebody
/// writes into it.
pub fn open(path: &Path) -> Result<File> {
    let no_wait = OFlags::NONBLOCK.bits().cast_signed();
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(no_wait).open(path)?;
    if !file.metadata()?.is_file() {
        let message = "it is no regular file";
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    Ok(file)
}

/// The bytes of a file.
///
/// # Errors
/// Those of [`open`].
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text of a file.
///
/// # Errors
/// Those of [`open`], or that it is not UTF-8.
pub fn read_to_string(path: &Path) -> Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text)?;
    Ok(text)
}
