//! What HTTP clients get, the friendly and the hostile: right statuses, problem documents with
//! stable codes, and the same headers on every answer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use common::gateway::TestGateway;
use common::http::{Request, Response, send_raw};
use serde_json::{Value, json};

/// A console for a host that nobody dials in these tests.
fn body() -> Value {
    json!({ "target": { "host": "192.0.2.1", "port": 5901 } })
}

/// What every answer has, whatever it is.
fn assert_headers(response: &Response, what: &str) {
    let expected = [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    for (name, value) in expected {
        assert_eq!(response.header(name), Some(value), "{what}: {response:?}");
    }
    let policy = response
        .header("content-security-policy")
        .unwrap_or_default();
    for part in [
        "default-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{what}: {policy:?} has no {part}");
    }
    assert!(!policy.contains("unsafe"), "{what}: {policy:?}");
    let permissions = response.header("permissions-policy").unwrap_or_default();
    assert!(permissions.contains("camera=()"), "{what}: {permissions:?}");
    let hsts = response.header("strict-transport-security");
    assert_eq!(hsts, None, "{what}: only where TLS is on");
}

/// A problem document (RFC 9457) with this status and code.
fn assert_problem(response: &Response, status: u16, code: &str, what: &str) {
    assert_eq!(response.status, status, "{what}: {}", response.text());
    let content_type = response.header("content-type");
    assert_eq!(content_type, Some("application/problem+json"), "{what}");
    let problem = response.json();
    assert_eq!(problem["code"], code, "{what}: {problem}");
    assert_eq!(problem["status"], status, "{what}: {problem}");
    assert!(problem["title"].is_string(), "{what}: {problem}");
    assert_headers(response, what);
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
