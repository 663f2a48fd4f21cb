//! The first look at a connection: whom it comes from, and whether it comes too often.

use std::io;
use std::num::NonZeroU32;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use socket2::SockRef;
use tracing::{debug, warn};

use crate::client_addr::{ClientAddr, CountedAs};
use crate::config::Config;
use crate::http::limiter::{Limiter, Sparing};
use crate::proxy::TrustedProxies;
use crate::proxy_header::{self, ProxyHeaderError};
use crate::rate::{Rate, TooOften};
use crate::stream::Stream;

/// Between two log lines about connections that come too often, or find no place.
pub(super) const SAID_EVERY: Rate = Rate {
    count: NonZeroU32::MIN,
    period: Duration::from_secs(10),
};

/// Who may connect.
#[derive(Debug)]
pub(super) struct Edge {
    proxies: TrustedProxies,
    connections: Limiter<CountedAs>,
    said: Sparing,
}

/// Why a connection is closed at once.
#[derive(Debug, thiserror::Error)]
pub(super) enum TurnedAway {
    /// It comes too often.
    #[error("limits.connections_per_client: {0}")]
    TooOften(#[from] TooOften),
    /// A trusted proxy does not say whom it speaks for.
    #[error(transparent)]
    ProxyHeader(#[from] ProxyHeaderError),
}

impl Edge {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            proxies: config.proxies.trusted.clone(),
            connections: Limiter::new(config.limits.connections_per_client),
            said: Sparing::new(SAID_EVERY),
        }
    }

    /// Decides about a connection before anything is spent on it.
    ///
    /// # Errors
    /// [`TooOften`]. Many come through a trusted proxy: it is never too often.
    pub(super) fn take(&self, peer: ClientAddr) -> Result<(), TooOften> {
        if self.proxies.has(peer) {
            return Ok(());
        }
        self.connections.spend(peer.counted_as())
    }

    /// Closes a connection that comes too often, without a word and so that nothing of it is left
    /// in the kernel either.
    pub(super) fn refuse(&self, socket: Option<BorrowedFd<'_>>, peer: ClientAddr, why: &TooOften) {
        if let Some(socket) = socket {
            let _: io::Result<()> = SockRef::from(&socket).set_linger(Some(Duration::ZERO));
        }
        if let Some(left_out) = self.said.line() {
            warn!(client = %peer, left_out, %why, "connections come too often (setting limits.connections_per_client)");
        }
    }

    /// Whom a connection comes from. `protocol` says whether trusted proxies begin with a header of
    /// the PROXY protocol.
    ///
    /// # Errors
    /// [`TurnedAway`].
    ///
    /// # Cancel safety
    /// Dropping the future loses what was read.
    pub(super) async fn client(
        &self,
        stream: &mut Stream,
        peer: ClientAddr,
        protocol: bool,
    ) -> Result<ClientAddr, TurnedAway> {
        if !protocol || !self.proxies.has(peer) {
            return Ok(peer);
        }
        let client = proxy_header::read(stream).await?;
        debug!(proxy = %peer, client = client.map(tracing::field::display), "PROXY header");
        let Some(client) = client else {
            return Ok(peer);
        };
        self.take(client)
            .inspect_err(|why| self.refuse(stream.socket(), client, why))?;
        Ok(client)
    }
}
