//! What a viewer may do with a machine, and what it leaves behind: real QEMU, real Chromium.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::time::Duration;

use common::chromium::Chromium;
use common::gateway::{Minted, TestGateway, target};
use common::net::Family;
use common::qemu::Qemu;
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::wait::{until, within};
use serde_json::{Value, json};

const PASSWORD: &str = "s3cret12";
const ANSWERED: Duration = Duration::from_secs(10);

async fn mint(gateway: &TestGateway, machine: &Qemu, permissions: Value) -> Minted {
    let order = json!({
        "target": target(machine.address),
        "credentials": { "password": PASSWORD },
        "permissions": permissions,
    });
    gateway.mint(&order).await
}

async fn driver(gateway: &TestGateway, machine: &Qemu) -> Viewer {
    let minted = mint(gateway, machine, json!({})).await;
    Viewer::open(gateway, &minted).await.unwrap()
}

/// How many frames with keys and how many with the pointer the page has sent.
async fn input_sent(browser: &Chromium) -> (usize, usize) {
    let sent = browser.report().await.sent;
    let count = |types: &[u8]| sent.iter().filter(|first| types.contains(first)).count();
    // A key by its meaning and by its place; the pointer.
    (count(&[4, 255]), count(&[5]))
}

/// Whatever noVNC thinks of itself: a script switches its `viewOnly` off, and the page sends.
#[tokio::test(flavor = "multi_thread")]
async fn who_looks_on_moves_nothing_whatever_the_viewer_sends() {
    let machine = Qemu::start_tracing_input(Family::V4, PASSWORD).await;
    let gateway = TestGateway::start().await;
    let minted = mint(&gateway, &machine, json!({ "view_only": true })).await;
    let browser = Chromium::start().await;
    browser.open(&minted.url).await;
    browser.reaches("connected").await;
    browser.reads("View only").await;
    let sessions = gateway.api("GET", "/api/v1/sessions").send().await.json();
    let session = sessions["sessions"][0]["id"].as_str().unwrap().to_owned();

    browser.set_view_only(true).await;
    browser.type_text("not even sent").await;
    browser.click_screen().await;
    let (no_keys, before) = input_sent(&browser).await;
    assert_eq!(no_keys, 0, "noVNC keeps to its own flag");
    assert!(browser.set_view_only(false).await, "it was still on");
    browser.type_text("from the page").await;
    browser.click_screen().await;
    until("noVNC sends both", ANSWERED, async || {
        let (keys, pointer) = input_sent(&browser).await;
        let both = keys >= 2 * "from the page".len() && pointer >= before + 2;
        both.then_some(()).ok_or(format!("{keys} and {pointer}"))
    })
    .await;

    // The same without any page, whose every message is seen to have been taken.
    let minted = mint(&gateway, &machine, json!({ "view_only": true })).await;
    let mut watcher = Viewer::open(&gateway, &minted).await.unwrap();
    watcher.ask_for_raw().await;
    watcher.press(0x77).await;
    watcher
        .socket
        .sink
        .binary(&[5, 1, 0, 9, 0, 9])
        .await
        .unwrap();
    watcher.fetch().await;

    let mut driver = driver(&gateway, &machine).await;
    driver.press(0x78).await;
    machine.typed("x").await;

    // Who is there as a watcher has the same permissions.
    let order = json!({
        "target": target(machine.address),
        "credentials": { "password": PASSWORD },
        "role": "watcher",
    });
    let minted = gateway.mint(&order).await;
    let mut by_role = Viewer::open(&gateway, &minted).await.unwrap();
    by_role.ask_for_raw().await;
    by_role.press(0x77).await;
    by_role.fetch().await;
    driver.press(0x79).await;
    machine.typed("xy").await;

    // The page's next key goes the same way as all that it sent before: that is lost for good.
    let request = gateway.api("PATCH", &format!("/api/v1/sessions/{session}"));
    let change = json!({ "permissions": { "view_only": false } });
    assert_eq!(request.json(&change).send().await.status, 200);
    until("the page types", ANSWERED, async || {
        browser.type_text("z").await;
        let keys = machine.keys();
        keys.ends_with('z').then_some(()).ok_or(keys)
    })
    .await;
    assert_eq!(machine.keys().trim_end_matches('z'), "xy");
    assert_eq!(machine.pointed(), Vec::<String>::new());
    browser.click_screen().await;
    until("the page clicks", ANSWERED, async || {
        let pointed = machine.pointed();
        let clicked = pointed.iter().any(|it| it.contains("input_event_btn"));
        clicked.then_some(()).ok_or(format!("{pointed:?}"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_stays_down_when_the_browser_is_killed() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let gateway = TestGateway::start().await;
    let mut other = driver(&gateway, &machine).await;
    let minted = mint(&gateway, &machine, json!({})).await;
    let browser = Chromium::start().await;
    browser.open(&minted.url).await;
    browser.reaches("connected").await;
    // Before it has painted, noVNC may not know yet how the machine wants its keys.
    browser.type_text("a").await;
    machine.typed("a").await;
    browser.hold("Control").await;
    // With Ctrl down, the guest sees another character than the one that is typed.
    until("Ctrl is down in the guest", ANSWERED, async || {
        other.press(0x62).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let keys = machine.keys();
        if keys.contains('\u{2}') {
            Ok(())
        } else {
            Err(keys)
        }
    })
    .await;
    browser.kill();
    gateway.session_end().await;
    other.press(0x63).await;
    until("the key after it", ANSWERED, async || {
        let keys = machine.keys();
        if keys.ends_with(['c', '\u{3}']) {
            Ok(())
        } else {
            Err(keys)
        }
    })
    .await;
    assert!(
        machine.keys().ends_with('c'),
        "Ctrl is still down: {:?}",
        machine.keys()
    );
}

/// What a host does by itself when a viewer leaves is its own matter: this one notes what it is told.
#[tokio::test(flavor = "multi_thread")]
async fn the_host_itself_is_told_of_the_release() {
    let host = Manners::with_password(PASSWORD).host_of_keys(Family::V4);
    let (host, mut heard) = host.await;
    let gateway = TestGateway::start().await;
    let minted = gateway.mint_for(host.address, PASSWORD).await;
    let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
    let (down, up) = (
        [4, 1, 0, 0, 0, 0, 0xff, 0xe3],
        [4, 0, 0, 0, 0, 0, 0xff, 0xe3],
    );
    viewer.socket.sink.binary(&down).await.unwrap();
    let first = within("the press", ANSWERED, heard.recv()).await;
    assert_eq!(first.as_deref(), Some(&down[..]));
    drop(viewer);
    let second = within("the release", ANSWERED, heard.recv()).await;
    assert_eq!(second.as_deref(), Some(&up[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_power_switch_is_only_for_who_may_use_it() {
    /// Raw, and xvp.
    const ENCODINGS: [u8; 12] = [2, 0, 0, 2, 0, 0, 0, 0, 0xff, 0xff, 0xfe, 0xcb];
    const RESET: [u8; 4] = [250, 0, 1, 4];
    let machine = Qemu::start_with_power(Family::V4, PASSWORD).await;
    let gateway = TestGateway::start().await;

    let mut without = driver(&gateway, &machine).await;
    without.socket.sink.binary(&ENCODINGS).await.unwrap();
    without.socket.sink.binary(&RESET).await.unwrap();
    without.press(0x78).await;
    machine.typed("x").await;

    let minted = mint(&gateway, &machine, json!({ "power": true })).await;
    let mut with = Viewer::open(&gateway, &minted).await.unwrap();
    with.socket.sink.binary(&ENCODINGS).await.unwrap();
    with.socket.sink.binary(&RESET).await.unwrap();
    // The guest says once more that it has painted.
    machine.typed("x!").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_with_nobody_before_it_is_told_and_then_closed() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let gateway = TestGateway::start().await;
    let order = json!({
        "target": target(machine.address),
        "credentials": { "password": PASSWORD },
        "limits": { "idle_max": 12 },
    });
    let minted = gateway.mint(&order).await;
    let browser = Chromium::start().await;
    browser.open(&minted.url).await;
    browser.reaches("connected").await;
    browser.reads("Nobody seems to be here").await;
    browser.screenshot("idle-notice").await;
    // All the while noVNC asks for pictures.
    assert_eq!(browser.reaches("ended").await, "idle");
    assert_eq!(gateway.session_end().await.text("reason"), "idle");
}
