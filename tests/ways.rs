//! Hosts that are not reached over TCP alone: Unix sockets, XAPI's tunnels, WebSockets; with TLS
//! around them and without; real QEMU and a fake XAPI host.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected stops and says where"
)]

#[path = "ways/commands.rs"]
mod commands;
mod common;
#[path = "ways/library.rs"]
mod library;
#[path = "ways/machine.rs"]
mod machine;
#[path = "ways/second_opinion.rs"]
mod second_opinion;

use std::time::Duration;

use common::gateway::TestGateway;
use common::rfb_client::Viewer;
use common::wait::within;
use common::websocket::End;
use common::xapi::{Quirk, SESSION, Xapi};
use fanlight::host::visit::Visit;
use fanlight::host::{HostLeg, Params, ReachError};
use fanlight::reason::Reason;
use fanlight::rfb::identity::Fingerprint;
use fanlight::target::{Target, Way};
use library::{ANSWERED, console, params, password, reach, session, tunnel, visit, websocket};
use machine::{Machine, PASSWORD};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// QEMU sends its screen when it is asked to: bytes go both ways.
async fn shows_a_picture(mut leg: HostLeg) {
    assert!(leg.init.width > 0, "{:?}", leg.init);
    // FramebufferUpdateRequest of all, at once (RFC 6143, 7.5.3).
    let ask = [3, 0, 0, 0, 0, 0, 0, 8, 0, 8];
    leg.stream.write_all(&ask).await.unwrap();
    leg.stream.flush().await.unwrap();
    let mut update = leg.unread;
    let reading = async {
        // A FramebufferUpdate of one Raw rectangle at least: 4, 12 and 8 x 8 x 4 bytes.
        while update.len() < 4 + 12 + 256 {
            assert!(leg.stream.read_buf(&mut update).await.unwrap() > 0);
        }
        update
    };
    let update = within("a picture", ANSWERED, reading).await;
    assert_eq!(update[..3], [0, 0, 0]);
    leg.stream.shutdown().await.unwrap();
}

#[tokio::test]
async fn qemu_on_its_unix_socket() {
    let machine = Machine::on_unix_socket().await;
    let way = || Way::Unix(machine.socket().to_str().unwrap().parse().unwrap());
    let root = params(None, Some(machine.dir().to_owned()));
    shows_a_picture(reach(way(), password(PASSWORD), &root).await.unwrap()).await;
    let wrong = reach(way(), password("wr0ngpwd"), &root).await.unwrap_err();
    assert_eq!(Reason::from(&wrong), Reason::HostAuthFailed);
    let elsewhere = tempfile::tempdir().unwrap();
    let elsewhere = params(None, Some(elsewhere.path().to_owned()));
    for params in [params(None, None), elsewhere] {
        let error = reach(way(), password(PASSWORD), &params).await.unwrap_err();
        assert_eq!(Reason::from(&error), Reason::TargetRefused);
        assert!(error.to_string().contains("host.unix_root"), "{error}");
    }
}

#[tokio::test]
async fn qemu_behind_its_own_websocket() {
    let machine = Machine::behind_websocket().await;
    let url = format!("ws://127.0.0.1:{}", machine.websocket_port());
    let params = params(None, None);
    for protocols in [&["binary"][..], &[]] {
        let way = websocket(&url, protocols);
        shows_a_picture(reach(way, password(PASSWORD), &params).await.unwrap()).await;
    }
    let way = websocket(&url, &["binary"]);
    let wrong = reach(way, password("wr0ngpwd"), &params).await.unwrap_err();
    assert_eq!(Reason::from(&wrong), Reason::HostAuthFailed);
    // It has one path and no tickets.
    let way = websocket(&format!("{url}/?ticket=s3cret"), &["binary"]);
    let refused = reach(way, password("wr0ngpwd"), &params).await.unwrap_err();
    assert_eq!(Reason::from(&refused), Reason::HostRefused);
    let said = refused.said().unwrap().as_str();
    assert!(said.contains("does not know this console"), "{said}");
    assert!(!format!("{refused} {refused:?}").contains("s3cret"));
    // It takes no other subprotocol.
    let way = websocket(&url, &["plain.kubevirt.io"]);
    let refused = reach(way, password(PASSWORD), &params).await.unwrap_err();
    assert!(matches!(refused, ReachError::WebSocket(_)), "{refused}");
}

#[tokio::test]
async fn qemu_behind_its_own_websocket_inside_tls() {
    let machine = Machine::behind_secure_websocket().await;
    let url = format!("wss://127.0.0.1:{}", machine.websocket_port());
    let way = || websocket(&url, &["binary"]);
    let trusting = params(machine.certificate.as_ref(), None);
    shows_a_picture(reach(way(), password(PASSWORD), &trusting).await.unwrap()).await;
    let wrong = reach(way(), password("wr0ngpwd"), &trusting)
        .await
        .unwrap_err();
    assert_eq!(Reason::from(&wrong), Reason::HostAuthFailed);
    // TLS around the WebSocket is TLS around RFB: it satisfies terms, and pins are held against it.
    let pinned = |certificates| {
        let target = Target {
            way: way(),
            profile: None,
        };
        let mut visit = Visit::new(target, password(PASSWORD));
        visit.terms.require_tls = true;
        visit.identity.certificates = certificates;
        visit
    };
    let leg = visit(pinned(Vec::new()), &trusting).await.unwrap();
    let key = leg.stream.shown().unwrap().key;
    assert!(visit(pinned(vec![key]), &trusting).await.is_ok());
    let other = vec![Fingerprint::from_bytes([0; 32])];
    let error = visit(pinned(other), &trusting).await.unwrap_err();
    assert_eq!(Reason::from(&error), Reason::HostIdentity);
    let (_, other) = common::xapi::acceptor();
    let strict = params(Some(&other), None);
    let error = reach(way(), password(PASSWORD), &strict).await.unwrap_err();
    assert_eq!(Reason::from(&error), Reason::HostTlsVerify);
    let plain = websocket(&url.replace("wss", "ws"), &["binary"]);
    assert!(reach(plain, password(PASSWORD), &trusting).await.is_err());
}

/// What is said comes back, through whatever is around it.
async fn says_it_back(mut leg: HostLeg) {
    assert_eq!(leg.unread, b"");
    let sent: Vec<u8> = (0..9999_u32).map(|at| at as u8).collect();
    let mut got = vec![0; sent.len()];
    leg.stream.write_all(&sent).await.unwrap();
    leg.stream.flush().await.unwrap();
    let back = leg.stream.read_exact(&mut got);
    within("the echo", ANSWERED, back).await.unwrap();
    assert!(got == sent);
}

#[tokio::test]
async fn xapi_lets_us_through_however_its_bytes_come() {
    for tls in [false, true] {
        for quirk in [Quirk::None, Quirk::Drip, Quirk::Glue] {
            let xapi = Xapi::start(tls, quirk).await;
            let params = params(xapi.certificate.as_ref(), None);
            let leg = reach(tunnel(&xapi, &console()), session(SESSION), &params).await;
            says_it_back(leg.unwrap_or_else(|error| panic!("{quirk:?}: {error}"))).await;
            let request = format!(
                "CONNECT {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nCookie: session_id={SESSION}\r\n\r\n",
                console(),
                xapi.port
            );
            assert_eq!(xapi.requests(), [request]);
        }
    }
}

#[tokio::test]
async fn an_xapi_host_with_another_certificate_gets_no_session() {
    let xapi = Xapi::start(true, Quirk::None).await;
    let other = params(Some(&common::xapi::acceptor().1), None);
    let error = reach(tunnel(&xapi, &console()), session(SESSION), &other).await;
    assert_eq!(Reason::from(&error.unwrap_err()), Reason::HostTlsVerify);
    assert_eq!(
        xapi.requests(),
        [""; 0],
        "nothing was sent before TLS was up"
    );
}

#[tokio::test]
async fn each_no_of_xapi_has_its_reason_and_its_words() {
    use Quirk::Answer;
    let moved = "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.2/console\r\n\r\n";
    let limit = "HTTP/1.1 503 Connection Limit Exceeded\r\nContent-Length: 5\r\n\r\nadmin";
    let rows = [
        (
            Quirk::None,
            console(),
            "OpaqueRef:over",
            Reason::HostAuthFailed,
            "missing or over",
        ),
        (
            Quirk::None,
            "/consoles-of-others".to_owned(),
            "x",
            Reason::HostAuthFailed,
            "missing",
        ),
        (
            Quirk::None,
            "/host".to_owned(),
            SESSION,
            Reason::HostRefused,
            "does not allow",
        ),
        (
            Quirk::None,
            "/console?uuid=0".to_owned(),
            SESSION,
            Reason::HostRefused,
            "does not run",
        ),
        (
            Answer("HTTP/1.1 404 Not Found\r\n\r\n"),
            console(),
            SESSION,
            Reason::HostRefused,
            "no address",
        ),
        (
            Answer(limit),
            console(),
            SESSION,
            Reason::HostRefused,
            "no more consoles",
        ),
        (
            Answer(moved),
            console(),
            SESSION,
            Reason::HostRefused,
            "not followed",
        ),
        (
            Answer("HTTP/1.1 101 x\r\n\r\n"),
            console(),
            SESSION,
            Reason::HostRefused,
            "something else",
        ),
    ];
    for (quirk, path, cookie, reason, words) in rows {
        let xapi = Xapi::start(false, quirk).await;
        let params = params(None, None);
        let reached = reach(tunnel(&xapi, &path), session(cookie), &params).await;
        let error = reached.unwrap_err();
        assert_eq!(Reason::from(&error), reason, "{path} {quirk:?}: {error}");
        let said = error.said().map(ToString::to_string).unwrap_or_default();
        assert!(said.contains(words), "{path} {quirk:?}: {said:?}");
        assert!(!error.to_string().contains(cookie), "{error}");
        assert!(!error.to_string().contains("admin"), "{error}");
    }
}

#[tokio::test]
async fn a_broken_xapi_host_is_given_up() {
    let rows = [
        (
            Quirk::DeadConsole,
            Reason::HostUnreachable,
            "VNC server is not there",
        ),
        (Quirk::EarlyEof, Reason::HostClosed, "instead of answering"),
        (
            Quirk::EndlessHead,
            Reason::HostProtocol,
            "of over 16384 bytes or 128 headers",
        ),
        (
            Quirk::Answer("RFB 003.008\n"),
            Reason::HostProtocol,
            "not an HTTP answer",
        ),
        (
            Quirk::Answer("HTTP/1.1 200 OK\r\n folded\r\n\r\n"),
            Reason::HostProtocol,
            "no header",
        ),
    ];
    for (quirk, reason, words) in rows {
        let xapi = Xapi::start(false, quirk).await;
        let params = params(None, None);
        let reached = reach(tunnel(&xapi, &console()), session(SESSION), &params).await;
        let error = reached.unwrap_err();
        assert_eq!(Reason::from(&error), reason, "{quirk:?}: {error}");
        assert!(error.to_string().contains(words), "{quirk:?}: {error}");
    }
}

#[tokio::test]
async fn a_silent_xapi_host_has_no_more_than_the_time_to_connect() {
    let xapi = Xapi::start(false, Quirk::Silence).await;
    let short = Params {
        connect: Duration::from_millis(200),
        ..params(None, None)
    };
    let reached = reach(tunnel(&xapi, &console()), session(SESSION), &short).await;
    let error = reached.unwrap_err();
    assert_eq!(Reason::from(&error), Reason::HostTimeout, "{error}");
}

#[tokio::test]
async fn consoles_on_all_ways_through_the_gateway() {
    let on_socket = Machine::on_unix_socket().await;
    let behind = Machine::behind_websocket().await;
    let xapi = Xapi::start(false, Quirk::None).await;
    let gateway = TestGateway::builder()
        .set("host.unix_root", on_socket.dir().to_str().unwrap())
        .start()
        .await;
    let tunnel = json!({ "host": "127.0.0.1", "port": xapi.port, "tls": false, "path": console() });
    let url = format!("ws://127.0.0.1:{}", behind.websocket_port());
    for body in [
        json!({ "target": { "unix": on_socket.socket() }, "credentials": { "password": PASSWORD } }),
        json!({
            "target": { "websocket": { "url": url } },
            "credentials": { "password": PASSWORD, "headers": { "Authorization": "Bearer s3cret" } },
        }),
        json!({
            "target": { "tunnel": tunnel },
            "credentials": { "cookie": format!("session_id={SESSION}") },
        }),
    ] {
        let minted = gateway.mint(&body).await;
        let opened = within("the console", ANSWERED, Viewer::open(&gateway, &minted)).await;
        let viewer = opened.unwrap_or_else(|refusal| panic!("{body}: {refusal:?}"));
        assert!(!viewer.name.is_empty());
    }
    let ends = gateway.session_ends(3).await;
    // They end at the same time: in any order.
    let mut targets: Vec<_> = ends
        .iter()
        .map(|end| end.text("target").to_owned())
        .collect();
    for target in [
        json!({ "unix": on_socket.socket() }),
        json!({ "websocket": { "url": url } }),
    ] {
        let body = json!({ "target": target, "credentials": { "password": "wr0ngpwd" } });
        let minted = gateway.mint(&body).await;
        let refusal = Viewer::open(&gateway, &minted).await.err().unwrap();
        let (code, reason) = (4106, "host_auth_failed".to_owned());
        assert_eq!(refusal.end, End::Close { code, reason }, "{target}");
    }
    let mut expected = [
        format!("unix:{}", on_socket.socket().display()),
        format!("ws://127.0.0.1:{}", behind.websocket_port()),
        format!("connect://127.0.0.1:{}", xapi.port),
    ];
    targets.sort();
    expected.sort();
    assert_eq!(targets, expected);
    for secret in [SESSION, "s3cret"] {
        gateway.assert_log_has_no(secret);
    }
}

#[tokio::test]
async fn the_person_is_told_why_a_tunnel_is_refused_and_the_minter_what_fits_none() {
    let xapi = Xapi::start(false, Quirk::None).await;
    let gateway = TestGateway::start().await;
    let body = |path: &str, cookie: &str| {
        let tunnel = json!({ "host": "127.0.0.1", "port": xapi.port, "tls": false, "path": path });
        json!({ "target": { "tunnel": tunnel }, "credentials": { "cookie": cookie } })
    };
    let session = format!("session_id={SESSION}");
    let minted = gateway.mint(&body("/console?uuid=0", &session)).await;
    let refusal = Viewer::open(&gateway, &minted).await.err().unwrap();
    let words = refusal.words.unwrap();
    assert!(words.contains("does not run on this host"), "{words}");
    let (code, reason) = (4108, "host_refused".to_owned());
    assert_eq!(refusal.end, End::Close { code, reason });

    for (path, cookie) in [
        ("/console?session_id=s3cret", &*session),
        ("/console", "a=b; session_id=s3cret"),
        ("/console", "session_id=s3cret\r\nHost: other"),
        ("/console\r\nHost: s3cret", &session),
        (&format!("/{}", "s3cret".repeat(160)), &session),
    ] {
        let answer = gateway.try_mint(&body(path, cookie)).await;
        assert_eq!(answer.status, 400, "{path:?} {cookie:?}: {}", answer.text());
        assert!(!answer.text().contains("s3cret"), "{}", answer.text());
    }
    assert_eq!(xapi.requests().len(), 1);
}
