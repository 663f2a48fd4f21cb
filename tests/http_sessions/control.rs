//! What viewers may do, changed through the API, and keys that are pressed through it.

use fanlight::rfb::permissions::{Clipboard, Permissions};
use fanlight::store::{Message, Order, Permit, Permitted, State, Store};
use serde_json::{Value, json};

use crate::desk::{Answer, Desk, entry};

const KEY: &str = "sessions:control";

fn path(number: u8) -> String {
    format!("/api/v1/sessions/{}", entry(number, &[]).id)
}

async fn change(desk: &Desk, number: u8, permissions: Value) -> Answer {
    let body = json!({ "permissions": permissions });
    desk.ask("PATCH", &path(number), KEY, Some(&body)).await
}

async fn press(desk: &Desk, number: u8, body: Value) -> Answer {
    let path = format!("{}/keys", path(number));
    desk.ask("POST", &path, KEY, Some(&body)).await
}

#[tokio::test]
async fn a_change_is_told_and_stays() {
    let desk = Desk::new();
    let session = entry(1, &[("user", "ada")]);
    desk.enter(&session).await;
    let mut messages = desk.store.subscribe();
    let answer = change(&desk, 1, json!({ "view_only": true, "power": true })).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let expected = json!({
        "view_only": true,
        "clipboard": "both",
        "clipboard_to_machine_max": 262_144,
        "resize": true,
        "power": true,
    });
    assert_eq!(answer.body["permissions"], expected);
    assert_eq!(answer.body["id"], session.id.to_string());
    assert_eq!(answer.body.get("target"), None);
    assert_eq!(desk.get(&path(1)).await.body["permissions"], expected);
    let permissions = Permissions {
        view_only: true,
        power: true,
        ..Permissions::default()
    };
    let told = |permissions, revision| Message::Order {
        session: session.id,
        order: Order::Permit(Permit {
            permissions,
            revision,
        }),
    };
    assert_eq!(messages.try_recv().unwrap(), told(permissions, 1));

    // The same once more changes nothing; a second change goes on top of the first.
    assert_eq!(
        change(&desk, 1, json!({ "view_only": true })).await.status,
        200
    );
    assert_eq!(change(&desk, 1, json!({})).await.status, 200);
    let limits = json!({ "clipboard": "from_machine", "clipboard_from_machine_max": 9 });
    assert_eq!(change(&desk, 1, limits).await.status, 200);
    let permissions = Permissions {
        clipboard: Clipboard {
            to_machine: 0,
            from_machine: 9,
        },
        ..permissions
    };
    assert_eq!(messages.try_recv().unwrap(), told(permissions, 2));
    assert!(messages.try_recv().is_err());

    let log = desk.audit_log().await;
    let lines = log.lines().map(|it| serde_json::from_str(it).unwrap());
    let permits: Vec<Value> = lines.filter(|it: &Value| it["act"] == "permit").collect();
    assert_eq!(permits.len(), 2, "{log}");
    assert_eq!(permits[0]["key"], KEY);
    assert_eq!(permits[0]["session"], session.id.to_string());
    assert_eq!(permits[0]["labels"], json!({ "user": "ada" }));
    assert_eq!(
        permits[1]["detail"],
        "view_only=true clipboard_to_machine=0 clipboard_from_machine=9 resize=true power=true"
    );
}

/// Two that change different things at once both get what they asked for.
#[tokio::test]
async fn changes_at_once_do_not_undo_each_other() {
    let desk = Desk::new();
    desk.enter(&entry(1, &[])).await;
    let outdated = Permit::first(Permissions::default());
    let done = desk.store.permit(entry(1, &[]).id, &outdated).await;
    assert_eq!(done.unwrap(), Permitted::Outdated);
    let (one, other) = tokio::join!(
        change(&desk, 1, json!({ "resize": false })),
        change(&desk, 1, json!({ "power": true })),
    );
    assert_eq!((one.status, other.status), (200, 200));
    let now = desk.get(&path(1)).await.body["permissions"].clone();
    assert_eq!(
        (&now["resize"], &now["power"]),
        (&json!(false), &json!(true))
    );
}

#[tokio::test]
async fn a_lost_session_has_its_permissions_changed_and_gets_no_keys() {
    let desk = Desk::new();
    let mut session = entry(1, &[]);
    session.state = State::Lost;
    desk.enter(&session).await;
    assert_eq!(change(&desk, 1, json!({ "power": true })).await.status, 200);
    let answer = press(&desk, 1, json!({ "keys": "ctrl-alt-del" })).await;
    assert_eq!(
        (answer.status, answer.code()),
        (409, "session_not_live".to_owned())
    );
}

#[tokio::test]
async fn keys_go_to_the_gateway_and_into_the_log() {
    let desk = Desk::new();
    let session = entry(1, &[]);
    desk.enter(&session).await;
    let mut messages = desk.store.subscribe();
    let answer = press(&desk, 1, json!({ "keys": "Ctrl-Alt-F2" })).await;
    assert_eq!((answer.status, answer.body), (202, Value::Null));
    let told = Message::Order {
        session: session.id,
        order: Order::Press("ctrl-alt-f2".parse().unwrap()),
    };
    assert_eq!(messages.try_recv().unwrap(), told);
    let log = desk.audit_log().await;
    let line = log.lines().find(|it| it.contains("\"press\"")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        (&line["key"], &line["detail"]),
        (&json!(KEY), &json!("ctrl-alt-f2"))
    );
    assert_eq!(line["session"], session.id.to_string());
}

#[tokio::test]
async fn what_cannot_be_done_is_said() {
    let desk = Desk::new();
    desk.enter(&entry(1, &[])).await;
    let mut messages = desk.store.subscribe();
    for (permissions, words) in [
        (json!({ "view_only": 1 }), "expected a boolean"),
        (json!({ "view_only": null }), "expected a boolean"),
        (json!({ "keyboard": true }), "unknown field `keyboard`"),
        (json!({ "clipboard": "all" }), "unknown variant"),
        (
            json!({ "clipboard_to_machine_max": 1_048_577 }),
            "permissions.clipboard_to_machine_max: a number of bytes from 1 to 1048576",
        ),
        (json!([true]), "expected an object"),
    ] {
        let answer = change(&desk, 1, permissions).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "invalid_request".to_owned())
        );
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{detail}");
    }
    for body in [
        json!({ "keys": "" }),
        json!({ "keys": "ctrl-hunter2" }),
        json!({ "keys": "ctrl-ctrl" }),
        json!({ "keys": "a-b-c-d-e-f" }),
        json!({ "keys": ["ctrl"] }),
        json!({}),
    ] {
        let answer = press(&desk, 1, body).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "invalid_request".to_owned())
        );
        assert!(!answer.body.to_string().contains("hunter2"));
    }
    let nobody = change(&desk, 2, json!({ "view_only": true })).await;
    assert_eq!(
        (nobody.status, nobody.code()),
        (404, "session_not_found".to_owned())
    );
    let nobody = press(&desk, 2, json!({ "keys": "f1" })).await;
    assert_eq!(
        (nobody.status, nobody.code()),
        (404, "session_not_found".to_owned())
    );
    assert!(messages.try_recv().is_err(), "nothing was told");
}
