//! Unix sockets to listen on.
//!
//! A socket's file outlives a gateway that was killed, so that what is found at the path is looked at:
//! a socket that nobody answers on is replaced, one that somebody answers on is not, and neither is
//! anything that is no socket. Who made the file removes it at the end, if it is still the same file.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{Domain, SockAddr, Type};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::sleep;

/// How many connections may wait to be accepted. The kernel takes less where it is told to.
const BACKLOG: i32 = 4096;

/// How often and how long somebody else is waited for who binds a socket in the same directory.
const TRIES: u32 = 50;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// A listening Unix socket.
#[derive(Debug)]
pub struct UnixSocket {
    path: PathBuf,
    // Before the listener: who comes while the gateway goes finds no file, rather than one that
    // nobody answers on.
    _file: Option<SocketFile>,
    listener: UnixListener,
}

impl UnixSocket {
    /// Listens at `path`. Before anybody can connect, the file has the permissions `mode`.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::AddrInUse`] where somebody answers there, and
    /// [`io::ErrorKind::AlreadyExists`] where something is that is no socket.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is made before the last wait.
    pub async fn bind(path: &Path, mode: u32) -> io::Result<Self> {
        let _lock = lock(path).await;
        make_room(path)?;
        let kind = Type::STREAM.cloexec().nonblocking();
        let socket = socket2::Socket::new(Domain::UNIX, kind, None)?;
        socket.bind(&SockAddr::unix(path)?)?;
        let file = SocketFile::of(path)?;
        // It does not listen yet, whatever the umask made of its permissions.
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        socket.listen(BACKLOG)?;
        Ok(Self {
            path: path.to_owned(),
            _file: Some(file),
            listener: UnixListener::from_std(socket.into())?,
        })
    }

    /// Takes a listener that somebody else made, whose file stays.
    ///
    /// # Errors
    /// What the system says.
    pub fn handed_over(listener: std::os::unix::net::UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self {
            path: address.as_pathname().unwrap_or(Path::new("")).to_owned(),
            _file: None,
            listener: UnixListener::from_std(listener)?,
        })
    }

    /// Where it is; empty where that has no name in the file system.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next connection.
    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        let (stream, _) = self.listener.accept().await?;
        Ok(stream)
    }
}

/// Connects to a gateway's own socket.
///
/// # Errors
/// What the system says.
///
/// # Cancel safety
/// Cancel safe.
pub async fn connect(path: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(path).await
}

/// Takes away a socket's file that nobody answers on.
fn make_room(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if !found.file_type().is_socket() {
        let words = "something is there that is no socket";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, words));
    }
    let kind = Type::STREAM.cloexec().nonblocking();
    let asking = socket2::Socket::new(Domain::UNIX, kind, None)?;
    match asking.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // A queue that is full is somebody's as well.
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
        Ok(()) | Err(_) => Err(io::ErrorKind::AddrInUse.into()),
    }
}

/// Keeps other gateways from binding or removing a socket in the same directory meanwhile: two that
/// start at once could take each other's fresh socket for a dead one. Where the lock cannot be had, which
/// anybody may hold who may read the directory, that is risked.
async fn lock(path: &Path) -> Option<File> {
    let directory = File::open(path.parent()?).ok()?;
    for _ in 0..TRIES {
        if directory.try_lock().is_ok() {
            return Some(directory);
        }
        sleep(BETWEEN_TRIES).await;
    }
    None
}

/// A socket's file that we made.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        let made = fs::symlink_metadata(path)?;
        Ok(Self {
            path: path.to_owned(),
            device: made.dev(),
            inode: made.ino(),
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let directory = self.path.parent().and_then(|it| File::open(it).ok());
        // Whoever has the lock is about to replace the file.
        if directory.as_ref().is_some_and(|it| it.try_lock().is_ok()) {
            let found = Self::of(&self.path);
            if found.is_ok_and(|it| (it.device, it.inode) == (self.device, self.inode)) {
                let _ = fs::remove_file(&self.path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn bind(path: &Path) -> io::Result<UnixSocket> {
        UnixSocket::bind(path, 0o660).await
    }

    #[tokio::test]
    async fn a_socket_has_its_mode_and_is_gone_at_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let socket = bind(&path).await.unwrap();
        let made = fs::symlink_metadata(&path).unwrap();
        assert_eq!(made.permissions().mode() & 0o777, 0o660);
        let (near, far) = tokio::join!(connect(&path), socket.accept());
        assert!(near.is_ok() && far.is_ok());
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_dead_gateways_socket_is_replaced_and_a_living_ones_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "nobody removed it");
        let living = bind(&path).await.unwrap();
        let second = bind(&path).await.unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
        assert!(connect(&path).await.is_ok());
        // What took the place of the file is not ours to remove.
        fs::rename(&path, dir.path().join("elsewhere")).unwrap();
        let successor = bind(&path).await.unwrap();
        drop(living);
        assert!(connect(&path).await.is_ok());
        drop(successor);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_is_no_socket_stays() {
        let dir = tempfile::tempdir().unwrap();
        let in_dir = |name: &str| dir.path().join(name);
        fs::write(in_dir("file"), "kept").unwrap();
        fs::create_dir(in_dir("folder")).unwrap();
        let dead = in_dir("dead");
        drop(std::os::unix::net::UnixListener::bind(&dead).unwrap());
        std::os::unix::fs::symlink(&dead, in_dir("link")).unwrap();
        for name in ["file", "folder", "link"] {
            let error = bind(&in_dir(name)).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{name}");
        }
        assert_eq!(fs::read(in_dir("file")).unwrap(), b"kept");
        assert!(in_dir("link").is_symlink() && dead.exists());
        let datagrams = in_dir("datagrams");
        let _others = std::os::unix::net::UnixDatagram::bind(&datagrams).unwrap();
        assert!(bind(&datagrams).await.is_err() && datagrams.exists());
        let nowhere = bind(&in_dir("nowhere/s")).await.unwrap_err();
        assert_eq!(nowhere.kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn of_many_that_start_at_once_one_gets_the_socket() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let all = futures_util::future::join_all((0..8).map(|_| bind(&path))).await;
        assert_eq!(all.iter().filter(|it| it.is_ok()).count(), 1, "{all:?}");
        assert!(connect(&path).await.is_ok());
    }
}
