//! Every way of logging in that Debian's VNC servers have, against those servers: once as it should
//! be, once with a wrong login, once with a certificate of an authority that is not believed.
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
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::Path;
use std::time::Duration;

use common::pki::{Identity, Pki};
use common::secured::{self, PASSWORD, USER};
use common::xtightvnc::Xtightvnc;
use fanlight::drive::Deadlines;
use fanlight::host::courtesy::{self, Courtesy};
use fanlight::host::profile::{Profile, Profiles};
use fanlight::host::ra2_key::Ra2Key;
use fanlight::host::resolve::Resolver;
use fanlight::host::targets::Targets;
use fanlight::host::visit::Visit;
use fanlight::host::{HostLeg, Params, ReachError, reach};
use fanlight::reason::Reason;
use fanlight::rfb::login::Login;
use fanlight::rfb::policy::Policy;
use fanlight::secret::Secret;
use fanlight::target::{HostName, Target, TargetRules};
use fanlight::tls::connect::{Connector, Trust};
use fanlight::token::Credentials;
use futures_util::{FutureExt, StreamExt};
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

/// Tries one row in all ways, on a server of its own: TigerVNC counts what fails.
async fn holds(row: &Row, pki: &Pki) -> Result<(), String> {
    let server = start(row.server, pki, &pki.server).await;
    let enter = async |password, ca| enter(row, server.address, password, ca).await;
    match (enter(PASSWORD, &pki.ca_file).await, row.end) {
        (Ok(leg), Ok(method)) => {
            let version = leg.seen.version.map(|version| version.to_string());
            same("version", &version.as_deref(), &Some(row.version))?;
            let offered: Vec<u32> = leg.seen.offered.iter().map(|kind| kind.0).collect();
            same("offers", &*offered, row.offers)?;
            let chosen = leg.seen.chosen.ok_or("nothing was chosen")?;
            let carries = method.carriers().contains(&chosen);
            same("carrier of the method", &carries, &true)?;
            same("desktop has a size", &(leg.init.width > 0), &true)?;
        }
        (Err(error), Err(reason)) => refused("the row", &error, &[reason])?,
        (Ok(_), Err(reason)) => return Err(format!("let us in instead of {reason}")),
        (Err(error), Ok(_)) => return Err(format!("did not let us in: {error}")),
    }
    if row.asks_for_a_login() {
        let error = enter(WRONG, &pki.ca_file).await.err();
        let error = error.ok_or("let us in with a wrong password")?;
        refused("wrong password", &error, row.wrong_login)?;
    }
    if row.shows_a_certificate() {
        let error = enter(PASSWORD, &pki.other_ca_file).await.err();
        let error = error.ok_or("was believed without its authority")?;
        refused("wrong authority", &error, &[Reason::HostTlsVerify])?;
    }
    Ok(())
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

fn refused(what: &str, error: &ReachError, expected: &[Reason]) -> Result<(), String> {
    match Reason::from(error) {
        reason if expected.contains(&reason) => Ok(()),
        reason => Err(format!("{what}: {reason} instead of {expected:?}: {error}")),
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

/// Goes the gateway's way to a server, with all credentials that there are: which of them count is
/// the server's choice.
async fn enter(
    row: &Row,
    address: SocketAddr,
    password: &str,
    ca_file: &Path,
) -> Result<HostLeg, ReachError> {
    let login = login(USER, password);
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
    let trust = Trust {
        ca_file: Some(ca_file.to_owned()),
        ..Trust::default()
    };
    let profile = Profile {
        policy,
        tls: Connector::new(&trust).unwrap(),
    };
    let allow = ["127.0.0.0/8", "::1"].map(|it| it.parse().unwrap()).into();
    let params = Params {
        targets: Targets {
            rules: TargetRules {
                allow,
                ..TargetRules::default()
            },
            own_listener: None,
        },
        connect: STEP,
        handshake: Deadlines::all(STEP),
        profiles: Profiles::new(profile, BTreeMap::new()),
        courtesy: courtesy::Params::default(),
        unix_root: None,
        ra2_key: Ra2Key::default(),
    };
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
    .await?
    .let_in()
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
