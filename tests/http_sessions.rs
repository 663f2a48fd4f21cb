//! Sessions in the API: who may see and end them, over a store that the test fills itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

#[path = "http_sessions/control.rs"]
mod control;
#[path = "http_sessions/desk.rs"]
mod desk;
#[path = "http_sessions/events.rs"]
mod events;

use desk::{Desk, entry};
use fanlight::http::api::routes::ROUTES;
use fanlight::reason::Reason;
use fanlight::store::{Denied, Message, Sentence, State, Store, Whom};
use serde_json::{Value, json};
use tokio::runtime::Builder;

#[tokio::test]
async fn each_route_asks_for_its_scope() {
    let desk = Desk::new();
    let id = "00".repeat(16);
    for route in ROUTES {
        let path = route.path.replace("{id}", &id);
        let method = route.method.to_uppercase();
        for key in [
            "mint",
            "sessions:read",
            "sessions:target",
            "sessions:end",
            "sessions:control",
        ] {
            let answer = desk.ask(&method, &path, key, None).await;
            let refused = (answer.status, answer.code().as_str()) == (403, "missing_scope");
            assert_eq!(
                refused,
                key != route.scope.as_str(),
                "{method} {path} {key}"
            );
            if refused {
                let needed = route.scope.as_str();
                assert!(answer.body["detail"].as_str().unwrap().contains(needed));
                let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{needed}\"");
                assert_eq!(answer.challenge, challenge);
            }
        }
        let all = desk.ask(&method, &path, "admin", None).await;
        assert_ne!(all.status, 403, "{method} {path}");
        let none = desk.ask(&method, &path, "", None).await;
        assert_eq!((none.status, none.code().as_str()), (401, "unauthorized"));
    }
}

#[tokio::test]
async fn sessions_are_listed_page_by_page() {
    let desk = Desk::new();
    for number in 1..=5 {
        let vm = if number % 2 == 0 { "even" } else { "odd" };
        desk.enter(&entry(number, &[("vm", vm), ("tenant", "acme")]))
            .await;
    }
    let ids = |page: &Value| -> Vec<String> {
        let sessions = page["sessions"].as_array().unwrap().iter();
        sessions
            .map(|it| it["id"].as_str().unwrap()[30..].to_owned())
            .collect()
    };
    let all = desk.get("/api/v1/sessions").await;
    assert_eq!(ids(&all.body), ["01", "02", "03", "04", "05"]);
    assert_eq!(all.body.get("next"), None);
    assert_eq!(all.cache_control, "no-store");

    let first = desk.get("/api/v1/sessions?limit=2&label=vm=odd").await.body;
    assert_eq!(ids(&first), ["01", "03"]);
    let next = first["next"].as_str().unwrap();
    let path = format!("/api/v1/sessions?limit=2&label=vm%3Dodd&cursor={next}");
    let second = desk.get(&path).await.body;
    assert_eq!(ids(&second), ["05"]);
    assert_eq!(second.get("next"), None);

    let both = "/api/v1/sessions?label=vm=even&label=tenant=acme";
    assert_eq!(ids(&desk.get(both).await.body), ["02", "04"]);
    let none = "/api/v1/sessions?label=vm=even&label=tenant=other";
    assert!(ids(&desk.get(none).await.body).is_empty());
    let console = entry(3, &[]).console;
    let one = desk
        .get(&format!("/api/v1/sessions?console={console}"))
        .await;
    assert_eq!(ids(&one.body), ["03"]);

    for wrong in [
        "limit=0",
        "label=x",
        "console=1",
        "cursor=x",
        "vm=odd",
        "limit=1&limit=1",
    ] {
        let answer = desk.get(&format!("/api/v1/sessions?{wrong}")).await;
        assert_eq!(answer.status, 400, "{wrong}");
        assert_eq!(answer.code(), "invalid_parameter", "{wrong}");
    }
}

#[tokio::test]
async fn a_session_is_told_whole_and_its_target_to_whom_it_concerns() {
    let desk = Desk::new();
    let mut session = entry(1, &[("user", "ada")]);
    session.security = Some("vncauth".into());
    desk.enter(&session).await;
    let path = format!("/api/v1/sessions/{}", session.id);
    let expected = json!({
        "id": session.id.to_string(),
        "console": session.console.to_string(),
        "state": "live",
        "labels": { "user": "ada" },
        "client": "192.0.2.7",
        "role": "driver",
        "sharing": "shared",
        "permissions": {
            "view_only": false,
            "clipboard": "both",
            "clipboard_to_machine_max": 262_144,
            "resize": true,
            "power": false,
        },
        "gateway": "a",
        "started": "2026-11-21T08:30:00Z",
        "idle_since": "2026-11-21T08:30:05Z",
        "ends_by": "2026-11-21T16:30:00Z",
        "bytes_up": 12,
        "bytes_down": 3456,
        "security": "vncauth",
    });
    assert_eq!(desk.get(&path).await.body, expected);
    let with_target = desk.ask("GET", &path, "admin", None).await.body;
    assert_eq!(with_target["target"], "10.0.0.5:5901");
    let list = desk
        .ask("GET", "/api/v1/sessions", "admin", None)
        .await
        .body;
    assert_eq!(list["sessions"][0]["target"], "10.0.0.5:5901");

    let other = entry(2, &[]).id;
    let gone = desk.get(&format!("/api/v1/sessions/{other}")).await;
    assert_eq!(
        (gone.status, gone.code().as_str()),
        (404, "session_not_found")
    );
    for wrong in ["x", "AB", "%ff", "..%2f", &"0".repeat(33)] {
        let answer = desk.get(&format!("/api/v1/sessions/{wrong}")).await;
        assert_eq!(answer.status, 400, "{wrong}");
        assert_eq!(answer.code(), "invalid_parameter", "{wrong}");
    }
}

#[tokio::test]
async fn a_session_is_ended_with_a_message() {
    let desk = Desk::new();
    let session = entry(1, &[]);
    desk.enter(&session).await;
    let mut messages = desk.store.subscribe();
    let path = format!("/api/v1/sessions/{}", session.id);
    let long = format!("{path}?message={}", "x".repeat(257));
    assert_eq!(desk.end(&long).await.code(), "invalid_parameter");
    let unknown = format!("{path}?massage=x");
    assert_eq!(desk.end(&unknown).await.code(), "invalid_parameter");

    let said = format!("{path}?message=Back%0D%0Aat%20five");
    assert_eq!(desk.end(&said).await.status, 204);
    let expected = Message::End {
        whom: Whom::Session(session.id),
        sentence: Sentence {
            reason: Reason::Terminated,
            note: Some("Back at five".to_owned()),
        },
    };
    assert_eq!(messages.try_recv().unwrap(), expected);
    assert_eq!(desk.end(&path).await.code(), "session_not_found");
    // Whoever missed the message learns it with its next renewal.
    let verdicts = desk
        .store
        .renew(std::slice::from_ref(&session))
        .await
        .unwrap();
    assert_eq!(verdicts.len(), 1);
}

#[tokio::test]
async fn a_console_is_revoked_with_its_sessions_and_its_token() {
    let desk = Desk::new();
    let mut session = entry(1, &[]);
    desk.enter(&session).await;
    let path = format!("/api/v1/consoles/{}", session.console);
    assert_eq!(desk.end(&path).await.body, json!({ "sessions_ended": 1 }));
    assert_eq!(desk.end(&path).await.body, json!({ "sessions_ended": 0 }));
    session.state = State::Connecting;
    assert_eq!(desk.admit(&session).await, Err(Denied::Revoked));
    let other = entry(2, &[]);
    assert!(desk.admit(&other).await.is_ok());
}

#[tokio::test]
async fn a_label_is_revoked_for_what_was_minted_by_now() {
    let desk = Desk::new();
    for number in 1..=3 {
        let user = if number == 3 { "bob" } else { "ada" };
        desk.enter(&entry(number, &[("user", user)])).await;
    }
    let body = json!({ "label": { "key": "user", "value": "ada" } });
    let path = "/api/v1/revocations";
    let answer = desk.ask("POST", path, "sessions:end", Some(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["sessions_ended"], 2);
    let minted_by = answer.body["minted_by"].as_str().unwrap();

    let mut late = entry(4, &[("user", "ada")]);
    assert_eq!(desk.admit(&late).await, Err(Denied::Revoked));
    let later = minted_by.parse::<fanlight::clock::UnixTime>().unwrap();
    late.minted_at = later.plus(std::time::Duration::from_secs(1));
    assert!(desk.admit(&late).await.is_ok());

    for wrong in [
        json!({}),
        json!([]),
        json!({ "label": "user=ada" }),
        json!({ "label": { "key": "user" } }),
        json!({ "label": { "key": "u s", "value": "ada" } }),
        json!({ "label": { "key": "user", "value": "ada" }, "x": 1 }),
    ] {
        let answer = desk.ask("POST", path, "sessions:end", Some(&wrong)).await;
        assert_eq!(answer.code(), "invalid_request", "{wrong}");
    }
}

#[tokio::test]
async fn who_did_what_is_written_down() {
    let desk = Desk::new();
    let session = entry(1, &[("user", "ada")]);
    desk.enter(&session).await;
    let password = "hunter2!";
    let console = json!({
        "target": { "host": "192.0.2.1", "port": 5901 },
        "credentials": { "password": password },
        "labels": { "vm": "web-01" },
    });
    let minted = desk
        .ask("POST", "/api/v1/consoles", "mint", Some(&console))
        .await;
    assert_eq!(minted.status, 201, "{}", minted.body);
    desk.end(&format!("/api/v1/sessions/{}?message=Bye", session.id))
        .await;
    desk.end(&format!("/api/v1/consoles/{}", session.console))
        .await;
    let label = json!({ "label": { "key": "user", "value": "ada" } });
    desk.ask("POST", "/api/v1/revocations", "sessions:end", Some(&label))
        .await;

    let text = desk.audit_log().await;
    let lines: Vec<Value> = text
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let acts: Vec<_> = lines.iter().map(|it| it["act"].as_str().unwrap()).collect();
    assert_eq!(
        acts,
        ["start", "mint", "terminate", "revoke", "revoke", "stop"]
    );
    let mint = &lines[1];
    assert_eq!(mint["key"], "mint");
    assert_eq!(mint["console"], minted.body["id"]);
    assert_eq!(mint["labels"], json!({ "vm": "web-01" }));
    assert_eq!(mint["target"], "192.0.2.1:5901");
    assert_eq!(mint["client"], "198.51.100.9");
    let terminate = &lines[2];
    assert_eq!(terminate["key"], "sessions:end");
    assert_eq!(terminate["session"], session.id.to_string());
    assert_eq!(terminate["labels"], json!({ "user": "ada" }));
    assert_eq!(
        (&terminate["reason"], &terminate["detail"]),
        (&json!("terminated"), &json!("Bye"))
    );
    assert_eq!(lines[3]["console"], session.console.to_string());
    assert_eq!(lines[4]["labels"], json!({ "user": "ada" }));
    let token = minted.body["url"]
        .as_str()
        .unwrap()
        .split('=')
        .nth(1)
        .unwrap();
    for secret in [password, token, &token[4..40]] {
        assert!(!text.contains(secret), "{text}");
    }
    fanlight::audit::verify::verify(text.as_bytes(), None).unwrap();
}

/// A runtime without a clock is what makes the API panic here.
#[test]
fn a_panic_is_counted_like_any_refusal() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let desk = Desk::new();
    let answer = runtime.block_on(desk.get("/api/v1/sessions"));
    assert_eq!((answer.status, answer.code().as_str()), (500, "internal"));
    assert_eq!(answer.cache_control, "no-store");
    let counted = "fanlight_api_refused_total{code=\"internal\"} 1\n";
    let metrics = desk.metrics.to_text().unwrap();
    assert!(metrics.contains(counted), "{metrics}");
}
