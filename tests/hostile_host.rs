//! Hosts that are gone, broken, hostile or something else than hosts: each gets its own reason,
//! on every way that a reason travels, and keeps nothing busy.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::time::Duration;

use common::fake_host::{FakeHost, Step};
use common::gateway::{Minted, TestGateway, target};
use common::net::{Family, deaf_address};
use common::rfb_client::{Refusal, Viewer};
use common::rfb_server::{CHALLENGE, server_init, text};
use common::wait::{until, within};
use common::websocket::End;
use fanlight::reason::Reason;
use serde_json::json;
use tokio::time::Instant;

/// What every stage of a handshake may take in these tests.
const STAGE: &str = "300ms";
/// What a refusal may take in all: a few stages, on a busy test machine.
const REFUSED: Duration = Duration::from_secs(4);
/// The password that must not be seen anywhere.
const PASSWORD: &str = "hunter2!";

/// One kind of bad host.
struct Row {
    name: &'static str,
    password: Option<&'static str>,
    script: Vec<Step>,
    reason: Reason,
    /// Words of the host that the person must see.
    said: &'static str,
}

impl Row {
    fn new(name: &'static str, reason: Reason, script: Vec<Step>) -> Self {
        Self {
            name,
            password: Some(PASSWORD),
            script,
            reason,
            said: "",
        }
    }

    fn said(mut self, words: &'static str) -> Self {
        self.said = words;
        self
    }

    fn without_password(mut self) -> Self {
        self.password = None;
        self
    }

    /// Whether the host itself ends the connection, so that the gateway need not.
    fn leaves(&self) -> bool {
        matches!(self.script.last(), Some(Step::Close | Step::Reset))
    }
}

use Step::{Close, Drip, Expect, HalfClose, Reset, Trickle};

const V38: &str = "RFB 003.008\n";

fn send(bytes: &[u8]) -> Step {
    Step::Send(bytes.to_vec())
}

/// A host up to its challenge.
fn challenged(version: &str) -> Vec<Step> {
    let types = if version.ends_with("3\n") {
        &[0, 0, 0, 2][..]
    } else {
        &[1, 2]
    };
    let choice = if version.ends_with("3\n") { 0 } else { 1 };
    vec![
        Step::text(version),
        Expect(12),
        send(types),
        Expect(choice),
        send(&CHALLENGE),
        Expect(16),
    ]
}

/// A host without a password up to the point where the client has said ClientInit.
fn let_in() -> Vec<Step> {
    vec![
        Step::text(V38),
        Expect(12),
        send(&[1, 1]),
        Expect(1),
        send(&[0; 4]),
        Expect(1),
    ]
}

/// What comes after a beginning.
fn then(mut beginning: Vec<Step>, rest: impl IntoIterator<Item = Step>) -> Vec<Step> {
    beginning.extend(rest);
    beginning
}

/// A refusal before authentication, in 3.8.
fn refusing(reason: &[u8]) -> Vec<Step> {
    vec![Step::text(V38), Expect(12), send(&[&[0], reason].concat())]
}

fn rows_before_authentication() -> Vec<Row> {
    use Reason::*;
    let pause = Duration::from_millis(100);
    let tls_alert = [0x15, 3, 1, 0, 2, 2, 40];
    vec![
        Row::new("closes at once", HostClosed, vec![Close]),
        Row::new("resets at once", HostClosed, vec![Reset]),
        Row::new("says nothing", HostTimeout, vec![]),
        Row::new("half a version", HostTimeout, vec![Step::text("RFB 003")]),
        Row::new(
            "closes in its version",
            HostClosed,
            vec![Step::text("RFB 003"), Close],
        ),
        Row::new(
            "a slow version",
            HostTimeout,
            vec![Trickle(V38.into(), pause)],
        ),
        Row::new(
            "HTTP",
            HostNotRfb,
            vec![Step::text("HTTP/1.1 400 Bad Request\r\n\r\n"), Close],
        ),
        Row::new(
            "SSH",
            HostNotRfb,
            vec![Step::text("SSH-2.0-OpenSSH_9.2p1\r\n")],
        ),
        Row::new("a TLS alert", HostNotRfb, vec![send(&tls_alert), Close]),
        Row::new("noise", HostNotRfb, vec![send(&[0xff; 4096])]),
        Row::new(
            "control characters",
            HostNotRfb,
            vec![Step::text("\x1b[31m\r\n{\"level\":1}")],
        ),
        Row::new(
            "a version that is no number",
            HostNotRfb,
            vec![Step::text("RFB abc.def\n")],
        ),
        Row::new("too old", HostVersion, vec![Step::text("RFB 003.002\n")]),
        Row::new("a repeater", HostVersion, vec![Step::text("RFB 000.000\n")]),
        Row::new("no types", HostTimeout, vec![Step::text(V38), Expect(12)]),
        Row::new(
            "closes before its types",
            HostClosed,
            vec![Step::text(V38), Expect(12), Close],
        ),
        Row::new(
            "ends only its sending",
            HostClosed,
            vec![Step::text(V38), Expect(12), HalfClose],
        ),
        Row::new(
            "fewer types than announced",
            HostTimeout,
            vec![Step::text(V38), Expect(12), send(&[200, 1, 2])],
        ),
        Row::new(
            "only types that we lack",
            HostNoCommonSecurity,
            vec![Step::text(V38), Expect(12), send(&[4, 5, 16, 18, 19])],
        ),
        Row::new(
            "a 3.3 type that we lack",
            HostNoCommonSecurity,
            vec![
                Step::text("RFB 003.003\n"),
                Expect(12),
                send(&[0, 0, 0, 30]),
            ],
        ),
        Row::new(
            "a password is asked for and there is none",
            HostCredentialsMissing,
            vec![Step::text(V38), Expect(12), send(&[2, 2, 19])],
        )
        .without_password(),
        Row::new(
            "refuses, and says why",
            HostRefused,
            refusing(&text(b"no consoles today")),
        )
        .said("no consoles today"),
        Row::new(
            "a reason of 4 GiB that never comes",
            HostRefused,
            refusing(&[0xff; 4]),
        ),
        Row::new(
            "a reason of 4 GiB that does not end",
            HostRefused,
            refusing(&[&[0xff; 4][..], &[b'x'; 1 << 20]].concat()),
        ),
        Row::new(
            "refuses and closes",
            HostRefused,
            then(refusing(b""), [Close]),
        ),
        Row::new(
            "a reason made of control characters and markup",
            HostRefused,
            refusing(&text(
                b"\x1b]0;x\x07\r\n<script>alert(1)</script>\0\xe2\x80\xae",
            )),
        )
        .said("<script>alert(1)</script>"),
        Row::new(
            "locked out, as TigerVNC says it",
            HostTooManyAttempts,
            vec![
                Step::text("RFB 003.003\n"),
                Expect(12),
                send(&[&[0; 4][..], &text(b"Too many security failures")].concat()),
            ],
        )
        .said("Too many security failures"),
    ]
}

fn rows_from_authentication_on() -> Vec<Row> {
    use Reason::*;
    let failed = [0, 0, 0, 1];
    let init = server_init((640, 400), "");
    let announced = |name_length: [u8; 4]| [&init[..20], &name_length].concat();
    vec![
        Row::new("no challenge", HostTimeout, challenged(V38)[..4].to_vec()),
        Row::new("no result", HostTimeout, challenged(V38)),
        Row::new(
            "closes after the challenge",
            HostClosed,
            then(challenged(V38), [Close]),
        ),
        Row::new(
            "wrong password, with words",
            HostAuthFailed,
            then(
                challenged(V38),
                [send(&failed), send(&text(b"Authentication failed\0"))],
            ),
        )
        .said("Authentication failed"),
        Row::new(
            "wrong password, without",
            HostAuthFailed,
            then(challenged(V38), [send(&failed), Close]),
        ),
        Row::new(
            "wrong password, 3.7",
            HostAuthFailed,
            then(challenged("RFB 003.007\n"), [send(&failed)]),
        ),
        Row::new(
            "wrong password, 3.3, byte by byte",
            HostAuthFailed,
            then(challenged("RFB 003.003\n"), [Drip(failed.to_vec()), Close]),
        ),
        Row::new(
            "too many attempts",
            HostTooManyAttempts,
            then(challenged(V38), [send(&[0, 0, 0, 2]), Close]),
        ),
        Row::new(
            "a result that means nothing",
            HostProtocol,
            then(challenged(V38), [send(&[0xde, 0xad, 0xbe, 0xef])]),
        ),
        Row::new("no ServerInit", HostTimeout, let_in()),
        Row::new(
            "closes before ServerInit",
            HostClosed,
            then(let_in(), [Close]),
        ),
        Row::new(
            "half a ServerInit",
            HostTimeout,
            then(let_in(), [send(&init[..11])]),
        ),
        Row::new(
            "a name of 4 GiB",
            HostProtocol,
            then(
                let_in(),
                [send(&announced([0xff; 4])), send(&[b'n'; 1 << 20])],
            ),
        ),
        Row::new(
            "a name that never comes",
            HostTimeout,
            then(let_in(), [send(&announced([0, 0, 0, 200]))]),
        ),
    ]
}

#[tokio::test]
async fn a_bad_host_before_authentication_gets_its_own_reason() {
    all_refused(rows_before_authentication()).await;
}

#[tokio::test]
async fn a_bad_host_from_authentication_on_gets_its_own_reason() {
    all_refused(rows_from_authentication_on()).await;
}

/// Runs one row after the other through one gateway, which must be the same afterwards.
async fn all_refused(rows: Vec<Row>) {
    let mut gateway = TestGateway::builder()
        .deadlines(STAGE)
        .set("browser.handshake_timeout", "3s")
        .start()
        .await;
    let mut before = None;
    for (index, row) in rows.into_iter().enumerate() {
        let host = FakeHost::script(row.script.clone()).await;
        let mut body = json!({ "target": target(host.address), "name": "web-01" });
        if let Some(password) = row.password {
            body["credentials"] = json!({ "password": password });
        }
        let minted = gateway.mint(&body).await;
        let refusal = refused(&gateway, &minted, row.name).await;
        assert_refusal(&refusal, row.reason, row.name);
        let words = refusal.words.unwrap();
        assert!(words.contains(row.said), "{}: {words:?}", row.name);
        assert!(
            !words.contains(|c: char| c.is_control()),
            "{}: {words:?}",
            row.name
        );
        if !row.leaves() {
            host.left(REFUSED).await;
        }
        assert_logged(&gateway, index, row.reason, row.name).await;
        gateway.assert_log_has_no(PASSWORD);
        gateway.assert_log_has_no(minted.token());
        before.get_or_insert_with(|| gateway.process().resident_bytes());
    }
    let (before, after) = (before.unwrap(), gateway.process().resident_bytes());
    assert!(
        after < before + (16 << 20),
        "memory grew from {before} to {after} bytes"
    );
    // Nothing is left open: the log, the listener and what the runtime has.
    until("all sockets are closed", REFUSED, async || {
        let open = gateway.process().open_files();
        if open < 24 {
            Ok(())
        } else {
            Err(format!("{open} files"))
        }
    })
    .await;
}

/// Opens a console whose host cannot be good, and gives what the viewer is told in time.
async fn refused(gateway: &TestGateway, minted: &Minted, name: &str) -> Refusal {
    let started = Instant::now();
    let opened = within(name, REFUSED, Viewer::open(gateway, minted)).await;
    let Err(refusal) = opened else {
        panic!("{name}: was let in");
    };
    assert!(
        started.elapsed() < REFUSED,
        "{name}: {:?}",
        started.elapsed()
    );
    refusal
}

/// The refusal as the viewer has it: the words for a person and the close frame.
fn assert_refusal(refusal: &Refusal, reason: Reason, name: &str) {
    let words = refusal.words.clone().unwrap_or_default();
    assert!(words.contains(reason.words()), "{name}: {refusal:?}");
    assert!(words.contains(reason.code()), "{name}: {refusal:?}");
    let expected = End::Close {
        code: reason.close_code(),
        reason: reason.code().to_owned(),
    };
    assert_eq!(refusal.end, expected, "{name}");
}

/// The refusal as the log has it: one line, as loud as the table says.
async fn assert_logged(gateway: &TestGateway, index: usize, reason: Reason, name: &str) {
    let ends = gateway.session_ends(index + 1).await;
    assert_eq!(
        ends.len(),
        index + 1,
        "{name}: one line a session: {ends:#?}"
    );
    let line = &ends[index];
    assert_eq!(line.text("reason"), reason.code(), "{name}: {line:?}");
    let level = format!("{:?}", reason.severity()).to_uppercase();
    assert_eq!(line.text("level"), level, "{name}: {line:?}");
}

#[tokio::test]
async fn a_host_that_is_not_there_is_unreachable() {
    let gateway = TestGateway::builder()
        .set("host.connect_timeout", "3s")
        .start()
        .await;
    let (v4, _v4_held) = deaf_address(Family::V4);
    let (v6, _v6_held) = deaf_address(Family::V6);
    let targets = [
        target(v4),
        target(v6),
        json!({ "host": "nowhere.invalid", "port": 5900 }),
    ];
    for (index, target) in targets.into_iter().enumerate() {
        let name = target.to_string();
        let minted = gateway.mint(&json!({ "target": target })).await;
        let refusal = refused(&gateway, &minted, &name).await;
        assert_refusal(&refusal, Reason::HostUnreachable, &name);
        assert_logged(&gateway, index, Reason::HostUnreachable, &name).await;
    }
}

#[tokio::test]
async fn a_host_that_takes_no_connection_times_out() {
    let gateway = TestGateway::builder()
        .set("host.connect_timeout", STAGE)
        .start()
        .await;
    // With a backlog of none and one connection in it, further ones are not answered at all.
    let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    full.bind(&Family::V4.loopback().into()).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    let _occupant = common::net::connect(address).await;
    let minted = gateway.mint_open(address).await;
    let refusal = refused(&gateway, &minted, "a full backlog").await;
    assert_refusal(&refusal, Reason::HostTimeout, "a full backlog");
    assert_logged(&gateway, 0, Reason::HostTimeout, "a full backlog").await;
}

#[tokio::test]
async fn odd_but_lawful_hosts_are_let_through() {
    let gateway = TestGateway::builder().deadlines("2s").start().await;
    let init = server_init((640, 400), "odd");
    let glued = [V38.as_bytes(), &[1, 1], &[0; 4], &init].concat();
    let glued_3_3 = [b"RFB 003.003\n", &[0, 0, 0, 1][..], &init].concat();
    let dripped = vec![
        Drip(V38.into()),
        Drip(vec![1, 2]),
        Drip(CHALLENGE.to_vec()),
        Drip(vec![0; 4]),
        Drip(init.clone()),
    ];
    let scripts = [
        ("everything glued", vec![send(&glued)]),
        ("everything glued, 3.3", vec![send(&glued_3_3)]),
        ("byte by byte", dripped),
        (
            "an unknown minor version",
            vec![send(b"RFB 003.889\n"), send(&glued[12..])],
        ),
        (
            "a later major version",
            vec![send(b"RFB 005.000\n"), send(&glued[12..])],
        ),
    ];
    for (name, script) in scripts {
        let host = FakeHost::script(script).await;
        let minted = gateway.mint_for(host.address, PASSWORD).await;
        let viewer = within(name, REFUSED, Viewer::open(&gateway, &minted)).await;
        let viewer = viewer.unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
        assert_eq!(
            (viewer.name.as_str(), viewer.screen.width),
            ("odd", 640),
            "{name}"
        );
        drop(viewer);
        let visit = host.left(REFUSED).await;
        assert!(
            visit.received.ends_with(&[1]),
            "{name}: ClientInit is always shared"
        );
    }
}

#[tokio::test]
async fn a_host_that_ends_in_the_middle_of_a_session_is_named() {
    let gateway = TestGateway::start().await;
    let init = server_init((640, 400), "short-lived");
    for (index, last) in [Close, Reset].into_iter().enumerate() {
        // The host goes as soon as the viewer has sent a message of 10 bytes.
        let host = FakeHost::script(then(let_in(), [send(&init), Expect(10), last])).await;
        let minted = gateway.mint_open(host.address).await;
        let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
        viewer.request(false).await;
        let end = within("the session ends", REFUSED, viewer.socket.end()).await;
        let code = Reason::HostClosed.close_code();
        let reason = Reason::HostClosed.code().to_owned();
        assert_eq!(end, End::Close { code, reason });
        assert_logged(&gateway, index, Reason::HostClosed, "in the session").await;
    }
}
