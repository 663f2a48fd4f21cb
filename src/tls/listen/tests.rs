//! Which certificate a client is shown, and how they change while clients are served.

use std::path::Path;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::clock::UnixTime;
use crate::tls::certificates::CertificateFiles;
use crate::tls::self_signed::self_signed;

/// Writes a certificate for some names with its key; gives the files and the certificate.
fn write(dir: &Path, file: &str, names: &[&str]) -> (CertificateFiles, CertificateDer<'static>) {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let files = CertificateFiles {
        certificate_file: dir.join(format!("{file}.crt")),
        key_file: dir.join(format!("{file}.key")),
    };
    std::fs::write(&files.certificate_file, made.cert.pem()).unwrap();
    std::fs::write(&files.key_file, made.signing_key.serialize_pem()).unwrap();
    (files, made.cert.der().clone())
}

/// A client that can do what `provider` can, and believes these certificates.
fn client(provider: CryptoProvider, believed: &[&CertificateDer<'static>]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in believed {
        roots.add((*certificate).clone()).unwrap();
    }
    ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// A client that believes these certificates shakes hands and asks for `name`.
async fn meet(
    acceptor: &Acceptor,
    name: &str,
    believed: &[&CertificateDer<'static>],
) -> std::io::Result<(TlsStream<TcpStream>, Stream)> {
    meet_as(client(provider(), believed), acceptor, name).await
}

/// A client shakes hands and asks for `name`.
async fn meet_as(
    client: ClientConfig,
    acceptor: &Acceptor,
    name: &str,
) -> std::io::Result<(TlsStream<TcpStream>, Stream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connector = TlsConnector::from(Arc::new(client));
    let name = ServerName::try_from(name.to_owned()).unwrap();
    #[allow(clippy::disallowed_methods, reason = "a test is a client")]
    let connected = async {
        let stream = TcpStream::connect(address).await.unwrap();
        connector.connect(name, stream).await
    };
    let accepted = async {
        let (stream, _) = listener.accept().await.unwrap();
        acceptor.accept(Stream::Tcp(stream)).await
    };
    let (connected, accepted) = tokio::join!(connected, accepted);
    Ok((connected?, accepted?))
}

/// The certificate that a client is shown who asks for `name`.
async fn shown(
    acceptor: &Acceptor,
    name: &str,
    believed: &[&CertificateDer<'static>],
) -> CertificateDer<'static> {
    let (client, _) = meet(acceptor, name, believed).await.unwrap();
    let chain = client.get_ref().1.peer_certificates().unwrap();
    chain[0].clone().into_owned()
}

fn of(files: &[&CertificateFiles]) -> Arc<Certificates> {
    let files = files.iter().map(|it| (*it).clone()).collect();
    Arc::new(Certificates::read(files).unwrap())
}

#[test]
fn what_is_wrong_with_the_files_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let (one, _) = write(dir.path(), "one", &["one"]);
    let (other, _) = write(dir.path(), "other", &["other"]);
    let error = |certificate: &Path, key: &Path| {
        let files = CertificateFiles {
            certificate_file: certificate.to_owned(),
            key_file: key.to_owned(),
        };
        Certificates::read(vec![files]).unwrap_err().to_string()
    };
    let (certificate, key) = (&one.certificate_file, &one.key_file);
    let missing = &dir.path().join("missing.pem");
    assert!(error(missing, key).starts_with("cannot read the certificate "));
    assert!(error(certificate, missing).starts_with("cannot read the private key "));
    assert!(error(key, key).starts_with("there is no certificate in "));
    assert!(error(certificate, certificate).starts_with("cannot read the private key "));
    assert!(error(certificate, &other.key_file).contains("cannot be used together"));
}

#[tokio::test]
async fn each_name_gets_its_certificate_and_others_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let (a, a_cert) = write(dir.path(), "a", &["a.example", "127.0.0.1"]);
    let (b, b_cert) = write(dir.path(), "b", &["*.b.example", "b.example"]);
    let acceptor = Acceptor::new(of(&[&a, &b]), None).unwrap();
    let both = [&a_cert, &b_cert];
    assert_eq!(shown(&acceptor, "a.example", &both).await, a_cert);
    assert_eq!(shown(&acceptor, "b.example", &both).await, b_cert);
    assert_eq!(shown(&acceptor, "x.b.example", &both).await, b_cert);
    assert_eq!(shown(&acceptor, "127.0.0.1", &both).await, a_cert);
    let error = meet(&acceptor, "c.example", &both).await.unwrap_err();
    assert!(error.to_string().contains("not valid for name"), "{error}");
}

/// Whoever can verify no certificate of ours learns that it is about what it can do, and not about
/// who it is.
#[tokio::test]
async fn a_client_that_no_certificate_suits_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let (ecdsa, certificate) = write(dir.path(), "a", &["a.example"]);
    let acceptor = Acceptor::new(of(&[&ecdsa]), None).unwrap();
    let mut rsa_only = provider();
    let suites = &mut rsa_only.cipher_suites;
    suites.retain(|suite| format!("{suite:?}").contains("_RSA_"));
    assert!(!suites.is_empty());
    let client = client(rsa_only, &[&certificate]);
    let error = meet_as(client, &acceptor, "a.example").await.unwrap_err();
    assert!(error.to_string().contains("HandshakeFailure"), "{error}");
}

#[tokio::test]
async fn a_change_is_shown_to_the_next_and_leaves_the_others_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (files, old) = write(dir.path(), "a", &["a.example"]);
    let certificates = of(&[&files]);
    let acceptor = Acceptor::new(Arc::clone(&certificates), None).unwrap();
    let (mut client, mut server) = meet(&acceptor, "a.example", &[&old]).await.unwrap();
    assert_eq!(certificates.stamps(), certificates.shown_stamps());

    // Whoever renews writes one file after the other: in between they do not fit.
    let (key, old_key) = (&files.key_file, dir.path().join("old.key"));
    std::fs::copy(key, &old_key).unwrap();
    let (_, new) = write(dir.path(), "a", &["a.example"]);
    let new_key = std::fs::read(key).unwrap();
    std::fs::copy(&old_key, key).unwrap();
    assert_ne!(certificates.stamps(), certificates.shown_stamps());
    let error = certificates.reload().unwrap_err().to_string();
    assert!(error.contains("cannot be used together"), "{error}");
    assert_eq!(shown(&acceptor, "a.example", &[&old]).await, old);

    std::fs::write(key, new_key).unwrap();
    certificates.reload().unwrap();
    assert_eq!(certificates.stamps(), certificates.shown_stamps());
    assert_eq!(shown(&acceptor, "a.example", &[&new]).await, new);
    client.write_all(b"still here").await.unwrap();
    client.flush().await.unwrap();
    let mut heard = [0; 10];
    server.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"still here");
}

#[tokio::test]
async fn a_certificate_of_our_own_is_for_its_names_and_for_a_year() {
    let now = UnixTime::from_secs(1_795_249_800);
    let names = ["gateway.example", "192.0.2.1"].map(ToOwned::to_owned);
    let (certificates, fingerprint) = self_signed(names.to_vec(), now).unwrap();
    assert_eq!(fingerprint.split(':').count(), 32, "{fingerprint}");
    let end = certificates.first_end().unwrap();
    assert_eq!(end, now.plus(Duration::from_secs(366 * 24 * 60 * 60)));
    assert!(certificates.reload().is_ok());
}

/// A browser that has a key exchange that holds against quantum computers gets it.
#[tokio::test]
async fn key_exchange_is_hybrid() {
    let dir = tempfile::tempdir().unwrap();
    let (files, certificate) = write(dir.path(), "a", &["a.example"]);
    let acceptor = Acceptor::new(of(&[&files]), None).unwrap();
    let (client, _) = meet(&acceptor, "a.example", &[&certificate]).await.unwrap();
    let group = client.get_ref().1.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), rustls::NamedGroup::X25519MLKEM768);
}
