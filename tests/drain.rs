//! A gateway that is told to stop: its pages move to another one, or stay for as long as they may.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::time::Duration;

use common::cable::Cable;
use common::chromium::Chromium;
use common::gateway::{Builder, TestGateway};
use common::guest;
use common::net::{Family, try_connect};
use common::qemu::Qemu;
use common::redis::RedisServer;
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::wait::{until, within};
use common::websocket::End;

const PASSWORD: &str = "s3cret12";
/// What an answer or an end may take on a busy test machine.
const ANSWERED: Duration = Duration::from_secs(20);
/// For a drain that something else ends.
const LONG: &str = "10m";

fn draining() -> End {
    End::Close {
        code: 1001,
        reason: "draining".to_owned(),
    }
}

/// Waits until a gateway that was told to stop has ended, and well.
async fn ends(gateway: &mut TestGateway) {
    let status = until("the gateway ends", ANSWERED, async || {
        gateway.process().ended().ok_or("still running".to_owned())
    })
    .await;
    assert!(status.success(), "{status}");
}

/// Waits until nobody listens at the gateway any more.
async fn listens_no_more(gateway: &TestGateway) {
    until(
        "the listener is closed",
        ANSWERED,
        async || match try_connect(gateway.address).await {
            Ok(_) => Err("open".to_owned()),
            Err(_) => Ok(()),
        },
    )
    .await;
}

/// Waits until a session has its picture at a gateway.
async fn has_arrived_at(gateway: &TestGateway) {
    until("the session arrives", ANSWERED, async || {
        let lines = gateway.log_lines();
        let mut starts = lines.iter().map(|line| line.text("message"));
        let there = starts.any(|message| message == "session started");
        there.then_some(()).ok_or_else(|| gateway.log())
    })
    .await;
}

/// Two gateways that are one.
async fn two(redis: &RedisServer, set: impl Fn(Builder) -> Builder) -> (TestGateway, TestGateway) {
    let url = format!("redis://127.0.0.1:{}", redis.port);
    let shared = |builder: Builder| {
        set(builder)
            .set("store.kind", "redis")
            .set("store.url", url.as_str())
            .set("shutdown.drain_timeout", LONG)
    };
    let one = shared(TestGateway::builder()).start().await;
    let ring = one.file("state/keyring");
    let two = TestGateway::builder().set("tokens.keyring_file", ring.to_str().unwrap());
    (one, shared(two).start().await)
}

/// A page before its machine, at the first of two gateways that are one.
struct Shown {
    one: TestGateway,
    two: TestGateway,
    /// From the page to whichever gateway it is plugged into.
    cable: Cable,
    machine: Qemu,
    browser: Chromium,
    _redis: RedisServer,
}

impl Shown {
    async fn start() -> Self {
        let redis = RedisServer::start(&[]).await;
        let cable = Cable::new().await;
        let (one, two) = two(&redis, |it| it.set("public_url", cable.url())).await;
        cable.plug(one.address);
        let machine = Qemu::start(Family::V4, PASSWORD).await;
        let minted = one.mint_for(machine.address, PASSWORD).await;
        let browser = Chromium::start().await;
        browser.open(&minted.url).await;
        browser.reaches("connected").await;
        browser.shows(&guest::picture(), "the picture").await;
        Self {
            one,
            two,
            cable,
            machine,
            browser,
            _redis: redis,
        }
    }
}

#[tokio::test]
async fn sessions_stay_until_they_end_or_somebody_asks_again() {
    let host = Manners::default().host(Family::V4).await;
    let builder = TestGateway::builder().set("shutdown.drain_timeout", LONG);
    let mut gateway = builder.start().await;
    let minted = gateway.mint_times(2, host.address, PASSWORD).await;
    let mut stays = Viewer::open(&gateway, &minted).await.unwrap();
    let leaves = Viewer::open(&gateway, &minted).await.unwrap();
    gateway.process().terminate();
    let told = within("the word", ANSWERED, stays.told("draining")).await;
    assert_eq!(told["elsewhere"], false, "{told}");
    assert!(told["seconds"].as_u64().unwrap() > 500, "{told}");
    listens_no_more(&gateway).await;
    drop(leaves);
    gateway.session_end().await;
    assert!(gateway.process().ended().is_none(), "one is left");
    stays.press(0x66).await;
    gateway.process().terminate();
    let end = within("the end", ANSWERED, stays.socket.end()).await;
    assert_eq!(end, draining());
    ends(&mut gateway).await;
}

#[tokio::test]
async fn the_last_session_ends_the_drain() {
    let host = Manners::default().host(Family::V4).await;
    let builder = TestGateway::builder().set("shutdown.drain_timeout", LONG);
    let mut gateway = builder.start().await;
    let minted = gateway.mint_open(host.address).await;
    let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
    gateway.process().terminate();
    within("the word", ANSWERED, viewer.told("draining")).await;
    drop(viewer);
    ends(&mut gateway).await;
}

#[tokio::test]
async fn who_stays_too_long_is_ended() {
    let host = Manners::default().host(Family::V4).await;
    let builder = TestGateway::builder().set("shutdown.drain_timeout", "300ms");
    let mut gateway = builder.start().await;
    let minted = gateway.mint_times(20, host.address, PASSWORD).await;
    let mut viewers = Vec::new();
    for _ in 0..20 {
        viewers.push(Viewer::open(&gateway, &minted).await.unwrap());
    }
    gateway.process().terminate();
    for viewer in &mut viewers {
        let end = within("the end", ANSWERED, viewer.socket.end()).await;
        assert_eq!(end, draining());
    }
    ends(&mut gateway).await;
}

#[tokio::test]
async fn a_session_that_moves_lets_its_gateway_go() {
    let redis = RedisServer::start(&[]).await;
    let (mut one, two) = two(&redis, |builder| builder).await;
    let host = Manners::default().host(Family::V4).await;
    let minted = one.mint_open(host.address).await;
    let mut viewer = Viewer::open(&one, &minted).await.unwrap();
    one.process().terminate();
    let told = within("the word", ANSWERED, viewer.told("draining")).await;
    assert_eq!(told["elsewhere"], true, "{told}");
    let secret = viewer.resume_secret();
    let moved = Viewer::resume(&two, &minted, &secret).await;
    assert!(moved.is_ok(), "{:?}", moved.err());
    ends(&mut one).await;
}

#[tokio::test]
async fn the_page_moves_and_the_person_goes_on_typing() {
    let Shown {
        mut one,
        two,
        cable,
        machine,
        browser,
        _redis,
    } = Shown::start().await;
    browser.type_text("fan").await;
    machine.typed("fan").await;

    cable.plug(two.address);
    one.process().terminate();
    ends(&mut one).await;
    has_arrived_at(&two).await;
    let screen = machine.screendump().await;
    browser
        .shows(&screen, "the picture, from the other gateway")
        .await;
    assert_eq!(browser.report().await.state, "connected");
    browser.type_text("light").await;
    machine.typed("fanlight").await;
    browser.screenshot("moved").await;
    assert_eq!(browser.report().await.problems, Vec::<String>::new());
}

#[tokio::test]
async fn a_page_that_finds_no_other_gateway_keeps_its_picture_and_comes_back() {
    let Shown {
        mut one,
        two,
        cable,
        machine,
        browser,
        _redis,
    } = Shown::start().await;

    one.process().terminate();
    listens_no_more(&one).await;
    browser.type_text("fan").await;
    machine.typed("fan").await;
    assert_eq!(browser.report().await.state, "connected");
    // Its attempts so far were in vain; another one is not.
    cable.plug(two.address);
    ends(&mut one).await;
    has_arrived_at(&two).await;
    browser.reaches("connected").await;
    browser.type_text("light").await;
    machine.typed("fanlight").await;
}
