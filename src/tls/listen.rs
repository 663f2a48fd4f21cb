//! Accepting TLS with a certificate and a key from files.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::stream::Stream;
use crate::tls::pem::{self, TlsError};

/// How long a browser may take for the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The one protocol that is spoken inside, as ALPN names it.
const ALPN: &[u8] = b"http/1.1";

/// Accepts TLS 1.2 and 1.3.
#[derive(Clone)]
pub struct Acceptor(TlsAcceptor);

impl Acceptor {
    /// Reads a PEM certificate with its chain, and a PEM private key.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain = pem::certificates(certificate)?;
        let secret = pem::key(key)?;
        let mismatch = |why| TlsError::Mismatch {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            why,
        };
        // The provider is named, so that no process-wide default has to be.
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(mismatch)?
                .with_no_client_auth()
                .with_single_cert(chain, secret)
                .map_err(mismatch)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Shakes hands with a browser.
    ///
    /// # Errors
    /// What went wrong; a handshake that takes too long is [`std::io::ErrorKind::TimedOut`].
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection.
    pub async fn accept(&self, stream: TcpStream) -> std::io::Result<Stream> {
        match timeout(HANDSHAKE, self.0.accept(stream)).await {
            Ok(accepted) => accepted.map(|stream| Stream::Tls(Box::new(stream))),
            Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn pair(dir: &Path, name: &str) -> (PathBuf, PathBuf) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let (certificate, key) = (
            dir.join(format!("{name}.crt")),
            dir.join(format!("{name}.key")),
        );
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        (certificate, key)
    }

    #[test]
    fn what_is_wrong_with_the_files_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let (certificate, key) = pair(dir.path(), "one");
        let (_, other_key) = pair(dir.path(), "two");
        assert!(Acceptor::from_files(&certificate, &key).is_ok());

        let error = |certificate: &Path, key: &Path| match Acceptor::from_files(certificate, key) {
            Ok(_) => panic!("{certificate:?} and {key:?} must not do"),
            Err(error) => error.to_string(),
        };
        let missing = dir.path().join("missing.pem");
        assert!(error(&missing, &key).starts_with("cannot read the certificate "));
        assert!(error(&certificate, &missing).starts_with("cannot read the private key "));
        assert!(error(&key, &key).starts_with("there is no certificate in "));
        assert!(error(&certificate, &certificate).starts_with("cannot read the private key "));
        assert!(error(&certificate, &other_key).contains("cannot be used together"));
    }
}
