//! The whole configuration read again while consoles run: all of it, or nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::process::{Command, Output};
use std::time::Duration;

use common::events::Events;
use common::fake_host::FakeHost;
use common::gateway::TestGateway;
use common::http::{Request, Response};
use common::log::Line;
use common::net::Family;
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::wait::{until, within};
use common::websocket::End;
use data_encoding::HEXLOWER;
use fanlight::reason::Reason;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What an answer or a line may take on a busy test machine.
const ANSWERED: Duration = Duration::from_secs(20);

/// Tells the gateway to read everything again, and waits for the line that says what came of it.
async fn reload(gateway: &mut TestGateway) -> Line {
    let said = |line: &Line| {
        let message = line.text("message");
        message.starts_with("the configuration was read")
            || message.starts_with("nothing was reloaded")
    };
    let before = gateway.log_lines().iter().filter(|it| said(it)).count();
    gateway.process().signal("HUP");
    until("the reload", ANSWERED, async || {
        let lines = gateway.log_lines();
        let line = lines.iter().filter(|it| said(it)).nth(before).cloned();
        line.ok_or_else(|| gateway.log())
    })
    .await
}

fn refused(reason: Reason) -> End {
    End::Close {
        code: reason.close_code(),
        reason: reason.code().to_owned(),
    }
}

#[tokio::test]
async fn newcomers_meet_the_new_configuration_and_running_sessions_keep_theirs() {
    let host = Manners::default().host(Family::V4).await;
    let mut gateway = TestGateway::start().await;
    let minted = gateway.mint_times(3, host.address, "").await;
    let mut running = Viewer::open(&gateway, &minted).await.unwrap();

    gateway.configure(|settings| {
        settings.set("targets.deny", vec!["127.0.0.0/8"]);
        settings.set("tokens.connect_within", "2m");
        settings.set("log.level", "info");
        settings.set("limits.sessions", 7);
        settings.set("store.timeout", "3s");
    });
    let line = reload(&mut gateway).await;
    let changed = "tokens.connect_within, targets.deny, log.level";
    assert_eq!(line.text("changed"), changed, "{line:?}");
    let lines = gateway.log_lines();
    let restart = lines
        .iter()
        .find(|it| it.text("message").contains("restart"));
    let restart = restart.unwrap_or_else(|| panic!("{}", gateway.log()));
    assert_eq!(restart.text("settings"), "limits.sessions, store.timeout");

    let newcomer = Viewer::open(&gateway, &minted).await.err().unwrap();
    assert_eq!(newcomer.end, refused(Reason::TargetRefused));
    running.press(0x66).await;
    let typed = until("the key arrives", ANSWERED, async || {
        let visits = host.visits();
        let keys = visits[0].received.ends_with(&[4, 0, 0, 0, 0, 0, 0, 0x66]);
        keys.then_some(()).ok_or_else(|| format!("{visits:?}"))
    });
    typed.await;
    let debug = |line: &&Line| line.text("level") == "DEBUG";
    let lines = gateway.log_lines();
    let read = lines.iter().position(|it| it.0 == line.0).unwrap();
    let later = &lines[read..];
    assert_eq!(later.iter().filter(debug).count(), 0, "{later:?}");

    // Once more, and back: what needs a restart is named as long as it differs.
    gateway.configure(|settings| settings.set("targets.deny", Vec::<String>::new()));
    assert_eq!(reload(&mut gateway).await.text("changed"), "targets.deny");
    let back = Viewer::open(&gateway, &minted).await;
    assert!(back.is_ok(), "{:?}", back.err());
    let count = |text: &str| gateway.log().matches(text).count();
    assert_eq!(count("limits.sessions, store.timeout"), 2);
}

#[tokio::test]
async fn a_key_that_was_taken_out_is_good_for_nothing_that_is_open() {
    let mut gateway = TestGateway::start().await;
    let mut events = Events::open(&gateway, "").await;
    // Keys beside it change nothing for its reader.
    gateway.configure(|settings| {
        let ours = api_key("tests", TestGateway::API_KEY, &["admin"]);
        let other = api_key("other", OTHER_KEY, &["mint"]);
        settings.set("api.keys", vec![other, ours]);
    });
    assert_eq!(reload(&mut gateway).await.text("changed"), "api.keys");
    let alive = events.until(": alive\n\n", ANSWERED * 2).await;
    assert!(!alive.contains("closing"), "{alive}");
    let mut stream = common::net::connect(gateway.address).await;
    let request = format!(
        "GET /api/v1/sessions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        TestGateway::API_KEY
    );
    let mut ask = async || {
        use tokio::io::AsyncWriteExt as _;
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = common::http::read_response(&mut stream);
        within("an answer", ANSWERED, answer).await.status
    };
    assert_eq!(ask().await, 200);
    gateway.configure(|settings| settings.remove("api.keys"));
    assert_eq!(reload(&mut gateway).await.text("changed"), "api.keys");
    events.until("event: closing\n", ANSWERED).await;
    events.end(ANSWERED).await;
    assert_ne!(ask().await, 200, "the key is no good any more");
}

#[tokio::test]
async fn a_broken_configuration_changes_nothing_and_says_so_once() {
    let host = Manners::default().host(Family::V4).await;
    let mut gateway = TestGateway::start().await;
    let minted = gateway.mint_open(host.address).await;
    gateway.configure(|settings| {
        settings.set("targets.deny", vec!["127.0.0.0/8"]);
        settings.set("limits.sessions", "many");
        settings.set("tokens.conect_within", "2m");
    });
    let line = reload(&mut gateway).await;
    assert_eq!(line.text("level"), "ERROR", "{line:?}");
    for wrong in ["limits.sessions", "tokens.conect_within", "fanlight.toml"] {
        assert!(line.text("error").contains(wrong), "{wrong}: {line:?}");
    }
    let lines = gateway.log_lines();
    let errors = lines.iter().filter(|it| it.text("level") == "ERROR");
    assert_eq!(errors.count(), 1, "{lines:?}");
    let opened = Viewer::open(&gateway, &minted).await;
    assert!(opened.is_ok(), "{:?}", opened.err());
    let order = json!({ "target": common::gateway::target(host.address) });
    assert_eq!(gateway.try_mint(&order).await.status, 201);

    // A file that a profile names is part of it.
    gateway.configure(|settings| {
        settings.remove("targets.deny");
        settings.remove("limits.sessions");
        settings.remove("tokens.conect_within");
        settings.set("profiles.default.ca_file", "not-there.pem");
    });
    let line = reload(&mut gateway).await;
    assert_eq!(line.text("level"), "ERROR", "{line:?}");
    assert!(line.text("error").contains("not-there.pem"), "{line:?}");

    // A pipe is not waited for.
    let pipe = gateway.file("not-there.pem");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    let line = reload(&mut gateway).await;
    let refused = "not-there.pem cannot be read: it is no regular file";
    assert!(line.text("error").contains(refused), "{line:?}");
    assert_eq!(ask(&gateway).await.status, 409);

    gateway.configure(|settings| settings.remove("profiles"));
    assert_eq!(reload(&mut gateway).await.text("level"), "INFO");
}

/// An API key that is good for everything but what `admin` alone is.
const OTHER_KEY: &str = "flk_tests-only-of-somebody-else";

/// The entry of a key in `api.keys`.
fn api_key(name: &str, key: &str, scopes: &[&str]) -> toml::Value {
    let hash = HEXLOWER.encode(&Sha256::digest(key));
    toml::Value::Table(toml::Table::from_iter([
        ("name".to_owned(), name.into()),
        ("hash".to_owned(), format!("sha256:{hash}").into()),
        ("scopes".to_owned(), scopes.to_vec().into()),
    ]))
}

/// Has everything read again through the API.
async fn ask(gateway: &TestGateway) -> Response {
    gateway.api("POST", "/api/v1/reload").send().await
}

/// `fanlight reload`, its arguments beside gateway and key.
fn command(gateway: &TestGateway, more: &[&str]) -> Output {
    let key = gateway.file("admin.key");
    std::fs::write(&key, TestGateway::API_KEY).unwrap();
    let url = format!("http://{}", gateway.address);
    let words = ["reload", "--api", &url, "--key-file", key.to_str().unwrap()];
    gateway.command(&[&words, more].concat())
}

/// Sees the host hear a key of the viewer's.
async fn goes_on(viewer: &mut Viewer, host: &FakeHost) {
    let heard = || host.visits()[0].received.len();
    let before = heard();
    viewer.press(0x66).await;
    let more = || (heard() > before).then_some(()).ok_or(before.to_string());
    until("the key arrives", ANSWERED, async || more()).await;
}

#[tokio::test]
async fn who_asks_through_the_api_is_answered_when_it_holds() {
    let host = Manners::default().host(Family::V4).await;
    let builder = TestGateway::builder().set("audit.to", "audit.log");
    let mut gateway = builder.start().await;
    let minted = gateway.mint_times(2, host.address, "").await;
    let mut running = Viewer::open(&gateway, &minted).await.unwrap();
    gateway.configure(|settings| {
        settings.set("targets.deny", vec!["127.0.0.0/8"]);
        settings.set("log.level", "info");
        settings.set("limits.sessions", 7);
        let ours = api_key("ours", TestGateway::API_KEY, &["admin"]);
        let other = api_key("other", OTHER_KEY, &["mint", "sessions:end"]);
        settings.set("api.keys", vec![ours, other]);
    });
    let other = |gateway: &TestGateway, method, path| {
        let bearer = format!("Bearer {OTHER_KEY}");
        let request = Request::new(gateway.address, method, path);
        request.header("authorization", &bearer)
    };
    let path = "/api/v1/reload";
    let unknown = other(&gateway, "POST", path).send().await;
    assert_eq!(unknown.status, 401, "{}", unknown.text());

    let answer = ask(&gateway).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let said = json!({
        "changed": ["api.keys", "targets.deny", "log.level"],
        "needs_restart": ["limits.sessions"],
        "kept": [],
    });
    assert_eq!(answer.json(), said);
    let newcomer = Viewer::open(&gateway, &minted).await.err().unwrap();
    assert_eq!(newcomer.end, refused(Reason::TargetRefused));
    goes_on(&mut running, &host).await;
    let again = ask(&gateway).await.json();
    assert_eq!(again["changed"], json!([]), "{again}");
    assert_eq!(again["needs_restart"], json!(["limits.sessions"]));

    // The new key is known, and is no admin's.
    let ends = other(&gateway, "DELETE", "/api/v1/consoles/0").send().await;
    assert_eq!(ends.json()["code"], "invalid_parameter");
    let forbidden = other(&gateway, "POST", path).send().await;
    assert_eq!(forbidden.status, 403, "{}", forbidden.text());
    assert_eq!(forbidden.json()["code"], "missing_scope");

    let log = gateway.file("audit.log");
    let reloads = until("the audit log tells of both", ANSWERED, async || {
        let text = std::fs::read_to_string(&log).unwrap();
        let lines = text.lines().map(|it| serde_json::from_str(it).unwrap());
        let reloads: Vec<Value> = lines.filter(|it: &Value| it["act"] == "reload").collect();
        (reloads.len() == 2).then_some(reloads).ok_or(text)
    })
    .await;
    let (first, second) = (&reloads[0], &reloads[1]);
    assert_eq!(
        (&first["key"], &second["key"]),
        (&json!("tests"), &json!("ours"))
    );
    assert_eq!(first["client"], "127.0.0.1");
    let detail = "changed: api.keys, targets.deny, log.level; needs a restart: limits.sessions";
    assert_eq!(first["detail"], detail);
}

#[tokio::test]
async fn who_asks_at_once_is_taken_in_turn() {
    let mut gateway = TestGateway::start().await;
    gateway.configure(|settings| settings.set("tokens.connect_within", "2m"));
    let asking = futures_util::future::join_all((0..8).map(|_| ask(&gateway)));
    let answers = within("all answers", ANSWERED, asking).await;
    let mut changed: Vec<Value> = Vec::new();
    for answer in answers {
        assert_eq!(answer.status, 200, "{}", answer.text());
        changed.extend(answer.json()["changed"].as_array().unwrap().clone());
    }
    assert_eq!(changed, ["tokens.connect_within"], "one found it changed");
}

#[tokio::test]
async fn what_is_wrong_is_told_by_its_place_and_changes_nothing() {
    const SECRET: &str = "hunter2-in-the-wrong-place";
    let host = Manners::default().host(Family::V4).await;
    let mut gateway = TestGateway::start().await;
    let minted = gateway.mint_times(2, host.address, "").await;
    let mut running = Viewer::open(&gateway, &minted).await.unwrap();
    gateway.configure(|settings| {
        settings.set("targets.deny", vec!["127.0.0.0/8"]);
        settings.set("limits.sessions", "many");
        settings.set("store.kind", "redis");
        settings.set("store.url", format!("redis://:{SECRET}@store.example"));
        settings.set("tokens.conect_within", "2m");
        let key = toml::Table::from_iter([
            ("name".to_owned(), "spoilt".into()),
            ("hash".to_owned(), format!("sha256:{SECRET}").into()),
        ]);
        settings.set("api.keys", vec![toml::Value::Table(key)]);
    });
    let answer = ask(&gateway).await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    let problem = answer.json();
    assert_eq!(problem["code"], "config_invalid");
    let errors = problem["errors"].as_array().unwrap();
    let about = |setting: &str| {
        let mut errors = errors.iter().filter(|error| error["setting"] == setting);
        let error = errors
            .next()
            .unwrap_or_else(|| panic!("{setting}: {problem}"));
        assert!(errors.next().is_none(), "{setting}: {problem}");
        let place = error["place"].as_str().unwrap();
        assert!(place.contains("fanlight.toml:"), "{error}");
        error["message"].as_str().unwrap().to_owned()
    };
    let unknown = about("tokens.conect_within");
    assert_eq!(
        unknown,
        "is not a setting; did you mean tokens.connect_within?"
    );
    for setting in ["limits.sessions", "store.url", "api.keys"] {
        assert!(!about(setting).is_empty());
    }
    assert_eq!(errors.len(), 4, "{problem}");

    let output = command(&gateway, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("everything stays as it was"), "{told}");
    assert_eq!(told.lines().count(), 1 + errors.len(), "{told}");
    assert!(
        told.contains("tokens.conect_within: is not a setting"),
        "{told}"
    );
    for text in [problem.to_string(), told] {
        assert!(!text.contains(SECRET), "{text}");
    }
    gateway.assert_log_has_no(SECRET);

    // The key of before is still good, and so are the targets.
    goes_on(&mut running, &host).await;
    let opened = Viewer::open(&gateway, &minted).await;
    assert!(opened.is_ok(), "{:?}", opened.err());

    gateway.configure(|settings| {
        settings.remove("store");
        settings.remove("tokens.conect_within");
        settings.set("limits.sessions", 7);
        let ours = api_key("tests", TestGateway::API_KEY, &["admin"]);
        settings.set("api.keys", vec![ours]);
    });
    let output = command(&gateway, &[]);
    assert!(output.status.success(), "{output:?}");
    let told = "changed: targets.deny\nneeds a restart: limits.sessions\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), told);
    gateway.configure(|settings| settings.set("limits.sessions", 5000));
    let output = command(&gateway, &[]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "nothing has changed\n"
    );
    let json: Value = serde_json::from_slice(&command(&gateway, &["--json"]).stdout).unwrap();
    assert_eq!(
        json,
        json!({ "changed": [], "needs_restart": [], "kept": [] })
    );
}

#[tokio::test]
async fn a_key_ring_that_is_no_good_is_told_of() {
    let gateway = TestGateway::start().await;
    let file = gateway.file("state/keyring");
    let ring = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "no ring\n").unwrap();
    let output = command(&gateway, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "nothing has changed\n"
    );
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("stays as it was: key_ring: "), "{told}");
    std::fs::write(&file, ring).unwrap();
    let output = command(&gateway, &[]);
    assert!(output.status.success(), "{output:?}");
}
