//! The API from outside: who may use it, what it answers, and how it says what is wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use common::answer::assert_problem;
use common::gateway::TestGateway;
use common::http::Request;
use serde_json::{Value, json};

/// A console for a host that nobody dials in these tests.
fn body() -> Value {
    json!({ "target": { "host": "192.0.2.1", "port": 5901 } })
}

#[tokio::test]
async fn the_api_asks_for_a_key() {
    let gateway = TestGateway::start().await;
    let post = || Request::new(gateway.address, "POST", "/api/v1/consoles").json(&body());
    let right = TestGateway::API_KEY;
    let keys = [
        None,
        Some("Bearer wrong".to_owned()),
        Some("Bearer ".to_owned()),
        Some("Bearer".to_owned()),
        Some(format!("Basic {right}")),
        Some(format!("Bearer {}", &right[1..])),
        Some(format!("Bearer {right}x")),
    ];
    for key in keys {
        let request = match &key {
            None => post(),
            Some(key) => post().header("authorization", key),
        };
        let response = request.send().await;
        assert_problem(&response, 401, "unauthorized", &format!("{key:?}"));
        let challenge = response.header("www-authenticate").unwrap_or_default();
        assert!(challenge.starts_with("Bearer"), "{key:?}: {challenge:?}");
    }
    assert_eq!(gateway.try_mint(&body()).await.status, 201);
    gateway.assert_log_has_no(right);
}

#[tokio::test]
async fn the_api_says_what_is_wrong_with_a_request() {
    let gateway = TestGateway::start().await;
    let with = |pointer: &str, value: Value| {
        let mut body = body();
        body[pointer] = value;
        body
    };
    let bodies = [
        ("no target", json!({})),
        ("an array", json!([])),
        ("an unknown field", with("colour", json!("red"))),
        (
            "a port of 0",
            with("target", json!({ "host": "192.0.2.1", "port": 0 })),
        ),
        (
            "a port of 65536",
            with("target", json!({ "host": "192.0.2.1", "port": 65536 })),
        ),
        (
            "a host that is none",
            with("target", json!({ "host": "a b", "port": 5900 })),
        ),
        (
            "an unknown field inside",
            with("credentials", json!({ "pasword": "x" })),
        ),
        (
            "a profile's name that is none",
            with(
                "target",
                json!({ "host": "192.0.2.1", "port": 5900, "profile": "A" }),
            ),
        ),
        (
            "a profile that is not there",
            with(
                "target",
                json!({ "host": "192.0.2.1", "port": 5900, "profile": "a" }),
            ),
        ),
        (
            "a username that is too long",
            with("credentials", json!({ "username": "u".repeat(256) })),
        ),
        (
            "a word for a switch",
            with("security", json!({ "require_tls": "yes" })),
        ),
        (
            "an unknown demand",
            with("security", json!({ "require_ssl": true })),
        ),
        (
            "half a fingerprint",
            with("identity", json!({ "certificate_sha256": "ab" })),
        ),
        (
            "five certificates",
            with(
                "identity",
                json!({ "certificate_sha256": vec!["00".repeat(32); 5] }),
            ),
        ),
        (
            "a UUID that is none",
            with("identity", json!({ "machine_uuid": "1" })),
        ),
        ("a time without a unit", with("expires_in", json!("60"))),
        ("a time that is too long", with("expires_in", json!("25h"))),
        ("no time at all", with("expires_in", json!("0s"))),
        ("a name of 1 MiB", with("name", json!("n".repeat(1 << 15)))),
    ];
    for (name, body) in bodies {
        let response = gateway.try_mint(&body).await;
        assert_problem(&response, 400, "invalid_request", name);
        let detail = response.json()["detail"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(!detail.is_empty(), "{name}: says what");
    }
    let post = || gateway.api("POST", "/api/v1/consoles");
    let broken = post().body("application/json", "{\"target\":").send().await;
    assert_problem(&broken, 400, "invalid_request", "half a document");
    let text = post().body("text/plain", body().to_string()).send().await;
    assert_problem(&text, 415, "unsupported_media_type", "text/plain");
    let large = post()
        .body("application/json", vec![b' '; 2 << 20])
        .send()
        .await;
    assert_problem(&large, 413, "body_too_large", "2 MiB");
    let method = gateway.api("DELETE", "/api/v1/consoles").send().await;
    assert_problem(&method, 405, "method_not_allowed", "DELETE");
    assert!(method.header("allow").unwrap_or_default().contains("POST"));
}

#[tokio::test]
async fn a_password_in_a_bad_request_is_not_repeated() {
    let gateway = TestGateway::start().await;
    for credentials in [
        json!("hunter2!"),
        json!(["hunter2!"]),
        json!({ "password": ["hunter2!"] }),
        json!({ "password": { "hunter2!": 1 } }),
        json!({ "password": 31_415_926 }),
    ] {
        let mut body = body();
        body["credentials"] = credentials.clone();
        let response = gateway.try_mint(&body).await;
        assert_problem(&response, 400, "invalid_request", &credentials.to_string());
        for secret in ["hunter2!", "31415926"] {
            assert!(!response.text().contains(secret), "{}", response.text());
            gateway.assert_log_has_no(secret);
        }
    }
}

#[tokio::test]
async fn the_answer_to_a_mint_has_all_that_a_viewer_needs() {
    let gateway = TestGateway::start().await;
    let mut body = body();
    body["credentials"] = json!({ "password": "hunter2!" });
    body["name"] = json!("web-01");
    body["expires_in"] = json!("5m");
    body["labels"] = json!({ "tenant": "acme" });
    let response = gateway.try_mint(&body).await;
    assert_eq!(response.status, 201, "{}", response.text());
    assert_eq!(
        response.header("cache-control"),
        Some("no-store"),
        "it carries a token"
    );
    let answer = response.json();
    let url = answer["url"].as_str().unwrap();
    let page = format!("http://{}/novnc?token=fl1.", gateway.address);
    assert!(url.starts_with(&page), "{url}");
    let socket = answer["websocket"]["url"].as_str().unwrap();
    assert_eq!(socket, format!("ws://{}/novnc/websocket", gateway.address));
    let protocols = answer["websocket"]["protocols"].as_array().unwrap();
    assert!(protocols.iter().any(|p| p == "binary"), "{protocols:?}");
    assert!(
        answer["expires_at"].as_str().unwrap().ends_with('Z'),
        "{answer}"
    );
    assert!(!response.text().contains("hunter2!"), "the token is sealed");
    gateway.assert_log_has_no("hunter2!");
}

#[tokio::test]
async fn a_parameter_that_a_path_does_not_have_is_refused_and_so_is_a_body_where_none_belongs() {
    let gateway = TestGateway::start().await;
    let id = "0".repeat(32);
    let session = format!("/api/v1/sessions/{id}");
    let console = format!("/api/v1/consoles/{id}");
    let keys = format!("{session}/keys");
    for (method, path) in [
        ("POST", "/api/v1/consoles"),
        ("POST", "/api/v1/reload"),
        ("POST", "/api/v1/revocations"),
        ("GET", "/api/v1/sessions"),
        ("GET", "/api/v1/sessions/events"),
        ("GET", &session),
        ("DELETE", &session),
        ("PATCH", &session),
        ("POST", &keys),
        ("DELETE", &console),
    ] {
        let request = gateway.api(method, &format!("{path}?dry_run=hunter2!"));
        let response = request.json(&body()).send().await;
        let what = format!("{method} {path}");
        assert_problem(&response, 400, "invalid_parameter", &what);
        assert!(!response.text().contains("hunter2!"), "{what}");
    }
    let paged = gateway.api("GET", "/api/v1/sessions/events?limit=5");
    let paged = paged.send().await;
    assert_problem(&paged, 400, "invalid_parameter", "events have no pages");
    let reload = gateway.api("POST", "/api/v1/reload").json(&body());
    let reload = reload.send().await;
    assert_problem(&reload, 400, "invalid_request", "a reload with a body");
    let reload = gateway.api("POST", "/api/v1/reload").send().await;
    assert_eq!(reload.status, 200, "{}", reload.text());
}
