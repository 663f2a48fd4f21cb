//! TLS towards hosts, in which we are the client.

use std::io;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::rfb::SwapError;
use crate::target::HostName;

/// Whom we believe about the identity of hosts.
#[derive(Clone, Debug, Default)]
pub enum Roots {
    /// The certificate authorities of this system.
    #[default]
    System,
    /// These and no others.
    Only(Vec<CertificateDer<'static>>),
}

/// Shakes hands with hosts and checks that they are who they should be.
#[derive(Clone)]
pub struct Connector(TlsConnector);

/// The certificate authorities cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate authorities for hosts cannot be used: {0}")]
pub struct ConnectorError(String);

impl Connector {
    /// A connector that believes `roots`. Where the system has none, no host is believed.
    ///
    /// # Errors
    /// [`ConnectorError`].
    pub fn new(roots: &Roots) -> Result<Self, ConnectorError> {
        let mut store = RootCertStore::empty();
        match roots {
            Roots::System => {
                let found = rustls_native_certs::load_native_certs();
                store.add_parsable_certificates(found.certs);
            }
            Roots::Only(certificates) => {
                for certificate in certificates {
                    let added = store.add(certificate.clone());
                    added.map_err(|why| ConnectorError(why.to_string()))?;
                }
            }
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|why| ConnectorError(why.to_string()))?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Shakes hands over `stream` with the host that should be `host`. SNI is sent for names only.
    ///
    /// # Errors
    /// [`SwapError::Certificate`] when it is not, [`SwapError::Failed`] for all else.
    ///
    /// # Cancel safety
    /// Dropping the future closes the stream.
    pub async fn connect<S>(&self, host: &HostName, stream: S) -> Result<TlsStream<S>, SwapError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = match host {
            HostName::Ip(ip) => ServerName::from(*ip),
            HostName::Dns(name) => ServerName::try_from(name.to_string())
                .map_err(|_| SwapError::Failed(format!("{name} cannot be named in TLS")))?,
        };
        self.0
            .connect(name, stream)
            .await
            .map_err(|error| swap_error(&error))
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connector")
    }
}

fn swap_error(error: &io::Error) -> SwapError {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(why)) => SwapError::Certificate(why.to_string()),
        Some(other) => SwapError::Failed(other.to_string()),
        None => SwapError::Failed(error.to_string()),
    }
}
