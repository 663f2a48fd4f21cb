//! Hosts that are broken, hostile or something else than hosts, and the reason that each must get.

use std::time::Duration;

use fanlight::reason::Reason;

use super::fake_host::Step::{self, Close, Drip, Expect, HalfClose, Reset, Trickle};
use super::rfb_server::{CHALLENGE, server_init, text};

/// The password of the console links, which must not be seen anywhere.
pub const PASSWORD: &str = "hunter2!";

/// One kind of bad host.
pub struct Row {
    /// What it does.
    pub name: &'static str,
    /// What the console link has.
    pub password: Option<&'static str>,
    /// What the host does.
    pub script: Vec<Step>,
    /// What everybody is told.
    pub reason: Reason,
    /// Words of the host that the person must see.
    pub said: &'static str,
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
    pub fn leaves(&self) -> bool {
        matches!(self.script.last(), Some(Step::Close | Step::Reset))
    }
}

/// The version line of 3.8.
pub const V38: &str = "RFB 003.008\n";

/// Sends bytes.
pub fn send(bytes: &[u8]) -> Step {
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
pub fn let_in() -> Vec<Step> {
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
pub fn then(mut beginning: Vec<Step>, rest: impl IntoIterator<Item = Step>) -> Vec<Step> {
    beginning.extend(rest);
    beginning
}

/// A refusal before authentication, in 3.8.
fn refusing(reason: &[u8]) -> Vec<Step> {
    vec![Step::text(V38), Expect(12), send(&[&[0], reason].concat())]
}

/// Rows up to the choice of a security type.
pub fn before_authentication() -> Vec<Row> {
    use Reason::*;
    let pause = Duration::from_millis(100);
    let tls_alert = [0x15, 3, 1, 0, 2, 2, 40];
    vec![
        Row::new("closes at once", HostClosed, vec![Close]),
        Row::new(
            "resets after its version",
            HostClosed,
            vec![Step::text(V38), Expect(12), Reset],
        ),
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
            vec![Step::text(V38), Expect(12), send(&[4, 17, 23, 36, 112])],
        ),
        Row::new(
            "a 3.3 type that we lack",
            HostNoCommonSecurity,
            vec![
                Step::text("RFB 003.003\n"),
                Expect(12),
                send(&[0, 0, 0, 17]),
            ],
        ),
        Row::new(
            "a password is asked for and there is none",
            HostCredentialsMissing,
            vec![Step::text(V38), Expect(12), send(&[2, 2, 17])],
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

/// Rows from the challenge to ServerInit.
pub fn from_authentication_on() -> Vec<Row> {
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
