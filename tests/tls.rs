//! TLS towards browsers, with the real binary: a certificate of its own, renewal while clients come,
//! the way from plain HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::gateway::TestGateway;
use common::http::{Request, read_response};
use common::net::{self, connect_as, free_port};
use common::wait::until;
use tokio::io::AsyncWriteExt;

const PATIENCE: Duration = Duration::from_secs(20);

/// What `openssl` or any other stranger would send to find out whether TLS is spoken.
async fn is_plain(gateway: &TestGateway) -> bool {
    let mut stream = net::connect(gateway.address).await;
    let request = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer).await;
    answer.starts_with(b"HTTP/1.1 200")
}

#[tokio::test]
async fn plain_http_is_for_the_loopback_address_and_for_who_asks_for_it() {
    let gateway = TestGateway::start().await;
    assert!(is_plain(&gateway).await);
    let gateway = TestGateway::builder()
        .set("listen", "0.0.0.0:0")
        .set("tls.mode", "off");
    assert!(is_plain(&gateway.start().await).await);

    for (listen, mode) in [("0.0.0.0:0", "auto"), ("127.0.0.1:0", "on")] {
        let builder = TestGateway::builder().set("listen", listen);
        let gateway = builder.set("tls.mode", mode).start().await;
        assert!(!is_plain(&gateway).await);
        let lines = gateway.log_lines();
        let line = lines.iter().find(|line| line.text("sha256").len() == 95);
        assert!(line.is_some(), "the fingerprint is said: {}", gateway.log());
        let health = ["health", "--listen", &gateway.address.to_string()].map(str::to_owned);
        let health = health.each_ref().map(String::as_str);
        assert!(gateway.command(&health).status.success());
    }
}

/// A new certificate takes the place of the old one, while clients come one after the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_and_no_handshake_fails() {
    let many = TestGateway::builder().set("limits.connections_per_client", "1000000/s");
    let mut gateway = many.with_tls().start().await;
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let (old, new) = (
        gateway.trust().unwrap().clone(),
        net::trust(made.cert.der()),
    );
    // On this connection somebody was before, and stays.
    let mut before = connect_as(gateway.address, Some(&old)).await;

    let both = net::trust_all(&[gateway.certificate(), made.cert.der().clone()]);
    let address = gateway.address;
    let (done, shaken) = (
        &AtomicBool::new(false),
        &std::sync::atomic::AtomicU32::new(0),
    );
    let clients = async {
        while !done.load(Ordering::Relaxed) {
            let answer = Request::get(address, "/healthz")
                .over_tls(Some(&both))
                .send()
                .await;
            assert_eq!(answer.status, 200);
            shaken.fetch_add(1, Ordering::Relaxed);
        }
    };
    let renewal = async {
        std::fs::write(gateway.file("certificate.pem"), made.cert.pem()).unwrap();
        // The certificate is new and the key is not: all stays as it was, and is said once.
        until("the mismatch is said", PATIENCE, async || {
            let said =
                |line: &common::log::Line| line.text("message").contains("stay as they were");
            gateway
                .log_lines()
                .iter()
                .any(said)
                .then_some(())
                .ok_or(gateway.log())
        })
        .await;
        let key = made.signing_key.serialize_pem();
        std::fs::write(gateway.file("key.pem"), key).unwrap();
        until("the new certificate is shown", PATIENCE, async || {
            let said =
                |line: &common::log::Line| line.text("message").contains("certificates were read");
            gateway
                .log_lines()
                .iter()
                .any(said)
                .then_some(())
                .ok_or(gateway.log())
        })
        .await;
        done.store(true, Ordering::Relaxed);
    };
    tokio::join!(clients, renewal);
    assert!(shaken.load(Ordering::Relaxed) > 0);
    let answer = Request::get(address, "/readyz")
        .over_tls(Some(&new))
        .send()
        .await;
    assert_eq!(answer.json()["checks"]["certificate"], "ok");
    let request = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    before.write_all(request).await.unwrap();
    assert_eq!(read_response(&mut before).await.status, 200);
    let mismatches = gateway.log_lines();
    let mismatches = mismatches
        .iter()
        .filter(|it| it.text("message").contains("stay as"));
    assert_eq!(mismatches.count(), 1, "{}", gateway.log());

    // The signal does the same, whether a file has changed or not.
    let id = gateway.process().id().to_string();
    let sent = Command::new("sh")
        .args(["-c", "kill -HUP \"$0\"", &id])
        .status();
    assert!(sent.unwrap().success());
    until(
        "the certificates are read at SIGHUP",
        PATIENCE,
        async || {
            let lines = gateway.log_lines();
            let read = lines
                .iter()
                .filter(|it| it.text("message").contains("certificates were read"));
            (read.count() == 2).then_some(()).ok_or(gateway.log())
        },
    )
    .await;
}

#[tokio::test]
async fn an_expired_certificate_keeps_new_consoles_away() {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2020, 1, 2);
    let certificate = params.self_signed(&key).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(file("c"), certificate.pem()).unwrap();
    std::fs::write(file("k"), key.serialize_pem()).unwrap();
    let builder = TestGateway::builder().set("tls.certificate_file", file("c"));
    let gateway = builder.set("tls.key_file", file("k")).start().await;
    let listen = gateway.address.to_string();
    let output = gateway.command(&["health", "--ready", "--listen", &listen]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success(), "{said}");
    assert!(
        said.contains("\"certificate\":\"expired at 2020-01-02T00:00:00Z\""),
        "{said}"
    );
    assert!(
        gateway
            .command(&["health", "--listen", &listen])
            .status
            .success()
    );
}

#[tokio::test]
async fn plain_http_leads_to_https_and_nowhere_else() {
    let port = free_port();
    let gateway = TestGateway::builder()
        .with_tls()
        .set("public_url", "https://console.example")
        .set("tls.redirect_from", format!("127.0.0.1:{port}"))
        .start()
        .await;
    let address = (std::net::Ipv4Addr::LOCALHOST, port).into();
    for path in [
        "/novnc?token=secret",
        "/novnc",
        "//evil.example/novnc",
        "/%2e%2e",
    ] {
        let answer = Request::get(address, path).header("x-forwarded-host", "evil.example");
        let answer = answer.send().await;
        assert_eq!(answer.status, 308, "{path}");
        let location = answer.header("location").unwrap();
        assert!(
            location.starts_with("https://console.example/"),
            "{location}"
        );
        assert!(!location.contains("secret"), "{location}");
    }
    let answer = Request::new(address, "POST", "/api/v1/consoles")
        .send()
        .await;
    assert_eq!(answer.status, 405);
    let minting = gateway.mint_open("127.0.0.1:1".parse().unwrap()).await;
    assert!(minting.url.starts_with("https://console.example/novnc"));
}

#[tokio::test]
async fn what_does_not_go_together_is_refused() {
    for (builder, words) in [
        (
            TestGateway::builder().with_tls().set("tls.mode", "off"),
            "goes without tls.mode",
        ),
        (
            TestGateway::builder().set(
                "api.keys",
                vec![toml::Table::from_iter([
                    ("name".to_owned(), "cloud".into()),
                    ("certificate".to_owned(), "cloud.example".into()),
                ])],
            ),
            "needs a listener with client_ca_file",
        ),
        (
            TestGateway::builder().set("tls.redirect_from", "127.0.0.1:0"),
            "needs a public_url that starts with https",
        ),
        (
            TestGateway::builder().set(
                "tls.more_certificates",
                vec![toml::Table::from_iter([
                    ("certificate_file".to_owned(), "a".into()),
                    ("key_file".to_owned(), "b".into()),
                ])],
            ),
            "for those who ask for no name",
        ),
    ] {
        let said = builder.start_in_vain().await;
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
}
