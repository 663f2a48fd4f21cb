//! What HTTP clients get, the friendly and the hostile: right statuses, problem documents with
//! stable codes, and the same headers on every answer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use common::answer::{assert_headers, assert_problem};
use common::gateway::TestGateway;
use common::http::{Request, send_raw};
use serde_json::{Value, json};

/// A console for a host that nobody dials in these tests.
fn body() -> Value {
    json!({ "target": { "host": "192.0.2.1", "port": 5901 } })
}

#[tokio::test]
async fn pages_and_assets_have_their_headers() {
    let gateway = TestGateway::start().await;
    let minted = gateway.mint(&body()).await;
    let page = Request::get(gateway.address, &format!("/novnc?token={}", minted.token()));
    let page = page.send().await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_headers(&page, "the page");

    let landing = Request::get(gateway.address, "/novnc").send().await;
    assert_eq!(landing.status, 200);
    assert_headers(&landing, "the page without a token");

    let text = page.text();
    let assets: Vec<_> = text
        .split(['"', '\''])
        .filter_map(|part| part.find("assets/").map(|at| &part[at..]))
        .collect();
    assert!(assets.len() >= 2, "{text}");
    for asset in assets {
        let path = format!("/{asset}");
        let plain = Request::get(gateway.address, &path).send().await;
        assert_eq!(plain.status, 200, "{path}");
        assert_headers(&plain, &path);
        let cache = plain.header("cache-control").unwrap();
        assert!(cache.contains("immutable"), "{path}: {cache}");
        for coding in ["br", "gzip"] {
            let get = Request::get(gateway.address, &path).header("accept-encoding", coding);
            let packed = get.send().await;
            assert_eq!(packed.header("content-encoding"), Some(coding), "{path}");
            assert!(packed.body.len() < plain.body.len(), "{path}");
            assert!(packed.header("vary").is_some(), "{path}");
            let tag = packed.header("etag").unwrap();
            assert!(tag.starts_with('"'), "a strong tag: {tag}");
            let again = Request::get(gateway.address, &path)
                .header("accept-encoding", coding)
                .header("if-none-match", tag);
            assert_eq!(again.send().await.status, 304, "{path}");
        }
    }
}

#[tokio::test]
async fn a_page_for_a_bad_token_is_a_page() {
    let gateway = TestGateway::start().await;
    let page = Request::get(gateway.address, "/novnc?token=fl1.nothing.AAAA")
        .send()
        .await;
    assert_eq!(page.status, 403, "{}", page.text());
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    assert!(page.text().contains("token_invalid"), "{}", page.text());
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_headers(&page, "a refusal");
}

#[tokio::test]
async fn fetching_the_page_spends_nothing() {
    let gateway = TestGateway::start().await;
    let minted = gateway.mint(&body()).await;
    for _ in 0..3 {
        let page = Request::get(gateway.address, &format!("/novnc?token={}", minted.token()));
        assert_eq!(page.send().await.status, 200);
    }
}

#[tokio::test]
async fn hostile_paths_get_clear_answers() {
    let gateway = TestGateway::start().await;
    let paths = [
        "//evil.example/..",
        "//evil.example/%2e%2e",
        "//evil.example/%2F..",
        "/\\evil.example",
        "/novnc/../../etc/passwd",
        "/assets/..%2f..%2fetc%2fpasswd",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/%",
        "/%zz",
        "/%ff%fe",
        "/novnc%00",
        "/nothing-here",
        "/api/v1/nothing-here",
        "/api/v2/consoles",
    ];
    for path in paths {
        let response = Request::get(gateway.address, path).send().await;
        assert!(
            (400..500).contains(&response.status),
            "{path}: {response:?}"
        );
        assert_eq!(
            response.header("location"),
            None,
            "{path}: no way leads elsewhere"
        );
        assert!(!response.text().contains("root:"), "{path}");
        if response.header("content-type").is_some() {
            assert_headers(&response, path);
        }
    }
    assert_problem(
        &Request::get(gateway.address, "/api/v1/nothing-here")
            .send()
            .await,
        404,
        "not_found",
        "an unknown path of the API",
    );
}

#[tokio::test]
async fn bad_queries_get_clear_answers() {
    let gateway = TestGateway::start().await;
    let queries = [
        ("bad percent-encoding", "token=%zz".to_owned()),
        ("not UTF-8", "token=%ff%fe".to_owned()),
        ("two tokens", "token=a&token=b".to_owned()),
        ("a long token", format!("token={}", "A".repeat(20_000))),
        (
            "markup",
            "token=%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
        ),
    ];
    for (name, query) in queries {
        let path = format!("/novnc?{query}");
        let response = Request::get(gateway.address, &path).send().await;
        assert!(
            (400..500).contains(&response.status),
            "{name}: {response:?}"
        );
        assert!(
            !response.text().contains("<script>alert"),
            "{name}: {}",
            response.text()
        );
    }
    // A query of 1 MiB is more than any request may have.
    let long = Request::get(
        gateway.address,
        &format!("/novnc?token={}", "A".repeat(1 << 20)),
    );
    let status = long.send().await.status;
    assert!(matches!(status, 400 | 414 | 431), "{status}");
    assert_eq!(
        Request::get(gateway.address, "/novnc").send().await.status,
        200
    );
}

#[tokio::test]
async fn bytes_that_are_no_http_get_an_answer_and_nothing_else() {
    let gateway = TestGateway::start().await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"RFB 003.008\n\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /novnc HTTP/1.1\r\nhost: a\r\nbad header\r\n\r\n",
        b"GET /novnc HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
    ] {
        let response = send_raw(gateway.address, bytes).await;
        assert!(
            (400..600).contains(&response.status),
            "{bytes:?}: {response:?}"
        );
    }
    assert_eq!(
        Request::get(gateway.address, "/novnc").send().await.status,
        200
    );
}

#[tokio::test]
async fn an_upgrade_that_is_none_is_refused() {
    let gateway = TestGateway::start().await;
    let minted = gateway.mint(&body()).await;
    let get = || Request::get(gateway.address, &minted.stock_path());
    assert_eq!(get().send().await.status, 426, "no upgrade asked for");
    let old = "GET /websockify?token=x HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\n\
        upgrade: websocket\r\nsec-websocket-version: 8\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let response = send_raw(gateway.address, old.as_bytes()).await;
    assert_eq!(response.status, 426, "{response:?}");
    assert_eq!(response.header("sec-websocket-version"), Some("13"));
    let keyless = old
        .replace("version: 8", "version: 13")
        .replace("nonce==", "");
    let keyless = keyless.replace("dGhlIHNhbXBsZSBub25jZQ==", "short");
    let response = send_raw(gateway.address, keyless.as_bytes()).await;
    assert!(matches!(response.status, 400 | 426), "{response:?}");
    assert!(!gateway.log().contains(minted.token()));
}

#[tokio::test]
async fn over_tls_browsers_are_told_to_stay_there() {
    let gateway = TestGateway::builder().with_tls().start().await;
    let minted = gateway.mint(&body()).await;
    assert!(minted.url.starts_with("https://"), "{}", minted.url);
    assert!(
        minted.websocket_url.starts_with("wss://"),
        "{}",
        minted.websocket_url
    );
    let page = Request::get(gateway.address, "/novnc").over_tls(gateway.trust());
    let hsts = page.send().await;
    let hsts = hsts.header("strict-transport-security").unwrap_or_default();
    assert!(hsts.starts_with("max-age="), "{hsts:?}");
}

#[tokio::test]
async fn portals_that_may_frame_the_page_are_named_in_its_policy() {
    let portals = vec![toml::Value::from("https://cloud.example")];
    let gateway = TestGateway::builder()
        .set("frame_ancestors", portals)
        .start()
        .await;
    let page = Request::get(gateway.address, "/novnc").send().await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("frame-ancestors https://cloud.example"),
        "{policy}"
    );
}

#[tokio::test]
async fn an_ipv6_address_is_listened_on_and_minted_in_brackets() {
    let gateway = TestGateway::builder()
        .set("listen", "[::1]:0")
        .start()
        .await;
    let minted = gateway.mint(&body()).await;
    let port = gateway.address.port();
    assert!(
        minted
            .url
            .starts_with(&format!("http://[::1]:{port}/novnc?token=")),
        "{}",
        minted.url
    );
}
