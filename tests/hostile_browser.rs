//! Browsers that break the WebSocket framing or RFB, or do nothing: each gets its own close code,
//! and the host is let go.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::time::Duration;

use common::fake_host::FakeHost;
use common::gateway::{Minted, TestGateway};
use common::net::{Family, connect};
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::wait::within;
use common::websocket::{End, WebSocket, masked_frame};
use fanlight::reason::Reason;

/// What an answer may take, on a busy test machine.
const ANSWERED: Duration = Duration::from_secs(8);
const PASSWORD: &str = "hunter2!";
const MASK: [u8; 4] = [1, 2, 3, 4];

/// Bytes that a browser may not send.
struct Row {
    name: &'static str,
    bytes: Vec<u8>,
    reason: Reason,
}

fn row(name: &'static str, reason: Reason, bytes: impl Into<Vec<u8>>) -> Row {
    Row {
        name,
        bytes: bytes.into(),
        reason,
    }
}

/// Broken framing, the same at any time of a session (RFC 6455, 5).
fn framing() -> Vec<Row> {
    use Reason::*;
    let masked = |first, payload: &[u8]| masked_frame(first, payload, MASK);
    vec![
        row("an unmasked frame", BrowserFraming, [0x82, 1, 0]),
        row("a reserved bit", BrowserFraming, masked(0xc2, b"x")),
        row(
            "an opcode that does not exist",
            BrowserFraming,
            masked(0x83, b"x"),
        ),
        row(
            "a control opcode that does not exist",
            BrowserFraming,
            masked(0x8b, b"x"),
        ),
        row(
            "a length of 2^63",
            BrowserFraming,
            [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4],
        ),
        row(
            "a length of 2^63 - 1",
            BrowserFrameTooBig,
            [
                0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4,
            ],
        ),
        row(
            "a byte over the limit",
            BrowserFrameTooBig,
            [0x82, 0xff, 0, 0, 0, 0, 0, 16, 0, 1],
        ),
        row(
            "a length not in its shortest form",
            BrowserFraming,
            [0x82, 0xfe, 0, 1, 1, 2, 3, 4, 0],
        ),
        row(
            "a continuation of nothing",
            BrowserFraming,
            masked(0x80, b"x"),
        ),
        row(
            "a message inside a message",
            BrowserFraming,
            [masked(0x02, b"\x03"), masked(0x82, b"\x03")].concat(),
        ),
        row(
            "a ping of 126 bytes",
            BrowserFraming,
            masked(0x89, &[0; 126]),
        ),
        row("a ping in fragments", BrowserFraming, masked(0x09, b"x")),
        row("text", BrowserTextFrame, masked(0x81, b"{}")),
        row(
            "text that is not UTF-8",
            BrowserTextFrame,
            masked(0x81, &[0xff, 0xfe]),
        ),
        row("half a close code", BrowserFraming, masked(0x88, &[3])),
        row(
            "a close code that nobody may send",
            BrowserFraming,
            masked(0x88, &[3, 0xee]),
        ),
        row(
            "a close reason that is not UTF-8",
            BrowserBadUtf8,
            masked(0x88, &[3, 0xe8, 0xff]),
        ),
    ]
}

/// Answers to the version line that are none.
fn bad_versions() -> Vec<Row> {
    use Reason::BrowserProtocol;
    let binary = |payload: &[u8]| masked_frame(0x82, payload, MASK);
    vec![
        row(
            "no version at all",
            BrowserProtocol,
            binary(b"GET / HTTP/1.1\r\n"),
        ),
        row(
            "a wrong version",
            BrowserProtocol,
            binary(b"RFB 003.00\xff\n"),
        ),
        row(
            "a version of the past",
            BrowserProtocol,
            binary(b"RFB 002.000\n"),
        ),
    ]
}

/// Wrong choices among the security types.
fn bad_choices() -> Vec<Row> {
    use Reason::BrowserProtocol;
    let choose = |kind: u8| masked_frame(0x82, &[b"RFB 003.008\n", &[kind][..]].concat(), MASK);
    vec![
        row(
            "VNC authentication, which is not offered",
            BrowserProtocol,
            choose(2),
        ),
        row("a security type of 0", BrowserProtocol, choose(0)),
        row("a security type of 255", BrowserProtocol, choose(255)),
    ]
}

/// Messages that are none.
fn bad_messages() -> Vec<Row> {
    use Reason::BrowserProtocol;
    let binary = |payload: &[u8]| masked_frame(0x82, payload, MASK);
    let row = |name, payload: &[u8]| row(name, BrowserProtocol, binary(payload));
    let keys = (0..65_536_u32).map(|key| [&[4, 1, 0, 0][..], &key.to_be_bytes()].concat());
    vec![
        row("a message of no known type", &[99]),
        row("a file transfer", &[7, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        row("a text of 3 GiB", &[6, 0, 0, 0, 0xc0, 0, 0, 0]),
        row("a text of 2 GiB", &[6, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff]),
        row("a text of -2 GiB", &[6, 0, 0, 0, 0x80, 0, 0, 0]),
        row(
            "an extended text without flags",
            &[6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfd, 0, 0, 0],
        ),
        row("65535 encodings", &[2, 0, 0xff, 0xff]),
        row("a fence of 255 bytes", &[248, 0, 0, 0, 0, 0, 0, 0, 255]),
        row("a sound of no known kind", &[255, 1, 0, 9]),
        row("65536 keys at once", &keys.flatten().collect::<Vec<u8>>()),
    ]
}

/// A gateway that soon loses its patience with browsers.
async fn impatient() -> TestGateway {
    let builder = TestGateway::builder().set("browser.handshake_timeout", "400ms");
    builder.start().await
}

async fn host() -> FakeHost {
    Manners::with_password(PASSWORD).host(Family::V4).await
}

/// Opens the WebSocket alone.
async fn open(gateway: &TestGateway, minted: &Minted) -> WebSocket {
    let protocols = minted.page_protocols();
    let opened = WebSocket::open(gateway, minted.websocket_path(), &protocols).await;
    opened.unwrap_or_else(|r| panic!("{} {}", r.status, r.text()))
}

#[tokio::test]
async fn bad_bytes_before_the_picture_end_the_session_with_their_own_reason() {
    let gateway = TestGateway::start().await;
    let rows = framing()
        .into_iter()
        .chain(bad_versions())
        .chain(bad_choices());
    for (index, row) in rows.enumerate() {
        let host = host().await;
        let minted = gateway.mint_for(host.address, PASSWORD).await;
        let mut socket = open(&gateway, &minted).await;
        socket.sink.raw(&row.bytes).await.unwrap();
        assert_ended(&mut socket, row.reason, row.name).await;
        assert_over(&gateway, index, &host, &row).await;
        gateway.assert_log_has_no(minted.token());
    }
    gateway.assert_log_has_no(PASSWORD);
}

#[tokio::test]
async fn bad_frames_in_the_session_end_it_with_their_own_reason() {
    let gateway = TestGateway::start().await;
    let rows = framing().into_iter().chain(bad_messages());
    for (index, row) in rows.enumerate() {
        let host = host().await;
        let minted = gateway.mint_for(host.address, PASSWORD).await;
        let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
        viewer.request(true).await;
        viewer.socket.sink.raw(&row.bytes).await.unwrap();
        assert_ended(&mut viewer.socket, row.reason, row.name).await;
        assert_over(&gateway, index, &host, &row).await;
    }
    gateway.assert_log_has_no(PASSWORD);
}

/// The close frame that the browser gets. A text frame says it too, on our own page's channel.
async fn assert_ended(socket: &mut WebSocket, reason: Reason, name: &str) {
    let end = within(name, ANSWERED, socket.end()).await;
    let (code, reason) = (reason.close_code(), reason.code().to_owned());
    assert_eq!(end, End::Close { code, reason }, "{name}");
}

/// One line in the log, and the host let go, if it had been reached at all.
async fn assert_over(gateway: &TestGateway, index: usize, host: &FakeHost, row: &Row) {
    let ends = gateway.session_ends(index + 1).await;
    assert_eq!(
        ends.len(),
        index + 1,
        "{}: one line a session: {ends:#?}",
        row.name
    );
    assert_eq!(
        ends[index].text("reason"),
        row.reason.code(),
        "{}: {ends:#?}",
        row.name
    );
    if !host.visits().is_empty() {
        host.left(ANSWERED).await;
    }
}

#[tokio::test]
async fn a_browser_that_says_nothing_times_out() {
    let gateway = impatient().await;
    let host = host().await;
    let minted = gateway.mint_for(host.address, PASSWORD).await;
    let mut socket = open(&gateway, &minted).await;
    assert_ended(&mut socket, Reason::BrowserTimeout, "nothing").await;
    assert_eq!(
        gateway.session_end().await.text("reason"),
        "browser_timeout"
    );
}

#[tokio::test]
async fn a_browser_that_stops_before_client_init_times_out() {
    let gateway = impatient().await;
    let host = host().await;
    let minted = gateway.mint_for(host.address, PASSWORD).await;
    let mut socket = open(&gateway, &minted).await;
    socket.sink.binary(b"RFB 003.008\n\x01").await.unwrap();
    assert_ended(&mut socket, Reason::BrowserTimeout, "no ClientInit").await;
    host.left(ANSWERED).await;
    assert_eq!(
        gateway.session_end().await.text("reason"),
        "browser_timeout"
    );
}

#[tokio::test]
async fn a_browser_that_leaves_is_told_apart_from_one_that_is_lost() {
    let gateway = TestGateway::start().await;
    let expected = [
        Reason::BrowserClosed,
        Reason::BrowserAway,
        Reason::BrowserLost,
    ];
    for (index, reason) in expected.into_iter().enumerate() {
        let host = host().await;
        let minted = gateway.mint_for(host.address, PASSWORD).await;
        let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
        match index {
            0 => {
                viewer.socket.sink.close(1000, "").await.unwrap();
                let end = within("the answer", ANSWERED, viewer.socket.end()).await;
                assert!(matches!(end, End::Close { code: 1000, .. }), "{end:?}");
            }
            // What a browser says when the tab is closed.
            1 => viewer.socket.sink.close(1001, "").await.unwrap(),
            _ => drop(viewer),
        }
        host.left(ANSWERED).await;
        let ends = gateway.session_ends(index + 1).await;
        assert_eq!(ends[index].text("reason"), reason.code(), "{ends:#?}");
    }
}

#[tokio::test]
async fn odd_but_lawful_framing_is_taken() {
    let gateway = TestGateway::start().await;
    let host = host().await;
    let minted = gateway.mint_for(host.address, PASSWORD).await;
    let mut socket = open(&gateway, &minted).await;
    // A byte a frame, one message in fragments, empty ones and pings in between.
    let mut bytes = masked_frame(0x02, b"", MASK);
    for byte in b"RFB 003.008\n" {
        bytes.extend(masked_frame(0x00, &[*byte], MASK));
        bytes.extend(masked_frame(0x89, b"are you there?", MASK));
        bytes.extend(masked_frame(0x8a, b"", MASK));
    }
    bytes.extend(masked_frame(0x80, b"", MASK));
    bytes.extend(masked_frame(0x82, &[1, 1], MASK));
    for byte in bytes {
        socket.sink.raw(&[byte]).await.unwrap();
    }
    let expected = 12 + 2 + 4;
    let greeted = within("the greeting", ANSWERED, socket.source.read_exact(expected)).await;
    assert_eq!(greeted.unwrap(), b"RFB 003.008\n\x01\x01\0\0\0\0");
    let init = within("ServerInit", ANSWERED, socket.source.read_exact(24))
        .await
        .unwrap();
    assert_eq!(init[..4], [0, 64, 0, 48]);
}

#[tokio::test]
async fn what_is_glued_to_the_upgrade_request_is_not_lost() {
    let gateway = TestGateway::start().await;
    let host = host().await;
    let minted = gateway.mint_for(host.address, PASSWORD).await;
    let glued = masked_frame(0x82, b"RFB 003.008\n\x01\x01", MASK);
    let request = common::http::Request::get(gateway.address, &minted.stock_path());
    let stream = Box::new(connect(gateway.address).await);
    let socket = WebSocket::upgrade(stream, request, &glued).await;
    let mut socket = socket.unwrap_or_else(|r| panic!("{} {}", r.status, r.text()));
    assert_eq!(
        socket.protocol, None,
        "nothing was offered, so nothing is chosen"
    );
    let greeted = within("the greeting", ANSWERED, socket.source.read_exact(18)).await;
    assert_eq!(greeted.unwrap(), b"RFB 003.008\n\x01\x01\0\0\0\0");
}
