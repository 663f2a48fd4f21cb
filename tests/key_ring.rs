//! The key ring of a running gateway: rotated, retired and spoilt while consoles are opened.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use common::fake_host::FakeHost;
use common::gateway::{Minted, TestGateway};
use common::http::Request;
use common::net::Family;
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::wait::until;
use fanlight::reason::Reason;
use serde_json::Value;

/// More than a few looks at the files on a busy test machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A host, and a gateway that writes an audit log and is scraped.
async fn scene() -> (FakeHost, TestGateway) {
    let host = Manners::default().host(Family::V4).await;
    let gateway = TestGateway::builder()
        .set("audit.to", "audit.log")
        .set("metrics.listen", "127.0.0.1:0");
    (host, gateway.start().await)
}

/// Puts another ring in the place of the one that is there, in one step.
fn replace(gateway: &TestGateway, ring: &str) {
    let (draft, place) = (gateway.file("draft"), gateway.file("state/keyring"));
    std::fs::write(&draft, ring).unwrap();
    std::fs::set_permissions(&draft, Permissions::from_mode(0o600)).unwrap();
    std::fs::rename(draft, place).unwrap();
}

/// The id of the key that sealed a token.
fn key_of(minted: &Minted) -> String {
    minted.token().split('.').nth(1).unwrap().to_owned()
}

/// What the audit log says of keys, once it is `count` lines.
async fn key_lines(gateway: &TestGateway, count: usize) -> Vec<Value> {
    let log = gateway.file("audit.log");
    until("the audit log tells of keys", PATIENCE, async || {
        let text = std::fs::read_to_string(&log).unwrap();
        let lines = text.lines().map(|it| serde_json::from_str(it).unwrap());
        let lines: Vec<Value> = lines.filter(|it: &Value| it["act"] == "keys").collect();
        (lines.len() == count).then_some(lines).ok_or(text)
    })
    .await
}

/// The log's lines with this message, once there are `count`.
async fn said(gateway: &TestGateway, message: &str, count: usize) -> Vec<common::log::Line> {
    until(message, PATIENCE, async || {
        let mut lines = gateway.log_lines();
        lines.retain(|line| line.text("message") == message);
        (lines.len() == count)
            .then_some(lines)
            .ok_or_else(|| gateway.log())
    })
    .await
}

/// The keys that a scraper is told of.
async fn scraped_keys(gateway: &TestGateway) -> Vec<String> {
    let text = Request::get(gateway.metrics(), "/metrics")
        .send()
        .await
        .text();
    let lines = text.lines().filter_map(|line| {
        let (key, _) = line
            .strip_prefix("fanlight_tokens_sealed_total{key=\"")?
            .split_once('"')?;
        Some(key.to_owned())
    });
    let mut keys: Vec<_> = lines.collect();
    keys.sort();
    keys
}

async fn refused(gateway: &TestGateway, minted: &Minted, reason: Reason) {
    let refusal = Viewer::open(gateway, minted).await.err().expect("refused");
    assert!(
        format!("{refusal:?}").contains(reason.code()),
        "{refusal:?}"
    );
}

#[tokio::test]
async fn a_rotated_ring_is_taken_up_and_old_keys_open_until_they_are_retired() {
    let (host, gateway) = scene().await;
    let ring = gateway.file("state/keyring");
    let [old, late] = [
        gateway.mint_open(host.address).await,
        gateway.mint_open(host.address).await,
    ];
    let minted = gateway.mint_open(host.address).await;
    let first = Viewer::open(&gateway, &minted).await.unwrap();
    let secret = first.resume_secret();

    let rotated = gateway.command(&["keys", "rotate"]);
    assert!(rotated.status.success());
    let lines = key_lines(&gateway, 2).await;
    let new = lines[1]["sealing_key"].as_str().unwrap();
    assert_ne!(new, key_of(&old));
    assert_eq!(lines[1]["detail"], format!("opens {new}"));
    let words = String::from_utf8(rotated.stdout).unwrap();
    assert!(words.contains(&format!("key {new} seals")), "{words}");

    let fresh = gateway.mint_open(host.address).await;
    assert_eq!(key_of(&fresh), new);
    let _fresh = Viewer::open(&gateway, &fresh).await.unwrap();
    let _old = Viewer::open(&gateway, &old).await.unwrap();
    drop(first);
    gateway.session_end().await;
    let again = Viewer::resume(&gateway, &fresh, &secret).await.unwrap();
    assert_eq!(scraped_keys(&gateway).await.len(), 2);

    // The line of the old key is deleted, and the gateway is told.
    let text = std::fs::read_to_string(&ring).unwrap();
    let kept = text.lines().filter(|it| !it.starts_with(&key_of(&old)));
    let kept: String = kept.map(|line| format!("{line}\n")).collect();
    replace(&gateway, &kept);
    let lines = key_lines(&gateway, 3).await;
    assert_eq!(lines[2]["sealing_key"], new);
    assert_eq!(lines[2]["detail"], format!("retired {}", key_of(&old)));
    refused(&gateway, &late, Reason::TokenInvalid).await;
    // What it sealed for a session to come back with is gone with it; who is in stays in.
    drop(again);
    assert_eq!(scraped_keys(&gateway).await, [new]);
    let verified = gateway.command(&["audit", "verify", "audit.log"]);
    assert!(verified.status.success());
}

#[tokio::test]
async fn a_ring_that_is_no_good_is_said_once_and_the_old_one_goes_on() {
    let (host, mut gateway) = scene().await;
    let ring = gateway.file("state/keyring");
    let good = std::fs::read_to_string(&ring).unwrap();
    let minted = gateway.mint_open(host.address).await;
    let bad = [("", "has no key"), ("0a0b0c0d half", "line 1 is not a key")];
    for ((text, why), count) in bad.into_iter().zip(1..) {
        replace(&gateway, text);
        let all = said(&gateway, "the key ring stays as it was", count).await;
        let line = all.last().unwrap();
        assert_eq!(line.text("level"), "ERROR");
        assert!(line.text("error").contains(why), "{line:?}");
        assert_eq!(line.text("sealing_key"), key_of(&minted));
    }
    let after = gateway.mint_open(host.address).await;
    assert_eq!(key_of(&after), key_of(&minted));
    let _viewer = Viewer::open(&gateway, &minted).await.unwrap();

    // As it was before: said again at the signal and at the change, and nothing to write down.
    replace(&gateway, &good);
    said(&gateway, "the key ring was read again", 1).await;
    gateway.process().signal("HUP");
    let lines = said(&gateway, "the key ring was read again", 2).await;
    assert!(lines.iter().all(|it| it.text("change").is_empty()));
    said(&gateway, "the key ring stays as it was", 2).await;
    key_lines(&gateway, 1).await;
}
