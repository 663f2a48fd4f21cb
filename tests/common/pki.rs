//! Certificates for the servers of a test, made when it runs.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_RSA_SHA256, PublicKeyData, RsaKeySize,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// An authority, what it certified, and an authority that has nothing to do with it.
pub struct Pki {
    ca_pem: String,
    /// The authority that certified all servers here, as PEM.
    pub ca_file: PathBuf,
    /// Another authority, in whose eyes every server here has the wrong certificate, as PEM.
    pub other_ca_file: PathBuf,
    /// A server at 127.0.0.1.
    pub server: Identity,
    /// A server at 127.0.0.1 that says so in its common name alone, as libvirt's guides have it.
    pub named_in_cn: Identity,
    _dir: TempDir,
}

/// A certificate with its key.
pub struct Identity {
    certificate_pem: String,
    key_pem: String,
}

impl Pki {
    /// Makes everything.
    pub fn new() -> Self {
        let (ca, ca_params, ca_key) = authority("Tests");
        let (other_ca, _, _) = authority("Somebody else");
        let dir = tempfile::tempdir().unwrap();
        let (ca_file, other_ca_file) = (dir.path().join("ca.pem"), dir.path().join("other.pem"));
        std::fs::write(&ca_file, ca.pem()).unwrap();
        std::fs::write(&other_ca_file, other_ca.pem()).unwrap();
        let issuer = Issuer::from_params(&ca_params, ca_key);
        let address = "127.0.0.1".to_owned();
        // x11vnc takes nothing but RSA.
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        let identity = |names: Vec<String>, common_name: &str| {
            let mut params = CertificateParams::new(names).unwrap();
            params
                .distinguished_name
                .push(DnType::CommonName, common_name);
            let certificate = params.signed_by(&key, &issuer).unwrap();
            Identity {
                certificate_pem: certificate.pem(),
                key_pem: key.serialize_pem(),
            }
        };
        Self {
            server: identity(vec![address.clone()], "a VNC server"),
            named_in_cn: identity(Vec::new(), &address),
            ca_pem: ca.pem(),
            ca_file,
            other_ca_file,
            _dir: dir,
        }
    }

    /// Writes what a server needs to a folder: `ca-cert.pem`, `server-cert.pem`, `server-key.pem`,
    /// which are QEMU's names, and `server.pem` with the key and the certificate.
    pub fn write(&self, identity: &Identity, dir: &Path) {
        let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
        write("ca-cert.pem", &self.ca_pem);
        write("server-cert.pem", &identity.certificate_pem);
        write("server-key.pem", &identity.key_pem);
        let both = format!("{}{}", identity.key_pem, identity.certificate_pem);
        write("server.pem", &both);
    }
}

impl Identity {
    /// SHA-256 of its public key, as `pin_sha256` wants it.
    pub fn fingerprint(&self) -> String {
        let key = KeyPair::from_pem(&self.key_pem).unwrap();
        let digest = Sha256::digest(key.subject_public_key_info());
        data_encoding::HEXLOWER.encode(&digest)
    }

    /// What a TLS server of ours needs.
    pub fn server_config(&self) -> rustls::ServerConfig {
        let chain = CertificateDer::from_pem_slice(self.certificate_pem.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).unwrap();
        rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![chain], key)
            .unwrap()
    }
}

/// A certificate authority of this name.
pub fn authority(name: &str) -> (rcgen::Certificate, CertificateParams, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    (params.self_signed(&key).unwrap(), params, key)
}
