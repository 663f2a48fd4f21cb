//! QEMU, TigerVNC and x11vnc, each with a password, over IPv4 and IPv6: a viewer without the
//! password sees the screen, and the right one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::gateway::{TestGateway, target};
use common::guest;
use common::net::Family;
use common::picture::Picture;
use common::qemu::Qemu;
use common::rfb_client::Viewer;
use common::wait::{until, within};
use common::websocket::End;
use common::x11vnc::X11vnc;
use common::xdisplay;
use common::xvnc::Xvnc;
use fanlight::reason::Reason;
use serde_json::json;

/// VNC passwords have 8 bytes.
const PASSWORD: &str = "s3cret12";
const WRONG: &str = "wr0ngpwd";
/// How long a handshake may take, on a busy test machine.
const ANSWERED: Duration = Duration::from_secs(10);
/// How long a picture may take to be complete.
const PAINTED: Duration = Duration::from_secs(10);

#[tokio::test]
async fn qemu_over_ipv4() {
    qemu(Family::V4).await;
}

#[tokio::test]
async fn qemu_over_ipv6() {
    qemu(Family::V6).await;
}

/// The guest's picture arrives as the formula says and as QEMU has it; a key reaches the guest.
async fn qemu(family: Family) {
    let machine = Qemu::start(family, PASSWORD).await;
    let gateway = TestGateway::start().await;
    let minted = gateway
        .mint(&json!({
            "target": target(machine.address),
            "credentials": { "password": PASSWORD },
            "name": "web-01",
            "limits": { "uses": 2 },
        }))
        .await;

    let opened = within("the page's way", ANSWERED, Viewer::open(&gateway, &minted)).await;
    let mut viewer = opened.unwrap();
    assert_eq!(viewer.name, "web-01", "the grant's name, not the host's");
    viewer.ask_for_raw().await;
    viewer
        .fetch()
        .await
        .assert_same(&guest::picture(), "the formula");
    machine
        .screendump()
        .await
        .assert_same(&viewer.screen, "QEMU's own");

    viewer.press(u32::from(b'h')).await;
    viewer.press(u32::from(b'i')).await;
    machine.typed("hi").await;
    until("the typed letters are shown", PAINTED, async || {
        viewer.fetch().await;
        let own = machine.screendump().await;
        match own.difference(&guest::picture()) {
            Some(_) => own.difference(&viewer.screen).map_or(Ok(()), Err),
            None => Err("nothing was painted".to_owned()),
        }
    })
    .await;

    // A second viewer does not end the first: the gateway always shares.
    let opened = Viewer::open_stock(&gateway, &minted);
    let mut second = within("a stock client", ANSWERED, opened).await.unwrap();
    second.ask_for_raw().await;
    second
        .fetch()
        .await
        .assert_same(&viewer.screen, "two viewers");
    assert_eq!(machine.viewers().await, 2);
    assert!(
        second.socket.source.texts.is_empty(),
        "a stock client gets RFB alone"
    );
    drop(second);

    machine.power_off().await;
    let end = within("the session ends", ANSWERED, viewer.socket.end()).await;
    let code = Reason::HostClosed.close_code();
    assert!(
        matches!(end, End::Close { code: c, .. } if c == code),
        "{end:?}"
    );
    let ends = gateway.session_ends(2).await;
    assert!(
        ends.iter()
            .all(|l| l.number("bytes_down") > Some(1_000_000)),
        "{ends:#?}"
    );
    gateway.assert_log_has_no(PASSWORD);
    gateway.assert_log_has_no(minted.token());
}

#[tokio::test]
async fn tigervnc_over_both_families() {
    let server = Xvnc::start(PASSWORD).await;
    let gateway = TestGateway::start().await;
    for family in [Family::V4, Family::V6] {
        shows_the_painted_screen(&gateway, server.address(family)).await;
    }
    gateway.assert_log_has_no(PASSWORD);
}

#[tokio::test]
async fn x11vnc_over_both_families() {
    let server = X11vnc::start(PASSWORD).await;
    let gateway = TestGateway::start().await;
    for family in [Family::V4, Family::V6] {
        shows_the_painted_screen(&gateway, server.address(family)).await;
    }
    gateway.assert_log_has_no(PASSWORD);
}

/// Both kinds of viewers see the colour that the X server's screen was painted in.
async fn shows_the_painted_screen(gateway: &TestGateway, host: SocketAddr) {
    let (width, height) = xdisplay::SIZE;
    let painted = Picture::plain(width, height, xdisplay::COLOUR);
    let minted = gateway.mint_times(2, host, PASSWORD).await;
    for stock in [false, true] {
        let opening = async {
            if stock {
                Viewer::open_stock(gateway, &minted).await
            } else {
                Viewer::open(gateway, &minted).await
            }
        };
        let opened = within("the handshake", ANSWERED, opening).await;
        let mut viewer = opened.unwrap_or_else(|refusal| panic!("{host}: {refusal:?}"));
        assert!(
            !viewer.name.is_empty(),
            "without a name in the grant it is the host's"
        );
        viewer.ask_for_raw().await;
        until("the painted screen", PAINTED, async || {
            viewer
                .fetch()
                .await
                .difference(&painted)
                .map_or(Ok(()), Err)
        })
        .await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_said_on_every_way() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let xvnc = Xvnc::start(PASSWORD).await;
    let x11vnc = X11vnc::start(PASSWORD).await;
    let gateway = TestGateway::start().await;
    let hosts = [
        ("QEMU", machine.address),
        ("TigerVNC", xvnc.address(Family::V4)),
        ("x11vnc", x11vnc.address(Family::V6)),
    ];
    for (index, (name, host)) in hosts.into_iter().enumerate() {
        let minted = gateway.mint_for(host, WRONG).await;
        let opened = within(name, ANSWERED, Viewer::open(&gateway, &minted)).await;
        let refusal = opened.err().unwrap();
        let words = refusal.words.unwrap();
        assert!(
            words.contains(Reason::HostAuthFailed.words()),
            "{name}: {words:?}"
        );
        assert!(
            !words.contains('\0'),
            "QEMU's final NUL is taken off: {words:?}"
        );
        let (code, reason) = (4106, "host_auth_failed".to_owned());
        assert_eq!(refusal.end, End::Close { code, reason }, "{name}");
        let ends = gateway.session_ends(index + 1).await;
        assert_eq!(ends[index].text("reason"), "host_auth_failed", "{name}");
    }
    gateway.assert_log_has_no(WRONG);
}

#[tokio::test]
async fn a_host_with_a_password_and_a_console_without_one() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let gateway = TestGateway::start().await;
    let minted = gateway.mint_open(machine.address).await;
    let refusal = Viewer::open(&gateway, &minted).await.err().unwrap();
    let (code, reason) = (4105, "host_credentials_missing".to_owned());
    assert_eq!(refusal.end, End::Close { code, reason });
}
