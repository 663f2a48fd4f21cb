//! Consoles whose password only the viewer has: the host's challenge goes to the viewer, and its
//! answer to the host.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::chromium::Chromium;
use common::fake_host::{FakeHost, Step};
use common::gateway::{Minted, TestGateway, target};
use common::guest;
use common::net::Family;
use common::qemu::Qemu;
use common::rfb_client::{Refusal, Viewer};
use common::rfb_server::{CHALLENGE, Manners};
use common::wait::{until, within};
use common::websocket::End;
use common::xvnc::Xvnc;
use fanlight::reason::Reason;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;

const PASSWORD: &str = "s3cret12";
const WRONG: &str = "wr0ngpwd";
/// How long a handshake may take, on a busy test machine.
const ANSWERED: Duration = Duration::from_secs(10);

/// A console whose viewer is to be asked.
async fn mint(gateway: &TestGateway, host: SocketAddr) -> Minted {
    let body = json!({
        "target": target(host),
        "credentials": { "relay": true },
        "name": "web-01",
    });
    gateway.mint(&body).await
}

async fn open(gateway: &TestGateway, minted: &Minted, password: &str) -> Result<Viewer, Refusal> {
    let opening = Viewer::open_asked(gateway, minted, password);
    within("the handshake", ANSWERED, opening).await
}

fn assert_refused(refusal: &Refusal, expected: Reason) {
    let (code, reason) = (expected.close_code(), expected.code().to_owned());
    assert_eq!(refusal.end, End::Close { code, reason }, "{refusal:?}");
}

/// The right password shows the guest, a wrong one is refused by the host itself.
async fn shows_the_guest(gateway: &TestGateway, machine: &Qemu) {
    let minted = mint(gateway, machine.address).await;
    let refusal = open(gateway, &minted, WRONG).await.err().unwrap();
    assert_refused(&refusal, Reason::HostAuthFailed);
    let words = refusal.words.unwrap();
    assert!(words.contains("Authentication failed"), "{words}");

    let mut viewer = open(gateway, &minted, PASSWORD).await.unwrap();
    assert_eq!(viewer.name, "web-01");
    viewer.ask_for_raw().await;
    let screen = viewer.fetch().await;
    screen.assert_same(&guest::picture(), "the formula");
    gateway.assert_log_has_no(PASSWORD);
    gateway.assert_log_has_no(WRONG);
}

#[tokio::test]
async fn qemu_decides_over_the_viewers_answer() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    shows_the_guest(&TestGateway::start().await, &machine).await;
}

#[tokio::test]
async fn qemu_decides_inside_vencrypt_as_well() {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::from_params(&authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let server = server.signed_by(&key, &issuer).unwrap();

    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| std::fs::write(dir.path().join(name), text).unwrap();
    write("ca-cert.pem", authority_pem.clone());
    write("server-cert.pem", server.pem());
    write("server-key.pem", key.serialize_pem());
    let believed = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(believed.path(), authority_pem).unwrap();

    let machine = Qemu::start_with_tls(dir, Family::V4, PASSWORD).await;
    let builder = TestGateway::builder().env("SSL_CERT_FILE", believed.path());
    let gateway = builder.start().await;
    shows_the_guest(&gateway, &machine).await;
    let log = gateway.log();
    assert!(log.contains("261 (X509Vnc)"), "{log}");
}

#[tokio::test]
async fn tigervnc_decides_over_the_viewers_answer() {
    let server = Xvnc::start(PASSWORD).await;
    let gateway = TestGateway::start().await;
    let minted = mint(&gateway, server.address(Family::V6)).await;
    let refusal = open(&gateway, &minted, WRONG).await.err().unwrap();
    assert_refused(&refusal, Reason::HostAuthFailed);
    open(&gateway, &minted, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn every_version_of_a_host_is_relayed() {
    let gateway = TestGateway::start().await;
    for minor in [3, 7, 8] {
        let manners = Manners {
            minor,
            ..Manners::with_password(PASSWORD)
        };
        let host = manners.host(Family::V4).await;
        let minted = mint(&gateway, host.address).await;
        let refusal = open(&gateway, &minted, WRONG).await.err().unwrap();
        assert_refused(&refusal, Reason::HostAuthFailed);
        open(&gateway, &minted, PASSWORD).await.unwrap();
    }
}

#[tokio::test]
async fn a_host_that_asks_for_nothing_asks_nobody() {
    let host = Manners::default().host(Family::V4).await;
    let gateway = TestGateway::start().await;
    let minted = mint(&gateway, host.address).await;
    Viewer::open(&gateway, &minted).await.unwrap();
}

#[tokio::test]
async fn a_host_that_fails_before_or_after_the_challenge_is_named() {
    let gateway = TestGateway::start().await;
    let greeting = [b"RFB 003.008\n\x01\x02", &CHALLENGE[..]].concat();
    let before = vec![Step::text("RFB 003.008\n"), Step::Close];
    let after = vec![Step::Send(greeting), Step::Expect(12 + 1 + 16), Step::Close];
    let plain = b"RFB 003.008\n\x01\x13\x00\x02\x00\x01\0\0\x01\x06".to_vec();
    for (script, reason) in [
        (before, Reason::HostClosed),
        (after, Reason::HostClosed),
        (vec![Step::Send(plain)], Reason::HostCredentialsMissing),
    ] {
        let host = FakeHost::script(script).await;
        let minted = mint(&gateway, host.address).await;
        let refusal = open(&gateway, &minted, PASSWORD).await.err().unwrap();
        assert_refused(&refusal, reason);
    }
}

#[tokio::test]
async fn a_viewer_that_does_not_answer_lets_the_host_go() {
    let greeting = [b"RFB 003.008\n\x01\x02", &CHALLENGE[..]].concat();
    let host = FakeHost::script(vec![Step::Send(greeting)]).await;
    let gateway = TestGateway::builder().deadlines("500ms").start().await;
    let minted = mint(&gateway, host.address).await;
    let path = minted.websocket_path();
    let protocols = minted.page_protocols();
    let socket = common::websocket::WebSocket::open(&gateway, path, &protocols).await;
    let mut socket = socket.ok().unwrap();
    let version = socket.source.next_binary().await.unwrap();
    socket.sink.binary(&version).await.unwrap();
    assert_eq!(socket.source.read_exact(2).await.unwrap(), [1, 2]);
    socket.sink.binary(&[2]).await.unwrap();
    assert_eq!(socket.source.read_exact(16).await.unwrap(), CHALLENGE);
    let end = within("the end", ANSWERED, socket.end()).await;
    let (code, reason) = (4201, "browser_timeout".to_owned());
    assert_eq!(end, End::Close { code, reason });
    host.left(ANSWERED).await;
}

#[tokio::test]
async fn a_password_and_its_relay_exclude_each_other() {
    let gateway = TestGateway::start().await;
    let body = json!({
        "target": { "host": "192.0.2.1", "port": 5901 },
        "credentials": { "password": PASSWORD, "relay": true },
    });
    let response = gateway.try_mint(&body).await;
    assert_eq!(response.status, 400, "{}", response.text());
    assert!(!response.text().contains(PASSWORD));
}

#[tokio::test]
async fn the_page_asks_before_it_connects_and_again_after_a_wrong_password() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let gateway = TestGateway::start().await;
    let minted = mint(&gateway, machine.address).await;
    let browser = Chromium::start().await;
    browser.open(&minted.url).await;
    assert_eq!(browser.reaches("asking").await, "");
    browser.reads("The machine asks for a password").await;
    let sockets = |network: &[(String, String)]| {
        let sockets = network.iter().filter(|(kind, _)| kind == "websocket");
        sockets.count()
    };
    assert_eq!(sockets(&browser.report().await.network), 0);
    browser.screenshot("asks-for-password").await;

    // The field has the keyboard.
    browser.type_text(WRONG).await;
    browser.press("Enter").await;
    assert_eq!(browser.reaches("ended").await, "host_auth_failed");
    browser.reads(Reason::HostAuthFailed.words()).await;
    browser.screenshot("refused-password").await;

    browser.click("Reconnect").await;
    assert_eq!(browser.reaches("asking").await, "");
    browser.screenshot("asks-again").await;
    browser.type_text(PASSWORD).await;
    browser.click("Connect").await;
    assert_eq!(browser.reaches("connected").await, "");
    browser.shows(&guest::picture(), "the guest").await;
    browser.type_text("hi").await;
    machine.typed("hi").await;
    browser.screenshot("connected-after-password").await;

    let report = browser.report().await;
    assert_eq!(sockets(&report.network), 2);
    for text in [&report.text, &report.href, &report.stored, &report.title] {
        assert!(!text.contains(PASSWORD) && !text.contains(WRONG), "{text}");
    }
    gateway.assert_log_has_no(PASSWORD);
    gateway.assert_log_has_no(WRONG);
}

/// The link counts when the socket is opened, and that is after the password was typed.
#[tokio::test]
async fn whoever_types_longer_than_the_link_lasts_is_told_so() {
    let host = Manners::with_password(PASSWORD).host(Family::V4).await;
    let gateway = TestGateway::start().await;
    let body = json!({
        "target": target(host.address),
        "credentials": { "relay": true },
        "expires_in": "8s",
    });
    // Before the link is made: how long a browser takes to start is not the link's time.
    let browser = Chromium::start().await;
    let minted = gateway.mint(&body).await;
    browser.open(&minted.url).await;
    assert_eq!(browser.reaches("asking").await, "");
    until("the link expires", ANSWERED * 2, async || {
        let said = gateway
            .command(&["token", "inspect", minted.token()])
            .stdout;
        let said = String::from_utf8(said).unwrap();
        let expired = said.contains("(expired)");
        expired.then_some(()).ok_or(said)
    })
    .await;
    browser.type_text(PASSWORD).await;
    browser.press("Enter").await;
    assert_eq!(browser.reaches("ended").await, "token_expired");
    browser.reads(Reason::TokenExpired.words()).await;
    assert_eq!(host.visits().len(), 0, "the machine is not bothered");
}
