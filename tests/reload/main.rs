//! The whole configuration read again while consoles run: all of it, or nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

#[path = "../common/mod.rs"]
mod common;

mod asked;
mod checked;

use std::process::{Command, Output};
use std::time::Duration;

use common::events::Events;
use common::fake_host::FakeHost;
use common::gateway::TestGateway;
use common::http::Response;
use common::log::Line;
use common::net::Family;
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::wait::{until, within};
use common::websocket::End;
use data_encoding::HEXLOWER;
use fanlight::reason::Reason;
use serde_json::json;
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
