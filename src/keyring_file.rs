//! The key ring's file: read, made on the first start, replaced when it is rotated.
//!
//! Whoever can read it can open any console, so it is for its owner alone, and a file that others
//! can read is refused. It is never seen half written: a new ring is written beside it, flushed,
//! and then given its name.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown,
};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use crate::clock::UnixTime;
use crate::entropy;
use crate::id::KeyId;
use crate::regular_file;
use crate::token::keyring::BadKeyRing;
use crate::token::{Key, KeyRing};

/// The longest key ring file, in bytes: far more keys than anybody rotates through.
const MAX_FILE: u64 = 64 * 1024;

/// The user who may do anything.
const ROOT: u32 = 0;

/// Why a key ring file cannot be used. Each names the path, none a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingFileError {
    /// There is none.
    #[error(
        "there is no key ring {}: put back the one that was there; where there never was one, \
         `fanlight keys new` makes it",
        .0.display()
    )]
    Missing(PathBuf),
    /// There is one where a new one was to be made.
    #[error("there is a key ring {} already", .0.display())]
    Exists(PathBuf),
    /// Others than its owner can get at it.
    #[error(
        "the key ring {} has mode {mode:03o}, and only its owner may read and write it: chmod 600 {}",
        path.display(), path.display()
    )]
    NotPrivate {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It does not hold keys.
    #[error("the key ring {} cannot be used: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        reason: BadKeyRing,
    },
    /// It is too long for a key ring, or not text.
    #[error("{} is not a key ring", .0.display())]
    NotText(PathBuf),
    /// The system refused.
    #[error("cannot {doing} {}: {error}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

use KeyRingFileError as Error;

/// A key ring and whether it is new.
#[derive(Debug)]
pub struct Loaded {
    /// The keys.
    pub ring: KeyRing,
    /// Whether this call made the file.
    pub made: bool,
}

/// Reads the ring.
///
/// # Errors
/// [`KeyRingFileError`]; a file that others can read or write is refused.
pub fn load(path: &Path) -> Result<KeyRing, Error> {
    let file = regular_file::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::Missing(path.to_owned()),
        _ => io_error("open", path)(error),
    })?;
    let metadata = file.metadata().map_err(io_error("look at", path))?;
    if metadata.len() > MAX_FILE {
        return Err(Error::NotText(path.to_owned()));
    }
    let mode = metadata.permissions().mode() & 0o777;
    // Who cannot find out who they are is held to the strict rule.
    let us = std::fs::metadata("/proc/self").map_or(metadata.uid(), |it| it.uid());
    if !is_private(mode, metadata.uid(), us) {
        let path = path.to_owned();
        return Err(Error::NotPrivate { path, mode });
    }
    // The exact capacity keeps keys out of outgrown allocations.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE as usize));
    file.take(MAX_FILE)
        .read_to_end(&mut bytes)
        .map_err(io_error("read", path))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Error::NotText(path.to_owned()))?;
    KeyRing::parse(text).map_err(|reason| Error::Content {
        path: path.to_owned(),
        reason,
    })
}

/// Whether nobody can read the file but us and those who may do anything. A file of root's may be
/// read by its group as well, when we are not root: that is how Kubernetes hands a secret to a
/// service, and how an administrator does.
const fn is_private(mode: u32, owner: u32, us: u32) -> bool {
    let handed_over = owner == ROOT && us != ROOT;
    mode & if handed_over { 0o037 } else { 0o077 } == 0
}

/// Reads the ring, and makes it with one key when there is none. Of several who do this at once
/// one makes it and all get the same.
///
/// # Errors
/// [`KeyRingFileError`].
pub fn load_or_make(path: &Path, now: UnixTime) -> Result<Loaded, Error> {
    match load(path) {
        Err(Error::Missing(_)) => {}
        found => return found.map(|ring| Loaded { ring, made: false }),
    }
    match make(path, now) {
        Ok(ring) => Ok(Loaded { ring, made: true }),
        Err(Error::Exists(_)) => load(path).map(|ring| Loaded { ring, made: false }),
        Err(error) => Err(error),
    }
}

/// Makes a ring with one fresh key, and the directories above it. It never overwrites.
///
/// # Errors
/// [`KeyRingFileError`], [`KeyRingFileError::Exists`] among them.
pub fn make(path: &Path, now: UnixTime) -> Result<KeyRing, Error> {
    let ring = KeyRing::new(fresh_key(now));
    let parent = directory_of(path);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(parent)
        .map_err(io_error("make the directory", parent))?;
    let draft = Draft::write(path, &ring, None)?;
    // Linking, unlike renaming, fails when the name is taken.
    std::fs::hard_link(&draft.path, path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists(path.to_owned()),
        _ => io_error("make", path)(error),
    })?;
    drop(draft);
    flush(parent)?;
    Ok(ring)
}

/// Puts a fresh key in front of the ring's keys, which go on to open their tokens. Running gateways
/// see that the file has changed.
///
/// Of several who do this at once, each waits for the one before and finds its key in the ring.
///
/// The file keeps its owner, also when root does this for the gateway's user; where `path` is a
/// link, the file that it leads to is the one that is replaced.
///
/// # Errors
/// [`KeyRingFileError`]; the file is as it was then.
pub fn rotate(path: &Path, now: UnixTime) -> Result<KeyRing, Error> {
    load(path)?;
    let path = &std::fs::canonicalize(path).map_err(io_error("find", path))?;
    let _turn = turn(directory_of(path))?;
    let ring = load(path)?.rotated(fresh_key(now));
    let former = std::fs::metadata(path).map_err(io_error("look at", path))?;
    let draft = Draft::write(path, &ring, Some(&former))?;
    std::fs::rename(&draft.path, path).map_err(io_error("replace", path))?;
    flush(directory_of(path))?;
    Ok(ring)
}

/// A turn at changing what is in a directory, until it is dropped. The directory itself is locked
/// (`flock`): a ring is another file after each change, and a file for the lock would stay behind.
fn turn(directory: &Path) -> Result<File, Error> {
    let turn = File::open(directory).map_err(io_error("open", directory))?;
    turn.lock().map_err(io_error("lock", directory))?;
    Ok(turn)
}

fn fresh_key(now: UnixTime) -> Key {
    Key::new(
        KeyId::from_random(entropy::random()),
        now,
        entropy::random(),
    )
}

/// A ring written beside its place; removed on drop, unless it was renamed away.
struct Draft {
    path: PathBuf,
}

impl Draft {
    /// Writes it for the owner of `former`, or for us.
    fn write(place: &Path, ring: &KeyRing, former: Option<&Metadata>) -> Result<Self, Error> {
        let mut name = place.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", HEXLOWER.encode(&entropy::random::<8>())));
        let path = place.with_file_name(name);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(io_error("make", &path))?;
        let draft = Self { path };
        if let Some(former) = former {
            let ours = file.metadata().map_err(io_error("look at", &draft.path))?;
            if ours.uid() != former.uid() {
                fchown(&file, Some(former.uid()), Some(former.gid()))
                    .map_err(io_error("give away", &draft.path))?;
            }
        }
        file.write_all(ring.to_text().as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(io_error("write", &draft.path))?;
        Ok(draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already after a rename; otherwise there is nobody to tell.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Makes a new name survive a power cut.
fn flush(directory: &Path) -> Result<(), Error> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(io_error("flush the directory", directory))
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |error| Error::Io { doing, path, error }
}

#[cfg(test)]
mod tests;
