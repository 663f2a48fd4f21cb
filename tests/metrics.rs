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
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::wait::until;

const PATIENCE: Duration = Duration::from_secs(10);

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
    let address = gateway.listens_as("metrics").parse().unwrap();

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
