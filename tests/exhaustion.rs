//! Descriptors run out: who comes is refused in words, and who is there notices nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::fake_host::FakeHost;
use common::gateway::{Builder, Minted, TestGateway};
use common::http::Request;
use common::net::Family;
use common::rfb_client::{Refusal, Viewer};
use common::rfb_server::Manners;
use common::wait::{until, within};
use common::websocket::End;
use fanlight::reason::Reason;
use tokio::io::AsyncWriteExt;

const PASSWORD: &str = "hunter2!";
const ANSWERED: Duration = Duration::from_secs(10);

/// A host that sends back what the browser sends.
async fn echo() -> FakeHost {
    Manners::with_password(PASSWORD)
        .host_then(Family::V4, async |mut line| {
            let (mut read, mut write) = line.stream().split();
            let _ = tokio::io::copy(&mut read, &mut write).await;
            let _ = write.shutdown().await;
        })
        .await
}

/// A cut text, which both directions have under one layout but for the type.
const TEXT: [u8; 11] = [6, 0, 0, 0, 0, 0, 0, 3, b'a', b'b', b'c'];

async fn assert_alive(viewer: &mut Viewer) {
    viewer.socket.sink.binary(&TEXT).await.unwrap();
    let back = within(
        "the echo",
        ANSWERED,
        viewer.socket.source.read_exact(TEXT.len()),
    );
    assert_eq!(back.await.unwrap(), TEXT);
}

fn assert_limit_reached(refused: Result<Viewer, Refusal>) {
    let (code, reason) = (
        Reason::LimitReached.close_code(),
        "limit_reached".to_owned(),
    );
    match refused {
        Err(refusal) => assert_eq!(refusal.end, End::Close { code, reason }),
        Ok(_) => panic!("there was a place"),
    }
}

/// A gateway that does not look at what a host says: this one speaks no RFB any more.
fn builder() -> Builder {
    TestGateway::builder().set("tokens.pacing", "off")
}

/// A gateway with one session and nothing else open, and its process.
async fn with_a_session(host: &FakeHost) -> (TestGateway, Minted, Viewer, u32) {
    let mut gateway = builder().start().await;
    let id = gateway.process().id();
    let before = sockets(id);
    let minted = gateway.mint_times(20, host.address, PASSWORD).await;
    let viewer = Viewer::open(&gateway, &minted).await.unwrap();
    until("the minting is over", ANSWERED, async || {
        match sockets(id) {
            now if now == before + 2 => Ok(()),
            now => Err(format!("{now} sockets, {before} before")),
        }
    })
    .await;
    (gateway, minted, viewer, id)
}

fn sockets(id: u32) -> usize {
    let files = std::fs::read_dir(format!("/proc/{id}/fd")).unwrap();
    let names = files.map(|file| std::fs::read_link(file.unwrap().path()));
    names
        .filter(|name| matches!(name, Ok(name) if name.to_string_lossy().starts_with("socket:")))
        .count()
}

/// Lets a running process of ours open `count` descriptors more than it has. The limit is about
/// their numbers, and the lowest free one is taken.
fn allow(id: u32, count: usize) {
    let free = |number: &usize| !Path::new(&format!("/proc/{id}/fd/{number}")).exists();
    let limit = (0..).filter(free).nth(count).unwrap();
    let changed = Command::new("prlimit")
        .args(["--pid", &id.to_string(), &format!("--nofile={limit}:")])
        .status();
    assert!(changed.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_no_more_places_than_descriptors() {
    let host = echo().await;
    let gateway = builder().descriptors(94).start().await;
    let minted = gateway.mint_times(20, host.address, PASSWORD).await;
    let mut viewers = Vec::new();
    // Of 30 that are left for connections, a third.
    for _ in 0..10 {
        viewers.push(Viewer::open(&gateway, &minted).await.unwrap());
    }
    assert_limit_reached(Viewer::open(&gateway, &minted).await);
    let page = Request::get(gateway.address, "/novnc").send().await;
    assert_eq!(page.status, 200);
    for viewer in &mut viewers {
        assert_alive(viewer).await;
    }
    viewers.pop();
    gateway.session_ends(2).await;
    viewers.push(Viewer::open(&gateway, &minted).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_descriptor_for_the_host_a_session_is_refused() {
    let host = echo().await;
    let (gateway, minted, mut viewer, id) = with_a_session(&host).await;
    // The browser's own, and none beyond.
    allow(id, 1);
    assert_limit_reached(Viewer::open(&gateway, &minted).await);
    assert_alive(&mut viewer).await;
    allow(id, 100);
    Viewer::open(&gateway, &minted).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_descriptor_for_a_browser_it_waits_and_is_served_later() {
    let host = echo().await;
    let (gateway, minted, mut viewer, id) = with_a_session(&host).await;
    allow(id, 0);
    let meanwhile = async {
        until("accepting has failed", ANSWERED, async || {
            let log = gateway.log();
            let failed = log.contains("cannot accept a connection");
            failed.then_some(()).ok_or(log)
        })
        .await;
        assert_alive(&mut viewer).await;
        let lines = gateway.log_lines().len();
        assert!(lines < 1000, "{lines} lines: it asks over and over");
        allow(id, 100);
    };
    let (opened, ()) = tokio::join!(Viewer::open(&gateway, &minted), meanwhile);
    assert_alive(&mut opened.unwrap()).await;
}
