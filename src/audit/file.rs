//! The log's file: where its chain ends, and whether it is still the one that is named.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::audit::chain::Chain;
use crate::audit::queue::StartError;
use crate::audit::writer::Out;

/// How far the last line may be from the end, in bytes.
const TAIL: u64 = 64 * 1024;

/// How every line of ours starts.
const START: &[u8] = b"{\"seq\":";

/// A file that lines are appended to.
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    /// Its length as far as we know, in bytes.
    len: u64,
}

impl LogFile {
    /// Opens the file, or makes it, and says how far its chain is, and how many bytes of a line
    /// that was never finished were cut off.
    ///
    /// # Errors
    /// [`StartError`].
    pub(super) fn open(path: &Path) -> Result<(Self, Chain, u64), StartError> {
        let failed = |error| StartError::Open {
            path: path.to_owned(),
            error,
        };
        let mut file = options().open(path).map_err(failed)?;
        let there = file.metadata().map_err(failed)?;
        if !there.is_file() {
            // A device or a pipe has no end to go on from.
            let path = path.to_owned();
            return Ok((Self { path, file, len: 0 }, Chain::default(), 0));
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StartError::Locked(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let tail = tail(&mut file, there.len()).map_err(failed)?;
        let (chain, torn) = end(&tail).ok_or_else(|| StartError::NotALog(path.to_owned()))?;
        let len = there.len().saturating_sub(torn);
        if torn > 0 {
            file.set_len(len).map_err(failed)?;
        }
        let path = path.to_owned();
        Ok((Self { path, file, len }, chain, torn))
    }
}

impl Out for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.len += u64::try_from(written).unwrap_or_default();
        Ok(written)
    }

    fn turn(&mut self) -> io::Result<bool> {
        let ours = self.file.metadata()?;
        if !ours.is_file() {
            return Ok(false);
        }
        let named = match std::fs::metadata(&self.path) {
            Ok(named) => Some(named),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if named.is_some_and(|named| same(&ours, &named)) {
            // Emptied in place, as some rotations do.
            let emptied = ours.len() < self.len;
            self.len = ours.len();
            return Ok(emptied);
        }
        let file = options().open(&self.path)?;
        file.try_lock()?;
        self.len = file.metadata()?.len();
        self.file = file;
        Ok(true)
    }
}

/// A standard stream, past the buffers of this process.
pub(super) struct Stream(File);

impl Stream {
    pub(super) fn stdout() -> io::Result<Self> {
        let stream = io::stdout().as_fd().try_clone_to_owned()?;
        Ok(Self(stream.into()))
    }

    pub(super) fn stderr() -> io::Result<Self> {
        let stream = io::stderr().as_fd().try_clone_to_owned()?;
        Ok(Self(stream.into()))
    }
}

impl Out for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn turn(&mut self) -> io::Result<bool> {
        Ok(false)
    }
}

/// Appending, and for nobody else to read.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    options
}

fn same(one: &Metadata, other: &Metadata) -> bool {
    one.dev() == other.dev() && one.ino() == other.ino()
}

fn tail(file: &mut File, len: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(len.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    Ok(tail)
}

/// How far the chain is, and how many bytes behind its last line are not a whole one. `None` when
/// this is not the end of a log of ours.
fn end(tail: &[u8]) -> Option<(Chain, u64)> {
    let Some(last) = tail.iter().rposition(|byte| *byte == b'\n') else {
        let torn = u64::try_from(tail.len()).ok().filter(|len| *len < TAIL)?;
        let begun = tail.iter().zip(START).all(|(byte, start)| byte == start);
        return begun.then_some((Chain::default(), torn));
    };
    let (lines, torn) = tail.split_at(last);
    let line = lines.rsplit(|byte| *byte == b'\n').next()?;
    let chain = Chain::behind(str::from_utf8(line).ok()?)?;
    let torn = u64::try_from(torn.len()).ok()?.checked_sub(1)?;
    Some((chain, torn))
}
