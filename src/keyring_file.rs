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
use crate::token::keyring::BadKeyRing;
use crate::token::{Key, KeyRing};

/// The longest key ring file, in bytes: far more keys than anybody rotates through.
const MAX_FILE: u64 = 64 * 1024;

/// Why a key ring file cannot be used. Each names the path, none a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingFileError {
    /// There is none.
    #[error("there is no key ring {}: `fanlight keys new` makes one", .0.display())]
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
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::Missing(path.to_owned()),
        _ => io_error("open", path)(error),
    })?;
    let metadata = file.metadata().map_err(io_error("look at", path))?;
    if !metadata.is_file() || metadata.len() > MAX_FILE {
        return Err(Error::NotText(path.to_owned()));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
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
/// see it when they are started anew.
///
/// The file keeps its owner, also when root does this for the gateway's user; where `path` is a
/// link, the file that it leads to is the one that is replaced.
///
/// # Errors
/// [`KeyRingFileError`]; the file is as it was then.
pub fn rotate(path: &Path, now: UnixTime) -> Result<KeyRing, Error> {
    let ring = load(path)?.rotated(fresh_key(now));
    let path = &std::fs::canonicalize(path).map_err(io_error("find", path))?;
    let former = std::fs::metadata(path).map_err(io_error("look at", path))?;
    let draft = Draft::write(path, &ring, Some(&former))?;
    std::fs::rename(&draft.path, path).map_err(io_error("replace", path))?;
    flush(directory_of(path))?;
    Ok(ring)
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
mod tests {
    use std::fs::Permissions;

    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_795_249_800);

    fn ids(ring: &KeyRing) -> Vec<KeyId> {
        ring.keys().map(|key| key.id).collect()
    }

    fn names(dir: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(dir).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn the_first_start_makes_it_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/keyring");
        let first = load_or_make(&path, NOW).unwrap();
        assert!(first.made);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&dir.path().join("a")), 0o700);
        assert_eq!(names(&dir.path().join("a/b")), ["keyring"]);

        let second = load_or_make(&path, NOW).unwrap();
        assert!(!second.made);
        assert_eq!(ids(&second.ring), ids(&first.ring));
        assert!(matches!(make(&path, NOW), Err(Error::Exists(p)) if p == path));
        assert_eq!(names(&dir.path().join("a/b")), ["keyring"]);
    }

    #[test]
    fn starters_that_race_get_one_ring() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keyring");
        let start = std::sync::Barrier::new(8);
        let loaded: Vec<_> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        load_or_make(&path, NOW).unwrap()
                    })
                })
                .collect();
            racers
                .into_iter()
                .map(|racer| racer.join().unwrap())
                .collect()
        });
        assert_eq!(loaded.iter().filter(|loaded| loaded.made).count(), 1);
        let ring = load(&path).unwrap();
        assert!(loaded.iter().all(|loaded| ids(&loaded.ring) == ids(&ring)));
        assert_eq!(names(dir.path()), ["keyring"]);
    }

    #[test]
    fn a_file_that_others_can_get_at_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keyring");
        make(&path, NOW).unwrap();
        for mode in [0o604, 0o640, 0o620, 0o602] {
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let shown = path.display();
            assert_eq!(
                load(&path).unwrap_err().to_string(),
                format!(
                    "the key ring {shown} has mode {mode:o}, and only its owner may read and write it: chmod 600 {shown}"
                )
            );
            assert!(rotate(&path, NOW).is_err());
        }
        std::fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
        assert!(load(&path).is_ok());
    }

    #[test]
    fn rotation_puts_a_key_in_front_and_keeps_the_old_ones() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keyring");
        let old = make(&path, NOW).unwrap();
        let new = rotate(&path, NOW).unwrap();
        assert_eq!(ids(&new).len(), 2);
        assert_eq!(ids(&new).last(), ids(&old).last());
        assert_eq!(ids(&load(&path).unwrap()), ids(&new));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(names(dir.path()), ["keyring"]);
    }

    #[test]
    fn rotation_follows_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("shared"), dir.path().join("keyring"));
        make(&file, NOW).unwrap();
        std::os::unix::fs::symlink("shared", &link).unwrap();
        let new = rotate(&link, NOW).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(ids(&load(&file).unwrap()), ids(&new));
    }

    #[test]
    fn rotation_by_root_keeps_the_owner() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keyring");
        make(&path, NOW).unwrap();
        let owner = |path: &Path| {
            let metadata = std::fs::metadata(path).unwrap();
            (metadata.uid(), metadata.gid())
        };
        let mut expected = owner(&path);
        // Only root can give files away.
        if expected.0 == 0 {
            expected = (1234, 1235);
            std::os::unix::fs::chown(&path, Some(1234), Some(1235)).unwrap();
        }
        rotate(&path, NOW).unwrap();
        assert_eq!(owner(&path), expected);
    }

    #[test]
    fn what_is_no_key_ring_is_told_by_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keyring");
        let shown = path.display().to_string();
        assert_eq!(
            load(&path).unwrap_err().to_string(),
            format!("there is no key ring {shown}: `fanlight keys new` makes one")
        );
        let write = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        };
        for (bytes, said) in [
            (
                &b""[..],
                "the key ring PATH cannot be used: the key ring has no key",
            ),
            (
                b"secret",
                "the key ring PATH cannot be used: line 1 is not a key: it needs an id, a time and 32 bytes in base64url",
            ),
            (b"\xff\xfe", "PATH is not a key ring"),
            (&[b'#'; 70_000], "PATH is not a key ring"),
        ] {
            write(bytes);
            // It is not taken for absent, and nothing is written over it.
            let error = load_or_make(&path, NOW).unwrap_err().to_string();
            assert_eq!(error, said.replace("PATH", &shown));
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
        assert_eq!(
            load(dir.path()).unwrap_err().to_string(),
            format!("{} is not a key ring", dir.path().display())
        );
        write(b"x");
        let below = path.join("ring");
        let error = load_or_make(&below, NOW).unwrap_err().to_string();
        assert!(error.contains(&below.display().to_string()), "{error}");
    }
}
