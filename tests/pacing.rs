//! Updates without requests: hosts that answer each request with one update, hosts with continuous
//! updates of their own, and a browser that is far away.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::cable::Cable;
use common::chromium::{Chromium, SHOWN};
use common::gateway::{TestGateway, target};
use common::guest;
use common::net::Family;
use common::qemu::Qemu;
use common::rfb_client::Viewer;
use common::scrolling;
use common::wait::{until, within};
use common::x11vnc::X11vnc;
use common::xdisplay;
use common::xvnc::Xvnc;
use serde_json::{Value, json};
use tokio::time::timeout;

const PASSWORD: &str = "s3cret12";
/// How long an update may take, on a busy test machine.
const SHOWS: Duration = Duration::from_secs(20);
/// Raw, DesktopSize, the cursor; and Fence and ContinuousUpdates.
const UNFIT: [i32; 3] = [0, -223, -239];
const FITTING: [i32; 5] = [0, -223, -239, -312, -313];
const A: u32 = 0x61;
const CTRL: u32 = 0xffe3;

/// A viewer that has the first picture.
async fn viewer(gateway: &TestGateway, host: SocketAddr, encodings: &[i32], more: Value) -> Viewer {
    let mut order = json!({
        "target": target(host),
        "credentials": { "password": PASSWORD },
        "pacing": "on",
    });
    let more = more.as_object().unwrap().clone();
    order.as_object_mut().unwrap().extend(more);
    let minted = gateway.mint(&order).await;
    let mut viewer = Viewer::open(gateway, &minted).await.unwrap();
    viewer.ask_for(encodings).await;
    within("the first picture", SHOWS, viewer.fetch()).await;
    viewer
}

/// Reads messages until one update is in the picture, and answers every fence on the way.
async fn update(viewer: &mut Viewer) {
    loop {
        let kind = viewer.message().await;
        viewer.answer_fences().await;
        if kind == 0 {
            return;
        }
    }
}

/// Waits until continuous updates are offered, and enables them.
async fn enable(viewer: &mut Viewer) {
    while viewer.offers == 0 {
        // It comes behind the update, with a fence or the next update behind it.
        within("an offer", SHOWS, viewer.message()).await;
    }
    viewer.enable(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_from_qemu_stays_right_without_a_request() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let gateway = TestGateway::start().await;
    let mut viewer = viewer(&gateway, machine.address, &FITTING, json!({})).await;
    assert_eq!(viewer.screen.difference(&guest::picture()), None);
    enable(&mut viewer).await;
    viewer.press(A).await;
    machine.typed("a").await;
    for typed in ["ab", "abc", "abcd"] {
        let key = typed.chars().next_back().unwrap();
        viewer.press(u32::from(key)).await;
        machine.typed(typed).await;
        let screen = machine.screendump().await;
        within("the picture", SHOWS, async {
            while viewer.screen.difference(&screen).is_some() {
                update(&mut viewer).await;
            }
        })
        .await;
    }
    assert_eq!(viewer.offers, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_x11vnc_shows_comes_as_long_as_fences_are_answered() {
    let server = X11vnc::start(PASSWORD).await;
    let dir = tempfile::tempdir().unwrap();
    let gateway = TestGateway::start().await;
    let address = server.address(Family::V4);
    let mut viewer = viewer(&gateway, address, &FITTING, json!({})).await;
    let _window = scrolling::start(&server.display, dir.path());
    enable(&mut viewer).await;
    for _ in 0..10 {
        within("an update", SHOWS, viewer.update()).await;
        within("its fence", SHOWS, async {
            while viewer.fences.is_empty() {
                viewer.message().await;
            }
        })
        .await;
        viewer.answer_fences().await;
    }
    // Who answers no more gets what is under way, and then nothing.
    let source = &mut viewer.socket.source;
    while let Ok(more) = timeout(Duration::from_secs(3), source.more()).await {
        more.unwrap();
    }
    let (width, height) = xdisplay::SIZE;
    let under_way = source.left_over();
    // One update more may have been asked for.
    let most = 2 * width * height * 4 + 2000;
    assert!(under_way <= most, "{under_way}");
    for _ in 0..20 {
        within("an update", SHOWS, update(&mut viewer)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_with_continuous_updates_of_its_own_is_left_to_them() {
    let server = Xvnc::start(PASSWORD).await;
    let dir = tempfile::tempdir().unwrap();
    let gateway = TestGateway::start().await;
    let address = server.address(Family::V4);
    let mut viewer = viewer(&gateway, address, &FITTING, json!({})).await;
    assert_eq!(viewer.screen.at(7, 7), xdisplay::COLOUR);
    assert_eq!(viewer.offers, 1, "the host's, before its first update");
    viewer.answer_fences().await;
    viewer.enable(true).await;
    let _window = scrolling::start(&server.display, dir.path());
    for _ in 0..5 {
        within("an update", SHOWS, update(&mut viewer)).await;
    }
    // It says so in person.
    viewer.enable(false).await;
    within("the host's answer", SHOWS, async {
        while viewer.offers == 1 {
            viewer.message().await;
            viewer.answer_fences().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_list_what_it_needs_asks_by_itself() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let gateway = TestGateway::start().await;
    let mut viewer = viewer(&gateway, machine.address, &UNFIT, json!({})).await;
    for typed in ["a", "aa", "aaa"] {
        viewer.press(A).await;
        machine.typed(typed).await;
        let screen = machine.screendump().await;
        within("the picture", SHOWS, async {
            while viewer.screen.difference(&screen).is_some() {
                viewer.request(true).await;
                viewer.update().await;
            }
        })
        .await;
    }
    assert_eq!((viewer.offers, viewer.fences.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_hold_and_no_key_stays_down_where_updates_are_paced() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let gateway = TestGateway::start().await;
    let looking = json!({ "permissions": { "view_only": true } });
    let mut looks = viewer(&gateway, machine.address, &FITTING, looking).await;
    enable(&mut looks).await;
    looks.press(A).await;
    let mut types = viewer(&gateway, machine.address, &FITTING, json!({})).await;
    enable(&mut types).await;
    types.key(CTRL, true).await;
    types.press(A).await;
    machine.typed("\u{1}").await;
    // What was typed shows to both, who have asked for nothing since.
    let screen = machine.screendump().await;
    for viewer in [&mut looks, &mut types] {
        within("the picture", SHOWS, async {
            while viewer.screen.difference(&screen).is_some() {
                update(viewer).await;
            }
        })
        .await;
    }
    drop(types);
    assert_eq!(gateway.session_end().await.text("reason"), "browser_lost");
    let mut next = viewer(&gateway, machine.address, &FITTING, json!({})).await;
    next.press(A).await;
    machine.typed("\u{1}a").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_far_away_asks_for_nothing_and_shows_everything() {
    let cable = Cable::slow(Duration::from_millis(30)).await;
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let builder = TestGateway::builder().set("public_url", cable.url());
    let gateway = builder.start().await;
    cable.plug(gateway.address);
    let minted = gateway.mint_for(machine.address, PASSWORD).await;
    let browser = Chromium::start().await;
    browser.open(&minted.url).await;
    assert_eq!(browser.reaches("connected").await, "");
    browser.shows(&guest::picture(), "the picture").await;
    until("updates are enabled", SHOWN, async || {
        let sent = browser.report().await.sent;
        sent.contains(&150).then_some(()).ok_or(format!("{sent:?}"))
    })
    .await;
    let requests = |sent: &[u8]| sent.iter().filter(|first| **first == 3).count();
    let before = requests(&browser.report().await.sent);
    browser.type_text("fanlight").await;
    machine.typed("fanlight").await;
    let typed = machine.screendump().await;
    browser.shows(&typed, "what was typed").await;
    let sent = browser.report().await.sent;
    assert_eq!(requests(&sent), before);
    assert!(sent.contains(&248), "fences are answered: {sent:?}");
    browser.click("Disconnect").await;
    let end = gateway.session_end().await;
    assert_eq!(end.text("reason"), "browser_closed");
}
