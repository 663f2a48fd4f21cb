//! The whole configuration read again while consoles run: all of it, or nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::time::Duration;

use common::gateway::TestGateway;
use common::log::Line;
use common::net::Family;
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::wait::{until, within};
use common::websocket::End;
use fanlight::reason::Reason;
use serde_json::json;

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
async fn a_key_that_was_taken_out_opens_nothing_also_on_an_open_connection() {
    let mut gateway = TestGateway::start().await;
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

    gateway.configure(|settings| settings.remove("profiles"));
    assert_eq!(reload(&mut gateway).await.text("level"), "INFO");
}
