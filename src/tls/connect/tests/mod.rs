//! Hosts with all sorts of certificates, and what is made of them.

mod hosts;

use std::time::Duration;

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_rustls::TlsAcceptor;

use hosts::{Authority, Shows};

use super::*;
use crate::rfb::identity::Mismatch;

/// Shakes hands with a host of `config` that is dialled as `host`, and lets a byte go each way.
async fn meet(connector: &Connector, host: &str, config: ServerConfig) -> Result<Shown, SwapError> {
    let (ours, theirs) = duplex(64);
    let server = async {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let mut stream = acceptor.accept(theirs).await.ok()?;
        let byte = stream.read_u8().await.ok()?;
        stream.write_u8(byte + 1).await.ok()?;
        stream.shutdown().await.ok()
    };
    let host = host.parse().unwrap();
    let client = async {
        let (mut stream, shown) = connector.connect(&host, ours).await?;
        let failed = |error: io::Error| SwapError::Failed(error.to_string());
        stream.write_u8(1).await.map_err(failed)?;
        stream.flush().await.map_err(failed)?;
        assert_eq!(stream.read_u8().await.map_err(failed)?, 2);
        Ok(shown)
    };
    let both = async { tokio::join!(server, client).1 };
    tokio::time::timeout(Duration::from_secs(10), both)
        .await
        .unwrap()
}

async fn verdict(trust: &Trust, host: &str, shows: &Shows) -> Result<Proof, String> {
    let connector = Connector::new(trust).unwrap();
    match meet(&connector, host, shows.server()).await {
        Ok(shown) => {
            assert_eq!(shown.key, shows.fingerprint);
            Ok(shown.proof)
        }
        Err(SwapError::Certificate(why)) => Err(why),
        Err(other) => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused(verdict: Result<Proof, String>, words: &[&str]) {
    let why = verdict.unwrap_err();
    for words in words {
        assert!(why.contains(words), "{words:?} is not in {why:?}");
    }
}

#[tokio::test]
async fn the_right_certificate_is_taken_for_a_name_and_for_an_address() {
    let authority = Authority::new();
    for host in ["host.example", "10.0.0.5", "2001:db8::5"] {
        let shows = authority.issue_for(host);
        let verdict = verdict(&authority.trust(), host, &shows).await;
        assert_eq!(verdict, Ok(Proof::Full), "{host}");
    }
}

#[tokio::test]
async fn a_wrong_name_is_refused_unless_it_is_expected_or_does_not_matter() {
    let authority = Authority::new();
    let shows = authority.issue_for("other.example");
    let full = authority.trust();
    refused(
        verdict(&full, "host.example", &shows).await,
        &[
            "it is for ",
            "other.example",
            "not for host.example",
            "server_name",
            &shows.fingerprint.to_string(),
        ],
    );
    let expected = Trust {
        server_name: Some("other.example".parse().unwrap()),
        ..full.clone()
    };
    assert_eq!(
        verdict(&expected, "10.0.0.5", &shows).await,
        Ok(Proof::Full)
    );
    let chain = Trust {
        verify: Some(Verify::Chain),
        ..full
    };
    assert_eq!(
        verdict(&chain, "host.example", &shows).await,
        Ok(Proof::Chain)
    );
}

#[tokio::test]
async fn a_strange_authority_is_refused_even_when_names_do_not_matter() {
    let authority = Authority::new();
    // One has another key under the same name.
    let [shows, forged] =
        ["strange", "authority"].map(|name| Authority::named(name).issue_for("host.example"));
    for verify in [Verify::Full, Verify::Chain] {
        for shows in [&shows, &forged] {
            let trust = Trust {
                verify: Some(verify),
                ..authority.trust()
            };
            refused(
                verdict(&trust, "host.example", shows).await,
                &["no certificate authority", "ca_file", "pin_sha256"],
            );
        }
    }
    let none = Trust {
        verify: Some(Verify::None),
        ..authority.trust()
    };
    let verdict = verdict(&none, "host.example", &shows).await;
    assert_eq!(verdict, Ok(Proof::Nothing));
}

#[tokio::test]
async fn a_certificate_whose_time_is_over_is_refused() {
    let authority = Authority::new();
    let mut params = CertificateParams::new(["host.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let shows = authority.issue(&params);
    for verify in [Verify::Full, Verify::Chain] {
        let trust = Trust {
            verify: Some(verify),
            ..authority.trust()
        };
        refused(
            verdict(&trust, "host.example", &shows).await,
            &["certificate expired"],
        );
    }
}

#[tokio::test]
async fn a_certificate_with_a_name_in_its_subject_alone_is_refused_with_what_helps() {
    let authority = Authority::new();
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "host.example");
    let shows = authority.issue(&params);
    let full = authority.trust();
    refused(
        verdict(&full, "host.example", &shows).await,
        &["subjectAltName", "verify = \"chain\"", "pin_sha256"],
    );
    let chain = Trust {
        verify: Some(Verify::Chain),
        ..full.clone()
    };
    assert_eq!(
        verdict(&chain, "host.example", &shows).await,
        Ok(Proof::Chain)
    );
    let pinned = Trust {
        pins: vec![shows.fingerprint],
        ..full
    };
    assert_eq!(
        verdict(&pinned, "host.example", &shows).await,
        Ok(Proof::Pin)
    );
}

#[tokio::test]
async fn a_self_signed_certificate_is_taken_by_its_pin_alone() {
    let authority = Authority::new();
    let shows = Shows::self_signed();
    let full = authority.trust();
    refused(
        verdict(&full, "host.example", &shows).await,
        &["of an authority and not of a host", "pin_sha256"],
    );
    let pinned = Trust {
        pins: vec![Fingerprint::of(b"another"), shows.fingerprint],
        ..full.clone()
    };
    assert_eq!(
        verdict(&pinned, "host.example", &shows).await,
        Ok(Proof::Pin)
    );
    let wrong = Trust {
        pins: vec![Fingerprint::of(b"another")],
        ..full.clone()
    };
    refused(
        verdict(&wrong, "host.example", &shows).await,
        &[&shows.fingerprint.to_string(), "not a pinned one"],
    );
    let both = Trust {
        verify: Some(Verify::Full),
        ..pinned
    };
    assert!(verdict(&both, "host.example", &shows).await.is_err());
}

#[tokio::test]
async fn a_pin_beside_the_chain_needs_both() {
    let authority = Authority::new();
    let shows = authority.issue_for("host.example");
    for (pin, proof) in [
        (shows.fingerprint, Some(Proof::Full)),
        (Fingerprint::of(b"another"), None),
    ] {
        let trust = Trust {
            verify: Some(Verify::Full),
            pins: vec![pin],
            ..authority.trust()
        };
        let verdict = verdict(&trust, "host.example", &shows).await;
        assert_eq!(verdict.ok(), proof);
    }
}

#[tokio::test]
async fn the_pin_of_a_grant_is_about_the_machine() {
    let authority = Authority::new();
    let shows = Shows::self_signed();
    let pinned = |key| Identity {
        certificates: vec![key],
        ..Identity::default()
    };
    let connector = Connector::new(&authority.trust()).unwrap();
    let right = connector.for_machine(&pinned(shows.fingerprint));
    let shown = meet(&right, "host.example", shows.server()).await;
    assert_eq!(shown.map(|shown| shown.proof), Ok(Proof::Pin));

    let wrong = connector.for_machine(&pinned(Fingerprint::of(b"another")));
    let error = meet(&wrong, "host.example", shows.server()).await;
    let mismatch = Mismatch::Certificate(shows.fingerprint);
    assert_eq!(error, Err(SwapError::Identity(mismatch)));

    // Whoever wants nothing verified still gets no other machine than the pinned one.
    let lax = Trust {
        verify: Some(Verify::None),
        ..authority.trust()
    };
    let lax = Connector::new(&lax).unwrap();
    let wrong = lax.for_machine(&pinned(Fingerprint::of(b"another")));
    assert!(meet(&wrong, "host.example", shows.server()).await.is_err());
}

#[tokio::test]
async fn a_host_that_asks_who_we_are_is_shown_the_certificate_of_its_profile() {
    let authority = Authority::new();
    let shows = authority.issue_for("host.example");
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["gateway".to_owned()]).unwrap();
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.signed_by(&key, &authority.issuer).unwrap();
    std::fs::write(authority.file("us.pem"), certificate.pem()).unwrap();
    std::fs::write(authority.file("us.key"), key.serialize_pem()).unwrap();

    let asking = || {
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate.clone()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .unwrap();
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(shows.chain.clone(), shows.key.clone_key())
            .unwrap()
    };
    let known = Trust {
        client: Some(ClientCertificate {
            certificate_file: authority.file("us.pem"),
            key_file: authority.file("us.key"),
        }),
        ..authority.trust()
    };
    let known = Connector::new(&known).unwrap();
    let shown = meet(&known, "host.example", asking()).await.unwrap();
    assert_eq!(shown.proof, Proof::Full);

    let unknown = Connector::new(&authority.trust()).unwrap();
    let error = meet(&unknown, "host.example", asking()).await.unwrap_err();
    assert!(matches!(error, SwapError::Failed(_)), "{error:?}");
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let error = |trust: &Trust| Connector::new(trust).unwrap_err().to_string();
    let missing = Trust {
        ca_file: Some(authority.file("missing.pem")),
        ..Trust::default()
    };
    assert!(error(&missing).contains("missing.pem"));
    std::fs::write(authority.file("empty.pem"), "nothing\n").unwrap();
    let empty = Trust {
        ca_file: Some(authority.file("empty.pem")),
        ..Trust::default()
    };
    assert!(error(&empty).starts_with("there is no certificate in "));
    let client = Trust {
        client: Some(ClientCertificate {
            certificate_file: authority.file("ca.pem"),
            key_file: authority.file("ca.pem"),
        }),
        ..Trust::default()
    };
    assert!(error(&client).starts_with("cannot read the private key "));
}
