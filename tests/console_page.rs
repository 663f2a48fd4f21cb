//! The console page in a real Chromium, in front of a real QEMU.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::time::Duration;

use common::chromium::{Chromium, Report};
use common::fake_host::{FakeHost, Step};
use common::gateway::{Builder, Minted, TestGateway, target};
use common::guest;
use common::http::Request;
use common::net::{Family, deaf_address};
use common::qemu::Qemu;
use common::rfb_server::Manners;
use common::wait::until;
use fanlight::reason::Reason;
use serde_json::json;

const PASSWORD: &str = "s3cret12";
/// How long the token may be used that is to expire behind an open page: the page has to be there
/// before, on a busy test machine too.
const EXPIRES_IN: &str = "6s";
const EXPIRED: Duration = Duration::from_secs(10);

async fn mint(gateway: &TestGateway, machine: &Qemu) -> Minted {
    gateway
        .mint(&json!({
            "target": target(machine.address),
            "credentials": { "password": PASSWORD },
            "name": "web-01",
        }))
        .await
}

/// The page holds no token any more, nothing was refused by its policy, and no error was said.
fn assert_clean(report: &Report, minted: &Minted) {
    let token = minted.token();
    assert!(!report.href.contains(token), "{}", report.href);
    assert!(!report.href.contains("token"), "{}", report.href);
    assert!(!report.text.contains(token), "{}", report.text);
    assert!(!report.stored.contains(token), "{}", report.stored);
    let sockets = report
        .network
        .iter()
        .filter(|(kind, _)| kind == "websocket");
    for (_, url) in sockets {
        assert!(
            !url.contains(token),
            "the token is a subprotocol, not in {url}"
        );
    }
    // noVNC itself says on the console what RFB has refused; nothing else may be there.
    let refused = "Failed when connecting: Security negotiation failed on security result";
    let others: Vec<_> = report
        .problems
        .iter()
        .filter(|p| !p.starts_with(refused))
        .collect();
    assert!(others.is_empty(), "{others:#?}");
}

/// One HTML document and at most three assets before the WebSocket.
fn assert_few_requests(report: &Report) {
    let before = report
        .network
        .iter()
        .take_while(|(kind, _)| kind != "websocket");
    let (pages, assets): (Vec<_>, Vec<_>) = before.partition(|(kind, _)| kind == "document");
    assert_eq!(pages.len(), 1, "{:#?}", report.network);
    assert!(assets.len() <= 3, "{:#?}", report.network);
    assert!(
        report.network.iter().any(|(kind, _)| kind == "websocket"),
        "{:#?}",
        report.network
    );
}

/// The whole story for one way of serving the page.
async fn a_console(builder: Builder, name: &str) {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let gateway = builder.start().await;
    let minted = mint(&gateway, &machine).await;
    let browser = Chromium::start().await;
    let opened = browser.open(&minted.url).await;
    assert_eq!(opened["status"], 200, "{opened}");
    assert_eq!(browser.reaches("connected").await, "");
    browser
        .shows(&guest::picture(), "the canvas shows what the formula says")
        .await;
    machine
        .screendump()
        .await
        .assert_same(&guest::picture(), "QEMU's own");

    browser.type_text("fanlight").await;
    machine.typed("fanlight").await;
    let typed = machine.screendump().await;
    browser
        .shows(&typed, "the canvas shows what was typed")
        .await;
    browser.screenshot(name).await;

    let report = browser.report().await;
    assert_clean(&report, &minted);
    assert_few_requests(&report);
    assert!(report.text.contains("web-01"), "{}", report.text);
    assert!(report.title.contains("web-01"), "{}", report.title);
    gateway.assert_log_has_no(PASSWORD);
    gateway.assert_log_has_no(minted.token());
}

#[tokio::test]
async fn a_console_from_the_url_to_the_typed_key() {
    a_console(TestGateway::builder(), "connected").await;
}

#[tokio::test]
async fn a_console_over_tls() {
    a_console(TestGateway::builder().with_tls(), "connected-tls").await;
}

#[tokio::test]
async fn a_console_under_a_prefix() {
    let builder = TestGateway::builder().set("base_path", "/cloud/console");
    a_console(builder, "connected-prefix").await;
}

#[tokio::test]
async fn every_refusal_has_its_own_words() {
    let gateway = TestGateway::builder().deadlines("1s").start().await;
    let browser = Chromium::start().await;
    let (deaf, _held) = deaf_address(Family::V4);
    let strict = Manners::with_password(PASSWORD).host(Family::V4).await;
    let silent = FakeHost::script(vec![]).await;
    let web = FakeHost::script(vec![Step::text("HTTP/1.1 400 Bad Request\r\n\r\n")]).await;
    let cases = [
        (Reason::HostUnreachable, deaf, "unreachable"),
        (Reason::HostAuthFailed, strict.address, "wrong-password"),
        (Reason::HostTimeout, silent.address, "silent-host"),
        (Reason::HostNotRfb, web.address, "not-vnc"),
    ];
    for (reason, host, name) in cases {
        let minted = gateway.mint_for(host, "wr0ngpwd").await;
        browser.open(&minted.url).await;
        assert_eq!(browser.reaches("ended").await, reason.code());
        browser.reads(reason.words()).await;
        browser.screenshot(name).await;
        let report = browser.report().await;
        assert_clean(&report, &minted);
        let offers = browser.buttons().await.iter().any(|b| b == "Reconnect");
        assert_eq!(
            offers,
            reason.may_retry(),
            "{name}: Reconnect only where it may help"
        );
    }
}

#[tokio::test]
async fn an_expired_link_says_so_on_both_ways() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let gateway = TestGateway::start().await;
    let browser = Chromium::start().await;
    let body = json!({
        "target": target(machine.address),
        "credentials": { "password": PASSWORD },
        "expires_in": EXPIRES_IN,
    });
    let minted = gateway.mint(&body).await;
    // One that is not used up, since there is no machine behind it.
    let (deaf, _held) = deaf_address(Family::V4);
    let unused = json!({ "target": target(deaf), "expires_in": EXPIRES_IN });
    let unused = gateway.mint(&unused).await;
    // In time: the pages come up, and a session outlives its token.
    browser.open(&minted.url).await;
    browser.reaches("connected").await;
    browser.open_tab(&unused.url).await;
    assert_eq!(browser.reaches("ended").await, "host_unreachable");
    until("the token expires", EXPIRED, async || {
        for minted in [&minted, &unused] {
            let path = format!("/novnc?token={}", minted.token());
            let status = Request::get(gateway.address, &path).send().await.status;
            if status != 410 {
                return Err(format!("status {status}"));
            }
        }
        Ok(())
    })
    .await;
    browser.turn_to_tab(0).await;
    browser
        .shows(&guest::picture(), "the session outlives the token")
        .await;

    // The page's own reconnection with the token that has expired since: said by the WebSocket.
    browser.turn_to_tab(1).await;
    browser.click("Reconnect").await;
    until("the refusal of the expired token", EXPIRED, async || {
        let report = browser.report().await;
        let expired = report.reason == "token_expired";
        expired.then_some(()).ok_or(format!("{report:?}"))
    })
    .await;
    browser.reads(Reason::TokenExpired.words()).await;
    browser.screenshot("expired-socket").await;

    // The link itself: said by HTTP.
    let opened = browser.open(&minted.url).await;
    assert_eq!(
        opened["status"],
        u64::from(Reason::TokenExpired.http_status())
    );
    browser.reads(Reason::TokenExpired.words()).await;
    browser.screenshot("expired-page").await;
    let report = browser.report().await;
    assert_eq!(report.reason, "token_expired");
    assert!(!report.href.contains(minted.token()), "{}", report.href);
}

#[tokio::test]
async fn a_changed_link_and_no_link_say_so() {
    let gateway = TestGateway::start().await;
    let (deaf, _held) = deaf_address(Family::V4);
    let minted = gateway.mint_open(deaf).await;
    let browser = Chromium::start().await;
    let opened = browser.open(&format!("{}A", minted.url)).await;
    assert_eq!(
        opened["status"],
        u64::from(Reason::TokenInvalid.http_status())
    );
    browser.reads(Reason::TokenInvalid.words()).await;
    browser.screenshot("invalid-page").await;

    let opened = browser
        .open(&format!("http://{}/novnc", gateway.address))
        .await;
    assert_eq!(opened["status"], 200);
    browser.reads("fanlight mint").await;
    browser.screenshot("landing").await;
    assert_eq!(browser.report().await.problems, Vec::<String>::new());
}

#[tokio::test]
async fn a_machine_that_is_switched_off_says_so() {
    let machine = Qemu::start(Family::V6, PASSWORD).await;
    let gateway = TestGateway::start().await;
    let minted = mint(&gateway, &machine).await;
    let browser = Chromium::start().await;
    browser.open(&minted.url).await;
    browser.reaches("connected").await;
    browser.shows(&guest::picture(), "the picture").await;
    machine.power_off().await;
    assert_eq!(browser.reaches("ended").await, "host_closed");
    browser.reads(Reason::HostClosed.words()).await;
    browser.screenshot("switched-off").await;
    assert_clean(&browser.report().await, &minted);
}
