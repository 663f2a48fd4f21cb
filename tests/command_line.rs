//! The command at its edges: what keeps a gateway from starting is said clearly, and what the
//! other subcommands make works with a running gateway.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use common::gateway::{Builder, Minted, TestGateway};
use common::net::{Family, deaf_address};
use common::rfb_client::Viewer;
use common::rfb_server::Manners;

const PASSWORD: &str = "hunter2!";

/// The gateway does not start, and what it says names all of `words`.
async fn says(builder: Builder, words: &[&str]) {
    let said = builder.start_in_vain().await;
    for word in words {
        assert!(said.contains(word), "{word:?} is not in {said:?}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[tokio::test]
async fn a_busy_port_is_named() {
    let busy = TcpListener::bind(Family::V4.loopback()).unwrap();
    let address = busy.local_addr().unwrap().to_string();
    says(
        TestGateway::builder().set("listen", address.as_str()),
        &[&address],
    )
    .await;
}

#[tokio::test]
async fn a_missing_tls_file_is_named() {
    for setting in ["tls.certificate_file", "tls.key_file"] {
        let builder = TestGateway::builder()
            .with_tls()
            .set(setting, "not-there.pem");
        says(builder, &["not-there.pem", "No such file"]).await;
    }
}

#[tokio::test]
async fn a_tls_file_that_holds_something_else_is_named() {
    for setting in ["tls.certificate_file", "tls.key_file"] {
        let builder = TestGateway::builder()
            .with_tls()
            .set(setting, "fanlight.toml");
        says(builder, &["fanlight.toml"]).await;
    }
}

#[tokio::test]
async fn problems_of_the_configuration_are_all_named_with_their_places() {
    let builder = TestGateway::builder()
        .set("listne", "127.0.0.1:0")
        .set("host.connect_timeout", "10")
        .set("limits.sessions", -1)
        .set("log.level", "inof");
    let words = [
        "listne",
        "listen",
        "connect_timeout",
        "sessions",
        "level",
        "fanlight.toml",
    ];
    says(builder, &words).await;
}

#[tokio::test]
async fn a_key_ring_that_others_can_read_is_refused() {
    let gateway = TestGateway::start().await;
    let ring = gateway.file("state/keyring");
    let mode = std::fs::metadata(&ring).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "made for its owner alone");
    let copy = gateway.file("keyring-for-all");
    std::fs::copy(&ring, &copy).unwrap();
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o644)).unwrap();
    let builder = TestGateway::builder().set("tokens.keyring_file", copy.to_str().unwrap());
    says(builder, &["keyring-for-all", "chmod 600"]).await;
}

#[tokio::test]
async fn a_console_minted_offline_opens() {
    let host = Manners::with_password(PASSWORD).host(Family::V4).await;
    let gateway = TestGateway::builder()
        .set("public_url", "https://console.example/vms")
        .set("base_path", "")
        .start()
        .await;
    let password_file = gateway.file("password");
    std::fs::write(&password_file, format!("{PASSWORD}\n")).unwrap();
    let port = host.address.port().to_string();
    let file = password_file.to_str().unwrap();
    let order = [
        "mint",
        "--host",
        "127.0.0.1",
        "--port",
        &port,
        "--password-file",
        file,
    ];
    let more = [
        "--name",
        "web-01",
        "--ttl",
        "5m",
        "--count",
        "3",
        "--label",
        "tenant=acme",
    ];
    let output = gateway.command(&[&order[..], &more[..]].concat());
    assert!(output.status.success(), "{output:?}");
    let urls = String::from_utf8(output.stdout).unwrap();
    assert_eq!(urls.lines().count(), 3, "{urls}");
    assert!(!urls.contains(PASSWORD));
    for url in urls.lines() {
        assert!(
            url.starts_with("https://console.example/vms/novnc?token=fl1."),
            "{url}"
        );
        // The proxy that would be in front strips its prefix.
        let here = url.replace("https://console.example/vms", "http://gateway");
        let opened = Viewer::open(&gateway, &Minted::from_url(&here)).await;
        let viewer = opened.unwrap();
        assert_eq!(viewer.name, "web-01");
    }

    let first = urls.lines().next().unwrap();
    let output = gateway.command(&["token", "inspect", first]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    for word in ["web-01", "127.0.0.1", &port, "tenant", "acme", "***"] {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    assert!(!said.contains(PASSWORD), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_says_what_a_host_offers() {
    let host = Manners::with_password(PASSWORD).host(Family::V4).await;
    let gateway = TestGateway::start().await;
    let password_file = gateway.file("password");
    std::fs::write(&password_file, PASSWORD).unwrap();
    let file = password_file.to_str().unwrap();
    let port = host.address.port().to_string();
    let probe = ["probe", "--host", "127.0.0.1", "--port", &port];
    let output = gateway.command(&[&probe[..], &["--password-file", file]].concat());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    for word in ["3.8", "VNC", "64", "48", "a well-behaved host"] {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    assert!(!said.contains(PASSWORD), "{said}");

    let output = gateway.command(&probe);
    assert!(!output.status.success(), "it asks for a password");
    let (deaf, _held) = deaf_address(Family::V4);
    let port = deaf.port().to_string();
    let output = gateway.command(&["probe", "--host", "127.0.0.1", "--port", &port]);
    assert!(!output.status.success(), "nobody is there");
}

#[tokio::test]
async fn without_a_key_the_api_is_off_and_that_is_said() {
    let none = toml::Value::Array(Vec::new());
    let gateway = TestGateway::builder().set("api.keys", none).start().await;
    let response = gateway.try_mint(&serde_json::json!({})).await;
    assert_eq!(response.status, 503, "{}", response.text());
    assert_eq!(response.json()["code"], "api_off");
    let log = gateway.log();
    assert!(log.contains("the API is off"), "{log}");
}
