//! Accepting TLS with a certificate and a key from files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::stream::Stream;

/// How long a browser may take for the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The one protocol that is spoken inside, as ALPN names it.
const ALPN: &[u8] = b"http/1.1";

/// Accepts TLS 1.2 and 1.3.
#[derive(Clone)]
pub struct Acceptor(TlsAcceptor);

/// Why TLS cannot be offered. The words name files, never what is in them.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate cannot be read.
    #[error("cannot read the certificate {path}: {why}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: PemError,
    },
    /// The key cannot be read.
    #[error("cannot read the private key {path}: {why}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: PemError,
    },
    /// There is no certificate in its file.
    #[error("there is no certificate in {0}")]
    Empty(PathBuf),
    /// Certificate and key do not belong together, or are of a kind that is not supported.
    #[error("the certificate {certificate} and the key {key} cannot be used together: {why}")]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What the library says.
        why: rustls::Error,
    },
}

impl Acceptor {
    /// Reads a PEM certificate with its chain, and a PEM private key.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let bad_certificate = |why| TlsError::Certificate {
            path: certificate.to_owned(),
            why,
        };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(bad_certificate)?;
        if chain.is_empty() {
            return Err(TlsError::Empty(certificate.to_owned()));
        }
        let secret = PrivateKeyDer::from_pem_file(key).map_err(|why| TlsError::Key {
            path: key.to_owned(),
            why,
        })?;
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
