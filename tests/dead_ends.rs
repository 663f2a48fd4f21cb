//! Hosts that offer a way to log in which leads nowhere, beside one that does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::time::Duration;

use common::fake_host::{FakeHost, Line};
use common::gateway::{TestGateway, target};
use common::net::Family;
use common::ra2_server::{Quirk, Ra2Manners};
use common::rfb_client::{Refusal, Viewer};
use common::rfb_server::{CHALLENGE, server_init, text};
use common::vnc_auth;
use common::wait::within;
use common::websocket::End;
use fanlight::reason::Reason;
use serde_json::{Value, json};

const PASSWORD: &str = "s3cret12";
/// How long a handshake may take, on a busy test machine.
const ANSWERED: Duration = Duration::from_secs(20);

/// A host that offers VeNCrypt, which holds these sub-types, and VNC authentication.
async fn vencrypt_beside_vnc(sub_types: &'static [u32]) -> FakeHost {
    FakeHost::serve(Family::V4, move |mut line| async move {
        if greet(&mut line, sub_types).await.is_some() {
            line.read_to_end().await;
        }
    })
    .await
}

async fn greet(line: &mut Line, sub_types: &[u32]) -> Option<()> {
    line.send(b"RFB 003.008\n").await;
    line.read(12).await?;
    line.send(&[2, 19, 2]).await;
    if line.read(1).await? == [19] {
        line.send(&[0, 2]).await;
        assert_eq!(line.read(2).await?, [0, 2]);
        let count = u8::try_from(sub_types.len()).unwrap();
        let list: Vec<u8> = sub_types.iter().flat_map(|it| it.to_be_bytes()).collect();
        line.send(&[&[0, count], &*list].concat()).await;
        line.read(4).await;
        return None;
    }
    line.send(&CHALLENGE).await;
    let response = line.read(16).await?;
    if response != vnc_auth::response(PASSWORD.as_bytes(), CHALLENGE) {
        line.send(&[&[0, 0, 0, 1], &*text(b"no")].concat()).await;
        return None;
    }
    line.send(&[0; 4]).await;
    line.read(1).await?;
    line.send(&server_init((64, 48), "beside")).await;
    Some(())
}

fn body(host: &FakeHost, credentials: Value, security: Value) -> Value {
    json!({
        "target": target(host.address),
        "credentials": credentials,
        "security": security,
    })
}

async fn open(gateway: &TestGateway, body: &Value) -> Result<Viewer, Refusal> {
    let minted = gateway.mint(body).await;
    within("the handshake", ANSWERED, Viewer::open(gateway, &minted)).await
}

fn assert_refused(refused: Result<Viewer, Refusal>, expected: Reason) {
    let refusal = refused.err().expect("a refusal");
    let (code, reason) = (expected.close_code(), expected.code().to_owned());
    assert_eq!(refusal.end, End::Close { code, reason }, "{refusal:?}");
}

#[tokio::test]
async fn vnc_authentication_is_used_where_vencrypt_holds_nothing_for_us() {
    let gateway = TestGateway::start().await;
    for sub_types in [&[258, 257][..], &[262], &[256], &[]] {
        let host = vencrypt_beside_vnc(sub_types).await;
        let good = body(&host, json!({ "password": PASSWORD }), json!({}));
        // More often than a host forgives failures: a login that ends well leaves none.
        for visits in (2..=12).step_by(2) {
            let viewer = open(&gateway, &good).await.unwrap();
            assert_eq!(viewer.name, "beside", "{sub_types:?}");
            assert_eq!(host.visits().len(), visits, "{sub_types:?}");
        }
        let wrong = body(&host, json!({ "password": "wr0ngpwd" }), json!({}));
        assert_refused(open(&gateway, &wrong).await, Reason::HostAuthFailed);
    }
}

#[tokio::test]
async fn what_is_demanded_of_the_login_holds_at_a_dead_end_too() {
    let gateway = TestGateway::builder()
        .set("profiles.pinned.pin_sha256", vec!["00".repeat(32)])
        .start()
        .await;
    let host = vencrypt_beside_vnc(&[258]).await;
    let password = json!({ "password": PASSWORD });
    let mut in_profile = body(&host, password.clone(), json!({}));
    in_profile["target"]["profile"] = json!("pinned");
    in_profile["security"]["require_tls"] = json!(true);
    let mut pinned = body(&host, password.clone(), json!({}));
    pinned["identity"] = json!({ "certificate_sha256": "00".repeat(32) });
    let mut ra2_pinned = body(&host, password.clone(), json!({}));
    ra2_pinned["identity"] = json!({ "ra2_key_sha256": "00".repeat(32) });
    let by_terms = body(&host, password, json!({ "require_tls": true }));
    let visits = [(by_terms, 1), (in_profile, 2), (pinned, 3)];
    for (body, visits) in visits {
        let refused = open(&gateway, &body).await;
        assert_refused(refused, Reason::HostTlsAnonymousOnly);
        assert_eq!(host.visits().len(), visits, "{body}");
    }
    for visit in host.visits() {
        assert_eq!(
            visit.received, b"RFB 003.008\n\x13\x00\x02",
            "no second try"
        );
    }
}

#[tokio::test]
async fn there_is_one_second_try_and_no_third() {
    let host = FakeHost::serve(Family::V4, |mut line| async move {
        line.send(b"RFB 003.008\n").await;
        line.read(12).await;
        // It promises the same every time, and holds it never.
        line.send(&[3, 19, 16, 1]).await;
        match line.read(1).await.as_deref() {
            Some([19]) => line.send(b"\x00\x02\x00\x01\x00\x00\x01\x02").await,
            _ => line.send(&[0, 0, 0, 1, 0, 0, 0, 0]).await,
        };
        line.read_to_end().await;
    })
    .await;
    let gateway = TestGateway::start().await;
    let refused = open(&gateway, &body(&host, json!({}), json!({}))).await;
    assert_refused(refused, Reason::HostAuthFailed);
    assert_eq!(host.visits().len(), 2);
}

#[tokio::test]
async fn a_viewer_can_be_asked_beside_a_dead_end() {
    let host = vencrypt_beside_vnc(&[258]).await;
    let gateway = TestGateway::start().await;
    let minted = gateway
        .mint(&body(&host, json!({ "relay": true }), json!({})))
        .await;
    let asked = Viewer::open_asked(&gateway, &minted, PASSWORD);
    let viewer = within("the handshake", ANSWERED, asked).await.unwrap();
    assert_eq!((&*viewer.name, host.visits().len()), ("beside", 2));
}

#[tokio::test]
async fn vnc_authentication_is_used_where_ra2_wants_a_user_that_nobody_gave() {
    let gateway = TestGateway::start().await;
    for kind in [5, 6, 129, 130] {
        let manners = Ra2Manners::new(kind, Some("operator"), PASSWORD).with(Quirk::BesideVnc);
        let host = manners.host().await;
        let alone = json!({ "password": PASSWORD });
        open(&gateway, &body(&host, alone, json!({})))
            .await
            .unwrap();
        assert_eq!(host.visits().len(), 2, "{kind}");
        let user = json!({ "username": "operator", "password": PASSWORD });
        open(&gateway, &body(&host, user, json!({}))).await.unwrap();
        assert_eq!(host.visits().len(), 3, "{kind}: with a user RA2 is used");
    }
}

// The command is waited for on a thread, while the host answers on another.
#[tokio::test(flavor = "multi_thread")]
async fn a_probe_goes_where_a_console_would() {
    let host = vencrypt_beside_vnc(&[258]).await;
    let gateway = TestGateway::start().await;
    std::fs::write(gateway.file("password"), PASSWORD).unwrap();
    let port = host.address.port().to_string();
    let probe = ["probe", "--host", "127.0.0.1", "--port", &port];
    let flags = ["--password-file", "password"];
    let output = gateway.command(&[&probe[..], &flags].concat());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    let expected = "offers      258 (TLSVnc)
again       since it offers only TLS without a certificate: 258 (TLSVnc)
connected   ";
    assert!(said.contains(expected), "{said}");
    assert!(
        said.contains("offers      2 (VNC Authentication), chosen\n"),
        "{said}"
    );
}
