//! The certificates that browsers are shown: by name, and read again when their files change.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::clock::UnixTime;
use crate::current::Current;
use crate::file_stamp::FileStamp;
use crate::tls::pem::{self, TlsError};
use crate::tls::validity::not_after;

/// Where a certificate and its key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// PEM: the certificate, then its chain.
    pub certificate_file: PathBuf,
    /// PEM: the private key.
    pub key_file: PathBuf,
}

/// What is shown, all of it read at one time.
#[derive(Debug)]
struct Shown {
    /// At least one.
    keys: Vec<Arc<CertifiedKey>>,
    /// Of the files, from before they were read.
    stamps: Vec<Option<FileStamp>>,
}

/// The certificates of a listener. Who asks for a name gets the first that is for it, and whoever
/// asks for none, or for one that no certificate is for, gets the first of all.
pub struct Certificates {
    files: Vec<CertificateFiles>,
    shown: Current<Shown>,
}

impl Certificates {
    /// Reads all of `files`, of which there is at least one.
    ///
    /// # Errors
    /// [`TlsError`], about the first that cannot be used.
    pub fn read(files: Vec<CertificateFiles>) -> Result<Self, TlsError> {
        let shown = Current::from(load(&files)?);
        Ok(Self { files, shown })
    }

    /// One certificate that is in no file, and stays as it is.
    ///
    /// # Errors
    /// [`TlsError`] when certificate and key are not for each other.
    pub fn fixed(
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, TlsError> {
        let key = CertifiedKey::from_der(vec![certificate], key, &provider());
        let shown = Shown {
            keys: vec![Arc::new(key.map_err(TlsError::Library)?)],
            stamps: Vec::new(),
        };
        Ok(Self {
            files: Vec::new(),
            shown: Current::from(shown),
        })
    }

    /// Reads the files again. All of them are good, or all that was shown before is kept.
    ///
    /// # Errors
    /// [`TlsError`]: nothing has changed.
    pub fn reload(&self) -> Result<(), TlsError> {
        if !self.files.is_empty() {
            self.shown.replace(load(&self.files)?);
        }
        Ok(())
    }

    /// What the files look like from outside; it changes when one of them does.
    #[must_use]
    pub fn stamps(&self) -> Vec<Option<FileStamp>> {
        stamps(&self.files)
    }

    /// What they looked like when what is shown was read.
    #[must_use]
    pub fn shown_stamps(&self) -> Vec<Option<FileStamp>> {
        self.shown.get().stamps.clone()
    }

    /// When the first of them ends, if they say.
    #[must_use]
    pub fn first_end(&self) -> Option<UnixTime> {
        let shown = self.shown.get();
        let ends = shown
            .keys
            .iter()
            .filter_map(|key| not_after(key.cert.first()?));
        ends.min()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let shown = self.shown.get();
        let fits = |key: &&Arc<CertifiedKey>| {
            let scheme = key.key.choose_scheme(hello.signature_schemes());
            scheme.is_some()
        };
        let named = hello.server_name().and_then(|name| {
            let name = ServerName::try_from(name).ok()?;
            let mut for_name = shown.keys.iter().filter(|key| is_for(key, &name));
            for_name.find(fits)
        });
        let any = || shown.keys.iter().find(fits);
        // Where none fits rustls finds that out too, and says so with the right alert.
        named.or_else(any).or_else(|| shown.keys.first()).cloned()
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificates").field(&self.files).finish()
    }
}

/// What all TLS of ours is made of.
pub(super) fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

fn is_for(key: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let parsed = key.cert.first().map(ParsedCertificate::try_from);
    parsed.is_some_and(|it| it.is_ok_and(|it| verify_server_name(&it, name).is_ok()))
}

fn load(files: &[CertificateFiles]) -> Result<Shown, TlsError> {
    // Before they are read: what changes meanwhile is seen as a change afterwards.
    let stamps = stamps(files);
    let keys = files.iter().map(load_one).collect::<Result<_, _>>()?;
    Ok(Shown { keys, stamps })
}

fn load_one(files: &CertificateFiles) -> Result<Arc<CertifiedKey>, TlsError> {
    let chain = pem::certificates(&files.certificate_file)?;
    let key = pem::key(&files.key_file)?;
    let both = CertifiedKey::from_der(chain, key, &provider());
    both.map(Arc::new).map_err(|why| TlsError::Mismatch {
        certificate: files.certificate_file.clone(),
        key: files.key_file.clone(),
        why,
    })
}

fn stamps(files: &[CertificateFiles]) -> Vec<Option<FileStamp>> {
    let paths = files
        .iter()
        .flat_map(|it| [&it.certificate_file, &it.key_file]);
    paths.map(|path| FileStamp::of(path)).collect()
}
