//! Accepting TLS.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::NoServerSessionStorage;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::stream::Stream;
use crate::tls::certificates::{Certificates, provider};
use crate::tls::clients::ClientAuthorities;
use crate::tls::pem::TlsError;

/// How long a browser may take for the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// HTTP/2, as ALPN names it.
pub const HTTP_2: &[u8] = b"h2";

/// The protocols that are spoken inside, the preferred one first.
const ALPN: [&[u8]; 2] = [HTTP_2, b"http/1.1"];

/// Accepts TLS 1.2 and 1.3, with certificates that may change meanwhile.
#[derive(Clone)]
pub struct Acceptor(TlsAcceptor);

impl Acceptor {
    /// Shows these certificates, and asks for those of clients where there is somebody to believe about
    /// them.
    ///
    /// # Errors
    /// [`TlsError::Library`].
    pub fn new(
        certificates: Arc<Certificates>,
        clients: Option<Arc<ClientAuthorities>>,
    ) -> Result<Self, TlsError> {
        // The provider is named, so that no process-wide default has to be.
        let builder = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Library)?;
        let knows_clients = clients.is_some();
        let builder = match clients {
            Some(clients) => builder.with_client_cert_verifier(clients),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(certificates);
        config.alpn_protocols = ALPN.map(<[u8]>::to_vec).to_vec();
        // All that is offered is strong; whose order counts matters to scanners alone.
        config.ignore_client_order = true;
        // The page and its WebSocket are two connections: a ticket spares the second one the
        // signature and us a table of sessions. Browsers use one of them at a time.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        // A ticket brings a client's certificate back without looking at it again.
        if !knows_clients {
            config.ticketer = aws_lc_rs::Ticketer::new().map_err(TlsError::Library)?;
            config.send_tls13_tickets = 1;
        }
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Shakes hands with a browser.
    ///
    /// # Errors
    /// What went wrong; a handshake that takes too long is [`std::io::ErrorKind::TimedOut`].
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection.
    pub async fn accept(&self, stream: Stream) -> std::io::Result<Stream> {
        match timeout(HANDSHAKE, self.0.accept(stream)).await {
            Ok(accepted) => accepted.map(|stream| Stream::Tls(Box::new(stream))),
            Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
        }
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Acceptor")
    }
}

#[cfg(test)]
mod tests;
