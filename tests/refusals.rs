//! What the log and the metrics have of API requests that are refused, and that clients come to know it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::time::Duration;

use common::curl::curl;
use common::gateway::{TestGateway, target};
use common::http::Request;
use common::wait::until;
use data_encoding::HEXLOWER;
use serde_json::json;
use sha2::{Digest, Sha256};

const PATIENCE: Duration = Duration::from_secs(20);

const KEY: &str = "flk_tests-only-of-a-portal";

/// The entry of a key that can mint and nothing else.
fn portal() -> toml::Value {
    let hash = HEXLOWER.encode(&Sha256::digest(KEY));
    toml::Value::Table(toml::Table::from_iter([
        ("name".to_owned(), "portal".into()),
        ("hash".to_owned(), format!("sha256:{hash}").into()),
    ]))
}

#[tokio::test]
async fn whoever_is_refused_leaves_a_line_without_what_was_sent() {
    let builder = TestGateway::builder()
        .set("metrics.listen", "127.0.0.1:0")
        .set("limits.mints_per_key", "1/h")
        .set("api.keys", vec![portal()]);
    let gateway = builder.start().await;
    let (portal, secret) = (format!("Bearer {KEY}"), "hunter2!");
    let portal = portal.as_str();
    let ask = |method: &str, path: &str, key: &str| {
        let request = Request::new(gateway.address, method, path);
        request.header("authorization", key)
    };
    let forged = format!("Bearer {secret}");
    let session = "/api/v1/sessions/{id}";
    let named = format!("/api/v1/sessions/{secret}");
    let elsewhere = format!("/api/v1/consoles/{secret}/more");
    let mint = || {
        ask("POST", "/api/v1/consoles", portal)
            .json(&json!({ "target": target("192.0.2.1:5901".parse().unwrap()) }))
    };
    assert_eq!(mint().send().await.status, 201);
    for (request, status, method, route, reason, key) in [
        (
            ask("GET", &named, &forged),
            401,
            "GET",
            session,
            "unauthorized",
            "",
        ),
        (
            ask("GET", &named, portal),
            403,
            "GET",
            session,
            "missing_scope",
            "portal",
        ),
        (
            mint(),
            429,
            "POST",
            "/api/v1/consoles",
            "rate_limited",
            "portal",
        ),
        (
            ask("PUT", &named, portal),
            405,
            "PUT",
            session,
            "method_not_allowed",
            "",
        ),
        (
            ask("BREW", &elsewhere, portal),
            404,
            "(other)",
            "/api/{*elsewhere}",
            "not_found",
            "",
        ),
    ] {
        let answer = request.send().await;
        assert_eq!(answer.status, status, "{}", answer.text());
        let line = until("the line", PATIENCE, async || {
            let mut lines = gateway.log_lines().into_iter();
            let id = answer.header("x-request-id").unwrap();
            let found = lines.find(|it| it.text("request") == id && it.text("reason") == reason);
            found.ok_or_else(|| gateway.log())
        })
        .await;
        let fields = ["level", "message", "method", "route", "key"].map(|it| line.text(it));
        let expected = ["WARN", "API request refused", method, route, key];
        assert_eq!(fields, expected, "{line:?}");
        assert_eq!(line.number("status"), Some(status.into()));
        assert!(line.text("client").starts_with("127.0.0.1:"), "{line:?}");
        assert_eq!(answer.json()["code"], reason);
    }
    for _ in 0..50 {
        let answer = ask("GET", "/api/v1/sessions", &forged).send().await;
        assert_eq!(answer.status, 401);
    }
    let scraped = Request::get(gateway.metrics(), "/metrics").send().await;
    let counted = "fanlight_api_refused_total{code=\"unauthorized\"} 51\n";
    assert!(scraped.text().contains(counted), "{}", scraped.text());
    gateway.assert_log_has_no(secret);
    gateway.assert_log_has_no(KEY);
}

/// An answer before the end of a request breaks the request off over HTTP/2.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_waits_for_the_end_of_its_request() {
    let gateway = TestGateway::builder().with_tls().start().await;
    let certificate = gateway.file("certificate.pem");
    let long = gateway.file("long.json");
    std::fs::write(&long, format!("{{\"name\": \"{}\"}}", "n".repeat(60_000))).unwrap();
    let body = format!("@{}", long.display());
    let bearer = format!("Authorization: Bearer {}", TestGateway::API_KEY);
    for (method, path, status) in [
        ("POST", "/api/v1/consoles?dry_run=1", 400),
        ("POST", "/api/v1/reload", 400),
        ("POST", "/api/v1/nothing", 404),
        ("PUT", "/api/v1/consoles", 405),
        ("POST", "/nothing", 404),
        ("POST", "/healthz", 405),
    ] {
        let url = format!("https://{}{path}", gateway.address);
        let authority = ["--http2", "--cacert", certificate.to_str().unwrap()];
        let sent = ["-X", method, "--data-binary", &body, "-H", &bearer, &url];
        let answer = curl(&[&authority[..], &sent].concat());
        assert_eq!(answer.map(|it| it.status), Ok(status), "{method} {path}");
    }
}
