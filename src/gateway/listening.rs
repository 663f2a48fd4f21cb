//! The listeners of a gateway: every one of the configuration, where it is then.

use std::io;
use std::net::SocketAddr;

use tracing::warn;

use super::StartError;
use crate::config::{Config, ListenAddress, Listener};
use crate::listener::Socket;
use crate::listener::unix::UnixSocket;
use crate::systemd::HandedOver;

/// A listener that is there.
#[derive(Clone, Debug)]
pub(super) struct Listening {
    /// As it was configured.
    pub(super) listener: Listener,
    /// Its address with the port that the system chose; a Unix socket has none.
    pub(super) address: Option<SocketAddr>,
    /// Whether it speaks TLS.
    pub(super) tls: bool,
}

/// Listens everywhere. What was handed over stands where its name is asked for; the rest of it in
/// place of the setting `listen`.
pub(super) async fn bind(
    config: &Config,
    mut handed_over: Vec<HandedOver>,
) -> Result<Vec<(Listening, Socket)>, StartError> {
    let by_name = |handed: &HandedOver, listener: &Listener| match &listener.address {
        ListenAddress::Systemd(name) => *name == handed.name,
        ListenAddress::Tcp(_) | ListenAddress::Unix(_) => false,
    };
    let asked_for = |handed: &HandedOver| config.listeners.iter().any(|it| by_name(handed, it));
    let mut bound = Vec::new();
    for listener in &config.listeners {
        let wanted = |handed: &mut HandedOver| {
            by_name(handed, listener) || listener.is_main() && !asked_for(handed)
        };
        let handed: Vec<_> = handed_over.extract_if(.., wanted).collect();
        let mut sockets: Vec<_> = handed.into_iter().map(|it| it.socket).collect();
        let failed = |error| StartError::Listen {
            setting: listener.setting,
            address: listener.address.to_string(),
            error,
        };
        if sockets.is_empty() {
            sockets.push(open(listener).await.map_err(failed)?);
        }
        for socket in sockets {
            socket.prepare(config.browser.dead_after).map_err(failed)?;
            let address = socket.address();
            let listening = Listening {
                listener: listener.clone(),
                address,
                tls: config.speaks_tls(listener, address),
            };
            bound.push((listening, socket));
        }
    }
    for HandedOver { name, socket } in handed_over {
        warn!(name, %socket, "nobody answers on a socket that was handed over: no listener names it");
    }
    Ok(bound)
}

async fn open(listener: &Listener) -> io::Result<Socket> {
    match &listener.address {
        ListenAddress::Tcp(address) => Socket::bind(*address).await,
        ListenAddress::Unix(path) => {
            let bound = UnixSocket::bind(path, listener.mode.0).await;
            bound.map(Socket::Unix)
        }
        ListenAddress::Systemd(_) => {
            let words = "the service manager handed over no socket of this name";
            Err(io::Error::new(io::ErrorKind::NotFound, words))
        }
    }
}
