//! Hosts are not dialled by too many at once, and not bothered again and again after failures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::fake_host::FakeHost;
use common::gateway::{Minted, TestGateway};
use common::net::{self, Family};
use common::qemu::Qemu;
use common::rfb_client::{Refusal, Viewer};
use common::rfb_server::Manners;
use common::wait::{until, within};
use common::websocket::End;
use common::xvnc::Xvnc;
use fanlight::reason::Reason;
use serde_json::json;
use tokio::task::JoinSet;

const PASSWORD: &str = "s3cret12";
const WRONG: &str = "wr0ngpwd";
/// What the gateway says in its log when it is its own back-off.
const OWN_BACK_OFF: &str = "the gateway itself leaves this host alone";
/// How long many sessions may take to open with a debug build on a busy test machine.
const ALL: Duration = Duration::from_secs(60);
/// The first back-off is 5 seconds, the second 10; and some for a busy test machine.
const BACK_OFF: Duration = Duration::from_secs(30);

/// Opens so many sessions at the same time, of which each must be let in.
async fn all_get_in(gateway: &Arc<TestGateway>, minted: &Minted, count: usize) -> Vec<Viewer> {
    let mut opening = JoinSet::new();
    for _ in 0..count {
        let (gateway, minted) = (Arc::clone(gateway), minted.clone());
        opening.spawn(async move { Viewer::open(&gateway, &minted).await.unwrap() });
    }
    within("all sessions", ALL, opening.join_all()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_at_once_all_get_into_qemu() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let gateway = Arc::new(TestGateway::start().await);
    let minted = gateway.mint_times(30, machine.address, PASSWORD).await;
    let viewers = all_get_in(&gateway, &minted, 30).await;
    assert_eq!(viewers.len(), 30);
    assert_eq!(machine.viewers().await, 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_at_once_all_get_into_tigervnc() {
    let server = Xvnc::start(PASSWORD).await;
    let gateway = Arc::new(TestGateway::start().await);
    let minted = gateway
        .mint_times(30, server.address(Family::V4), PASSWORD)
        .await;
    assert_eq!(all_get_in(&gateway, &minted, 30).await.len(), 30);
}

/// A host that counts how many dials are unfinished at once, and the most that there ever were.
async fn counting_host(most: &Arc<AtomicUsize>) -> FakeHost {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::clone(most));
    FakeHost::serve(Family::V4, move |mut line| {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        async move {
            let unfinished = now.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(unfinished, Ordering::SeqCst);
            // Slow enough that the others would be here by now if nothing held them back.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let manners = Manners::default();
            let greeted = manners.greet_then(&mut line, || {
                now.fetch_sub(1, Ordering::SeqCst);
            });
            if greeted.await.is_some() {
                line.read_to_end().await;
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_never_has_more_than_four_unfinished_dials() {
    let most = Arc::new(AtomicUsize::new(0));
    let host = counting_host(&most).await;
    let gateway = Arc::new(TestGateway::start().await);
    let minted = gateway.mint_times(30, host.address, PASSWORD).await;
    let viewers = all_get_in(&gateway, &minted, 30).await;
    assert_eq!((viewers.len(), most.load(Ordering::SeqCst)), (30, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn how_many_dials_is_a_setting() {
    let most = Arc::new(AtomicUsize::new(0));
    let host = counting_host(&most).await;
    let builder = TestGateway::builder().set("host.dials_per_host", 1);
    let gateway = Arc::new(builder.start().await);
    let minted = gateway.mint_times(30, host.address, PASSWORD).await;
    let viewers = all_get_in(&gateway, &minted, 6).await;
    assert_eq!((viewers.len(), most.load(Ordering::SeqCst)), (6, 1));
}

/// Consoles behind one port are one host, whatever their paths: it is the port that is dialled.
#[tokio::test(flavor = "multi_thread")]
async fn the_consoles_of_one_tunnel_host_share_its_four_places() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let highest = Arc::clone(&most);
    let host = FakeHost::serve(Family::V4, move |mut line| {
        let (now, most) = (Arc::clone(&now), Arc::clone(&highest));
        async move {
            let unfinished = now.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(unfinished, Ordering::SeqCst);
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Some(byte) = line.read(1).await else {
                    return;
                };
                head.extend(byte);
            }
            // Slow enough that the others would be here by now if nothing held them back.
            tokio::time::sleep(Duration::from_millis(50)).await;
            line.send(b"HTTP/1.1 200 OK\r\n\r\n").await;
            let manners = Manners::default();
            let greeted = manners.greet_then(&mut line, || {
                now.fetch_sub(1, Ordering::SeqCst);
            });
            if greeted.await.is_some() {
                line.read_to_end().await;
            }
        }
    })
    .await;
    let gateway = Arc::new(TestGateway::start().await);
    let mut opening = JoinSet::new();
    for console in 0..12 {
        let path = format!("/console?uuid={console}");
        let tunnel = json!({
            "host": "127.0.0.1", "port": host.address.port(), "tls": false, "path": path,
        });
        let minted = gateway
            .mint(&json!({ "target": { "tunnel": tunnel } }))
            .await;
        let gateway = Arc::clone(&gateway);
        opening.spawn(async move { Viewer::open(&gateway, &minted).await.unwrap() });
    }
    let viewers = within("all sessions", ALL, opening.join_all()).await;
    assert_eq!((viewers.len(), most.load(Ordering::SeqCst)), (12, 4));
}

/// A session that must be refused.
async fn refused(gateway: &TestGateway, minted: &Minted) -> Refusal {
    let opened = within("the refusal", ALL, Viewer::open(gateway, minted)).await;
    opened.err().expect("a wrong password opens nothing")
}

/// What the last session's end is in the log.
async fn ended(gateway: &TestGateway, count: usize) -> (String, String) {
    let ends = gateway.session_ends(count).await;
    let last = &ends[count - 1];
    (
        last.text("reason").to_owned(),
        last.text("detail").to_owned(),
    )
}

/// Waits the gateway's back-off out and expects to be let in at the first attempt that it does
/// not refuse itself.
async fn gets_in_after_the_back_off(gateway: &TestGateway, host: SocketAddr) {
    let minted = gateway.mint_for(host, PASSWORD).await;
    until("the back-off ends", BACK_OFF, async || {
        let before = gateway
            .log_lines()
            .iter()
            .filter(|l| l.is_session_end())
            .count();
        let Err(refusal) = Viewer::open(gateway, &minted).await else {
            return Ok(());
        };
        let (reason, detail) = ended(gateway, before + 1).await;
        assert_eq!(reason, "host_too_many_attempts", "{refusal:?}");
        assert!(detail.starts_with(OWN_BACK_OFF), "the host's own: {detail}");
        Err(detail)
    })
    .await;
}

#[tokio::test]
async fn ten_wrong_passwords_in_a_row_do_not_lock_tigervnc() {
    let server = Xvnc::start(PASSWORD).await;
    let host = server.address(Family::V4);
    let gateway = TestGateway::start().await;
    let wrong = gateway.mint_for(host, WRONG).await;
    for attempt in 1..=10 {
        let refusal = refused(&gateway, &wrong).await;
        let (reason, detail) = ended(&gateway, attempt).await;
        let expected = if attempt <= 3 {
            Reason::HostAuthFailed
        } else {
            assert!(detail.starts_with(OWN_BACK_OFF), "{detail}");
            Reason::HostTooManyAttempts
        };
        assert_eq!(reason, expected.code(), "attempt {attempt}: {detail}");
        let (code, reason) = (expected.close_code(), expected.code().to_owned());
        assert_eq!(refusal.end, End::Close { code, reason });
    }
    gets_in_after_the_back_off(&gateway, host).await;
    // A login clears the count: a wrong password is a wrong password again.
    refused(&gateway, &wrong).await;
    let ends = gateway.session_ends(1).await.len();
    assert_eq!(ended(&gateway, ends).await.0, "host_auth_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_wrong_passwords_at_once_do_not_lock_tigervnc() {
    let server = Xvnc::start(PASSWORD).await;
    let host = server.address(Family::V4);
    let gateway = Arc::new(TestGateway::start().await);
    let wrong = gateway.mint_for(host, WRONG).await;
    let mut storm = JoinSet::new();
    for _ in 0..10 {
        let (gateway, wrong) = (Arc::clone(&gateway), wrong.clone());
        storm.spawn(async move { refused(&gateway, &wrong).await });
    }
    within("the storm", ALL, storm.join_all()).await;
    gateway.session_ends(10).await;
    gets_in_after_the_back_off(&gateway, host).await;
}

#[tokio::test]
async fn a_lockout_by_tigervnc_itself_is_recognised_and_waited_out() {
    let server = Xvnc::start(PASSWORD).await;
    let host = server.address(Family::V4);
    // Connections that end in no login, from somebody else at the same address.
    for _ in 0..7 {
        drop(net::connect(host).await);
    }
    let gateway = TestGateway::start().await;
    let minted = gateway.mint_for(host, PASSWORD).await;
    until("TigerVNC has locked the address out", ALL, async || {
        let before = gateway
            .log_lines()
            .iter()
            .filter(|l| l.is_session_end())
            .count();
        match Viewer::open(&gateway, &minted).await {
            // It looks at its sockets in its own time.
            Ok(viewer) => {
                drop(viewer);
                for _ in 0..7 {
                    drop(net::connect(host).await);
                }
                Err("was let in".to_owned())
            }
            Err(refusal) => {
                let (reason, detail) = ended(&gateway, before + 1).await;
                assert_eq!(reason, "host_too_many_attempts", "{detail}");
                assert!(detail.starts_with("too many attempts: \""), "{detail}");
                let words = refusal.words.unwrap();
                assert!(words.contains("oo many security failures"), "{words}");
                Ok(())
            }
        }
    })
    .await;
    gets_in_after_the_back_off(&gateway, host).await;
}
