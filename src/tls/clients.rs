//! Who clients are that show a certificate: which authorities are believed about them, and whom a
//! certificate is for.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore, SignatureScheme,
};

use crate::current::Current;
use crate::file_stamp::FileStamp;
use crate::tls::authority::is_authority;
use crate::tls::certificates::provider;
use crate::tls::pem::{self, TlsError};

/// Where it stands whom to believe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFiles {
    /// PEM: the authorities that are believed about clients.
    pub ca_file: PathBuf,
    /// PEM: what they have revoked. Each that has issued a client's certificate has a list here then.
    pub crl_file: Option<PathBuf>,
}

impl ClientFiles {
    /// What the files look like from outside; it changes when one of them does.
    #[must_use]
    pub fn stamps(&self) -> Vec<Option<FileStamp>> {
        let files = [Some(&self.ca_file), self.crl_file.as_ref()];
        let files = files.into_iter().flatten();
        files.map(|it| FileStamp::of(it)).collect()
    }
}

/// The authorities, as their files are now.
///
/// Who shows no certificate comes in as nobody. A certificate that is shown has to be good: issued by one
/// of them, for clients, in its time, and not revoked; else there is no connection.
pub struct ClientAuthorities {
    files: ClientFiles,
    verifier: Current<Arc<dyn ClientCertVerifier>>,
}

/// The names that a client's certificate is for: DNS names in lower case, and URIs as they stand there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientNames(Vec<String>);

impl ClientAuthorities {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn read(files: ClientFiles) -> Result<Self, TlsError> {
        let verifier = Current::from(load(&files)?);
        Ok(Self { files, verifier })
    }

    /// Reads them again. Connections that are there stay.
    ///
    /// # Errors
    /// [`TlsError`]: nothing has changed.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.verifier.replace(load(&self.files)?);
        Ok(())
    }

    /// Where it stands whom to believe.
    #[must_use]
    pub const fn files(&self) -> &ClientFiles {
        &self.files
    }
}

impl ClientNames {
    /// Those of a certificate that was verified: its subjectAltName, and nothing else of it.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        let Ok(certificate) = webpki::EndEntityCert::try_from(certificate) else {
            return Self::default();
        };
        let names = certificate.valid_dns_names().map(str::to_ascii_lowercase);
        let uris = certificate.valid_uri_names().map(str::to_owned);
        Self(names.chain(uris).collect())
    }

    /// Whether this is one of them. A name with a wildcard is itself and nothing that it could stand for.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|it| it == name)
    }
}

fn load(files: &ClientFiles) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let path = &files.ca_file;
    let unusable = |why| TlsError::Authority {
        path: path.clone(),
        why,
    };
    let mut roots = RootCertStore::empty();
    for certificate in pem::certificates(path)? {
        if !is_authority(&certificate) {
            return Err(TlsError::NoAuthority { path: path.clone() });
        }
        roots.add(certificate).map_err(unusable)?;
    }
    let roots = Arc::new(roots);
    let mut builder = WebPkiClientVerifier::builder_with_provider(roots, Arc::new(provider()));
    if let Some(file) = &files.crl_file {
        let lists = pem::revocation_lists(file)?;
        builder = builder.with_crls(lists).only_check_end_entity_revocation();
    }
    let built = builder.allow_unauthenticated().build();
    built.map_err(|why| unusable(Error::Other(OtherError(Arc::new(why)))))
}

impl ClientCertVerifier for ClientAuthorities {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None: they may be others by the time that somebody chooses by them.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verifier = self.verifier.get();
        verifier.verify_client_cert(end_entity, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verifier = self.verifier.get();
        verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verifier = self.verifier.get();
        verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.get().supported_verify_schemes()
    }
}

impl fmt::Debug for ClientAuthorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientAuthorities")
            .field(&self.files)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    #[test]
    fn the_names_are_those_of_the_subject_alt_name() {
        let mut params = CertificateParams::new(vec![
            "Cloud.Example".to_owned(),
            "*.wild.example".to_owned(),
            "192.0.2.1".to_owned(),
        ])
        .unwrap();
        let uri = "spiffe://Cloud.example/mint";
        params
            .subject_alt_names
            .push(SanType::URI(uri.try_into().unwrap()));
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "common.example");
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let names = ClientNames::of(certificate.der());
        for name in ["cloud.example", "*.wild.example", uri] {
            assert!(names.has(name), "{name}: {names:?}");
        }
        for name in [
            "a.wild.example",
            "common.example",
            "192.0.2.1",
            "example",
            "",
        ] {
            assert!(!names.has(name), "{name}: {names:?}");
        }
        assert_eq!(
            ClientNames::of(&CertificateDer::from(vec![0x30])),
            ClientNames::default()
        );
    }

    #[test]
    fn a_certificate_of_a_client_is_no_authority() {
        let names = vec!["client.example".to_owned()];
        let client = rcgen::generate_simple_self_signed(names).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let ca_file = dir.path().join("clients.pem");
        std::fs::write(&ca_file, client.cert.pem()).unwrap();
        let files = ClientFiles {
            ca_file,
            crl_file: None,
        };
        let refused = ClientAuthorities::read(files).unwrap_err();
        assert!(matches!(refused, TlsError::NoAuthority { .. }), "{refused}");
    }
}
