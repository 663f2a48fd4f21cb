//! Consoles that are bound to clients and pages.

use fanlight::reason::Reason;
use serde_json::json;

use crate::common::gateway::{Minted, TestGateway, target};
use crate::common::http::Request;
use crate::common::net::connect_as;
use crate::common::rfb_client::{Refusal, Viewer};
use crate::common::websocket::{End, WebSocket};
use crate::{host, open, words};

#[tokio::test]
async fn a_bound_console_opens_for_whom_it_is_meant() {
    let gateway = TestGateway::builder()
        .set("trusted_proxies", vec!["127.0.0.1"])
        .set(
            "origins",
            vec!["https://cloud.example", "https://other.example"],
        )
        .start()
        .await;
    let host = host().await;
    let body = json!({
        "target": target(host.address),
        "binding": { "clients": ["203.0.113.0/24"], "origins": ["https://cloud.example"] },
    });
    let rows = [
        ("203.0.113.7", Some("https://cloud.example"), Ok(())),
        (
            "203.0.114.7",
            Some("https://cloud.example"),
            words(Reason::ClientRefused),
        ),
        (
            "203.0.113.7",
            Some("https://other.example"),
            words(Reason::OriginRefused),
        ),
        ("203.0.113.7", None, words(Reason::OriginRefused)),
    ];
    for (client, origin, expected) in rows {
        let minted = gateway.mint(&body).await;
        let mut headers = vec![("x-forwarded-for", client)];
        headers.extend(origin.map(|origin| ("origin", origin)));
        let opened = open(&gateway, &minted, &headers).await;
        assert_eq!(opened, expected, "{client} {origin:?}");
    }
    assert_eq!(host.visits().len(), 1, "nobody else got to the host");
}

/// Opens a console from behind the proxy as the page does, by the token or by a resume secret.
async fn open_page(
    gateway: &TestGateway,
    minted: &Minted,
    secret: Option<&str>,
    client: &str,
) -> Result<Viewer, Refusal> {
    let protocols = match secret {
        Some(secret) => format!("binary, fanlight.1, fanlight.resume.{secret}"),
        None => minted.page_protocols().join(", "),
    };
    let request = Request::get(gateway.address, minted.websocket_path())
        .header("x-forwarded-for", client)
        .header("sec-websocket-protocol", &protocols);
    let stream = connect_as(gateway.address, gateway.trust()).await;
    let socket = WebSocket::upgrade(stream, request, &[]).await;
    Viewer::handshake(socket.unwrap_or_else(|it| panic!("{} {}", it.status, it.text()))).await
}

#[tokio::test]
async fn a_bound_session_comes_back_where_it_was_whoever_tried_before() {
    let gateway = TestGateway::builder()
        .set("trusted_proxies", vec!["127.0.0.1"])
        .set("limits.sessions", 1)
        .start()
        .await;
    let host = host().await;
    let body = json!({
        "target": target(host.address),
        "binding": { "clients": ["203.0.113.0/24"] },
    });
    let minted = gateway.mint(&body).await;
    let viewer = open_page(&gateway, &minted, None, "203.0.113.7").await;
    let secret = viewer.unwrap().resume_secret();
    gateway.session_end().await;

    let thief = open_page(&gateway, &minted, Some(&secret), "203.0.114.7").await;
    let refused = End::Close {
        code: Reason::ClientRefused.close_code(),
        reason: Reason::ClientRefused.code().to_owned(),
    };
    assert_eq!(thief.err().map(|it| it.end), Some(refused));
    let sessions = gateway.api("GET", "/api/v1/sessions").send().await;
    let states = &sessions.json()["sessions"];
    assert_eq!(states[0]["state"], "lost", "{states}");

    let owner = open_page(&gateway, &minted, Some(&secret), "203.0.113.9").await;
    owner.expect("the secret is still the owner's");
    assert_eq!(host.visits().len(), 2, "nobody else got to the host");
}
