//! The path of a Unix socket.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

/// The longest path, in bytes. The kernel's own limit of 108 for the names of sockets does not
/// hold: they are not opened by name.
pub const MAX_UNIX_PATH: usize = 1024;

/// An absolute path without `..`: 2 to [`MAX_UNIX_PATH`] bytes of UTF-8 without control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnixPath(PathBuf);

/// Why a text is not such a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an absolute path without \"..\", of at most {MAX_UNIX_PATH} bytes")]
pub struct BadUnixPath;

impl UnixPath {
    /// The path.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// The path's bytes, which are UTF-8.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        OsStr::as_bytes(self.0.as_os_str())
    }
}

impl FromStr for UnixPath {
    type Err = BadUnixPath;

    fn from_str(text: &str) -> Result<Self, BadUnixPath> {
        let path = Path::new(text);
        let plain = |it: Component<'_>| matches!(it, Component::RootDir | Component::Normal(_));
        let named = path.file_name().is_some() && !text.ends_with('/');
        let lawful = named && text.len() <= MAX_UNIX_PATH && !text.contains(char::is_control);
        if lawful && path.is_absolute() && path.components().all(plain) {
            Ok(Self(path.to_owned()))
        } else {
            Err(BadUnixPath)
        }
    }
}

impl fmt::Display for UnixPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_paths_are_taken() {
        let long = format!("/{}", "a".repeat(MAX_UNIX_PATH - 1));
        for text in ["/a", "/run/vms/web-01.sock", "/run/w\u{e4}b 1", &long] {
            let path = text.parse::<UnixPath>().unwrap();
            assert_eq!(
                (path.to_string().as_str(), path.as_bytes()),
                (text, text.as_bytes())
            );
        }
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        let long = format!("/{}", "a".repeat(MAX_UNIX_PATH));
        for text in [
            "", "/", "a", "./a", "/a/", "/a/../b", "/..", "/a\0b", "/a\nb", &long,
        ] {
            assert_eq!(text.parse::<UnixPath>(), Err(BadUnixPath), "{text:?}");
        }
    }
}
