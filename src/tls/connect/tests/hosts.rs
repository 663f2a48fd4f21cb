//! Authorities, and what hosts show.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, Issuer, KeyPair, PublicKeyData};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

use super::super::Trust;
use crate::rfb::identity::Fingerprint;

/// An authority, with its certificate in a file.
pub(super) struct Authority {
    pub(super) issuer: Issuer<'static, KeyPair>,
    pub(super) certificate: CertificateDer<'static>,
    dir: TempDir,
}

/// What a host shows.
pub(super) struct Shows {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) fingerprint: Fingerprint,
}

impl Authority {
    pub(super) fn new() -> Self {
        Self::named("authority")
    }

    pub(super) fn named(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let made = params.self_signed(&key).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ca.pem"), made.pem()).unwrap();
        Self {
            certificate: made.der().clone(),
            issuer: Issuer::new(params, key),
            dir,
        }
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Believed, and nobody else.
    pub(super) fn trust(&self) -> Trust {
        Trust {
            ca_file: Some(self.file("ca.pem")),
            ..Trust::default()
        }
    }

    pub(super) fn issue(&self, params: &CertificateParams) -> Shows {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Shows::new(certificate.der(), &key)
    }

    /// For `name` in subjectAltName.
    pub(super) fn issue_for(&self, name: &str) -> Shows {
        self.issue(&CertificateParams::new([name.to_owned()]).unwrap())
    }
}

impl Shows {
    fn new(certificate: &CertificateDer<'static>, key: &KeyPair) -> Self {
        Self {
            chain: vec![certificate.clone()],
            key: PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap(),
            fingerprint: Fingerprint::of(&key.subject_public_key_info()),
        }
    }

    /// As `openssl req -x509` makes them: an authority of its own, for nobody by name.
    pub(super) fn self_signed() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(BasicConstraints::Unconstrained);
        let made = params.self_signed(&key).unwrap();
        Self::new(made.der(), &key)
    }

    pub(super) fn server(&self) -> ServerConfig {
        let provider = Arc::new(aws_lc_rs::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .unwrap()
    }
}
