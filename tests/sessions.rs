//! Sessions as a whole: keepalive, many at once, the limit, the end of the gateway.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::gateway::{TestGateway, target};
use common::log::Line;
use common::net::{Family, connect};
use common::pattern::{Pattern, pour, watch};
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::wait::{until, within};
use common::websocket::End;
use fanlight::reason::Reason;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

const PASSWORD: &str = "hunter2!";
/// How long two hundred handshakes may take with a debug build on a busy test machine.
const TRANSFER: Duration = Duration::from_secs(60);
const ANSWERED: Duration = Duration::from_secs(10);

/// A gateway whose keepalive can be watched.
async fn quick_pings() -> TestGateway {
    TestGateway::builder()
        .set("browser.ping_interval", "100ms")
        .set("browser.dead_after", "600ms")
        .start()
        .await
}

#[tokio::test]
async fn a_silent_browser_that_answers_pings_stays() {
    let host = Manners::default().host(Family::V4).await;
    let gateway = quick_pings().await;
    let minted = gateway.mint_open(host.address).await;
    let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
    // More pings than would fit into the time after which a silent peer is dead.
    let mut answered = 0;
    while answered < 12 {
        within("the next ping", ANSWERED, viewer.socket.source.next_frame())
            .await
            .unwrap();
        for payload in std::mem::take(&mut viewer.socket.source.pings) {
            viewer.socket.sink.pong(&payload).await.unwrap();
            answered += 1;
        }
    }
    assert_eq!(viewer.socket.source.end, None);
}

#[tokio::test]
async fn a_browser_that_answers_nothing_is_lost_and_the_host_is_let_go() {
    let host = Manners::default().host(Family::V4).await;
    let gateway = quick_pings().await;
    let minted = gateway.mint_open(host.address).await;
    let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
    let end = within("the end", ANSWERED, viewer.socket.end()).await;
    let (code, reason) = (Reason::BrowserLost.close_code(), "browser_lost".to_owned());
    assert_eq!(end, End::Close { code, reason });
    host.left(ANSWERED).await;
    assert_eq!(gateway.session_end().await.text("reason"), "browser_lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_takes_nothing_is_lost_and_the_host_is_let_go() {
    let host = Manners::default()
        .host_then(Family::V4, async |mut line| {
            let down = Pattern::down();
            while line.stream().write_all(&down.0).await.is_ok() {}
            line.read_to_end().await;
        })
        .await;
    let gateway = quick_pings().await;
    let minted = gateway.mint_open(host.address).await;
    let viewer = Viewer::open(&gateway, &minted).await.unwrap();
    host.left(ANSWERED).await;
    assert_eq!(gateway.session_end().await.text("reason"), "browser_lost");
    drop(viewer);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_sessions_at_once() {
    const SESSIONS: usize = 200;
    const EACH: usize = 100_000;
    let host = Manners::with_password(PASSWORD)
        .host_then(Family::V4, async |mut line| {
            pour(line.stream(), &Pattern::down(), EACH).await;
            line.read_to_end().await;
        })
        .await;
    let mut gateway = TestGateway::builder()
        .set("log.level", "info")
        .start()
        .await;
    // Before the mint, whose connection may still be open for a moment afterwards.
    let idle_files = gateway.process().open_files();
    let minted = gateway.mint_times(SESSIONS, host.address, PASSWORD).await;
    let gateway_ref = Arc::new(gateway);
    let mut opening = JoinSet::new();
    for _ in 0..SESSIONS {
        let (gateway, minted) = (Arc::clone(&gateway_ref), minted.clone());
        opening.spawn(async move {
            let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
            watch(&mut viewer.socket.source, &Pattern::down(), EACH).await;
            viewer
        });
    }
    let viewers = within("all sessions", TRANSFER, opening.join_all()).await;
    assert_eq!(viewers.len(), SESSIONS);
    let mut gateway = Arc::into_inner(gateway_ref).unwrap();
    let files = gateway.process().open_files();
    assert!(
        files >= idle_files + 2 * SESSIONS,
        "{files} files for {SESSIONS} sessions"
    );
    assert!(
        files <= idle_files + 2 * SESSIONS + 8,
        "{files} files for {SESSIONS} sessions"
    );
    drop(viewers);
    let ends = gateway.session_ends(SESSIONS).await;
    assert_eq!(ends.len(), SESSIONS);
    until("all sockets are closed", ANSWERED, async || {
        let open = gateway.process().open_files();
        if open <= idle_files + 4 {
            Ok(())
        } else {
            Err(format!("{open} files"))
        }
    })
    .await;
}

#[tokio::test]
async fn one_session_more_than_allowed_is_refused_until_one_ends() {
    let host = Manners::default().host(Family::V4).await;
    let gateway = TestGateway::builder()
        .set("limits.sessions", 2)
        .start()
        .await;
    let minted = gateway.mint_times(9, host.address, PASSWORD).await;
    let first = Viewer::open(&gateway, &minted).await.unwrap();
    let _second = Viewer::open(&gateway, &minted).await.unwrap();
    let refusal = Viewer::open(&gateway, &minted).await.err().unwrap();
    let (code, reason) = (
        Reason::LimitReached.close_code(),
        "limit_reached".to_owned(),
    );
    assert_eq!(refusal.end, End::Close { code, reason });
    drop(first);
    until("there is room again", ANSWERED, async || {
        let opened = Viewer::open(&gateway, &minted).await;
        opened.map(drop).map_err(|refusal| format!("{refusal:?}"))
    })
    .await;
}

#[tokio::test]
async fn stopping_the_gateway_says_goodbye() {
    let host = Manners::default().host(Family::V4).await;
    let mut gateway = TestGateway::start().await;
    let minted = gateway.mint_open(host.address).await;
    let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
    gateway.process().terminate();
    let end = within("the goodbye", ANSWERED, viewer.socket.end()).await;
    let (code, reason) = (1001, "draining".to_owned());
    assert_eq!(end, End::Close { code, reason });
    host.left(ANSWERED).await;
    let status = until("the gateway ends", ANSWERED, async || {
        gateway.process().ended().ok_or("still running".to_owned())
    })
    .await;
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn requests_that_never_come_whole_do_not_keep_the_gateway_from_stopping() {
    let builder = TestGateway::builder().set("shutdown.grace", "1m");
    let mut gateway = builder.start().await;
    let mut half_a_head = connect(gateway.address).await;
    half_a_head.write_all(b"GET /no").await.unwrap();
    let mut no_body = connect(gateway.address).await;
    let head = format!(
        "POST /api/v1/consoles HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n",
        TestGateway::API_KEY
    );
    no_body.write_all(head.as_bytes()).await.unwrap();
    let mut goes_on = [0; 12];
    let answer = no_body.read_exact(&mut goes_on);
    within("the question for the body", ANSWERED, answer)
        .await
        .unwrap();
    assert_eq!(&goes_on, b"HTTP/1.1 100");

    gateway.process().terminate();
    let status = until("the gateway ends", ANSWERED, async || {
        gateway.process().ended().ok_or("still running".to_owned())
    })
    .await;
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn the_log_tells_of_a_session_at_its_start_and_at_its_end() {
    let host = Manners::with_password(PASSWORD).host(Family::V6).await;
    let gateway = TestGateway::start().await;
    let body = json!({
        "target": target(host.address),
        "credentials": { "password": PASSWORD },
        "labels": { "tenant": "acme" },
    });
    let minted = gateway.mint(&body).await;
    drop(Viewer::open(&gateway, &minted).await.unwrap());
    let end = gateway.session_end().await;
    let lines = gateway.log_lines();
    let of_session = |line: &&Line| line.text("session") == end.text("session");
    let told: Vec<_> = lines.iter().filter(of_session).collect();
    let messages: Vec<_> = told.iter().map(|line| line.text("message")).collect();
    assert_eq!(
        messages,
        [
            "host connected",
            "host handshake",
            "session started",
            "session ended"
        ]
    );
    for line in &told[2..] {
        assert_eq!(line.text("target"), host.address.to_string(), "{line:?}");
        assert_eq!(line.text("console"), minted.id, "{line:?}");
        assert!(line.text("client").starts_with("127.0.0.1:"), "{line:?}");
        assert!(line.text("labels").contains("acme"), "{line:?}");
    }
    for number in ["bytes_up", "bytes_down"] {
        assert_eq!(end.number(number), Some(0), "{end:?}");
    }
    for secret in [PASSWORD, minted.token(), TestGateway::API_KEY] {
        gateway.assert_log_has_no(secret);
    }
}
