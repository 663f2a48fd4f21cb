//! The test world itself: the guest, the servers and the browser are what the other tests take
//! them for. Where one of these fails, the failures of the others say nothing about the gateway.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use common::chromium::Chromium;
use common::fake_host::{FakeHost, Step};
use common::guest;
use common::net::{Family, connect, deaf_address, try_connect};
use common::picture::Picture;
use common::qemu::Qemu;
use common::vnc_auth;
use common::x11vnc::X11vnc;
use common::xvnc::Xvnc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn the_guest_paints_the_picture_that_the_formula_says() {
    for family in [Family::V4, Family::V6] {
        let machine = Qemu::start(family, "s3cret12").await;
        let painted = machine.screendump().await;
        painted.assert_same(&guest::picture(), "the formula");
        assert_eq!(machine.keys(), "");
        assert_eq!(greeting(machine.address).await, "RFB 003.008\n");
        machine.power_off().await;
    }
}

#[tokio::test]
async fn x_servers_greet_on_both_families() {
    let xvnc = Xvnc::start("s3cret12").await;
    let x11vnc = X11vnc::start("s3cret12").await;
    for family in [Family::V4, Family::V6] {
        assert_eq!(
            greeting(xvnc.address(family)).await,
            "RFB 003.008\n",
            "{family:?}"
        );
        assert_eq!(
            greeting(x11vnc.address(family)).await,
            "RFB 003.008\n",
            "{family:?}"
        );
    }
}

#[tokio::test]
async fn the_browser_reads_and_sees_what_is_there() {
    let page = "<!doctype html><html data-state=connected data-reason=none><title>T</title>\
        words <button>Go</button><canvas width=3 height=2></canvas><script>\
        const c = document.querySelector('canvas').getContext('2d');\
        c.fillStyle = '#336699'; c.fillRect(0, 0, 3, 2); console.error('a complaint');</script>";
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n", page.len());
    let answer = format!("{head}content-type: text/html\r\nconnection: close\r\n\r\n{page}");
    let server = FakeHost::script(vec![Step::text(&answer)]).await;
    let browser = Chromium::start().await;
    let url = format!("http://{}/page", server.address);
    assert_eq!(browser.open(&url).await["status"], 200);
    assert_eq!(browser.reaches("connected").await, "none");
    browser.reads("words").await;
    browser
        .shows(&Picture::plain(3, 2, [0x33, 0x66, 0x99]), "the canvas")
        .await;
    assert_eq!(browser.buttons().await, ["Go"]);
    let report = browser.report().await;
    assert_eq!((report.title.as_str(), report.href), ("T", url));
    assert_eq!(report.problems, ["a complaint"]);
}

#[tokio::test]
async fn a_scripted_host_does_its_steps_and_remembers() {
    let script = vec![
        Step::text("ab"),
        Step::Expect(2),
        Step::Drip(b"cd".to_vec()),
        Step::Close,
    ];
    let host = FakeHost::script(script).await;
    let mut stream = connect(host.address).await;
    stream.write_all(b"xy").await.unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, "abcd");
    assert_eq!(host.visits()[0].received, b"xy");
}

#[tokio::test]
async fn nobody_answers_at_a_deaf_address() {
    for family in [Family::V4, Family::V6] {
        let (address, _held) = deaf_address(family);
        assert!(try_connect(address).await.is_err());
    }
}

#[test]
fn the_hosts_des_is_that_of_openssl() {
    // `openssl enc -des-ecb -nopad` of 00 01 .. 0f, under `s3cret12` with its bits mirrored:
    // ce cc c6 4e a6 2e 8c 4c.
    let response = vnc_auth::response(b"s3cret12", std::array::from_fn(|i| i as u8));
    let response = data_encoding::HEXLOWER.encode(&response);
    assert_eq!(response, "2dbb9e7a1501bfa3c4005539adc58be6");
}

/// The first 12 bytes of a server.
async fn greeting(address: std::net::SocketAddr) -> String {
    let mut line = [0; 12];
    connect(address).await.read_exact(&mut line).await.unwrap();
    String::from_utf8_lossy(&line).into_owned()
}
