//! Unix sockets: where a path leads decides whether it may be gone, not what it is called.
//!
//! A check of a path's name would leave a moment between the check and the connection, in which
//! somebody who may write in a folder on the way puts a link there. So the path is opened first,
//! without connecting (`O_PATH`); the kernel says where what was opened lies; and the connection goes
//! to just that, by its descriptor. Whatever the path leads to by then does not matter any more.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use tokio::fs::{self, OpenOptions};
use tokio::net::UnixStream;

use crate::target::UnixPath;

/// Opens what a path leads to without reading, writing or connecting (`open(2)`): the value that
/// Linux has on x86-64 and ARM.
const O_PATH: i32 = 0o10_000_000;

/// Why a Unix socket is not connected to.
#[derive(Debug, thiserror::Error)]
pub enum UnixError {
    /// The configuration allows none.
    #[error("Unix sockets are not allowed: host.unix_root is not set")]
    NotAllowed,
    /// The path leads out of the allowed folder.
    #[error("{0} is not below host.unix_root")]
    Outside(UnixPath),
    /// What is there is no socket.
    #[error("{0} is not a socket")]
    NotSocket(UnixPath),
    /// The socket is not there, not for us, or nobody listens.
    #[error("{path}: {why}")]
    Connect {
        /// The path.
        path: UnixPath,
        /// What the kernel says.
        why: io::Error,
    },
    /// The allowed folder cannot be looked at.
    #[error("host.unix_root {root}: {why}", root = .root.display())]
    Root {
        /// The folder.
        root: PathBuf,
        /// What the kernel says.
        why: io::Error,
    },
}

/// Connects to a socket below `root`, after resolving the links of both. `/proc` has to be there.
///
/// # Errors
/// [`UnixError`].
///
/// # Cancel safety
/// Cancel safe: what was opened is closed.
pub(super) async fn connect(path: &UnixPath, root: Option<&Path>) -> Result<UnixStream, UnixError> {
    let root = root.ok_or(UnixError::NotAllowed)?;
    let real_root = fs::canonicalize(root)
        .await
        .map_err(|why| UnixError::Root {
            root: root.to_owned(),
            why,
        })?;
    let failed = |why| UnixError::Connect {
        path: path.clone(),
        why,
    };
    let mut how = OpenOptions::new();
    let opened = how.read(true).custom_flags(O_PATH).open(path.as_path());
    let opened = opened.await.map_err(failed)?;
    let by_descriptor = PathBuf::from(format!("/proc/self/fd/{}", opened.as_raw_fd()));
    let real = fs::read_link(&by_descriptor).await.map_err(failed)?;
    // First where it is, so that nothing outside is told apart by its kind.
    if real == real_root || !real.starts_with(&real_root) {
        return Err(UnixError::Outside(path.clone()));
    }
    let found = opened.metadata().await.map_err(failed)?;
    if !found.file_type().is_socket() {
        return Err(UnixError::NotSocket(path.clone()));
    }
    UnixStream::connect(&by_descriptor).await.map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixListener;

    use super::*;

    struct Place {
        root: tempfile::TempDir,
        outside: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            let (root, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            Self { root, outside }
        }

        fn inside(&self, name: &str) -> PathBuf {
            self.root.path().join(name)
        }

        async fn connect(&self, path: &Path) -> Result<UnixStream, UnixError> {
            let path = path.to_str().unwrap().parse().unwrap();
            connect(&path, Some(self.root.path())).await
        }
    }

    async fn greets(stream: UnixStream, listener: &UnixListener) {
        let (mut theirs, _) = listener.accept().await.unwrap();
        theirs.write_all(b"RFB").await.unwrap();
        let mut said = [0; 3];
        { stream }.read_exact(&mut said).await.unwrap();
        assert_eq!(said, *b"RFB");
    }

    #[tokio::test]
    async fn sockets_below_the_root_are_connected_to_by_whatever_path() {
        let place = Place::new();
        let listener = UnixListener::bind(place.inside("vm")).unwrap();
        greets(place.connect(&place.inside("vm")).await.unwrap(), &listener).await;
        // A link from outside to what is inside, and one inside.
        let link = place.outside.path().join("link");
        symlink(place.inside("vm"), &link).unwrap();
        greets(place.connect(&link).await.unwrap(), &listener).await;
        // A path beyond the kernel's limit for the names of sockets.
        let deep = place.inside(&format!("{0}/{0}", "d".repeat(100)));
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::rename(place.inside("vm"), deep.join("vm")).unwrap();
        greets(place.connect(&deep.join("vm")).await.unwrap(), &listener).await;
        // The root itself may be a link.
        let root = place.outside.path().join("root");
        symlink(place.root.path(), &root).unwrap();
        let path = deep.join("vm").to_str().unwrap().parse().unwrap();
        greets(connect(&path, Some(&root)).await.unwrap(), &listener).await;
    }

    #[tokio::test]
    async fn what_leads_out_of_the_root_is_refused() {
        let place = Place::new();
        let other = place.outside.path().join("other");
        let _listener = UnixListener::bind(&other).unwrap();
        symlink(&other, place.inside("link")).unwrap();
        symlink(place.outside.path(), place.inside("folder")).unwrap();
        let sibling = PathBuf::from(format!("{}-more", place.root.path().display()));
        let _sibling = UnixListener::bind(&sibling).unwrap();
        for path in [
            other.clone(),
            place.inside("link"),
            place.inside("folder/other"),
            sibling.clone(),
            place.root.path().to_owned(),
        ] {
            let error = place.connect(&path).await.unwrap_err();
            assert!(matches!(error, UnixError::Outside(_)), "{path:?}: {error}");
        }
        std::fs::remove_file(sibling).unwrap();
    }

    #[tokio::test]
    async fn what_is_no_socket_or_has_no_listener_is_said() {
        let place = Place::new();
        std::fs::write(place.inside("file"), b"").unwrap();
        let file = place.connect(&place.inside("file")).await.unwrap_err();
        assert!(matches!(file, UnixError::NotSocket(_)), "{file}");
        let none = place.connect(&place.inside("none")).await.unwrap_err();
        assert!(matches!(none, UnixError::Connect { .. }), "{none}");
        drop(UnixListener::bind(place.inside("deaf")).unwrap());
        let deaf = place.connect(&place.inside("deaf")).await.unwrap_err();
        assert!(matches!(deaf, UnixError::Connect { .. }), "{deaf}");
        let path = "/run/vm".parse().unwrap();
        let unset = connect(&path, None).await.unwrap_err();
        assert!(matches!(unset, UnixError::NotAllowed), "{unset}");
        let missing = place.inside("missing");
        let no_root = connect(&path, Some(&missing)).await.unwrap_err();
        assert!(matches!(no_root, UnixError::Root { .. }), "{no_root}");
    }
}
