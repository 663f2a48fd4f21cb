//! RSA-AES: the security types RA2, RA2ne, RA2-256 and RA2ne-256, from the URL to relayed bytes.
//!
//! No server of Debian 12 speaks them. The server here is the tests' own, and is held against noVNC;
//! to the end of a session of types 5 and 129 it takes nothing that is not well sealed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use aws_lc_rs::rsa::PrivateDecryptingKey;
use common::fake_host::{self, FakeHost};
use common::gateway::{Minted, TestGateway};
use common::net::{self, Stream};
use common::pattern::{Pattern, Progress, drink, pour, send, watch};
use common::process::Process;
use common::ra2_server::{NAME, Quirk, Ra2Manners};
use common::rfb_client::Viewer;
use common::wait::{until, within};
use common::websocket::End;
use data_encoding::HEXLOWER;
use fanlight::clock::UnixTime;
use fanlight::drive::{Deadlines, drive};
use fanlight::entropy;
use fanlight::host::ra2_key::Ra2Key;
use fanlight::host::stream::HostStream;
use fanlight::keyring_file;
use fanlight::mint::{Minter, Order, Usual};
use fanlight::reason::Reason;
use fanlight::rfb::auth::ra2::ClientKey;
use fanlight::rfb::host::{HostError, HostHandshake, HostParams, Seen};
use fanlight::rfb::identity::{Fingerprint, Mismatch};
use fanlight::rfb::init::ServerInit;
use fanlight::rfb::login::Login;
use fanlight::rfb::policy::Policy;
use fanlight::rfb::security::SecurityType;
use fanlight::rfb::{Handshake, Interruption, Stage, Step};
use fanlight::secret::Secret;
use fanlight::target::{HostName, Target};
use fanlight::tls::connect::{Connector, Trust};
use fanlight::token::Credentials;
use fanlight::wire::Reader;
use tokio::sync::Semaphore;

const KINDS: [u8; 4] = [5, 6, 129, 130];
const USER: &str = "operator";
const PASSWORD: &str = "correct horse battery staple";
const WRONG: &str = "incorrect horse";
/// How long a handshake may take, on a busy test machine.
const ANSWERED: Duration = Duration::from_secs(20);
/// How long the transfers may take with a debug build on a busy test machine.
const TRANSFER: Duration = Duration::from_secs(60);
/// How much is relayed in each direction, in bytes.
const TOTAL: usize = 4 << 20;

fn manners(kind: u8) -> Ra2Manners {
    Ra2Manners::new(kind, None, PASSWORD)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_lets_a_viewer_in_and_what_follows_arrives_unchanged() {
    let gateway = TestGateway::start().await;
    for kind in KINDS {
        let received = Arc::new(Semaphore::new(0));
        let done = Arc::clone(&received);
        let host = manners(kind).host_then(move |mut stream: Box<dyn Stream>| {
            let done = Arc::clone(&done);
            async move {
                let (down, up) = (Pattern::down(), Pattern::up());
                let (mut read, mut write) = tokio::io::split(&mut stream);
                tokio::join!(pour(&mut write, &down, TOTAL), drink(&mut read, &up, TOTAL));
                done.add_permits(1);
                // The connection is kept until the gateway leaves.
                let _ = tokio::io::copy(&mut read, &mut tokio::io::sink()).await;
            }
        });
        let host = host.await;
        let minted = gateway.mint_for(host.address, PASSWORD).await;
        let viewer = within("the handshake", ANSWERED, Viewer::open(&gateway, &minted)).await;
        let mut viewer = viewer.unwrap_or_else(|refusal| panic!("{kind}: {refusal:?}"));
        assert_eq!(viewer.name, NAME);

        let socket = &mut viewer.socket;
        let (down, up, progress) = (Pattern::down(), Pattern::up(), Progress::new(0));
        let sending = send(&mut socket.sink, &up, TOTAL, &progress);
        let both = async { tokio::join!(sending, watch(&mut socket.source, &down, TOTAL)) };
        within("both directions", TRANSFER, both).await;
        let all = within("all has reached the host", TRANSFER, received.acquire());
        all.await.unwrap().forget();

        let key = HEXLOWER.encode(&manners(kind).fingerprint());
        assert!(
            gateway.log().contains(&key),
            "{kind}: the key is in the log"
        );
    }
    gateway.assert_log_has_no(PASSWORD);
}

#[tokio::test]
async fn slow_and_hasty_servers_are_let_through() {
    let gateway = TestGateway::start().await;
    for kind in KINDS {
        for quirk in [Quirk::Drip, Quirk::Glue] {
            let host = manners(kind).with(quirk).host().await;
            let minted = gateway.mint_for(host.address, PASSWORD).await;
            let viewer = within("the handshake", ANSWERED, Viewer::open(&gateway, &minted)).await;
            let viewer = viewer.unwrap_or_else(|refusal| panic!("{kind} {quirk:?}: {refusal:?}"));
            assert_eq!(viewer.name, NAME);
        }
    }
}

/// Opens a console of `host` that has to be refused for `reason`; gives the words.
async fn refused(gateway: &TestGateway, host: &FakeHost, password: &str, reason: Reason) -> String {
    let minted = gateway.mint_for(host.address, password).await;
    let opened = within("a refusal", ANSWERED, Viewer::open(gateway, &minted)).await;
    let refusal = opened.err().unwrap();
    let (code, name) = (reason.close_code(), reason.code().to_owned());
    assert_eq!(refusal.end, End::Close { code, reason: name });
    refusal.words.unwrap()
}

#[tokio::test]
async fn a_wrong_password_is_said_by_every_type() {
    let gateway = TestGateway::start().await;
    for kind in KINDS {
        let host = manners(kind).host().await;
        let words = refused(&gateway, &host, WRONG, Reason::HostAuthFailed).await;
        assert!(words.contains("Authentication failed"), "{kind}: {words}");
    }
    gateway.assert_log_has_no(WRONG);
}

#[tokio::test]
async fn servers_that_break_it_get_their_own_reasons() {
    let gateway = TestGateway::start().await;
    for (quirk, reason) in [
        (Quirk::ShortKey, Reason::HostNoCommonSecurity),
        (Quirk::WrongHash, Reason::HostProtocol),
        (Quirk::Forged, Reason::HostProtocol),
        (Quirk::SubType(0), Reason::HostProtocol),
        (Quirk::SubType(9), Reason::HostProtocol),
        // Inside its key, behind it, inside its random bytes, its hash and the sub-type.
        (Quirk::EarlyEof(3), Reason::HostClosed),
        (Quirk::EarlyEof(515), Reason::HostClosed),
        (Quirk::EarlyEof(516), Reason::HostClosed),
        (Quirk::EarlyEof(700), Reason::HostClosed),
        (Quirk::EarlyEof(780), Reason::HostClosed),
        (Quirk::EarlyEof(813), Reason::HostClosed),
    ] {
        let host = manners(6).with(quirk).host().await;
        refused(&gateway, &host, PASSWORD, reason).await;
    }
    let wants_a_user = Ra2Manners::new(129, Some(USER), PASSWORD).host().await;
    refused(
        &gateway,
        &wants_a_user,
        PASSWORD,
        Reason::HostCredentialsMissing,
    )
    .await;
    let visit = wants_a_user.left(ANSWERED).await;
    let sent = 12 + 1 + 516 + 258 + 50;
    assert_eq!(visit.received.len(), sent, "nothing follows our hash");
}

static OUR_KEY: LazyLock<Ra2Key> = LazyLock::new(Ra2Key::default);

/// Shakes hands with a host as the gateway does.
async fn shake_hands(
    host: &FakeHost,
    login: Login,
    ra2_pin: Option<Fingerprint>,
) -> (Result<ServerInit, HostError>, Seen) {
    let policy = Policy::default();
    let params = HostParams {
        ra2_key: OUR_KEY.for_login(&login, &policy).await,
        login,
        policy,
        entropy: entropy::fill,
        ra2_pin,
    };
    let tcp = net::connect(host.address).await;
    let tls = Connector::new(&Trust::default()).unwrap();
    let mut stream = HostStream::tcp(tcp, "127.0.0.1".parse().unwrap(), tls);
    let mut machine = HostHandshake::new(params);
    let deadlines = Deadlines::all(ANSWERED);
    let end = drive(&mut machine, &mut stream, &mut Vec::new(), &deadlines).await;
    (end, machine.seen().clone())
}

fn login(user: &str) -> Login {
    Login {
        username: Some(user.to_owned()),
        password: Some(Secret::new(PASSWORD)),
        ..Login::default()
    }
}

#[tokio::test]
async fn a_user_is_sent_to_those_who_want_one() {
    for kind in KINDS {
        let host = Ra2Manners::new(kind, Some(USER), PASSWORD).host().await;
        let (end, seen) = shake_hands(&host, login(USER), None).await;
        assert_eq!(end.unwrap().name, NAME.as_bytes());
        assert_eq!(seen.chosen, Some(SecurityType(kind.into())));
        let (end, _) = shake_hands(&host, login("somebody else"), None).await;
        assert!(
            matches!(end, Err(HostError::AuthFailed(Some(_)))),
            "{end:?}"
        );
        // Who wants none is not told one.
        let host = manners(kind).host().await;
        shake_hands(&host, login(USER), None).await.0.unwrap();
    }
    let host = Ra2Manners::new(5, Some(USER), PASSWORD).host().await;
    let (end, _) = shake_hands(&host, login(&"x".repeat(256)), None).await;
    assert_eq!(end, Err(HostError::LoginUnfit(255)));
}

#[tokio::test]
async fn a_pinned_key_is_the_one_or_nothing_is_said() {
    for kind in KINDS {
        let pin = Fingerprint::from_bytes(manners(kind).fingerprint());
        let host = manners(kind).host().await;
        let (end, seen) = shake_hands(&host, login(USER), Some(pin)).await;
        end.unwrap();
        assert_eq!(seen.ra2_key.unwrap().sha256, pin);

        let host = manners(kind).host().await;
        let (end, seen) =
            shake_hands(&host, login(USER), Some(Fingerprint::of(b"another key"))).await;
        let error = end.unwrap_err();
        assert_eq!(error, Mismatch::Ra2Key(seen.ra2_key.unwrap().sha256).into());
        assert_eq!(Reason::from(&error), Reason::HostIdentity);
        let visit = host.left(ANSWERED).await;
        assert_eq!(visit.received, [b"RFB 003.008\n", &[kind][..]].concat());
    }
}

/// A console of `host` for the operator, sealed with the gateway's own key.
fn minted(gateway: &TestGateway, host: &FakeHost, pin: Fingerprint) -> Minted {
    let ring = keyring_file::load(&gateway.file("state/keyring")).unwrap();
    let port = host.address.port().try_into().unwrap();
    let target = Target::tcp(HostName::Ip(host.address.ip()), port);
    let credentials = Credentials {
        login: login(USER),
        ..Credentials::default()
    };
    let mut order = Order::new(target, credentials);
    order.identity.ra2_key = Some(pin);
    let url = format!("http://{}", gateway.address);
    let minter = Minter::new(Arc::new(ring.into()), url, Usual::default());
    let now = UnixTime::from(SystemTime::now());
    Minted::from_url(&minter.mint(order, now).unwrap().url())
}

#[tokio::test]
async fn a_grant_brings_the_user_and_the_pin() {
    let gateway = TestGateway::start().await;
    for kind in KINDS {
        let host = Ra2Manners::new(kind, Some(USER), PASSWORD).host().await;
        let pin = Fingerprint::from_bytes(manners(kind).fingerprint());
        let console = minted(&gateway, &host, pin);
        let viewer = within("the handshake", ANSWERED, Viewer::open(&gateway, &console)).await;
        assert_eq!(viewer.unwrap().name, NAME);

        let host = Ra2Manners::new(kind, Some(USER), PASSWORD).host().await;
        let console = minted(&gateway, &host, Fingerprint::of(b"another key"));
        let opened = within("a refusal", ANSWERED, Viewer::open(&gateway, &console)).await;
        let (code, reason) = (4114, "host_identity".to_owned());
        assert_eq!(opened.err().unwrap().end, End::Close { code, reason });
    }
    gateway.assert_log_has_no(PASSWORD);
}

#[tokio::test]
async fn with_a_pin_nothing_else_is_spoken() {
    let host = FakeHost::script(vec![
        fake_host::Step::text("RFB 003.008\n"),
        fake_host::Step::Send(vec![2, 1, 2]),
    ])
    .await;
    let (end, _) = shake_hands(&host, login(USER), Some(Fingerprint::of(b"another key"))).await;
    let error = end.unwrap_err();
    assert_eq!(error, Mismatch::NoRa2Key.into());
    assert_eq!(Reason::from(&error), Reason::HostIdentity);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_shows_the_key() {
    let host = manners(129).host().await;
    let gateway = TestGateway::start().await;
    let file = gateway.file("password");
    std::fs::write(&file, PASSWORD).unwrap();
    let (file, port) = (file.to_str().unwrap(), host.address.port().to_string());
    let probe = ["probe", "--host", "127.0.0.1", "--port", &port];
    let output = gateway.command(&[&probe[..], &["--password-file", file]].concat());
    let said = String::from_utf8(output.stdout).unwrap();
    let key = HEXLOWER.encode(&manners(129).fingerprint());
    assert!(
        said.contains(&format!("RSA key     sha256:{key} (")),
        "{said}"
    );
    assert!(said.contains("129 (RA2-256), chosen"), "{said}");
}

/// The fuzzer's corpus holds streams that a server in another language sealed for a key and random
/// bytes that never change.
#[test]
fn streams_of_another_implementation_are_understood() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let key = std::fs::read(fuzz.join("ra2_key.der")).unwrap();
    let key = PrivateDecryptingKey::from_pkcs8(&key).unwrap();
    let key = Arc::new(ClientKey::new(key).unwrap());
    let hash = "the host was shown another key than ours, or showed another than its own";
    let size = |init: ServerInit| (init.width, init.height);
    for (seed, user, expected) in [
        ("ra2_5_password", None, Ok((640, 480))),
        ("ra2_6_user", Some(USER), Ok((640, 480))),
        ("ra2_129_user", Some(USER), Ok((640, 480))),
        ("ra2_130_password", None, Ok((640, 480))),
        ("ra2_wrong_hash", None, Err(HostError::Ra2(hash))),
        ("ra2_user_missing", None, Err(HostError::CredentialsMissing)),
        ("ra2_short_key", None, Err(HostError::Ra2KeySize(1024))),
        ("ra2_cut", None, Err(HostError::Closed(Stage::Security))),
    ] {
        let mut login = login(user.unwrap_or_default());
        login.username = user.map(str::to_owned);
        let mut machine = HostHandshake::new(HostParams {
            login,
            policy: Policy::default(),
            entropy: |bytes| bytes.fill(0x5a),
            ra2_key: Some(Arc::clone(&key)),
            ra2_pin: None,
        });
        let stream = std::fs::read(fuzz.join("corpus/rfb_host").join(seed)).unwrap();
        // The first byte is the fuzzer's own.
        let mut reader = Reader::new(&stream[1..]);
        let end = loop {
            match machine.step(&mut reader, &mut Vec::new()) {
                Ok(Step::Again | Step::Swap(_)) => {}
                Ok(Step::NeedMore) => {
                    break Err(machine.interrupted(Interruption::Closed, reader.rest()));
                }
                Ok(Step::Done(init)) => break Ok(size(init)),
                Err(error) => break Err(error),
            }
        };
        assert_eq!(end, expected, "{seed}");
    }
}

/// noVNC's own code gets in where the gateway does, and sees the same key.
#[tokio::test]
async fn novnc_agrees_with_the_server_of_these_tests() {
    for (user, password, result) in [
        (Some(USER), PASSWORD, 0),
        (None, PASSWORD, 0),
        (Some(USER), WRONG, 1),
    ] {
        let host = Ra2Manners::new(6, user, PASSWORD).host().await;
        let folder = tempfile::tempdir().unwrap();
        let [out, log] = ["out", "log"].map(|name| folder.path().join(name));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/novnc/ra2ne.mjs");
        let mut node = Command::new("node");
        node.arg(script).arg(host.address.port().to_string());
        node.args([USER, password]);
        let mut node = Process::spawn_split(&mut node, &out, &log);
        let status = until("noVNC is done", ANSWERED, async || {
            node.ended().ok_or_else(|| node.output())
        });
        assert!(status.await.success(), "{}", node.output());
        let said = std::fs::read_to_string(&out).unwrap();
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["result"], result, "{said}");
        let key = HEXLOWER.encode(&manners(6).fingerprint());
        assert_eq!(said["key"], key, "{said}");
        let name = (result == 0).then_some(NAME);
        assert_eq!(said["name"].as_str(), name, "{said}");
    }
}
