//! Live sessions through the API of a real gateway, and what the audit log says of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::path::Path;
use std::time::Duration;

use common::answer::assert_problem;
use common::events::Events;
use common::fake_host::FakeHost;
use common::gateway::{Minted, TestGateway, target};
use common::net::Family;
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::wait::{until, within};
use common::websocket::End;
use fanlight::reason::Reason;
use serde_json::{Value, json};

/// What a handshake or an end may take on a busy test machine.
const ANSWERED: Duration = Duration::from_secs(20);

async fn host() -> FakeHost {
    Manners::default().host(Family::V4).await
}

async fn mint(gateway: &TestGateway, host: &FakeHost, vm: &str) -> Minted {
    let body = json!({ "target": target(host.address), "labels": { "vm": vm, "user": "ada" } });
    gateway.mint(&body).await
}

/// The list, once `count` sessions that fit have their pictures.
async fn live(gateway: &TestGateway, query: &str, count: usize) -> Vec<Value> {
    let path = format!("/api/v1/sessions{query}");
    until("sessions are live", ANSWERED, async || {
        let answer = gateway.api("GET", &path).send().await.json();
        let sessions = answer["sessions"].as_array().unwrap().clone();
        let all = sessions.iter().all(|it| it["state"] == "live");
        (all && sessions.len() == count)
            .then_some(sessions)
            .ok_or_else(|| answer.to_string())
    })
    .await
}

fn end(reason: Reason) -> End {
    End::Close {
        code: reason.close_code(),
        reason: reason.code().to_owned(),
    }
}

#[tokio::test]
async fn live_sessions_are_seen_told_of_and_ended() {
    let host = host().await;
    let gateway = TestGateway::start().await;
    let mut all = Events::open(&gateway, "").await;
    let mut web = Events::open(&gateway, "?label=vm=web-02").await;
    let mut one = Viewer::open(&gateway, &mint(&gateway, &host, "web-01").await)
        .await
        .unwrap();
    all.until("event: opened\n", ANSWERED).await;
    let minted = mint(&gateway, &host, "web-02").await;
    let mut two = Viewer::open(&gateway, &minted).await.unwrap();
    all.until("event: opened\n", ANSWERED).await;
    web.until("event: opened\n", ANSWERED).await;

    let sessions = live(&gateway, "?label=user=ada", 2).await;
    let session = live(&gateway, "?label=vm=web-01", 1).await.remove(0);
    assert!(sessions.contains(&session), "{sessions:?}");
    assert_eq!(session["client"], "127.0.0.1");
    assert_eq!(session["target"], host.address.to_string());
    assert_eq!(session["labels"], json!({ "user": "ada", "vm": "web-01" }));
    assert!(session["security"].is_string(), "{session}");

    let path = format!("/api/v1/sessions/{}", session["id"].as_str().unwrap());
    let said = format!("{path}?message=Back%20at%20five");
    assert_eq!(gateway.api("DELETE", &said).send().await.status, 204);
    let told = within("the end", ANSWERED, one.socket.end()).await;
    assert_eq!(told, end(Reason::Terminated));
    let last = one.socket.source.texts.last().unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!(last["note"], "Back at five", "{last}");
    all.until("event: ended\n", ANSWERED).await;
    all.until("\"reason\":\"terminated\"", ANSWERED).await;
    let gone = gateway.api("GET", &path).send().await;
    assert_problem(&gone, 404, "session_not_found", "it is over");

    let path = format!("/api/v1/consoles/{}", minted.id);
    let revoked = gateway.api("DELETE", &path).send().await;
    assert_eq!(revoked.json(), json!({ "sessions_ended": 1 }));
    let told = within("the end", ANSWERED, two.socket.end()).await;
    assert_eq!(told, end(Reason::TokenRevoked));
    web.until("\"reason\":\"token_revoked\"", ANSWERED).await;
    let refused = Viewer::open(&gateway, &minted).await.err().unwrap();
    assert_eq!(refused.end, end(Reason::TokenRevoked));
}

#[tokio::test]
async fn a_label_is_revoked_and_listeners_are_told_of_the_stop() {
    let host = host().await;
    let mut gateway = TestGateway::start().await;
    let minted = mint(&gateway, &host, "web-01").await;
    let unused = mint(&gateway, &host, "web-02").await;
    let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
    live(&gateway, "", 1).await;
    let body = json!({ "label": { "key": "user", "value": "ada" } });
    let request = gateway.api("POST", "/api/v1/revocations").json(&body);
    assert_eq!(request.send().await.json()["sessions_ended"], 1);
    let told = within("the end", ANSWERED, viewer.socket.end()).await;
    assert_eq!(told, end(Reason::TokenRevoked));
    let refused = Viewer::open(&gateway, &unused).await.err().unwrap();
    assert_eq!(refused.end, end(Reason::TokenRevoked));

    let mut events = Events::open(&gateway, "").await;
    gateway.process().terminate();
    events.until("event: closing\n", ANSWERED).await;
    events.end(ANSWERED).await;
}

#[tokio::test]
async fn the_command_line_asks_the_api() {
    let host = host().await;
    let builder = TestGateway::builder().file("api.key", TestGateway::API_KEY);
    let gateway = builder.start().await;
    let minted = mint(&gateway, &host, "web-01").await;
    let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
    let session = live(&gateway, "", 1).await.remove(0);
    let id = session["id"].as_str().unwrap();
    let url = format!("http://{}", gateway.address);
    let run = |words: &[&str]| {
        let access = ["--api", &url, "--key-file", "api.key"];
        let output = gateway.command(&[words, &access].concat());
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.success(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let good = |words: &[&str]| {
        let (good, out, err) = run(words);
        assert!(good && err.is_empty(), "{words:?}: {out}{err}");
        out
    };

    let table = good(&["sessions", "list", "--label", "vm=web-01"]);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 2, "{table}");
    assert!(lines[0].starts_with("SESSION  "), "{table}");
    assert!(lines[1].starts_with(id), "{table}");
    assert!(lines[1].ends_with("user=ada vm=web-01"), "{table}");
    let none = good(&["sessions", "list", "--label", "vm=web-02"]);
    assert_eq!(none.lines().count(), 1, "{none}");
    let json: Value = serde_json::from_str(&good(&["sessions", "list", "--json"])).unwrap();
    assert_eq!(json["sessions"][0]["id"], id);
    let shown = good(&["sessions", "show", id]);
    assert!(
        shown.contains(&format!("target      {}\n", host.address)),
        "{shown}"
    );

    let ended = good(&["sessions", "end", id, "--message", "Back at five & later"]);
    assert_eq!(ended, format!("ended {id}\n"));
    let told = within("the end", ANSWERED, viewer.socket.end()).await;
    assert_eq!(told, end(Reason::Terminated));
    let last = viewer.socket.source.texts.last().unwrap();
    assert!(last.contains("Back at five & later"), "{last}");
    let (good_end, out, err) = run(&["sessions", "end", id]);
    assert!(!good_end && out.is_empty());
    assert!(
        err.ends_with("There is no such session, or no more\n"),
        "{err}"
    );

    let revoked = good(&["consoles", "revoke", &minted.id]);
    assert_eq!(revoked, "revoked; sessions ended: 0\n");
    let revoked = good(&["consoles", "revoke", "--label", "user=ada"]);
    assert_eq!(revoked, "revoked; sessions ended: 0\n");

    let words = ["sessions", "list", "--api", &url];
    let keyless = gateway.command(&words);
    let said = String::from_utf8(keyless.stderr).unwrap();
    assert!(said.contains("nothing says who asks"), "{said}");
    gateway.assert_log_has_no(TestGateway::API_KEY);
}

#[tokio::test]
async fn the_document_is_there_for_everybody() {
    let gateway = TestGateway::start().await;
    let request = common::http::Request::get(gateway.address, "/api/openapi.json");
    let answer = request.send().await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    let document = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    let server = document["servers"][0]["url"].as_str().unwrap();
    assert_eq!(server, format!("http://{}", gateway.address));
}

#[tokio::test]
async fn the_audit_log_tells_a_session_from_mint_to_end() {
    let host = Manners::with_password("hunter2!").host(Family::V4).await;
    let builder = TestGateway::builder();
    let mut gateway = builder.set("audit.to", "audit.log").start().await;
    let body = json!({
        "target": target(host.address),
        "credentials": { "password": "hunter2!" },
        "labels": { "vm": "web-01" },
    });
    let minted = gateway.mint(&body).await;
    let viewer = Viewer::open(&gateway, &minted).await.unwrap();
    let session = live(&gateway, "", 1).await.remove(0);
    Viewer::open(&gateway, &minted).await.err().unwrap();
    drop(viewer);
    gateway.session_ends(2).await;
    let path = format!("/api/v1/sessions/{}", session["id"].as_str().unwrap());
    let twice = gateway.api("DELETE", &path).send().await;
    assert_eq!(twice.status, 204, "it may come back, and is not to");
    let thrice = gateway.api("DELETE", &path).send().await;
    assert_eq!(thrice.status, 404);
    gateway.process().terminate();
    until("the gateway is gone", ANSWERED, async || {
        gateway.process().ended().ok_or_else(String::new)
    })
    .await;

    let file = gateway.file("audit.log");
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let of = |act: &str| {
        lines
            .iter()
            .find(|it| it["act"] == act)
            .unwrap_or_else(|| panic!("{text}"))
    };
    for act in ["start", "keys", "mint", "admit", "refuse", "end", "stop"] {
        of(act);
    }
    assert_eq!(of("mint")["key"], "tests");
    let (admit, ended) = (of("admit"), of("end"));
    assert_eq!(admit["session"], session["id"]);
    assert_eq!(ended["session"], session["id"]);
    assert_eq!(admit["console"], of("mint")["console"]);
    assert_eq!(ended["labels"], json!({ "vm": "web-01" }));
    assert!(ended["bytes_down"].is_u64(), "{ended}");
    assert_eq!(of("refuse")["reason"], "token_used");
    // What is unknown here may run somewhere, where it ends.
    let terminated = lines.iter().filter(|it| it["act"] == "terminate");
    let terminated: Vec<_> = terminated.map(|it| &it["session"]).collect();
    assert_eq!(terminated, [&session["id"]; 2]);
    for secret in ["hunter2!", minted.token()] {
        assert!(!text.contains(secret), "{text}");
    }
    let verified = gateway.command(&["audit", "verify", file.to_str().unwrap()]);
    assert!(verified.status.success(), "{verified:?}");
    // The log names the hash of the last line, so that one cut off at the end is missed.
    let said = String::from_utf8(verified.stdout).unwrap();
    let hash = said.rsplit(' ').next().unwrap().trim();
    assert!(gateway.log().contains(hash), "{said}");
}

#[tokio::test]
async fn while_it_cannot_be_written_nothing_new_begins() {
    assert!(Path::new("/dev/full").exists(), "Linux has it");
    let host = host().await;
    let full = TestGateway::builder()
        .set("audit.to", "/dev/full")
        .set("public_url", "http://console.example");
    let gateway = full.start().await;
    let body = json!({ "target": target(host.address) });
    until("the first line fails", ANSWERED, async || {
        let answer = gateway.try_mint(&body).await;
        (answer.status == 503)
            .then_some(())
            .ok_or_else(|| answer.text())
    })
    .await;
    let refused = gateway.try_mint(&body).await;
    assert_problem(&refused, 503, "audit_unavailable", "refuse");
    let port = host.address.port().to_string();
    let offline = gateway.command(&["mint", "--host", "127.0.0.1", "--port", &port]);
    let url = String::from_utf8(offline.stdout).unwrap();
    let minted = Minted::from_url(url.trim());
    let refused = Viewer::open(&gateway, &minted).await.err().unwrap();
    assert_eq!(refused.end, end(Reason::AuditUnavailable));
    assert!(host.visits().is_empty(), "nobody got as far as the host");

    let going_on = TestGateway::builder()
        .set("audit.to", "/dev/full")
        .set("audit.when_full", "continue");
    let gateway = going_on.start().await;
    let minted = gateway.mint(&body).await;
    Viewer::open(&gateway, &minted).await.unwrap();
}
