//! What systemd hands to a service that it starts, and what it is told by one. Without systemd there
//! is no socket, and nobody is told.

use std::io;

use listenfd::ListenFd;
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// The listener of a socket unit, if there is one ([sd_listen_fds(3)]).
///
/// # Errors
/// What was handed over is no TCP socket that listens.
///
/// [sd_listen_fds(3)]: https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html
pub fn listener() -> io::Result<Option<TcpListener>> {
    let Some(listener) = ListenFd::from_env().take_tcp_listener(0)? else {
        return Ok(None);
    };
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener).map(Some)
}

/// Says that the gateway listens.
pub fn ready() {
    tell(NotifyState::Ready);
}

/// Says that it has been asked to stop.
pub fn stopping() {
    tell(NotifyState::Stopping);
}

/// Says again and again that the gateway is alive, as often as the unit's `WatchdogSec` wants it
/// twice over. Returns at once where nobody watches.
///
/// # Cancel safety
/// Cancel safe.
pub async fn keep_alive(stop: CancellationToken) {
    let Some(within) = sd_notify::watchdog_enabled() else {
        return;
    };
    // An interval of nothing would panic.
    let mut beats = interval(within.max(std::time::Duration::from_millis(2)) / 2);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(beats.tick()).await.is_some() {
        tell(NotifyState::Watchdog);
    }
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        warn!(%error, "the service manager cannot be told");
    }
}
