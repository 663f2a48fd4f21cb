//! What is verified about hosts: by profiles of the configuration, and by the pins of a grant.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::net::SocketAddr;

use common::answer::assert_problem;
use common::gateway::{Builder, TestGateway, target};
use common::log::Line;
use common::net::Family;
use common::pki::Pki;
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::tls_host::TlsHost;
use common::websocket::End;
use fanlight::reason::Reason;
use serde_json::{Value, json};

const UUID: &str = "123e4567-e89b-12d3-a456-426614174000";
const NAME: &str = "QEMU (123e4567-e89b-12d3-a456-426614174000)";

/// A gateway with a profile for each way to look at a host.
fn profiles(pki: &Pki, fingerprint: &str) -> Builder {
    let ca_file = pki.ca_file.to_str().unwrap();
    let other = pki.other_ca_file.to_str().unwrap();
    TestGateway::builder()
        .set("profiles.ours.ca_file", ca_file)
        .set("profiles.elsewhere.ca_file", ca_file)
        .set("profiles.elsewhere.server_name", "elsewhere.example")
        .set("profiles.chain.ca_file", ca_file)
        .set("profiles.chain.server_name", "elsewhere.example")
        .set("profiles.chain.verify", "chain")
        .set("profiles.strange.ca_file", other)
        .set("profiles.pinned.pin_sha256", vec![fingerprint])
        .set("profiles.mispinned.pin_sha256", vec!["00".repeat(32)])
        .set("profiles.lax.verify", "none")
        .set("profiles.strict.require_tls", true)
}

fn tls(address: SocketAddr, profile: Option<&str>) -> Value {
    let mut target = target(address);
    target["tls"] = json!(true);
    if let Some(profile) = profile {
        target["profile"] = json!(profile);
    }
    json!({ "target": target })
}

/// Opens a console, and gives the end's line in the log when it is refused, and else the start's.
async fn open(gateway: &TestGateway, body: &Value) -> Result<Line, Line> {
    let seen = |line: &Line, message: &str| line.text("message") == message;
    let count = |message: &str| {
        let lines = gateway.log_lines();
        lines.iter().filter(|line| seen(line, message)).count()
    };
    let ends = count("session ended");
    let minted = gateway.mint(body).await;
    match Viewer::open(gateway, &minted).await {
        Ok(viewer) => {
            drop(viewer);
            gateway.session_ends(ends + 1).await;
            let lines = gateway.log_lines();
            let start = lines.iter().rfind(|line| seen(line, "session started"));
            Ok(start.unwrap().clone())
        }
        Err(refusal) => {
            let end = gateway.session_ends(ends + 1).await.pop().unwrap();
            let End::Close { code, reason } = refusal.end else {
                panic!("{refusal:?}");
            };
            assert_eq!(end.text("reason"), reason);
            let table = Reason::ALL.iter().find(|it| it.code() == reason);
            assert_eq!(table.map(|it| it.close_code()), Some(code));
            Err(end)
        }
    }
}

#[tokio::test]
async fn a_host_is_verified_as_its_profile_says_and_the_log_tells_how() {
    let pki = Pki::new();
    let host = TlsHost::start(&pki.server, NAME).await;
    let fingerprint = pki.server.fingerprint();
    let gateway = profiles(&pki, &fingerprint).start().await;
    for (profile, proof) in [
        ("ours", "full"),
        ("chain", "chain"),
        ("pinned", "pin"),
        ("lax", "unverified"),
    ] {
        let opened = open(&gateway, &tls(host.address, Some(profile))).await;
        let start = opened.unwrap_or_else(|end| panic!("{profile}: {end:?}"));
        assert_eq!(start.text("host_tls"), proof, "{profile}");
    }
    for (profile, words) in [
        (None, "no certificate authority"),
        (Some("strange"), "no certificate authority"),
        (Some("elsewhere"), "not for elsewhere.example; server_name"),
        (Some("mispinned"), "is not a pinned one"),
    ] {
        let end = open(&gateway, &tls(host.address, profile)).await;
        let end = end.expect_err("a host that is not verified");
        assert_eq!(end.text("reason"), "host_tls_verify", "{profile:?}");
        let detail = end.text("detail");
        assert!(
            detail.contains(words) && detail.contains(&fingerprint),
            "{profile:?}: {detail}"
        );
    }
    let warned = gateway
        .log_lines()
        .into_iter()
        .filter(|line| {
            line.text("message")
                .starts_with("no certificate is verified")
        })
        .map(|line| line.text("profile").to_owned())
        .collect::<Vec<_>>();
    assert_eq!(warned, ["lax"]);
}

// The command is waited for on a thread, while the host answers on another.
#[tokio::test(flavor = "multi_thread")]
async fn a_probe_looks_at_a_host_as_its_profile_says() {
    let pki = Pki::new();
    let host = TlsHost::start(&pki.server, NAME).await;
    let fingerprint = pki.server.fingerprint();
    let gateway = profiles(&pki, &fingerprint).start().await;
    let port = host.address.port().to_string();
    let probe = |flags: &[&str]| {
        let target = ["probe", "--host", "127.0.0.1", "--port", &port, "--tls"];
        gateway.command(&[&target, flags].concat())
    };
    let good = probe(&["--profile", "ours"]);
    assert!(good.status.success(), "{good:?}");
    let said = String::from_utf8(good.stdout).unwrap();
    let certificate = format!("certificate sha256:{fingerprint}, full\n");
    assert!(said.contains(&certificate), "{said}");

    let bad = probe(&[]);
    let said = String::from_utf8(bad.stderr).unwrap();
    assert!(
        said.contains("no certificate authority") && said.ends_with("[host_tls_verify]\n"),
        "{said}"
    );
    assert!(probe(&["--pin-certificate", &fingerprint]).status.success());
    let other = probe(&["--profile", "ours", "--pin-desktop-name", "web-01"]);
    let said = String::from_utf8(other.stderr).unwrap();
    assert!(said.ends_with("[host_identity]\n"), "{said}");
}

#[tokio::test]
async fn a_certificate_without_names_says_which_setting_helps() {
    let pki = Pki::new();
    let host = TlsHost::start(&pki.named_in_cn, NAME).await;
    let gateway = profiles(&pki, &pki.named_in_cn.fingerprint()).start().await;
    let end = open(&gateway, &tls(host.address, Some("ours"))).await;
    let detail = end.unwrap_err().text("detail").to_owned();
    assert!(
        detail.contains("subjectAltName") && detail.contains("verify = \"chain\""),
        "{detail}"
    );
    for profile in ["chain", "pinned"] {
        let opened = open(&gateway, &tls(host.address, Some(profile))).await;
        assert!(opened.is_ok(), "{profile}: {opened:?}");
    }
}

#[tokio::test]
async fn a_machine_that_is_another_is_refused_before_the_first_picture() {
    let pki = Pki::new();
    let host = TlsHost::start(&pki.server, NAME).await;
    let fingerprint = pki.server.fingerprint();
    let gateway = profiles(&pki, &fingerprint).start().await;
    let body = |identity: Value| {
        let mut body = tls(host.address, None);
        body["identity"] = identity;
        body
    };
    // The pin stands for the authority that the gateway does not know.
    let pin = json!({ "certificate_sha256": fingerprint });
    let right = json!({
        "certificate_sha256": ["00".repeat(32), fingerprint],
        "desktop_name": NAME,
        "machine_uuid": UUID.to_uppercase(),
    });
    for identity in [pin, right] {
        let start = open(&gateway, &body(identity)).await.unwrap();
        assert_eq!(start.text("host_tls"), "pin");
    }
    for identity in [
        json!({ "certificate_sha256": "00".repeat(32) }),
        json!({ "certificate_sha256": fingerprint, "desktop_name": "QEMU (web-01)" }),
        json!({ "certificate_sha256": fingerprint, "machine_uuid": UUID.replace("123", "124") }),
        json!({ "certificate_sha256": fingerprint, "ra2_key_sha256": fingerprint }),
    ] {
        let end = open(&gateway, &body(identity.clone())).await.unwrap_err();
        assert_eq!(end.text("reason"), "host_identity", "{identity}");
    }
    // A machine that shows no certificate at all is not the pinned one either.
    let plain = Manners::default().host(Family::V4).await;
    let end = open(
        &gateway,
        &json!({
            "target": target(plain.address),
            "identity": { "certificate_sha256": fingerprint },
        }),
    )
    .await;
    assert_eq!(end.unwrap_err().text("reason"), "host_identity");
}

#[tokio::test]
async fn what_a_grant_or_its_profile_demands_is_demanded() {
    let pki = Pki::new();
    let gateway = profiles(&pki, &pki.server.fingerprint()).start().await;
    for (profile, security) in [
        (Some("strict"), json!({})),
        (None, json!({ "require_tls": true })),
        (None, json!({ "refuse_none": true })),
    ] {
        // One each: a host that fails often is left alone for a while.
        let plain = Manners::default().host(Family::V4).await;
        let body = |profile: Option<&str>, security: &Value| {
            let mut target = target(plain.address);
            target["profile"] = json!(profile);
            json!({ "target": target, "security": security })
        };
        let end = open(&gateway, &body(profile, &security)).await.unwrap_err();
        assert_eq!(end.text("reason"), "host_no_common_security", "{security}");
        let start = open(&gateway, &body(None, &json!({}))).await.unwrap();
        assert_eq!(start.text("host_tls"), "");
    }

    // Inside TLS from the first byte a login has nothing to prove.
    let host = TlsHost::start(&pki.server, NAME).await;
    let mut body = tls(host.address, Some("ours"));
    body["security"] = json!({ "require_tls": true, "refuse_none": true });
    assert!(open(&gateway, &body).await.is_ok());
}

#[tokio::test]
async fn a_profile_that_is_not_there_is_refused_when_minted_and_when_opened() {
    let pki = Pki::new();
    let plain = Manners::default().host(Family::V4).await;
    let here = profiles(&pki, &pki.server.fingerprint()).start().await;
    let ring = here.file("state/keyring");
    let there = TestGateway::builder()
        .set("tokens.keyring_file", ring.to_str().unwrap())
        .start()
        .await;
    let mut known = target(plain.address);
    known["profile"] = json!("lax");
    let known = json!({ "target": known });
    let response = there.try_mint(&known).await;
    assert_problem(&response, 400, "invalid_request", "an unknown profile");
    assert!(response.text().contains("target profile lax"));

    let minted = here.mint(&known).await;
    let refusal = Viewer::open(&there, &minted).await.err().unwrap();
    let reason = "internal".to_owned();
    assert_eq!(refusal.end, End::Close { code: 4500, reason });
    let end = there.session_end().await;
    assert!(
        end.text("detail")
            .contains("no target profile lax in this gateway's configuration"),
        "{end:?}"
    );
    assert!(plain.visits().is_empty(), "nobody was dialled");
}

#[tokio::test]
async fn a_profile_whose_files_are_wrong_keeps_the_gateway_from_starting() {
    let pki = Pki::new();
    let missing = TestGateway::builder().set("profiles.a.ca_file", "/nonexistent/ca.pem");
    let said = missing.start_in_vain().await;
    assert!(
        said.contains("profiles.a.ca_file: /nonexistent/ca.pem cannot be read"),
        "{said}"
    );
    let ca_file = pki.ca_file.to_str().unwrap();
    let no_key = TestGateway::builder()
        .set("profiles.a.certificate_file", ca_file)
        .set("profiles.a.key_file", ca_file);
    let said = no_key.start_in_vain().await;
    assert!(said.contains("cannot read the private key"), "{said}");
}
