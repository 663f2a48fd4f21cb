//! HTTP/2: pages and the API, and consoles where that is allowed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use common::chromium::Chromium;
use common::gateway::{Builder, TestGateway, target};
use common::guest;
use common::net::{Family, connect_as};
use common::qemu::Qemu;
use common::rfb_server::Manners;
use common::wait::until;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::ext::Protocol;
use hyper::{Method, Request, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const PASSWORD: &str = "s3cret12";
const PATIENCE: Duration = Duration::from_secs(20);

/// What the gateway says of a WebSocket that has no connection of its own.
const WITHIN: &str = "a WebSocket over HTTP/2";

fn builder() -> Builder {
    TestGateway::builder().with_tls()
}

/// A client that speaks nothing but HTTP/2.
#[allow(
    clippy::disallowed_methods,
    reason = "a test is a client, not the gateway"
)]
async fn client(gateway: &TestGateway) -> SendRequest<Body> {
    let mut trust = (**gateway.trust().unwrap()).clone();
    trust.alpn_protocols = vec![b"h2".to_vec()];
    let stream = connect_as(gateway.address, Some(&Arc::new(trust))).await;
    let shaken = handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (requests, connection) = shaken.unwrap();
    tokio::spawn(connection);
    requests
}

fn request(gateway: &TestGateway, method: Method, path: &str) -> hyper::http::request::Builder {
    let uri = format!("https://{}{path}", gateway.address);
    Request::builder().method(method).uri(uri)
}

fn said(gateway: &TestGateway, words: &str) -> usize {
    let lines = gateway.log_lines();
    lines
        .iter()
        .filter(|it| it.text("message") == words)
        .count()
}

#[tokio::test]
async fn many_requests_share_a_connection() {
    let gateway = builder().start().await;
    let host = Manners::default().host(Family::V4).await;
    let client = client(&gateway).await;
    let bearer = format!("Bearer {}", TestGateway::API_KEY);
    let body = json!({ "target": target(host.address) }).to_string();
    let mints = (0..20).map(|_| {
        let mint = request(&gateway, Method::POST, "/api/v1/consoles")
            .header("authorization", &bearer)
            .header("content-type", "application/json");
        let mut client = client.clone();
        let body = Body::from(body.clone());
        async move { client.send_request(mint.body(body).unwrap()).await.unwrap() }
    });
    for answer in futures_util::future::join_all(mints).await {
        assert_eq!(answer.version(), Version::HTTP_2);
        assert_eq!(answer.status(), StatusCode::CREATED);
    }
}

/// What a new connection is told when it asks for a WebSocket; nothing where the client does not even
/// learn that it could ask.
async fn connects(
    gateway: &TestGateway,
    protocol: &'static str,
    version: &str,
) -> Option<StatusCode> {
    let mut client = client(gateway).await;
    // An answer: by now the client has the gateway's settings.
    let ask = request(gateway, Method::GET, "/healthz").body(Body::empty());
    let healthy = client.send_request(ask.unwrap()).await.unwrap();
    assert_eq!(healthy.status(), StatusCode::OK);
    let connect = request(gateway, Method::CONNECT, "/novnc/websocket")
        .extension(Protocol::from_static(protocol))
        .header("sec-websocket-version", version)
        .body(Body::empty());
    let answer = client.send_request(connect.unwrap()).await;
    answer.ok().map(|it| it.status())
}

#[tokio::test]
async fn a_connect_that_opens_no_websocket_is_refused() {
    let gateway = builder().set("browser.websocket_over_http2", true);
    let gateway = gateway.start().await;
    for (protocol, version, expected) in [
        ("websocket", "12", StatusCode::UPGRADE_REQUIRED),
        ("connect-udp", "13", StatusCode::UPGRADE_REQUIRED),
        ("websocket", "13", StatusCode::OK),
    ] {
        let answer = connects(&gateway, protocol, version).await;
        assert_eq!(answer, Some(expected), "{protocol} {version}");
    }
}

#[tokio::test]
async fn new_connections_carry_websockets_from_when_the_configuration_allows_it() {
    let mut gateway = builder().start().await;
    assert_eq!(connects(&gateway, "websocket", "13").await, None);
    gateway.configure(|settings| settings.set("browser.websocket_over_http2", true));
    gateway.process().signal("HUP");
    until("the reload", PATIENCE, async || {
        let answer = connects(&gateway, "websocket", "13").await;
        answer.ok_or_else(|| gateway.log())
    })
    .await;
}

/// A console in Chromium, which shares the page's connection where it may, and has its own where not;
/// and which is told goodbye when the gateway stops.
async fn a_console(allowed: bool) {
    let gateway = builder().set("browser.websocket_over_http2", allowed);
    let mut gateway = gateway.start().await;
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let minted = gateway.mint_for(machine.address, PASSWORD).await;
    let browser = Chromium::start().await;
    browser.open(&minted.url).await;
    browser.reaches("connected").await;
    browser
        .shows(&guest::picture(), "the canvas shows what the formula says")
        .await;
    browser.type_text("fanlight").await;
    machine.typed("fanlight").await;
    assert_eq!(browser.report().await.problems, Vec::<String>::new());
    assert_eq!(said(&gateway, WITHIN), usize::from(allowed));

    gateway.process().terminate();
    let end = gateway.session_end().await;
    assert_eq!(end.text("reason"), "draining");
    let status = until("the gateway ends", PATIENCE, async || {
        let log = gateway.log();
        gateway.process().ended().ok_or(log)
    });
    assert!(status.await.success(), "{}", gateway.log());
    browser.reaches("reconnecting").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_shares_the_connection_where_it_may() {
    a_console(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_has_its_own_connection_otherwise() {
    a_console(false).await;
}

/// HPACK's table would hold tokens and keys of earlier requests (RFC 7541, section 7.1).
#[tokio::test]
async fn headers_are_not_kept_for_later_requests() {
    const SETTINGS: u8 = 4;
    const HEADER_TABLE_SIZE: u16 = 1;
    let gateway = builder().start().await;
    let mut trust = (**gateway.trust().unwrap()).clone();
    trust.alpn_protocols = vec![b"h2".to_vec()];
    let mut stream = connect_as(gateway.address, Some(&Arc::new(trust))).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let none = [0, 0, 0, SETTINGS, 0, 0, 0, 0, 0];
    stream
        .write_all(&[&preface[..], &none].concat())
        .await
        .unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], SETTINGS, "{head:?}");
    let mut settings = vec![0; usize::from(u16::from_be_bytes([head[1], head[2]]))];
    stream.read_exact(&mut settings).await.unwrap();
    let table = settings
        .chunks_exact(6)
        .find(|it| it[..2] == HEADER_TABLE_SIZE.to_be_bytes())
        .map(|it| u32::from_be_bytes(it[2..].try_into().unwrap()));
    assert_eq!(table, Some(0), "{settings:?}");
}
