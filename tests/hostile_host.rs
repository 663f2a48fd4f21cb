//! Hosts that are gone, broken, hostile or something else than hosts: each gets its own reason,
//! on every way that a reason travels, and keeps nothing busy.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::time::Duration;

use common::bad_hosts::{self, PASSWORD, Row, V38, let_in, send, then};
use common::fake_host::FakeHost;
use common::fake_host::Step::{Close, Drip, Expect, Reset};
use common::gateway::{Minted, TestGateway, target};
use common::net::{Family, deaf_address};
use common::rfb_client::{Refusal, Viewer};
use common::rfb_server::{CHALLENGE, server_init};
use common::wait::{until, within};
use common::websocket::End;
use fanlight::reason::Reason;
use serde_json::json;
use tokio::time::Instant;

/// What every stage of a handshake may take in these tests.
const STAGE: &str = "300ms";
/// What a refusal may take in all: a few stages, on a busy test machine.
const REFUSED: Duration = Duration::from_secs(8);

#[tokio::test]
async fn a_bad_host_before_authentication_gets_its_own_reason() {
    all_refused(bad_hosts::before_authentication()).await;
}

#[tokio::test]
async fn a_bad_host_from_authentication_on_gets_its_own_reason() {
    all_refused(bad_hosts::from_authentication_on()).await;
}

/// Runs the rows of a silent host through a gateway that is quick to lose patience, and all others
/// through one that is not, so that a busy test machine turns nothing into a timeout.
async fn all_refused(rows: Vec<Row>) {
    let (silent, others): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .partition(|row| row.reason == Reason::HostTimeout);
    let quick = TestGateway::builder()
        .deadlines(STAGE)
        .set("browser.handshake_timeout", "10s");
    refused_in_turn(quick.start().await, silent).await;
    refused_in_turn(TestGateway::start().await, others).await;
}

/// Runs one row after the other through one gateway, which must be the same afterwards.
async fn refused_in_turn(mut gateway: TestGateway, rows: Vec<Row>) {
    let mut before = None;
    for (index, row) in rows.into_iter().enumerate() {
        let host = FakeHost::script(row.script.clone()).await;
        let mut body = json!({ "target": target(host.address), "name": "web-01" });
        if let Some(password) = row.password {
            body["credentials"] = json!({ "password": password });
        }
        let minted = gateway.mint(&body).await;
        let refusal = refused(&gateway, &minted, row.name).await;
        assert_refusal(&refusal, row.reason, row.name);
        let words = refusal.words.unwrap();
        assert!(words.contains(row.said), "{}: {words:?}", row.name);
        assert!(
            !words.contains(|c: char| c.is_control()),
            "{}: {words:?}",
            row.name
        );
        if !row.leaves() {
            host.left(REFUSED).await;
        }
        assert_logged(&gateway, index, row.reason, row.name).await;
        gateway.assert_log_has_no(PASSWORD);
        gateway.assert_log_has_no(minted.token());
        before.get_or_insert_with(|| gateway.process().resident_bytes());
    }
    let (before, after) = (before.unwrap(), gateway.process().resident_bytes());
    assert!(
        after < before + (16 << 20),
        "memory grew from {before} to {after} bytes"
    );
    // Nothing is left open: the log, the listener and what the runtime has.
    until("all sockets are closed", REFUSED, async || {
        let open = gateway.process().open_files();
        if open < 24 {
            Ok(())
        } else {
            Err(format!("{open} files"))
        }
    })
    .await;
}

/// Opens a console whose host cannot be good, and gives what the viewer is told in time.
async fn refused(gateway: &TestGateway, minted: &Minted, name: &str) -> Refusal {
    let started = Instant::now();
    let opened = within(name, REFUSED, Viewer::open(gateway, minted)).await;
    let Err(refusal) = opened else {
        panic!("{name}: was let in");
    };
    assert!(
        started.elapsed() < REFUSED,
        "{name}: {:?}",
        started.elapsed()
    );
    refusal
}

/// The refusal as the viewer has it: the words for a person and the close frame.
fn assert_refusal(refusal: &Refusal, reason: Reason, name: &str) {
    let words = refusal.words.clone().unwrap_or_default();
    assert!(words.contains(reason.words()), "{name}: {refusal:?}");
    assert!(words.contains(reason.code()), "{name}: {refusal:?}");
    let expected = End::Close {
        code: reason.close_code(),
        reason: reason.code().to_owned(),
    };
    assert_eq!(refusal.end, expected, "{name}");
}

/// The refusal as the log has it: one line, as loud as the table says.
async fn assert_logged(gateway: &TestGateway, index: usize, reason: Reason, name: &str) {
    let ends = gateway.session_ends(index + 1).await;
    assert_eq!(
        ends.len(),
        index + 1,
        "{name}: one line a session: {ends:#?}"
    );
    let line = &ends[index];
    assert_eq!(line.text("reason"), reason.code(), "{name}: {line:?}");
    let level = format!("{:?}", reason.severity()).to_uppercase();
    assert_eq!(line.text("level"), level, "{name}: {line:?}");
}

#[tokio::test]
async fn a_host_that_is_not_there_is_unreachable() {
    let gateway = TestGateway::builder()
        .set("host.connect_timeout", "3s")
        .start()
        .await;
    let (v4, _v4_held) = deaf_address(Family::V4);
    let (v6, _v6_held) = deaf_address(Family::V6);
    let targets = [
        target(v4),
        target(v6),
        json!({ "host": "nowhere.invalid", "port": 5900 }),
    ];
    for (index, target) in targets.into_iter().enumerate() {
        let name = target.to_string();
        let minted = gateway.mint(&json!({ "target": target })).await;
        let refusal = refused(&gateway, &minted, &name).await;
        assert_refusal(&refusal, Reason::HostUnreachable, &name);
        assert_logged(&gateway, index, Reason::HostUnreachable, &name).await;
    }
}

#[tokio::test]
async fn a_host_that_takes_no_connection_times_out() {
    let gateway = TestGateway::builder()
        .set("host.connect_timeout", STAGE)
        .start()
        .await;
    // With a backlog of none and one connection in it, further ones are not answered at all.
    let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    full.bind(&Family::V4.loopback().into()).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    let _occupant = common::net::connect(address).await;
    let minted = gateway.mint_open(address).await;
    let refusal = refused(&gateway, &minted, "a full backlog").await;
    assert_refusal(&refusal, Reason::HostTimeout, "a full backlog");
    assert_logged(&gateway, 0, Reason::HostTimeout, "a full backlog").await;
}

#[tokio::test]
async fn odd_but_lawful_hosts_are_let_through() {
    let gateway = TestGateway::builder().deadlines("2s").start().await;
    let init = server_init((640, 400), "odd");
    let glued = [V38.as_bytes(), &[1, 1], &[0; 4], &init].concat();
    let glued_3_3 = [b"RFB 003.003\n", &[0, 0, 0, 1][..], &init].concat();
    let dripped = vec![
        Drip(V38.into()),
        Drip(vec![1, 2]),
        Drip(CHALLENGE.to_vec()),
        Drip(vec![0; 4]),
        Drip(init.clone()),
    ];
    let scripts = [
        ("everything glued", vec![send(&glued)]),
        ("everything glued, 3.3", vec![send(&glued_3_3)]),
        ("byte by byte", dripped),
        (
            "an unknown minor version",
            vec![send(b"RFB 003.889\n"), send(&glued[12..])],
        ),
        (
            "a later major version",
            vec![send(b"RFB 005.000\n"), send(&glued[12..])],
        ),
    ];
    for (name, script) in scripts {
        let host = FakeHost::script(script).await;
        let minted = gateway.mint_for(host.address, PASSWORD).await;
        let viewer = within(name, REFUSED, Viewer::open(&gateway, &minted)).await;
        let viewer = viewer.unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
        assert_eq!(
            (viewer.name.as_str(), viewer.screen.width),
            ("odd", 640),
            "{name}"
        );
        drop(viewer);
        let visit = host.left(REFUSED).await;
        assert!(
            visit.received.ends_with(&[1]),
            "{name}: ClientInit is always shared"
        );
    }
}

#[tokio::test]
async fn a_host_that_ends_in_the_middle_of_a_session_is_named() {
    let gateway = TestGateway::start().await;
    let init = server_init((640, 400), "short-lived");
    for (index, last) in [Close, Reset].into_iter().enumerate() {
        // The host goes as soon as the viewer has sent a message of 10 bytes.
        let host = FakeHost::script(then(let_in(), [send(&init), Expect(10), last])).await;
        let minted = gateway.mint_open(host.address).await;
        let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
        viewer.request(false).await;
        let end = within("the session ends", REFUSED, viewer.socket.end()).await;
        let code = Reason::HostClosed.close_code();
        let reason = Reason::HostClosed.code().to_owned();
        assert_eq!(end, End::Close { code, reason });
        assert_logged(&gateway, index, Reason::HostClosed, "in the session").await;
    }
}
