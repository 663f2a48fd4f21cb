//! What systemd hands to a service that it starts, and what it is told by one. Without systemd there
//! is no socket, and nobody is told.

use std::io;
use std::time::Duration;

use listenfd::ListenFd;
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::listener::Socket;
use crate::listener::unix::UnixSocket;
use crate::workers::Workers;

/// The variable with the names of the sockets, colons between them.
const NAMES: &str = "LISTEN_FDNAMES";

/// A socket that was handed over.
#[derive(Debug)]
pub struct HandedOver {
    /// `FileDescriptorName=` of its unit, which is the unit's own name where that says none.
    pub name: String,
    /// The socket.
    pub socket: Socket,
}

/// The sockets of socket units ([sd_listen_fds(3)]), in their order; none where there are none.
///
/// # Errors
/// What was handed over is no TCP and no Unix socket that listens.
///
/// [sd_listen_fds(3)]: https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html
pub fn sockets() -> io::Result<Vec<HandedOver>> {
    let names = std::env::var(NAMES).unwrap_or_default();
    let mut names = names.split(':');
    let mut descriptors = ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..descriptors.len() {
        let name = names.next().unwrap_or_default().to_owned();
        let socket = match descriptors.take_unix_listener(index) {
            Ok(Some(unix)) => Socket::Unix(UnixSocket::handed_over(unix)?),
            Ok(None) | Err(_) => match descriptors.take_tcp_listener(index)? {
                Some(tcp) => {
                    tcp.set_nonblocking(true)?;
                    Socket::Tcp(TcpListener::from_std(tcp)?)
                }
                None => continue,
            },
        };
        sockets.push(HandedOver { name, socket });
    }
    Ok(sockets)
}

/// Says that the gateway listens.
pub fn ready() {
    tell(NotifyState::Ready);
}

/// Says that it has been asked to stop.
pub fn stopping() {
    tell(NotifyState::Stopping);
}

/// Says again and again that the gateway is alive, threads of connections and all, as often as the unit's
/// `WatchdogSec` wants it twice over. Returns at once where nobody watches.
///
/// # Cancel safety
/// Cancel safe.
pub async fn keep_alive(workers: Workers, stop: CancellationToken) {
    let Some(within) = sd_notify::watchdog_enabled() else {
        return;
    };
    // An interval of nothing would panic.
    let between = within.max(Duration::from_millis(4)) / 2;
    let mut beats = interval(between);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(beats.tick()).await.is_some() {
        if workers.all_answer(between / 2).await {
            tell(NotifyState::Watchdog);
        } else {
            warn!("a thread of connections does not answer");
        }
    }
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        warn!(%error, "the service manager cannot be told");
    }
}
