//! How a gateway says that it is well: to load balancers, to supervisors, and to `fanlight health`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use common::answer::assert_headers;
use common::gateway::TestGateway;
use common::http::Request;
use common::net::{Family, deaf_address};
use serde_json::json;

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
        assert_eq!(ready.json()["checks"]["drain"], "ok");
        for answer in [alive, ready] {
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_headers(&answer, "health");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_asks_over_plain_http_and_over_tls() {
    for builder in [
        TestGateway::builder(),
        TestGateway::builder().with_tls(),
        TestGateway::builder().set("listen", "[::]:0"),
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
        ("127.0.0.1:0", "the port is not known"),
    ] {
        let output = gateway.command(&["health", "--listen", listen]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(words), "{said}");
    }
}
