//! What Prometheus is told of a gateway and its sessions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::gateway::TestGateway;
use common::http::Request;
use common::net::Family;
use common::qemu::Qemu;
use common::redis::RedisServer;
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::wait::{until, within};
use serde_json::json;

const PASSWORD: &str = "s3cret12";
/// Raw, DesktopSize, the cursor, Fence and ContinuousUpdates.
const ENCODINGS: [i32; 5] = [0, -223, -239, -312, -313];
const PATIENCE: Duration = Duration::from_secs(20);

async fn scrape(address: SocketAddr) -> String {
    let answer = Request::get(address, "/metrics").send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let form = answer.header("content-type").unwrap();
    assert!(form.starts_with("application/openmetrics-text"), "{form}");
    let text = answer.text();
    assert!(text.ends_with("# EOF\n"), "{text}");
    text
}

/// Waits until a scraper is told each of these lines.
async fn told(address: SocketAddr, lines: &[&str]) -> String {
    until("the lines are told", PATIENCE, async || {
        let text = scrape(address).await;
        let all = lines.iter().all(|line| text.lines().any(|it| it == *line));
        if all { Ok(text) } else { Err(text) }
    })
    .await
}

#[tokio::test]
async fn a_session_is_counted_from_its_start_to_its_end() {
    let host = Manners::default().host(Family::V4).await;
    let gateway = TestGateway::builder()
        .with_tls()
        .set("metrics.listen", "127.0.0.1:0");
    let gateway = gateway.start().await;
    let address = gateway.metrics();

    let first = scrape(address).await;
    assert!(first.contains("fanlight_sessions 0\n"), "{first}");
    assert!(
        first.contains("fanlight_certificate_expiry_timestamp_seconds "),
        "{first}"
    );
    let minted = gateway.mint_open(host.address).await;
    let viewer = Viewer::open(&gateway, &minted).await.unwrap();
    let sealed = told(address, &["fanlight_sessions 1"]).await;
    let sealed = sealed
        .lines()
        .find(|it| it.starts_with("fanlight_tokens_sealed_total"));
    let twice = sealed.is_some_and(|it| it.ends_with(" 2"));
    assert!(twice, "for the token and for coming back: {sealed:?}");
    drop(viewer);
    let deaf = gateway.mint_open("127.0.0.1:1".parse().unwrap()).await;
    assert!(Viewer::open(&gateway, &deaf).await.is_err());
    let last = told(
        address,
        &[
            "fanlight_sessions 0",
            "fanlight_handshake_seconds_count 1",
            "fanlight_session_seconds_count 1",
            "fanlight_sessions_refused_total{reason=\"host_unreachable\"} 1",
            "fanlight_handshakes_total{result=\"ok\",security=\"None\"} 1",
            "fanlight_handshakes_total{result=\"host_unreachable\",security=\"\"} 1",
            "fanlight_first_frame_seconds_count 0",
            "fanlight_sessions_admitted 0",
            "fanlight_handshakes_under_way 0",
            "fanlight_relay_buffers_in_use 0",
        ],
    )
    .await;
    for secret in [minted.token(), "127.0.0.1", TestGateway::API_KEY] {
        assert!(!last.contains(secret), "{secret} is in {last}");
    }
    let other = Request::get(address, "/novnc").send().await;
    assert_eq!(other.status, 404, "nothing else is there");
    let public = Request::get(gateway.address, "/metrics").over_tls(gateway.trust());
    assert_eq!(
        public.send().await.status,
        404,
        "and it is not where browsers come"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_of_qemu_as_a_scraper_sees_it_come() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let gateway = TestGateway::builder().set("metrics.listen", "127.0.0.1:0");
    let gateway = gateway.start().await;
    let address = gateway.metrics();
    let wrong = gateway.mint_for(machine.address, "wr0ngpwd").await;
    assert!(Viewer::open(&gateway, &wrong).await.is_err());
    let order = json!({
        "target": common::gateway::target(machine.address),
        "credentials": { "password": PASSWORD },
        "pacing": "on",
    });
    let minted = gateway.mint(&order).await;
    let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
    let vnc = "security=\"VNC Authentication\"";
    let lines = [
        format!("fanlight_handshakes_total{{result=\"host_auth_failed\",{vnc}}} 1"),
        format!("fanlight_handshakes_total{{result=\"ok\",{vnc}}} 1"),
        "fanlight_sessions_admitted 1".to_owned(),
        "fanlight_first_frame_seconds_count 0".to_owned(),
        "fanlight_browser_round_trip_seconds_count 0".to_owned(),
        "fanlight_sessions_paced 0".to_owned(),
    ];
    told(address, &lines.each_ref().map(String::as_str)).await;

    viewer.ask_for(&ENCODINGS).await;
    within("a picture", PATIENCE, viewer.fetch()).await;
    told(address, &["fanlight_first_frame_seconds_count 1"]).await;
    // The ping came before the picture, and is answered now.
    let ping = viewer.socket.source.pings.pop().expect("a ping");
    viewer.socket.sink.pong(&ping).await.unwrap();
    told(address, &["fanlight_browser_round_trip_seconds_count 1"]).await;
    while viewer.offers == 0 {
        within("an offer", PATIENCE, viewer.message()).await;
    }
    viewer.enable(true).await;
    // It shows at what the machine says next.
    viewer.press(0x61).await;
    within("an update", PATIENCE, viewer.update()).await;
    let text = told(address, &["fanlight_sessions_paced 1"]).await;
    let level = |name: &str| {
        let line = text
            .lines()
            .find_map(|it| it.strip_prefix(name)?.strip_prefix(' '));
        let value = line.and_then(|it| it.parse::<u64>().ok());
        value.unwrap_or_else(|| panic!("{name} in {text}"))
    };
    assert!(level("fanlight_connections") >= 1);
    assert!(level("fanlight_connections_limit") > level("fanlight_connections"));
    assert!(level("fanlight_sessions_limit") > 1 && level("fanlight_handshakes_limit") > 1);
    assert!(level("fanlight_relay_buffers_bytes") >= 64 * 1024);
    assert!(level("process_open_fds") >= 3 && level("process_max_fds") > 3);
    drop(viewer);
    let after = ["fanlight_sessions_paced 0", "fanlight_sessions 0"];
    told(address, &after).await;
}

#[tokio::test]
async fn the_store_is_told_of_by_what_it_is_asked_and_whether_it_answers() {
    let mut redis = RedisServer::start(&[]).await;
    let host = Manners::default().host(Family::V4).await;
    let gateway = TestGateway::builder()
        .set("metrics.listen", "127.0.0.1:0")
        .set("store.kind", "redis")
        .set("store.url", format!("redis://127.0.0.1:{}", redis.port))
        .set("store.timeout", "1s");
    let gateway = gateway.start().await;
    let address = gateway.metrics();
    told(address, &["fanlight_store_up 1"]).await;
    let minted = gateway.mint_open(host.address).await;
    drop(Viewer::open(&gateway, &minted).await.unwrap());
    let calls = ["admit", "connected", "leave"];
    let lines =
        calls.map(|call| format!("fanlight_store_call_seconds_count{{operation=\"{call}\"}} 1"));
    told(address, &lines.each_ref().map(String::as_str)).await;
    redis.kill();
    let minted = gateway.mint_open(host.address).await;
    assert!(Viewer::open(&gateway, &minted).await.is_err());
    let failed = [
        "fanlight_store_up 0",
        "fanlight_store_failures_total{operation=\"admit\"} 1",
        "fanlight_store_call_seconds_count{operation=\"admit\"} 2",
        "fanlight_handshakes_total{result=\"store_unavailable\",security=\"\"} 1",
    ];
    let text = told(address, &failed).await;
    assert!(text.contains("fanlight_store_failures_total{operation=\"sessions\"} 0\n"));
}

#[tokio::test]
async fn a_listener_beside_says_when_it_has_no_place_left() {
    let builder = TestGateway::builder().set("metrics.listen", "127.0.0.1:0");
    let gateway = builder.start().await;
    let address = gateway.metrics();
    let words = "this listener has no place left";
    assert!(!gateway.log().contains(words));
    let connecting = (0..64).map(|_| common::net::connect(address));
    let connections = futures_util::future::join_all(connecting).await;
    until("the line", PATIENCE, async || {
        let log = gateway.log();
        log.contains(words).then_some(()).ok_or(log)
    })
    .await;
    let lines = gateway.log_lines();
    let line = lines
        .iter()
        .find(|it| it.text("message").starts_with(words));
    assert_eq!(line.unwrap().text("address"), address.to_string());
    drop(connections);
    scrape(address).await;
    assert_eq!(gateway.log().matches(words).count(), 1);
}
