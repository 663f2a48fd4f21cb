//! Every way of logging in that Debian's VNC servers have, against those servers: once as it should
//! be, once with a wrong login, once with a certificate of an authority that is not believed.
//!
//! Each goes through the whole gateway: minted by the API, opened over the WebSocket, up to the
//! ServerInit that a browser sees or the reason that it gets. What only the gateway sees of a host,
//! its version and its list, is looked at through the library.
//!
//! The table here is the one of `docs/hosts.md`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;
#[path = "host_security/page.rs"]
mod page;
#[path = "host_security/table.rs"]
mod table;

use std::any::Any;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::Path;
use std::time::Duration;

use common::gateway::{TestGateway, target};
use common::host_params;
use common::pki::{Identity, Pki};
use common::rfb_client::Viewer;
use common::secured::{self, PASSWORD, USER};
use common::websocket::End;
use common::xtightvnc::Xtightvnc;
use fanlight::host::courtesy::Courtesy;
use fanlight::host::resolve::Resolver;
use fanlight::host::visit::Visit;
use fanlight::host::{HostLeg, ReachError, Reached, reach};
use fanlight::reason::Reason;
use fanlight::rfb::login::Login;
use fanlight::rfb::policy::Policy;
use fanlight::secret::Secret;
use fanlight::target::{HostName, Target};
use fanlight::token::Credentials;
use futures_util::{FutureExt, StreamExt};
use serde_json::json;
use table::{Row, Server, rows};

/// How many servers run at a time.
const AT_A_TIME: usize = 4;
/// How long a step may take, on a busy test machine.
const STEP: Duration = Duration::from_secs(20);
/// Differs from the right one within the 8 bytes that count.
const WRONG: &str = "wr0ngpwd";

#[tokio::test]
async fn every_row_is_as_the_page_has_it() {
    let pki = Pki::new();
    let pki = &pki;
    let tried = futures_util::stream::iter(rows()).map(async |row| {
        let name = format!("{} {}", row.server.name(), row.server.started_with());
        let trying = std::panic::AssertUnwindSafe(holds(&row, pki)).catch_unwind();
        let problem = match trying.await {
            Ok(held) => held.err()?,
            Err(_) => "panicked, see above".to_owned(),
        };
        Some(format!("{name}: {problem}"))
    });
    let tried: Vec<_> = tried.buffer_unordered(AT_A_TIME).collect().await;
    let problems: Vec<String> = tried.into_iter().flatten().collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

/// A gateway that believes the authority of our servers in one profile, and another in the other.
async fn gateway(pki: &Pki) -> TestGateway {
    TestGateway::builder()
        .deadlines(&format!("{}s", STEP.as_secs()))
        .set("profiles.ours.ca_file", pki.ca_file.to_str().unwrap())
        .set(
            "profiles.other.ca_file",
            pki.other_ca_file.to_str().unwrap(),
        )
        .start()
        .await
}

/// Tries one row in all ways, on a server and through a gateway of its own: both count what fails,
/// and the next server may have the port of the last one.
async fn holds(row: &Row, pki: &Pki) -> Result<(), String> {
    let server = start(row.server, pki, &pki.server).await;
    let gateway = &gateway(pki).await;
    let size = match (enter(row, server.address, &pki.ca_file).await, row.end) {
        (Ok(leg), Ok(method)) => {
            let version = leg.seen.version.map(|version| version.to_string());
            same("version", &version.as_deref(), &Some(row.version))?;
            let offered: Vec<u32> = leg.seen.offered.iter().map(|kind| kind.0).collect();
            same("offers", &*offered, row.offers)?;
            let chosen = leg.seen.chosen.ok_or("nothing was chosen")?;
            let carries = method.carriers().contains(&chosen);
            same("carrier of the method", &carries, &true)?;
            Some((leg.init.width.into(), leg.init.height.into()))
        }
        (Err(error), Err(reason)) => {
            refused("the row", Reason::from(&error), &[reason])?;
            None
        }
        (Ok(_), Err(reason)) => return Err(format!("let us in instead of {reason}")),
        (Err(error), Ok(_)) => return Err(format!("did not let us in: {error}")),
    };
    let open = async |password, profile| {
        let opened = open(gateway, row, server.address, password, profile).await;
        opened.map(|viewer| (viewer.screen.width, viewer.screen.height))
    };
    match (open(PASSWORD, "ours").await, row.end) {
        (Ok(seen), Ok(_)) => same("size that the browser sees", &Some(seen), &size)?,
        (Err(found), Err(reason)) => refused("the row in the browser", found, &[reason])?,
        (opened, _) => return Err(format!("the browser: {opened:?}")),
    }
    if row.asks_for_a_login() {
        let end = open(WRONG, "ours").await.err();
        let end = end.ok_or("let us in with a wrong password")?;
        refused("wrong password", end, row.wrong_login)?;
    }
    if row.shows_a_certificate() {
        let end = open(PASSWORD, "other").await.err();
        let end = end.ok_or("was believed without its authority")?;
        refused("wrong authority", end, &[Reason::HostTlsVerify])?;
    }
    Ok(())
}

/// Opens a console as the page does, with all credentials that there are: which of them count is
/// the server's choice.
async fn open(
    gateway: &TestGateway,
    row: &Row,
    address: SocketAddr,
    password: &str,
    profile: &str,
) -> Result<Viewer, Reason> {
    let mut target = target(address);
    target["profile"] = json!(profile);
    let body = json!({
        "target": target,
        "credentials": { "username": USER, "password": password },
        "security": { "allow_clear_text": row.clear_text },
    });
    let minted = gateway.mint(&body).await;
    let refusal = match Viewer::open(gateway, &minted).await {
        Ok(viewer) => return Ok(viewer),
        Err(refusal) => refusal,
    };
    let End::Close { code, reason } = &refusal.end else {
        panic!("{refusal:?}");
    };
    let known = Reason::ALL.iter().find(|it| it.code() == reason);
    let known = known.unwrap_or_else(|| panic!("{refusal:?}"));
    assert_eq!(known.close_code(), *code, "{refusal:?}");
    let words = refusal.words.as_deref().unwrap_or_default();
    assert!(words.contains(known.words()), "{refusal:?}");
    Err(*known)
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(
    what: &str,
    seen: &T,
    expected: &T,
) -> Result<(), String> {
    if seen == expected {
        Ok(())
    } else {
        Err(format!("{what}: {seen:?} instead of {expected:?}"))
    }
}

fn refused(what: &str, found: Reason, expected: &[Reason]) -> Result<(), String> {
    if expected.contains(&found) {
        Ok(())
    } else {
        Err(format!("{what}: {found} instead of {expected:?}"))
    }
}

/// A server that ends on drop.
struct Running {
    address: SocketAddr,
    _server: Box<dyn Any>,
}

async fn start(server: Server, pki: &Pki, identity: &Identity) -> Running {
    let secured = match server {
        Server::Qemu(options, mechanisms) => {
            secured::qemu::start(options, mechanisms, pki, identity).await
        }
        Server::Xvnc(types) => secured::xvnc::start(types, pki, identity).await,
        Server::X11vnc(options) => secured::x11vnc::start(options, pki, identity).await,
        Server::Wayvnc(with_auth) => secured::wayvnc::start(with_auth, pki, identity).await,
        Server::Tightvnc(with_password) => {
            let server = Xtightvnc::start(with_password.then_some(PASSWORD)).await;
            return Running {
                address: server.address,
                _server: Box::new(server),
            };
        }
    };
    Running {
        address: secured.address,
        _server: Box::new(secured),
    }
}

/// Goes the gateway's way to a server, with the same credentials.
async fn enter(row: &Row, address: SocketAddr, ca_file: &Path) -> Result<HostLeg, ReachError> {
    let login = login(USER, PASSWORD);
    let policy = Policy {
        clear_text: row.clear_text,
        ..Policy::default()
    };
    enter_as(address, login, policy, ca_file).await
}

fn login(user: &str, password: &str) -> Login {
    Login {
        username: Some(user.to_owned()),
        password: Some(Secret::new(password)),
        ..Login::default()
    }
}

async fn enter_as(
    address: SocketAddr,
    login: Login,
    policy: Policy,
    ca_file: &Path,
) -> Result<HostLeg, ReachError> {
    let port = NonZeroU16::new(address.port()).unwrap();
    let target = Target::tcp(HostName::Ip(address.ip()), port);
    let params = host_params::with(policy, Some(ca_file), STEP);
    let credentials = Credentials {
        login,
        ..Credentials::default()
    };
    let resolver = Resolver::from_system().unwrap();
    let courtesy = Courtesy::new(params.courtesy);
    reach(
        Visit::new(target, credentials),
        &resolver,
        &courtesy,
        &params,
    )
    .await
    .and_then(Reached::let_in)
    .map_err(|failed| failed.error)
}

#[tokio::test]
async fn a_name_that_stands_in_the_common_name_alone_is_not_believed() {
    let pki = Pki::new();
    let server = Server::Qemu("tls-creds=x509", "");
    let server = start(server, &pki, &pki.named_in_cn).await;
    let end = enter_as(
        server.address,
        Login::default(),
        Policy::default(),
        &pki.ca_file,
    )
    .await;
    assert_eq!(Reason::from(&end.unwrap_err()), Reason::HostTlsVerify);
}

#[tokio::test]
async fn mechanisms_that_are_not_spoken_are_named() {
    let pki = Pki::new();
    let server = Server::Qemu("tls-creds=x509,sasl=on", "DIGEST-MD5");
    let server = start(server, &pki, &pki.server).await;
    let login = login(USER, PASSWORD);
    let end = enter_as(server.address, login, Policy::default(), &pki.ca_file).await;
    assert_eq!(
        end.unwrap_err().to_string(),
        "offers only the SASL mechanisms \"DIGEST-MD5\""
    );
}

#[tokio::test]
async fn a_user_that_the_host_does_not_know_is_a_login_refused() {
    let pki = Pki::new();
    for mechanism in ["SCRAM-SHA-256", "PLAIN"] {
        let server = Server::Qemu("tls-creds=x509,sasl=on", mechanism);
        let server = start(server, &pki, &pki.server).await;
        let login = login("nobody", PASSWORD);
        let end = enter_as(server.address, login, Policy::default(), &pki.ca_file).await;
        assert_eq!(
            Reason::from(&end.unwrap_err()),
            Reason::HostAuthFailed,
            "{mechanism}"
        );
    }
}
