//! Certificates and keys from PEM files.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use crate::regular_file;

/// Why certificates or keys cannot be used. The words name files, never what is in them.
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
    /// The revocation list cannot be read.
    #[error("cannot read the revocation list {path}: {why}")]
    RevocationList {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: PemError,
    },
    /// There is no revocation list in its file.
    #[error("there is no revocation list in {0}")]
    NoRevocationList(PathBuf),
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
    /// A certificate authority is none.
    #[error("the certificate authorities in {path} cannot be used: {why}")]
    Authority {
        /// The file.
        path: PathBuf,
        /// What the library says.
        why: rustls::Error,
    },
    /// A certificate among the authorities is somebody's own.
    #[error("{path} has a certificate that is no authority's: such a one could issue others")]
    NoAuthority {
        /// The file.
        path: PathBuf,
    },
    /// No certificate can be made for the names of this gateway.
    #[error("cannot make a certificate: {0}")]
    SelfSigned(rcgen::Error),
    /// The library refuses to work.
    #[error("TLS cannot be used: {0}")]
    Library(rustls::Error),
}

/// The certificates of a file, at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = open(path)
        .and_then(|file| CertificateDer::pem_reader_iter(file).collect::<Result<Vec<_>, _>>())
        .map_err(|why| TlsError::Certificate {
            path: path.to_owned(),
            why,
        })?;
    if found.is_empty() {
        return Err(TlsError::Empty(path.to_owned()));
    }
    Ok(found)
}

/// The revocation lists of a file, at least one.
pub(super) fn revocation_lists(
    path: &Path,
) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let found = open(path)
        .and_then(|file| {
            let lists = CertificateRevocationListDer::pem_reader_iter(file);
            lists.collect::<Result<Vec<_>, _>>()
        })
        .map_err(|why| TlsError::RevocationList {
            path: path.to_owned(),
            why,
        })?;
    if found.is_empty() {
        return Err(TlsError::NoRevocationList(path.to_owned()));
    }
    Ok(found)
}

/// The private key of a file.
pub(super) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    open(path)
        .and_then(PrivateKeyDer::from_pem_reader)
        .map_err(|why| TlsError::Key {
            path: path.to_owned(),
            why,
        })
}

fn open(path: &Path) -> Result<File, PemError> {
    regular_file::open(path).map_err(PemError::Io)
}
