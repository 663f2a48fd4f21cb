//! What tells one version of a file from another without reading it.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// When a file was changed, where it lies, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    changed: (i64, i64),
    inode: u64,
    length: u64,
}

impl FileStamp {
    /// Of the file that a path leads to now; nothing when there is none that can be looked at.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self {
            changed: (metadata.mtime(), metadata.mtime_nsec()),
            inode: metadata.ino(),
            length: metadata.len(),
        })
    }
}
