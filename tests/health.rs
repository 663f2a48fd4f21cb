//! How a gateway says that it is well: to load balancers, to supervisors, and to `fanlight health`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::time::Duration;

use common::answer::assert_headers;
use common::gateway::{Builder, TestGateway};
use common::http::Request;
use common::net::{Family, deaf_address};
use common::redis::RedisServer;
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::wait::until;
use serde_json::{Value, json};

/// More than a beat of the store and a look at the files, on a busy test machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until `/readyz` says this of one of its checks, and gives the whole answer, which has the
/// status that goes with it.
async fn checked(gateway: &TestGateway, name: &str, words: &str) -> Value {
    let answer = until(words, PATIENCE, async || {
        let answer = Request::get(gateway.address, "/readyz").send().await;
        let said = answer.json()["checks"][name].clone();
        let found = said.as_str().is_some_and(|said| said.contains(words));
        found.then_some(answer.clone()).ok_or_else(|| answer.text())
    })
    .await;
    let report = answer.json();
    let checks = report["checks"].as_object().unwrap();
    let ready = checks.values().all(|said| said == "ok");
    assert_eq!(report["ready"], ready, "{report}");
    assert_eq!(answer.status, if ready { 200 } else { 503 }, "{report}");
    report
}

/// The names of those checks that fail.
fn failing(report: &Value) -> Vec<&str> {
    let checks = report["checks"].as_object().unwrap().iter();
    let failing = checks.filter(|(_, said)| *said != "ok");
    failing.map(|(name, _)| name.as_str()).collect()
}

#[tokio::test]
async fn a_running_gateway_lives_and_is_ready_whatever_its_base_path() {
    for base_path in ["", "/consoles"] {
        let gateway = TestGateway::builder().set("base_path", base_path);
        let gateway = gateway.start().await;
        let alive = Request::get(gateway.address, "/healthz").send().await;
        assert_eq!((alive.status, alive.json()), (200, json!({"alive": true})));
        let ready = Request::get(gateway.address, "/readyz").send().await;
        assert_eq!(ready.status, 200, "{}", ready.text());
        assert_eq!(ready.json()["ready"], true);
        let checks = json!({ "drain": "ok", "key_ring": "ok", "store": "ok" });
        assert_eq!(ready.json()["checks"], checks);
        for answer in [alive, ready] {
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_headers(&answer, "health");
        }
    }
}

/// A gateway that wants a header of the PROXY protocol from whoever is on its own machine.
fn behind_a_proxy() -> Builder {
    let trusted = vec!["127.0.0.0/8", "::1"];
    let builder = TestGateway::builder().set("trusted_proxies", trusted);
    builder.set("proxy_protocol", true)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_asks_over_plain_http_and_over_tls() {
    for builder in [
        TestGateway::builder(),
        TestGateway::builder().with_tls(),
        TestGateway::builder().set("listen", "[::]:0"),
        behind_a_proxy(),
        behind_a_proxy().with_tls(),
    ] {
        let gateway = builder.start().await;
        let listen = gateway.address.to_string();
        for more in [&[][..], &["--ready"]] {
            let arguments = [&["health", "--listen", &listen], more].concat();
            let output = gateway.command(&arguments);
            assert!(output.status.success(), "{output:?}");
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(said.starts_with('{') && said.contains("true"), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_fails_where_nobody_answers() {
    let gateway = TestGateway::start().await;
    let (deaf, _socket) = deaf_address(Family::V4);
    let deaf = deaf.to_string();
    for (listen, words) in [
        (deaf.as_str(), "no answer from"),
        ("127.0.0.1:0", "no listener has an address that is known"),
    ] {
        let output = gateway.command(&["health", "--listen", listen]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn a_gateway_is_ready_while_its_store_answers_or_is_not_needed() {
    let mut redis = RedisServer::start(&[]).await;
    let with_store = |when_away: &str| -> Builder {
        TestGateway::builder()
            .set("store.kind", "redis")
            .set("store.url", format!("redis://127.0.0.1:{}", redis.port))
            .set("store.timeout", "1s")
            .set("store.when_away", when_away)
    };
    let refusing = with_store("refuse").start().await;
    let allowing = with_store("allow").start().await;
    checked(&refusing, "store", "ok").await;

    redis.kill();
    let report = checked(&refusing, "store", "the store does not answer: ").await;
    assert_eq!(failing(&report), ["store"]);
    let port = redis.port.to_string();
    assert!(!report.to_string().contains(&port), "{report}");
    let report = checked(&allowing, "store", "ok").await;
    assert!(failing(&report).is_empty(), "{report}");
    // As it says: who comes gets in at one and not at the other.
    let host = Manners::default().host(Family::V4).await;
    for (gateway, gets_in) in [(&refusing, false), (&allowing, true)] {
        let minted = gateway.mint_open(host.address).await;
        let opened = Viewer::open(gateway, &minted).await;
        assert_eq!(opened.is_ok(), gets_in, "{:?}", opened.err());
    }

    redis.again().await;
    checked(&refusing, "store", "ok").await;
    redis.hang();
    checked(&refusing, "store", "not answer: no answer").await;
    redis.go_on();
    checked(&refusing, "store", "ok").await;
}

#[tokio::test]
async fn a_key_ring_that_cannot_be_taken_up_is_named_until_it_can() {
    let gateway = TestGateway::start().await;
    checked(&gateway, "key_ring", "ok").await;
    let (ring, aside) = (gateway.file("state/keyring"), gateway.file("aside"));
    std::fs::rename(&ring, &aside).unwrap();
    let report = checked(&gateway, "key_ring", "could not be read again").await;
    assert_eq!(failing(&report), ["key_ring"]);
    let path = ring.to_str().unwrap();
    assert!(!report.to_string().contains(path), "{report}");
    std::fs::write(&ring, "0a0b0c0d half").unwrap();
    let lines = gateway.log_lines();
    let said = |it: &&common::log::Line| it.text("message") == "the key ring stays as it was";
    assert!(lines.iter().any(|it| said(&it)), "{}", gateway.log());
    checked(&gateway, "key_ring", "could not be read again").await;
    std::fs::rename(&aside, &ring).unwrap();
    checked(&gateway, "key_ring", "ok").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_has_expired_is_named() {
    let mut of_yesterday = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    of_yesterday.not_before = rcgen::date_time_ymd(2020, 1, 1);
    of_yesterday.not_after = rcgen::date_time_ymd(2020, 1, 2);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = of_yesterday.self_signed(&key).unwrap();
    let gateway = TestGateway::builder()
        .file("old.pem", &certificate.pem())
        .file("old.key", &key.serialize_pem())
        .set("tls.certificate_file", "old.pem")
        .set("tls.key_file", "old.key");
    let gateway = gateway.start().await;
    let listen = gateway.address.to_string();
    let output = gateway.command(&["health", "--listen", &listen, "--ready"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(failing(&report), ["certificate"]);
    let words = "expired at 2020-01-02T00:00:00Z";
    assert_eq!(report["checks"]["certificate"], words);
}
