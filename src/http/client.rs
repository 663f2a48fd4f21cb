//! Whom a request comes from: the connection's other end, or whom a trusted proxy speaks for.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::OwnedSemaphorePermit;
use tracing::debug;

use crate::client_addr::ClientAddr;
use crate::http::Service;
use crate::tls::clients::ClientNames;
use crate::workers::{Lodger, Settled};

/// Where a request comes from. `serve` puts the connection's other end into each request, and
/// [`identify`] the client in its place.
#[derive(Clone, Debug)]
pub struct Client {
    /// Who asks.
    pub address: ClientAddr,
    /// Whoever takes the connection over keeps it.
    pub place: Arc<Place>,
    /// Whom the certificate is for that was shown inside TLS, if the listener asks for one.
    pub certificate: Option<Arc<ClientNames>>,
}

/// A connection's place: among those that may be open at once, and among those of its thread.
#[derive(Debug)]
pub struct Place {
    _open: OwnedSemaphorePermit,
    thread: Lodger,
}

impl Place {
    /// Both of them.
    #[must_use]
    pub const fn new(open: OwnedSemaphorePermit, thread: Lodger) -> Self {
        Self {
            _open: open,
            thread,
        }
    }

    /// What makes a session of it, or one more.
    #[must_use]
    pub fn settle(&self) -> Settled {
        self.thread.settle()
    }
}

/// Takes the word of a trusted proxy for the client's address. What it says wrong is passed over,
/// and the proxy's own address stands.
pub(super) async fn identify(
    State(service): State<Arc<Service>>,
    mut request: Request,
    next: Next,
) -> Response {
    let proxies = &service.proxies;
    let connection = request.extensions().get::<Client>();
    if let Some(peer) = connection.map(|client| client.address)
        && proxies.has(peer)
    {
        let lines = request.headers().get_all(proxies.header.name());
        let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
        match proxies.client(peer, &lines) {
            Ok(address) => {
                if let Some(client) = request.extensions_mut().get_mut::<Client>() {
                    client.address = address;
                }
            }
            Err(error) => {
                let header = proxies.header.name();
                debug!(client = %peer, header, %error, "the proxy's word is passed over");
            }
        }
    }
    next.run(request).await
}
