//! The relay: nothing lost or reordered at any chunking, whoever is slow, and memory that stays
//! bounded.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::gateway::TestGateway;
use common::net::Family;
use common::pattern::{Pattern, Progress, drink, pour, pour_watched, send, stalled, watch};
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::wait::within;
use common::websocket::End;
use fanlight::reason::Reason;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const PASSWORD: &str = "hunter2!";
const MIB: usize = 1 << 20;
/// How much memory any transfer may cost the gateway.
const COST: u64 = 8 * MIB as u64;
/// How long the large transfers may take with a debug build on a busy test machine.
const TRANSFER: Duration = Duration::from_secs(60);
const ANSWERED: Duration = Duration::from_secs(10);

/// Panics if the gateway has taken more memory since.
fn assert_bounded(gateway: &mut TestGateway, before: u64) {
    let after = gateway.process().resident_bytes();
    assert!(
        after < before + COST,
        "memory grew from {before} to {after} bytes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn megabytes_arrive_as_they_were_sent_in_both_directions_at_once() {
    const TOTAL: usize = 64 * MIB;
    let received = Arc::new(Semaphore::new(0));
    let done = Arc::clone(&received);
    let host = Manners::with_password(PASSWORD)
        .host_then(Family::V4, move |mut line| {
            let done = Arc::clone(&done);
            async move {
                let (down, up) = (Pattern::down(), Pattern::up());
                let (mut read, mut write) = line.stream().split();
                tokio::join!(pour(&mut write, &down, TOTAL), drink(&mut read, &up, TOTAL));
                done.add_permits(1);
                line.read_to_end().await;
            }
        })
        .await;
    let mut gateway = TestGateway::start().await;
    let minted = gateway.mint_for(host.address, PASSWORD).await;
    let mut socket = Viewer::open(&gateway, &minted).await.unwrap().socket;
    let before = gateway.process().resident_bytes();
    let (down, up, progress) = (Pattern::down(), Pattern::up(), Progress::new(0));
    let sending = send(&mut socket.sink, &up, TOTAL, &progress);
    let both = async { tokio::join!(sending, watch(&mut socket.source, &down, TOTAL)) };
    within("64 MiB in both directions", TRANSFER, both).await;
    within("all has reached the host", ANSWERED, received.acquire())
        .await
        .unwrap()
        .forget();
    assert_bounded(&mut gateway, before);

    socket.sink.close(1000, "").await.unwrap();
    let end = gateway.session_end().await;
    assert_eq!(end.text("reason"), "browser_closed");
    assert!(end.number("bytes_down") >= Some(TOTAL as u64), "{end:?}");
    assert!(end.number("bytes_up") >= Some(TOTAL as u64), "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_reads_slowly_holds_the_host_and_costs_no_memory() {
    const TOTAL: usize = 96 * MIB;
    let progress = Arc::new(Progress::new(0));
    let poured = Arc::clone(&progress);
    let host = Manners::with_password(PASSWORD)
        .host_then(Family::V4, move |mut line| {
            let poured = Arc::clone(&poured);
            async move {
                pour_watched(line.stream(), &Pattern::down(), TOTAL, &poured).await;
                line.read_to_end().await;
            }
        })
        .await;
    let mut gateway = TestGateway::start().await;
    let minted = gateway.mint_for(host.address, PASSWORD).await;
    let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
    let before = gateway.process().resident_bytes();
    let held_at = stalled(&progress, ANSWERED).await;
    assert!(held_at < TOTAL, "nothing held the host");
    assert_bounded(&mut gateway, before);
    // And then everything comes after all.
    let down = Pattern::down();
    let reading = watch(&mut viewer.socket.source, &down, TOTAL);
    within("the rest", TRANSFER, reading).await;
    assert_bounded(&mut gateway, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_reads_slowly_holds_the_browser_and_costs_no_memory() {
    const TOTAL: usize = 48 * MIB;
    let (gate, done) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (opened, finished) = (Arc::clone(&gate), Arc::clone(&done));
    let host = Manners::with_password(PASSWORD)
        .host_then(Family::V6, move |mut line| {
            let (opened, finished) = (Arc::clone(&opened), Arc::clone(&finished));
            async move {
                opened.acquire().await.unwrap().forget();
                drink(line.stream(), &Pattern::up(), TOTAL).await;
                finished.add_permits(1);
                line.read_to_end().await;
            }
        })
        .await;
    let mut gateway = TestGateway::start().await;
    let minted = gateway.mint_for(host.address, PASSWORD).await;
    let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
    let before = gateway.process().resident_bytes();
    let progress = Arc::new(Progress::new(0));
    let sent = Arc::clone(&progress);
    let mut sending = JoinSet::new();
    sending.spawn(async move {
        send(&mut viewer.socket.sink, &Pattern::up(), TOTAL, &sent).await;
        viewer
    });
    let held_at = stalled(&progress, ANSWERED).await;
    assert!(held_at < TOTAL, "nothing held the browser");
    assert_bounded(&mut gateway, before);
    gate.add_permits(1);
    within("the rest", TRANSFER, done.acquire())
        .await
        .unwrap()
        .forget();
    let viewer = within("the sender", ANSWERED, sending.join_next())
        .await
        .unwrap();
    assert_eq!(viewer.unwrap().socket.source.end, None);
    assert_bounded(&mut gateway, before);
}

#[tokio::test]
async fn what_a_host_said_last_arrives_before_its_end() {
    let host = Manners::default()
        .host_then(Family::V4, async |mut line| {
            pour(line.stream(), &Pattern::down(), MIB).await;
        })
        .await;
    let gateway = TestGateway::start().await;
    let minted = gateway.mint_open(host.address).await;
    let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
    let down = Pattern::down();
    let reading = watch(&mut viewer.socket.source, &down, MIB);
    within("the last words", ANSWERED, reading).await;
    let end = within("the end", ANSWERED, viewer.socket.end()).await;
    let (code, reason) = (Reason::HostClosed.close_code(), "host_closed".to_owned());
    assert_eq!(end, End::Close { code, reason });
}

#[tokio::test]
async fn what_a_browser_said_last_arrives_before_its_end() {
    let host = Manners::default()
        .host_then(Family::V4, async |mut line| line.read_to_end().await)
        .await;
    let gateway = TestGateway::start().await;
    let minted = gateway.mint_open(host.address).await;
    let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
    let up = Pattern::up();
    let total = 200_000;
    send(&mut viewer.socket.sink, &up, total, &Progress::new(0)).await;
    viewer.socket.sink.close(1000, "").await.unwrap();
    let visit = host.left(ANSWERED).await;
    // After the version, the choice and ClientInit.
    up.check(0, &visit.received[14..]);
    assert_eq!(visit.received.len(), 14 + total);
}
