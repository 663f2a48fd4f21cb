//! What is looked at before anything changes, and what is said of it.

use serde_json::json;

use super::common::gateway::TestGateway;
use super::common::net::Family;
use super::common::rfb_client::Viewer;
use super::common::rfb_server::Manners;
use super::common::wait::until;
use super::{ANSWERED, ask, reload};

/// A certificate of somebody who is no authority.
fn no_authority() -> String {
    let names = vec!["client.example".to_owned()];
    rcgen::generate_simple_self_signed(names)
        .unwrap()
        .cert
        .pem()
}

#[tokio::test]
async fn what_needs_a_restart_is_checked_as_a_start_does() {
    let builder = TestGateway::builder().with_tls();
    let mut gateway = builder.start().await;
    let files = [
        ("clients.pem", no_authority()),
        ("empty.pem", String::new()),
        ("nothing.ring", "no ring\n".to_owned()),
        ("short.secret", "too short\n".to_owned()),
    ];
    for (name, text) in files {
        std::fs::write(gateway.file(name), text).unwrap();
    }
    let certificate = gateway.file("certificate.pem");
    let certificate = certificate.to_str().unwrap();
    let listener = toml::Table::from_iter([
        ("address".to_owned(), "127.0.0.1:0".into()),
        ("roles".to_owned(), vec!["api"].into()),
        ("client_ca_file".to_owned(), "clients.pem".into()),
    ]);
    let listener = vec![toml::Value::Table(listener)];
    for (setting, value, words) in [
        (
            "listeners",
            toml::Value::Array(listener),
            "clients.pem has a certificate that is no authority's",
        ),
        ("tls.certificate_file", "empty.pem".into(), "empty.pem"),
        ("profiles.default.ca_file", "empty.pem".into(), "empty.pem"),
        (
            "audit.to",
            "missing/audit.log".into(),
            "missing is no directory",
        ),
        (
            "webhook.secret_file",
            "short.secret".into(),
            "less than 16 bytes",
        ),
    ] {
        gateway.configure(|settings| {
            settings.set("limits.mints_per_key", "7/s");
            if setting == "webhook.secret_file" {
                settings.set("webhook.url", "https://cloud.example/hook");
            }
            settings.set(setting, value);
        });
        let answer = ask(&gateway).await;
        assert_eq!(answer.status, 409, "{}", answer.text());
        let problem = answer.json();
        let error = &problem["errors"][0];
        assert_eq!(error["setting"], setting, "{problem}");
        assert!(error["place"].as_str().unwrap().contains("fanlight.toml:"));
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
        let checked = gateway.command(&["check-config"]);
        let said = String::from_utf8(checked.stderr).unwrap();
        assert!(said.contains(message), "{said}");
        gateway.configure(|settings| {
            settings.remove("listeners");
            settings.remove("profiles");
            settings.remove("audit");
            settings.remove("webhook");
            settings.set("tls.certificate_file", certificate);
        });
    }
    gateway.configure(|settings| settings.set("tokens.keyring_file", "nothing.ring"));
    let answer = ask(&gateway).await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert!(answer.text().contains("nothing.ring"), "{}", answer.text());
    gateway.configure(|settings| settings.remove("tokens.keyring_file"));
    // What is in use may be spoilt meanwhile: that stays by itself, and keeps nothing else.
    std::fs::write(certificate, "spoilt").unwrap();
    let answer = ask(&gateway).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    assert_eq!(answer["changed"], json!(["limits.mints_per_key"]));
    assert_eq!(answer["kept"][0]["part"], "certificates");
}

#[tokio::test]
async fn its_lines_say_which_request_it_is_done_for() {
    let mut gateway = TestGateway::start().await;
    gateway.configure(|settings| settings.set("limits.sessions", 7));
    let answer = ask(&gateway).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let id = answer.header("x-request-id").unwrap();
    for message in [
        "asked to reload",
        "the configuration was read again",
        "these need a restart, and stay as they were",
        "the key ring was read again",
    ] {
        let lines = gateway.log_lines();
        let line = lines.iter().find(|it| it.text("message") == message);
        let line = line.unwrap_or_else(|| panic!("{message}: {}", gateway.log()));
        assert_eq!(line.text("request"), id, "{message}");
    }
    let line = reload(&mut gateway).await;
    assert_eq!(line.text("request"), "", "nobody asked for it");
}

#[tokio::test]
async fn a_gateway_that_drains_says_that_it_reloads_no_more() {
    let host = Manners::default().host(Family::V4).await;
    let builder = TestGateway::builder().set("shutdown.drain_timeout", "60s");
    let mut gateway = builder.start().await;
    let minted = gateway.mint_open(host.address).await;
    let _viewer = Viewer::open(&gateway, &minted).await.unwrap();
    gateway.process().signal("TERM");
    let said = async |gateway: &TestGateway, words: &str| {
        until(words, ANSWERED, async || {
            let log = gateway.log();
            log.contains(words).then_some(()).ok_or(log)
        })
        .await;
    };
    said(&gateway, "draining").await;
    gateway.process().signal("HUP");
    said(&gateway, "nothing is reloaded any more").await;
    gateway.process().signal("TERM");
    let ended = until("the end", ANSWERED, async || {
        gateway
            .process()
            .ended()
            .ok_or_else(|| "it runs".to_owned())
    });
    assert!(ended.await.success());
}
