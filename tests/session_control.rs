//! Sessions that are changed while they run: what their viewers may do, and keys that are pressed for
//! them. Real QEMU, Xvnc and Chromium.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::process::Command;
use std::time::Duration;

use common::chromium::Chromium;
use common::gateway::{Minted, TestGateway, target};
use common::guest;
use common::net::Family;
use common::process::Process;
use common::qemu::Qemu;
use common::rfb_client::Viewer;
use common::wait::until;
use common::xvnc::Xvnc;
use fanlight::reason::Reason;
use serde_json::{Value, json};

const PASSWORD: &str = "s3cret12";
/// What a handshake, a key or a change may take on a busy test machine.
const ANSWERED: Duration = Duration::from_secs(20);

async fn mint(gateway: &TestGateway, machine: std::net::SocketAddr) -> Minted {
    let order = json!({
        "target": target(machine),
        "credentials": { "password": PASSWORD },
    });
    gateway.mint(&order).await
}

/// The one session, once it has its picture.
async fn live(gateway: &TestGateway) -> String {
    until("the session is live", ANSWERED, async || {
        let answer = gateway.api("GET", "/api/v1/sessions").send().await.json();
        match answer["sessions"].as_array().unwrap().as_slice() {
            [one] if one["state"] == "live" => Ok(one["id"].as_str().unwrap().to_owned()),
            _ => Err(answer.to_string()),
        }
    })
    .await
}

async fn permit(gateway: &TestGateway, session: &str, permissions: Value) -> Value {
    let path = format!("/api/v1/sessions/{session}");
    let request = gateway.api("PATCH", &path);
    let body = json!({ "permissions": permissions });
    let answer = request.json(&body).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["permissions"].clone()
}

async fn press(gateway: &TestGateway, session: &str, keys: &str) {
    let path = format!("/api/v1/sessions/{session}/keys");
    let request = gateway.api("POST", &path);
    let answer = request.json(&json!({ "keys": keys })).send().await;
    assert_eq!(answer.status, 202, "{}", answer.text());
}

/// A chord as QEMU tells of it.
fn chord(how: &str, keys: &[&str]) -> Vec<(String, bool, String)> {
    let told = |down| move |name: &&str| (how.to_owned(), down, (*name).to_owned());
    let pressed = keys.iter().map(told(true));
    pressed.chain(keys.iter().rev().map(told(false))).collect()
}

/// Waits until the last keys that QEMU was told are these.
async fn tells(machine: &Qemu, keys: &[(String, bool, String)]) {
    until(&format!("{keys:?}"), ANSWERED, async || {
        let told = machine.told_keys();
        told.ends_with(keys)
            .then_some(())
            .ok_or(format!("{told:?}"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_becomes_a_watcher_and_stays_one() {
    let machine = Qemu::start_tracing_input(Family::V4, PASSWORD).await;
    let gateway = TestGateway::start().await;
    let minted = mint(&gateway, machine.address).await;
    let browser = Chromium::start().await;
    browser.open(&minted.url).await;
    browser.reaches("connected").await;
    // Before it has painted, noVNC may not know yet how the machine wants its keys, and one that goes down
    // before it knows, and up after, would be released once more with the others.
    browser.shows(&guest::picture(), "the guest").await;
    browser.type_text("a").await;
    machine.typed("a").await;
    browser.hold("Control").await;
    let ctrl = |down| [("ext".to_owned(), down, "ctrl".to_owned())];
    tells(&machine, &ctrl(true)).await;

    let session = live(&gateway).await;
    let now = permit(&gateway, &session, json!({ "view_only": true })).await;
    assert_eq!(now["view_only"], true);
    tells(&machine, &ctrl(false)).await;
    browser.reads("View only").await;
    browser.screenshot("became-view-only").await;
    browser.type_text("nothing of this").await;
    // Whatever the viewer may do itself; with Ctrl down it would be another character.
    press(&gateway, &session, "b").await;
    machine.typed("ab").await;
    tells(&machine, &chord("ext", &["b"])).await;

    // The page begins anew, and the session goes on with what holds for it.
    browser.reload().await;
    browser.reaches("connected").await;
    browser.reads("View only").await;
    browser.type_text("nor of this").await;
    assert_eq!(live(&gateway).await, session);
    press(&gateway, &session, "alt-sysrq-c").await;
    press(&gateway, &session, "d").await;
    until("the key behind it", ANSWERED, async || {
        let keys = machine.keys();
        keys.ends_with('d').then_some(()).ok_or(keys)
    })
    .await;
    let keys = machine.keys();
    assert!(!keys.contains(['n', 'o', 't', 'h', 'i']), "{keys:?}");

    permit(&gateway, &session, json!({ "view_only": false })).await;
    until("the page types again", ANSWERED, async || {
        browser.type_text("e").await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let keys = machine.keys();
        keys.ends_with('e').then_some(()).ok_or(keys)
    })
    .await;
}

/// Nobody has looked at what this machine says, and nobody can begin in the middle of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_comes_back_to_a_machine_whose_text_is_held_back() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let gateway = TestGateway::start().await;
    let order = json!({
        "target": target(machine.address),
        "credentials": { "password": PASSWORD },
        // Or somebody might look because of that.
        "pacing": "off",
    });
    let minted = gateway.mint(&order).await;
    let browser = Chromium::start().await;
    browser.open(&minted.url).await;
    browser.reaches("connected").await;
    browser.type_text("a").await;
    machine.typed("a").await;
    let session = live(&gateway).await;
    let now = permit(&gateway, &session, json!({ "clipboard": "to_machine" })).await;
    assert_eq!(now["clipboard"], "to_machine");
    let end = gateway.session_end().await;
    assert_eq!(end.text("reason"), Reason::PermissionsChanged.code());
    until("the page is back", ANSWERED, async || {
        browser.type_text("b").await;
        let keys = machine.keys();
        keys.ends_with('b').then_some(()).ok_or(keys)
    })
    .await;
    assert_eq!(live(&gateway).await, session);

    // Now somebody looks, and every further change holds at once.
    for clipboard in ["both", "none"] {
        permit(&gateway, &session, json!({ "clipboard": clipboard })).await;
    }
    press(&gateway, &session, "c").await;
    until("the key behind it", ANSWERED, async || {
        let keys = machine.keys();
        keys.ends_with('c').then_some(()).ok_or(keys)
    })
    .await;
    assert_eq!(gateway.session_ends(1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn chords_go_by_place_where_the_machine_knows_that_and_by_meaning_elsewhere() {
    /// Raw, and QEMU's keys.
    const BY_PLACE: [i32; 2] = [0, -258];
    let keys = ["ctrl", "alt", "f2"];
    let machine = Qemu::start_tracing_input(Family::V4, PASSWORD).await;
    let gateway = TestGateway::start().await;

    let minted = mint(&gateway, machine.address).await;
    let mut by_meaning = Viewer::open(&gateway, &minted).await.unwrap();
    by_meaning.ask_for_raw().await;
    by_meaning.fetch().await;
    let session = live(&gateway).await;
    press(&gateway, &session, "ctrl-alt-f2").await;
    tells(&machine, &chord("map", &keys)).await;
    // The viewer shows that the machine has asked for places.
    by_meaning.ask_for(&BY_PLACE).await;
    for down in [1, 0] {
        let shift = [255, 0, 0, down, 0, 0, 0xff, 0xe1, 0, 0, 0, 0x2a];
        by_meaning.socket.sink.binary(&shift).await.unwrap();
    }
    tells(&machine, &chord("ext", &["shift"])).await;
    press(&gateway, &session, "ctrl-alt-f2").await;
    tells(&machine, &chord("ext", &keys)).await;
    press(&gateway, &session, "alt-sysrq-b").await;
    tells(&machine, &chord("ext", &["alt", "sysrq", "b"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_x_server_gets_what_keys_mean() {
    let server = Xvnc::start(PASSWORD).await;
    let gateway = TestGateway::start().await;
    let minted = mint(&gateway, server.address(Family::V4)).await;
    let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
    viewer.ask_for_raw().await;
    viewer.fetch().await;
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("events");
    let mut command = Command::new("stdbuf");
    // By lines, or it would keep them for itself.
    command.args(["-oL", "xev"]);
    command.args(["-display", &server.display, "-root", "-event", "keyboard"]);
    let _events = Process::spawn(&mut command, &log);
    let session = live(&gateway).await;
    // xev may still be on its way to the server.
    let told = until("the chord at the server", ANSWERED, async || {
        press(&gateway, &session, "ctrl-alt-del").await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let names: Vec<_> = text
            .split("KeyPress event")
            .skip(1)
            .filter_map(|event| event.split_once("keysym 0x")?.1.split([',', ' ']).nth(2))
            .map(|name| name.trim_end_matches(')').to_owned())
            .collect();
        let whole = names
            .windows(3)
            .find(|it| it[0] == "Control_L" && it[2] != "Control_L");
        whole.map(<[_]>::to_vec).ok_or(text)
    })
    .await;
    assert_eq!(told, ["Control_L", "Alt_L", "Delete"]);
}
