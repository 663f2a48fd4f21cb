//! TLS towards hosts, in which we are the client.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::rfb::SwapError;
use crate::rfb::identity::{Fingerprint, Identity};
use crate::target::HostName;
use crate::tls::pem::{self, TlsError};
use crate::tls::verify::{Check, Proof, Remedy, Rules, Verify};

/// What is verified about hosts, and what they are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// PEM: the certificate authorities that are believed. Without it those of the system; where
    /// there are none, no host is believed.
    pub ca_file: Option<PathBuf>,
    /// Whom the certificate has to be for. Without it the host as it is dialled.
    pub server_name: Option<HostName>,
    /// How much is checked. Without it the pins alone, where there are some, and else all.
    pub verify: Option<Verify>,
    /// The certificate's key has to be one of these. Empty: any.
    pub pins: Vec<Fingerprint>,
    /// What the host is shown when it asks who we are.
    pub client: Option<ClientCertificate>,
    /// Which settings help, as a refusal says.
    pub remedy: Remedy,
}

/// The certificate of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// PEM: the certificate, then its chain.
    pub certificate_file: PathBuf,
    /// PEM: the private key.
    pub key_file: PathBuf,
}

/// Shakes hands with hosts and checks that they are who they should be.
#[derive(Clone)]
pub struct Connector {
    config: Arc<ClientConfig>,
    rules: Arc<Rules>,
    server_name: Option<HostName>,
    /// What the grant pins.
    pins: Arc<[Fingerprint]>,
}

/// What TLS with a host has shown of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The key of its certificate.
    pub key: Fingerprint,
    /// What proved that it is who it should be.
    pub proof: Proof,
}

impl Connector {
    /// Reads the files that `trust` names.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn new(trust: &Trust) -> Result<Self, TlsError> {
        let rules = Arc::new(Rules {
            roots: roots(trust.ca_file.as_deref())?,
            verify: trust.verify,
            pins: trust.pins.clone(),
            remedy: trust.remedy,
        });
        let pins: Arc<[Fingerprint]> = Arc::default();
        // Each connection brings a check of its own in place of this one.
        let check = Check::new(Arc::clone(&rules), Arc::clone(&pins));
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Library)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(check));
        let mut config = match &trust.client {
            None => config.with_no_client_auth(),
            Some(client) => {
                let chain = pem::certificates(&client.certificate_file)?;
                let key = pem::key(&client.key_file)?;
                let used = config.with_client_auth_cert(chain, key);
                used.map_err(|why| TlsError::Mismatch {
                    certificate: client.certificate_file.clone(),
                    key: client.key_file.clone(),
                    why,
                })?
            }
        };
        // A session that is taken up again shows no certificate.
        config.resumption = Resumption::disabled();
        Ok(Self {
            config: Arc::new(config),
            rules,
            server_name: trust.server_name.clone(),
            pins,
        })
    }

    /// The same, for a machine whose certificate is pinned.
    #[must_use]
    pub fn for_machine(&self, identity: &Identity) -> Self {
        Self {
            pins: identity.certificates.as_slice().into(),
            ..self.clone()
        }
    }

    /// Shakes hands over `stream` with the host that should be `host`. SNI is sent for names only.
    ///
    /// # Errors
    /// [`SwapError::Identity`] when a pin of the machine does not fit, [`SwapError::Certificate`]
    /// when it is not `host` otherwise, [`SwapError::Failed`] for all else.
    ///
    /// # Cancel safety
    /// Dropping the future closes the stream.
    pub async fn connect<S>(
        &self,
        host: &HostName,
        stream: S,
    ) -> Result<(TlsStream<S>, Shown), SwapError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = match self.server_name.as_ref().unwrap_or(host) {
            HostName::Ip(ip) => ServerName::from(*ip),
            HostName::Dns(name) => ServerName::try_from(name.to_string())
                .map_err(|_| SwapError::Failed(format!("{name} cannot be named in TLS")))?,
        };
        let check = Arc::new(Check::new(Arc::clone(&self.rules), Arc::clone(&self.pins)));
        let mut config = (*self.config).clone();
        let verifier: Arc<Check> = Arc::clone(&check);
        config.dangerous().set_certificate_verifier(verifier);
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .map_err(|error| swap_error(&error, &check))?;
        let key = check
            .shown()
            .ok_or_else(|| SwapError::Failed("no certificate was shown".to_owned()))?;
        let proof = check.proof();
        Ok((stream, Shown { key, proof }))
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connector")
    }
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    let Some(path) = ca_file else {
        let found = rustls_native_certs::load_native_certs();
        store.add_parsable_certificates(found.certs);
        return Ok(store);
    };
    for certificate in pem::certificates(path)? {
        let added = store.add(certificate);
        added.map_err(|why| TlsError::Authority {
            path: path.to_owned(),
            why,
        })?;
    }
    Ok(store)
}

fn swap_error(error: &io::Error, check: &Check) -> SwapError {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(why)) => check.explain(why),
        Some(other) => SwapError::Failed(other.to_string()),
        None => SwapError::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
