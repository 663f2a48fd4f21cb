//! Where connections come to: a TCP port or a Unix socket.

pub mod unix;

use std::fmt;
use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use crate::client_addr::ClientAddr;
use crate::listener::unix::UnixSocket;
use crate::stream::Stream;

/// A socket that listens.
#[derive(Debug)]
pub enum Socket {
    /// A TCP port.
    Tcp(TcpListener),
    /// A Unix socket.
    Unix(UnixSocket),
}

/// A connection that no runtime knows.
#[derive(Debug)]
pub enum Accepted {
    /// To a TCP port.
    Tcp(net::TcpStream),
    /// To a Unix socket.
    Unix(StdUnixStream),
}

impl Accepted {
    /// Takes it into the runtime that this is called in.
    ///
    /// # Errors
    /// What the system says.
    pub fn lodged(self) -> io::Result<Stream> {
        match self {
            Self::Tcp(stream) => TcpStream::from_std(stream).map(Stream::Tcp),
            Self::Unix(stream) => {
                let stream = UnixStream::from_std(stream)?;
                Ok(Stream::Other(Box::new(stream)))
            }
        }
    }
}

impl AsFd for Accepted {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

impl Socket {
    /// Listens on a TCP port.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self::Tcp)
    }

    /// Says what holds for its connections.
    ///
    /// # Errors
    /// What the system says.
    pub fn prepare(&self, dead_after: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => set_options(listener, dead_after),
            Self::Unix(_) => Ok(()),
        }
    }

    /// The next connection, and whom it comes from. Who comes through a Unix socket is a process of
    /// this machine, so that its address is [`ClientAddr::THIS_MACHINE`].
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Cancel safety
    /// Cancel safe: no connection is lost.
    pub async fn accept(&self) -> io::Result<(Accepted, ClientAddr)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Accepted::Tcp(stream.into_std()?), peer.into()))
            }
            Self::Unix(socket) => {
                let stream = socket.accept().await?.into_std()?;
                Ok((Accepted::Unix(stream), ClientAddr::THIS_MACHINE))
            }
        }
    }

    /// Its address with the port that the system chose for port 0; a Unix socket has none.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(_) => None,
        }
    }
}

/// As the configuration has it: `127.0.0.1:8080`, `unix:/run/fanlight/api.sock`.
impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(listener) => match listener.local_addr() {
                Ok(address) => address.fmt(f),
                Err(error) => error.fmt(f),
            },
            Self::Unix(socket) => write!(f, "unix:{}", socket.path().display()),
        }
    }
}

/// After so long without a byte the kernel asks whether a browser is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);

/// Gives a listener's connections no Nagle delay, and lets the kernel notice a browser whose machine
/// vanished, also while bytes of ours wait `dead_after` for their acknowledgement.
///
/// They inherit this from the listener, which saves each of them four system calls.
///
/// # Errors
/// What the system says.
fn set_options(listener: &TcpListener, dead_after: Duration) -> io::Result<()> {
    let options = SockRef::from(listener);
    options.set_tcp_nodelay(true)?;
    options.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE_AFTER))?;
    options.set_tcp_user_timeout(Some(dead_after))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpSocket;

    use super::*;

    #[tokio::test]
    async fn connections_have_the_options_of_their_listener() {
        let dead_after = Duration::from_secs(17);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        set_options(&listener, dead_after).unwrap();
        let there = listener.local_addr().unwrap();
        let connecting = TcpSocket::new_v4().unwrap().connect(there);
        let (browser, accepted) = tokio::join!(connecting, listener.accept());
        let (_browser, (stream, _)) = (browser.unwrap(), accepted.unwrap());
        assert!(stream.nodelay().unwrap());
        let options = SockRef::from(&stream);
        assert!(options.keepalive().unwrap());
        assert_eq!(options.tcp_keepalive_time().unwrap(), KEEPALIVE_AFTER);
        assert_eq!(options.tcp_user_timeout().unwrap(), Some(dead_after));
    }
}
