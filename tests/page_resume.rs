//! The console page that comes back: after a reload, over a broken connection, and where it may
//! not. A real Chromium in front of a real QEMU.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::time::Duration;

use common::cable::Cable;
use common::chromium::Chromium;
use common::gateway::{Minted, TestGateway, target};
use common::guest;
use common::net::Family;
use common::qemu::Qemu;
use common::rfb_client::Viewer;
use common::wait::until;
use fanlight::reason::Reason;
use serde_json::{Value, json};

const PASSWORD: &str = "s3cret12";
const WRONG: &str = "wr0ngpwd";
/// How long a line may take to be in the log, and the page to try again.
const SOON: Duration = Duration::from_secs(15);

async fn mint(gateway: &TestGateway, machine: &Qemu, more: Value) -> Minted {
    let mut body = json!({
        "target": target(machine.address),
        "credentials": { "password": PASSWORD },
        "name": "web-01",
    });
    let fields = body.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    gateway.mint(&body).await
}

/// A gateway, a machine, and the machine's console in a browser.
async fn a_console() -> (TestGateway, Qemu, Minted, Chromium) {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let gateway = TestGateway::start().await;
    let minted = mint(&gateway, &machine, json!({})).await;
    let browser = Chromium::start().await;
    browser.open(&minted.url).await;
    browser.reaches("connected").await;
    browser.shows(&guest::picture(), "the picture").await;
    (gateway, machine, minted, browser)
}

/// The same with a cable between browser and gateway.
async fn a_console_behind(cable: &Cable) -> (TestGateway, Qemu, Chromium) {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let builder = TestGateway::builder().set("public_url", cable.url());
    let gateway = builder.start().await;
    cable.plug(gateway.address);
    let minted = mint(&gateway, &machine, json!({})).await;
    let browser = Chromium::start().await;
    browser.open(&minted.url).await;
    browser.reaches("connected").await;
    browser.shows(&guest::picture(), "the picture").await;
    (gateway, machine, browser)
}

/// Waits until the log has `legs` starts, all of the same session.
async fn one_session_starts(gateway: &TestGateway, legs: usize) {
    let ids = until("the session starts", SOON, async || {
        let lines = gateway.log_lines().into_iter();
        let starts = lines.filter(|line| line.text("message") == "session started");
        let ids: Vec<_> = starts.map(|line| line.text("session")).collect();
        let enough = ids.len() >= legs;
        enough.then_some(ids).ok_or_else(|| gateway.log())
    })
    .await;
    assert_eq!(ids.len(), legs, "{ids:?}");
    assert!(ids.iter().all(|id| *id == ids[0]), "one session: {ids:?}");
}

/// The secret that the page keeps at the moment.
async fn kept_secret(browser: &Chromium) -> String {
    let stored = browser.report().await.stored;
    let stored: Value = serde_json::from_str(&stored).unwrap();
    let entries = stored.as_object().unwrap();
    assert_eq!(entries.len(), 1, "{stored}");
    let (name, entry) = entries.iter().next().unwrap();
    let entry: Value = serde_json::from_str(entry.as_str().unwrap()).unwrap();
    let secret = entry["secret"].as_str().unwrap();
    let (session, secret) = secret.split_once('.').unwrap();
    assert_eq!(*name, format!("fanlight.resume.{session}"));
    secret.to_owned()
}

/// The page ends for a reason, in its words, and with or without a way back by hand.
async fn ends(browser: &Chromium, reason: Reason, offers: bool) {
    until(&format!("the page says {reason}"), SOON, async || {
        let report = browser.report().await;
        let there = report.state == "ended" && report.reason == reason.code();
        there.then_some(()).ok_or_else(|| format!("{report:#?}"))
    })
    .await;
    browser.reads(reason.words()).await;
    let offered = browser.buttons().await.iter().any(|b| b == "Reconnect");
    assert_eq!(offered, offers, "{reason}: Reconnect");
}

#[tokio::test]
async fn a_reload_keeps_the_console_and_a_copied_address_does_not() {
    let (gateway, machine, minted, browser) = a_console().await;
    browser.type_text("fan").await;
    machine.typed("fan").await;
    let mut secrets = vec![kept_secret(&browser).await];
    for legs in [2, 3] {
        assert_eq!(browser.reload().await["status"], 200);
        browser.reaches("connected").await;
        let screen = machine.screendump().await;
        browser.shows(&screen, "the picture again").await;
        one_session_starts(&gateway, legs).await;
        secrets.push(kept_secret(&browser).await);
    }
    browser.type_text("light").await;
    machine.typed("fanlight").await;
    browser.screenshot("reloaded").await;
    let report = browser.report().await;
    assert_eq!(report.problems, Vec::<String>::new());
    assert!(report.text.contains("web-01"), "{}", report.text);
    assert!(report.href.contains("?session="), "{}", report.href);

    for url in [&minted.url, &report.href] {
        browser.open_tab(url).await;
        ends(&browser, Reason::TokenUsed, false).await;
        browser.screenshot("second-tab").await;
    }
    browser.turn_to_tab(0).await;
    assert_eq!(browser.report().await.state, "connected");

    for secret in secrets {
        assert_eq!(secret.len(), 43, "a secret of 32 bytes");
        gateway.assert_log_has_no(&secret);
        let seen = browser.report().await;
        let addresses = seen
            .addresses
            .iter()
            .chain(seen.network.iter().map(|(_, url)| url));
        for address in addresses {
            assert!(!address.contains(&secret), "{address}");
        }
    }
}

#[tokio::test]
async fn a_cut_connection_is_come_back_from_without_a_click() {
    let cable = Cable::new().await;
    let (gateway, machine, browser) = a_console_behind(&cable).await;
    browser.type_text("fan").await;
    machine.typed("fan").await;
    let screen = machine.screendump().await;
    browser.shows(&screen, "what was typed").await;

    cable.pull();
    browser.reaches("reconnecting").await;
    browser.reads("Reconnecting").await;
    browser.shows(&screen, "the last picture stays").await;
    let buttons = browser.buttons().await;
    assert!(buttons.iter().any(|b| b == "Try now"), "{buttons:?}");
    // With one attempt in vain at least.
    browser.reads("could not be reached").await;
    browser.screenshot("reconnecting").await;

    cable.plug(gateway.address);
    browser.reaches("connected").await;
    browser.shows(&screen, "the picture again").await;
    browser.type_text("light").await;
    machine.typed("fanlight").await;
    one_session_starts(&gateway, 2).await;
    browser.screenshot("reconnected").await;
}

#[tokio::test]
async fn whoever_disconnects_on_the_way_back_stays_away() {
    let cable = Cable::new().await;
    let (gateway, _machine, browser) = a_console_behind(&cable).await;
    cable.pull();
    browser.reaches("reconnecting").await;
    browser.click("Disconnect").await;
    assert_eq!(browser.reaches("ended").await, "browser_closed");
    assert_eq!(browser.report().await.stored, "{}");
    cable.plug(gateway.address);
    browser.reload().await;
    ends(&browser, Reason::TokenUsed, false).await;
    one_session_starts(&gateway, 1).await;
}

#[tokio::test]
async fn after_disconnect_a_reload_does_not_come_back() {
    let (gateway, _machine, _, browser) = a_console().await;
    browser.click("Disconnect").await;
    assert_eq!(browser.reaches("ended").await, "browser_closed");
    assert_eq!(browser.report().await.stored, "{}");
    browser.screenshot("disconnected").await;
    let buttons = browser.buttons().await;
    assert!(!buttons.iter().any(|b| b == "Reconnect"), "{buttons:?}");
    browser.reload().await;
    ends(&browser, Reason::TokenUsed, false).await;
    browser.screenshot("reload-after-disconnect").await;
    one_session_starts(&gateway, 1).await;
}

#[tokio::test]
async fn a_duplicated_tab_goes_on_and_the_first_says_so() {
    let (gateway, machine, _, browser) = a_console().await;
    browser.duplicate_tab().await;
    browser.reaches("connected").await;
    browser.type_text("fanlight").await;
    machine.typed("fanlight").await;
    browser.turn_to_tab(0).await;
    ends(&browser, Reason::ResumedElsewhere, false).await;
    browser.screenshot("resumed-elsewhere").await;
    one_session_starts(&gateway, 2).await;
    // It does not fight for the session: neither by itself nor by a reload.
    browser.reload().await;
    ends(&browser, Reason::TokenUsed, false).await;
    browser.turn_to_tab(1).await;
    assert_eq!(browser.report().await.state, "connected");
}

#[tokio::test]
async fn whoever_is_taken_over_reads_by_whom() {
    let (gateway, machine, _, browser) = a_console().await;
    let takes_over = json!({ "sharing": "take_over", "labels": { "user": "<b>ada</b>" } });
    let minted = mint(&gateway, &machine, takes_over).await;
    let _other = Viewer::open(&gateway, &minted).await.unwrap();
    ends(&browser, Reason::TakenOver, false).await;
    browser.reads("By <b>ada</b>.").await;
    browser.screenshot("taken-over").await;
}

#[tokio::test]
async fn a_gateway_that_was_replaced_knows_the_session_no_more() {
    let cable = Cable::new().await;
    let (gateway, _machine, browser) = a_console_behind(&cable).await;
    drop(gateway);
    browser.reaches("reconnecting").await;
    let builder = TestGateway::builder().set("public_url", cable.url());
    let next = builder.start().await;
    cable.plug(next.address);
    ends(&browser, Reason::ResumeExpired, false).await;
    browser.screenshot("resume-expired").await;
    assert_eq!(browser.report().await.stored, "{}");
}

#[tokio::test]
async fn a_machine_that_closed_its_console_is_asked_for_by_hand() {
    let (_gateway, machine, _, browser) = a_console().await;
    machine.power_off().await;
    ends(&browser, Reason::HostClosed, true).await;
    browser.screenshot("host-closed").await;
    browser.click("Reconnect").await;
    ends(&browser, Reason::HostUnreachable, true).await;
}

#[tokio::test]
async fn a_reload_asks_for_the_password_that_only_the_person_has() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let gateway = TestGateway::start().await;
    let relayed = json!({ "credentials": { "relay": true } });
    let minted = mint(&gateway, &machine, relayed).await;
    let browser = Chromium::start().await;
    let give = async |password: &str| {
        browser.reaches("asking").await;
        browser.type_text(password).await;
        browser.press("Enter").await;
    };
    browser.open(&minted.url).await;
    give(PASSWORD).await;
    browser.reaches("connected").await;
    let stored = browser.report().await.stored;
    assert!(!stored.contains(PASSWORD), "{stored}");

    browser.reload().await;
    give(WRONG).await;
    ends(&browser, Reason::HostAuthFailed, true).await;
    browser.click("Reconnect").await;
    give(PASSWORD).await;
    browser.reaches("connected").await;
    browser.shows(&guest::picture(), "the picture again").await;
    one_session_starts(&gateway, 2).await;
}
