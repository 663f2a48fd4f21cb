//! Names of requests and sessions: in answers, on every line of the log, in the audit log.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::gateway::{TestGateway, target};
use common::http::{Request, Response};
use common::log::Line;
use common::net::Family;
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::wait::until;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(20);

fn id(answer: &Response) -> String {
    let id = answer.header("x-request-id");
    id.unwrap_or_else(|| panic!("no id in {answer:?}"))
        .to_owned()
}

fn is_ours(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|it| b"0123456789abcdef".contains(&it))
}

#[tokio::test]
async fn every_answer_has_a_name_of_its_own() {
    let gateway = TestGateway::start().await;
    let mut ids = BTreeSet::new();
    for (path, status) in [
        ("/novnc", 200),
        ("/readyz", 200),
        ("/nowhere", 404),
        ("/novnc?token=x", 403),
        ("/novnc/websocket", 426),
        ("/api/v1/sessions", 401),
    ] {
        // Nobody is trusted here, whatever they say.
        let request = Request::get(gateway.address, path).header("x-request-id", "theirs");
        let answer = request.send().await;
        if path != "/novnc?token=x" {
            assert_eq!(answer.status, status, "{path}");
        }
        assert!(is_ours(&id(&answer)), "{path}: {answer:?}");
        ids.insert(id(&answer));
    }
    assert_eq!(ids.len(), 6, "{ids:?}");
}

#[tokio::test]
async fn the_name_that_a_trusted_proxy_gives_is_kept_if_it_is_one() {
    let builder = TestGateway::builder().set("trusted_proxies", vec!["127.0.0.0/8"]);
    let gateway = builder.start().await;
    let ask = async |names: &[&str]| {
        let request = Request::get(gateway.address, "/readyz");
        let request = names
            .iter()
            .fold(request, |it, name| it.header("x-request-id", name));
        id(&request.send().await)
    };
    for good in ["a", "C0A8:D2F_10:1F90_6", &"x".repeat(128)] {
        assert_eq!(ask(&[good]).await, good);
    }
    let long = "x".repeat(129);
    for bad in [
        &[][..],
        &[""],
        &["a b"],
        &["a\"b"],
        &["{}"],
        &[&long],
        &["a", "b"],
    ] {
        let id = ask(bad).await;
        assert!(is_ours(&id), "{bad:?}: {id}");
    }
}

#[tokio::test]
async fn what_is_done_for_a_request_has_its_name_in_the_log_and_in_the_audit_log() {
    let builder = TestGateway::builder()
        .set("audit.to", "audit.log")
        .set("trusted_proxies", vec!["127.0.0.0/8"]);
    let gateway = builder.start().await;
    let order = json!({ "target": target("127.0.0.1:5901".parse().unwrap()) });
    let mint = gateway.api("POST", "/api/v1/consoles").json(&order);
    let minted = mint.header("x-request-id", "minting-1").send().await;
    assert_eq!((minted.status, id(&minted).as_str()), (201, "minting-1"));
    let console = minted.json()["id"].as_str().unwrap().to_owned();
    let revoke = gateway.api("DELETE", &format!("/api/v1/consoles/{console}"));
    let revoked = revoke.send().await;
    assert_eq!(revoked.status, 200, "{}", revoked.text());
    let expected = [
        ("mint", "console minted", "minting-1".to_owned()),
        ("revoke", "revoked", id(&revoked)),
    ];
    for (act, message, id) in expected {
        let lines = gateway.log_lines();
        let line = lines.iter().find(|it| it.text("message") == message);
        assert_eq!(line.unwrap().text("request"), id, "{message}");
        let written = until("the audit line", PATIENCE, async || {
            let text = std::fs::read_to_string(gateway.file("audit.log")).unwrap();
            let mut lines = text
                .lines()
                .filter_map(|it| serde_json::from_str::<Value>(it).ok());
            lines.find(|it| it["act"] == act).ok_or(text)
        })
        .await;
        assert_eq!(written["request"], id, "{act}");
    }
    let verified = gateway.command(&["audit", "verify", "audit.log"]);
    assert!(verified.status.success(), "{verified:?}");
}

#[tokio::test]
async fn every_line_of_a_session_has_its_name() {
    let host = Manners::default().host(Family::V4).await;
    let gateway = TestGateway::builder().set("audit.to", "audit.log");
    let gateway = gateway.start().await;
    let minted = gateway.mint_times(2, host.address, "").await;
    let first = Viewer::open(&gateway, &minted).await.unwrap();
    let secret = first.resume_secret();
    drop(first);
    let end = gateway.session_end().await;
    let again = Viewer::resume(&gateway, &minted, &secret).await.unwrap();
    drop(again);
    let ends = gateway.session_ends(2).await;
    let session = end.text("session");
    assert_eq!(session.len(), 32);
    assert_eq!(ends[1].text("session"), session, "it is the same one");

    let lines = gateway.log_lines();
    let said = |message: &str| -> Vec<Line> {
        let lines = lines.iter().filter(|it| it.text("message") == message);
        lines.cloned().collect()
    };
    let mut requests = BTreeSet::new();
    for message in ["host connected", "host handshake", "session started"] {
        let both = said(message);
        assert_eq!(both.len(), 2, "{message}: {}", gateway.log());
        for line in both {
            assert_eq!(line.text("session"), session, "{line:?}");
            assert!(is_ours(&line.text("request")), "{line:?}");
            requests.insert(line.text("request"));
        }
    }
    assert_eq!(requests.len(), 2, "one for each WebSocket: {requests:?}");
    for end in ends {
        assert_eq!(end.text("request"), "", "the request is long over: {end:?}");
    }
    let audit = until("both ends are written down", PATIENCE, async || {
        let text = std::fs::read_to_string(gateway.file("audit.log")).unwrap();
        let ended = text.matches("\"act\":\"end\"").count();
        if ended == 2 { Ok(text) } else { Err(text) }
    })
    .await;
    for request in requests {
        let line = format!("\"act\":\"admit\",\"request\":\"{request}\"");
        assert!(audit.contains(&line), "{line} in {audit}");
    }
}
