//! Logging in to hosts by ARD, MS-Logon II, xvp and Tight, and through a repeater, over TCP: against
//! fakes with good and with bad manners, and by Tight against real servers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use common::gateway::{Minted, TestGateway};
use common::host_params;
use common::login_host::{NAME, PASSWORD, Quirks, REPEATER_ID, USER, Way, XVP_TARGET};
use common::net;
use common::picture::Picture;
use common::process::Process;
use common::rfb_client::Viewer;
use common::stock_novnc;
use common::wait::{until, within};
use common::websocket::End;
use common::xdisplay;
use common::xtightvnc::Xtightvnc;
use fanlight::clock::UnixTime;
use fanlight::host::stream::HostStream;
use fanlight::host::visit::Visit;
use fanlight::host::way::Peer;
use fanlight::host::{self, HostLeg, ReachError};
use fanlight::keyring_file;
use fanlight::mint::{Minter, Order, Usual};
use fanlight::reason::Reason;
use fanlight::rfb::host::HostError;
use fanlight::rfb::login::Login;
use fanlight::rfb::policy::Policy;
use fanlight::secret::Secret;
use fanlight::target::{HostName, Target};
use fanlight::tls::connect::{Connector, Trust};
use fanlight::token::Credentials;
use serde_json::json;

/// How long a login may take, on a busy test machine.
const DONE: Duration = Duration::from_secs(20);

/// Somebody with everything that a host may ask for.
fn operator() -> Login {
    Login {
        username: Some(USER.to_owned()),
        password: Some(Secret::new(PASSWORD)),
        xvp_target: Some(XVP_TARGET.to_owned()),
        repeater_id: Some(REPEATER_ID.to_owned()),
        ..Login::default()
    }
}

/// Logs in as the gateway does, with whatever the host offers.
async fn log_in(address: SocketAddr, login: Login) -> Result<HostLeg, ReachError> {
    let tls = Connector::new(&Trust::default()).unwrap();
    let policy = Policy {
        clear_text: true,
        ..Policy::default()
    };
    let params = host_params::with(policy, None, DONE);
    let stream = net::connect(address).await;
    let host = HostName::Ip(address.ip());
    let target = Target::tcp(host.clone(), address.port().try_into().unwrap());
    let credentials = Credentials {
        login,
        ..Credentials::default()
    };
    let visit = Visit::new(target, credentials);
    let stream = HostStream::tcp(stream, host, tls);
    let logging_in = host::handshake((stream, Peer::Tcp(address)), visit, &params);
    let logged_in = within("the login", DONE, logging_in).await;
    logged_in.map_err(|failed| failed.error)
}

#[tokio::test]
async fn every_way_lets_in_whatever_the_manners() {
    let all = [
        Quirks::default(),
        Quirks {
            drip: true,
            ..Quirks::default()
        },
        Quirks {
            glue: true,
            ..Quirks::default()
        },
        Quirks {
            repeater: true,
            ..Quirks::default()
        },
        Quirks {
            version_3_7: true,
            repeater: true,
            glue: true,
            drip: true,
            ..Quirks::default()
        },
    ];
    for way in Way::ALL {
        for quirks in all {
            let host = way.host(quirks).await;
            let leg = log_in(host.address, operator()).await;
            let leg = leg.unwrap_or_else(|error| panic!("{way:?} {quirks:?}: {error}"));
            assert_eq!(leg.init.name, NAME.as_bytes(), "{way:?} {quirks:?}");
            assert!(
                leg.unread.is_empty(),
                "{way:?} {quirks:?}: {:?}",
                leg.unread
            );
        }
    }
}

#[tokio::test]
async fn wrong_credentials_are_refused_by_the_host() {
    let wrong_user = || Login {
        username: Some("intruder".to_owned()),
        ..operator()
    };
    let wrong_password = || Login {
        password: Some(Secret::new("wr0ngpwd")),
        ..operator()
    };
    let wrong_target = || Login {
        xvp_target: Some("db-02".to_owned()),
        ..operator()
    };
    for (way, logins) in [
        (Way::Ard, vec![wrong_user(), wrong_password()]),
        (Way::MsLogonII, vec![wrong_user(), wrong_password()]),
        (
            Way::Xvp,
            vec![wrong_user(), wrong_password(), wrong_target()],
        ),
        (Way::TightVnc, vec![wrong_password()]),
        (Way::TightLogin, vec![wrong_user(), wrong_password()]),
    ] {
        let host = way.host(Quirks::default()).await;
        for login in logins {
            let refused = log_in(host.address, login.clone()).await.unwrap_err();
            assert_eq!(
                refused.to_string(),
                "authentication failed: \"Authentication failed\"",
                "{way:?} {login:?}"
            );
        }
        log_in(host.address, operator()).await.unwrap();
    }
}

#[tokio::test]
async fn a_host_that_closes_anywhere_has_closed() {
    for way in Way::ALL {
        let mut at = 1;
        loop {
            let quirks = Quirks {
                early_eof: Some(at),
                ..Quirks::default()
            };
            let host = way.host(quirks).await;
            match log_in(host.address, operator()).await {
                Err(ReachError::Handshake(HostError::Closed(_))) => {}
                Ok(_) => break,
                Err(other) => panic!("{way:?} closes after {at}: {other}"),
            }
            // Every byte of the first messages, and fewer of the long ones.
            at += if at < 40 { 1 } else { 23 };
        }
        assert!(at > 80, "{way:?} has said {at} bytes");
    }
}

#[tokio::test]
async fn no_two_logins_look_the_same() {
    for way in [Way::Ard, Way::MsLogonII] {
        let host = way.host(Quirks::default()).await;
        for _ in 0..2 {
            log_in(host.address, operator()).await.unwrap();
        }
        let visits = host.visits();
        assert_eq!(visits.len(), 2);
        // Version, type, and then nothing that was there before.
        let [first, second] = [0, 1].map(|visit| &visits[visit].received[13..]);
        assert_ne!(first[..64], second[..64], "{way:?}");
        let last = first.len() - 65..first.len() - 1;
        assert_ne!(first[last.clone()], second[last], "{way:?}");
    }
}

/// A console of `host` for the operator, sealed with the gateway's own key.
fn minted(gateway: &TestGateway, host: SocketAddr, password: &str) -> Minted {
    let ring = keyring_file::load(&gateway.file("state/keyring")).unwrap();
    let target = Target::tcp(HostName::Ip(host.ip()), host.port().try_into().unwrap());
    let credentials = Credentials {
        login: Login {
            password: Some(Secret::new(password)),
            ..operator()
        },
        ..Credentials::default()
    };
    let url = format!("http://{}", gateway.address);
    let minter = Minter::new(Arc::new(ring.into()), url, Usual::default());
    let now = UnixTime::from(SystemTime::now());
    let console = minter.mint(Order::new(target, credentials), now).unwrap();
    Minted::from_url(&console.url())
}

#[tokio::test]
async fn a_browser_needs_no_login_where_the_grant_has_one() {
    let gateway = TestGateway::start().await;
    let repeated = Quirks {
        repeater: true,
        ..Quirks::default()
    };
    let mut count = 0;
    for way in [Way::Ard, Way::Xvp, Way::TightVnc, Way::TightNone] {
        let host = way.host(repeated).await;
        let console = minted(&gateway, host.address, PASSWORD);
        let opened = within("the picture", DONE, Viewer::open(&gateway, &console)).await;
        let viewer = opened.unwrap_or_else(|refusal| panic!("{way:?}: {refusal:?}"));
        assert_eq!(viewer.name, NAME, "{way:?}");
        drop(viewer);
        host.left(DONE).await;
        count += 1;
    }
    for (way, password, reason) in [
        (Way::Ard, "wr0ngpwd", Reason::HostAuthFailed),
        (Way::Xvp, "wr0ngpwd", Reason::HostAuthFailed),
        (Way::TightVnc, "wr0ngpwd", Reason::HostAuthFailed),
        // Nobody has said that the password may be shown.
        (Way::MsLogonII, PASSWORD, Reason::HostNoCommonSecurity),
        (Way::TightLogin, PASSWORD, Reason::HostNoCommonSecurity),
    ] {
        let host = way.host(Quirks::default()).await;
        let console = minted(&gateway, host.address, password);
        let opened = within("the refusal", DONE, Viewer::open(&gateway, &console)).await;
        let end = End::Close {
            code: reason.close_code(),
            reason: reason.code().to_owned(),
        };
        assert_eq!(opened.err().unwrap().end, end, "{way:?}");
        let visit = host.left(DONE).await;
        let clear = |secret: &str| {
            let mut windows = visit.received.windows(secret.len());
            windows.any(|window| window == secret.as_bytes())
        };
        assert!(!clear(PASSWORD) && !clear("wr0ngpwd"), "{way:?}");
        count += 1;
    }
    gateway.session_ends(count).await;
    for secret in [PASSWORD, "wr0ngpwd", USER] {
        gateway.assert_log_has_no(secret);
    }
}

#[tokio::test]
async fn tightvnc_shows_its_screen_by_tight_alone() {
    let (width, height) = xdisplay::SIZE;
    let painted = Picture::plain(width, height, xdisplay::COLOUR);
    let gateway = TestGateway::start().await;
    for password in [Some(PASSWORD), None] {
        let server = Xtightvnc::start(password).await;
        let host = server.by_tight_alone().await;
        let minted = match password {
            Some(password) => gateway.mint_for(host.address, password).await,
            None => gateway.mint_open(host.address).await,
        };
        let opened = within("the handshake", DONE, Viewer::open(&gateway, &minted)).await;
        let mut viewer = opened.unwrap_or_else(|refusal| panic!("{password:?}: {refusal:?}"));
        assert!(viewer.name.contains("desktop"), "{:?}", viewer.name);
        viewer.ask_for_raw().await;
        // Whatever of its long ServerInit were left over would be taken for a message here.
        until("the painted screen", DONE, async || {
            let screen = viewer.fetch().await;
            screen.difference(&painted).map_or(Ok(()), Err)
        })
        .await;
    }
    gateway.assert_log_has_no(PASSWORD);
}

#[tokio::test]
async fn tightvnc_refuses_a_wrong_password_by_tight_alone() {
    let server = Xtightvnc::start(Some(PASSWORD)).await;
    let host = server.by_tight_alone().await;
    let gateway = TestGateway::start().await;
    let minted = gateway.mint_for(host.address, "wr0ngpwd").await;
    let opened = within("the refusal", DONE, Viewer::open(&gateway, &minted)).await;
    let (code, reason) = (4106, "host_auth_failed".to_owned());
    assert_eq!(opened.err().unwrap().end, End::Close { code, reason });
    assert_eq!(
        gateway.session_end().await.text("reason"),
        "host_auth_failed"
    );
}

#[tokio::test]
async fn the_fakes_are_hosts_to_novnc_too() {
    let mut hosts = Vec::new();
    let mut logins = Vec::new();
    for way in Way::ALL {
        let host = way.host(Quirks::default()).await;
        let port = host.address.port();
        logins.push(stock_novnc::login(port, USER, PASSWORD, XVP_TARGET));
        logins.push(stock_novnc::login(port, USER, "wr0ngpwd", XVP_TARGET));
        hosts.push(host);
    }
    // What noVNC tells a repeater begins with "ID:" by itself.
    let repeated = Quirks {
        repeater: true,
        ..Quirks::default()
    };
    let repeater = Way::Xvp.host(repeated).await;
    let mut behind = stock_novnc::login(repeater.address.port(), USER, PASSWORD, XVP_TARGET);
    behind["repeaterID"] = REPEATER_ID.strip_prefix("ID:").into();
    logins.push(behind);
    let mut outcomes = stock_novnc::log_in(&logins).await;
    let behind = outcomes.pop().unwrap();
    assert_eq!(behind, json!({ "connected": true, "name": NAME }));
    for (way, outcomes) in Way::ALL.into_iter().zip(outcomes.chunks(2)) {
        let let_in = json!({ "connected": true, "name": NAME });
        let refused = json!({ "refused": "Authentication failed" });
        assert_eq!(outcomes[0], let_in, "{way:?}");
        let wrong = if way == Way::TightNone {
            let_in
        } else {
            refused
        };
        assert_eq!(outcomes[1], wrong, "{way:?}");
    }
}

#[tokio::test]
#[ignore = "needs vncdotool: run tests/conformance/vncdotool.sh"]
async fn the_fake_mac_is_one_to_vncdotool_too() {
    let vncdo = std::env::var("VNCDO").expect("run tests/conformance/vncdotool.sh");
    let dir = tempfile::tempdir().unwrap();
    for (password, passes) in [(PASSWORD, true), ("wr0ngpwd", false)] {
        let host = Way::Ard.host(Quirks::default()).await;
        let server = format!("127.0.0.1::{}", host.address.port());
        let mut command = Command::new(&vncdo);
        command.args(["--server", &server, "--username", USER]);
        command.args(["--password", password, "--timeout", "10", "key", "a"]);
        let mut process = Process::spawn(&mut command, &dir.path().join("log"));
        let status = until("vncdotool ends", DONE, async || {
            process.ended().ok_or_else(|| process.output())
        })
        .await;
        let visit = host.left(DONE).await;
        let key = [4, 1, 0, 0, 0, 0, 0, b'a'];
        let typed = visit.received.windows(8).any(|message| message == key);
        assert_eq!(typed, passes, "{status}: {}", process.output());
    }
}
