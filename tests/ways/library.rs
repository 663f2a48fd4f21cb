//! Hosts reached through the library, as the gateway reaches them.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use fanlight::drive::Deadlines;
use fanlight::host::courtesy::{self, Courtesy};
use fanlight::host::profile::{Profile, Profiles};
use fanlight::host::ra2_key::Ra2Key;
use fanlight::host::resolve::Resolver;
use fanlight::host::targets::Targets;
use fanlight::host::visit::Visit;
use fanlight::host::{self, HostLeg, Params, ReachError};
use fanlight::rfb::policy::Policy;
use fanlight::secret::Secret;
use fanlight::target::{Endpoint, Target, TargetRules, Tunnel, Way, WebSocketTarget, WebSocketUrl};
use fanlight::tls::connect::{Connector, Trust};
use fanlight::token::Credentials;
use rustls::pki_types::CertificateDer;

use crate::common::wait::within;
use crate::common::xapi::{MACHINE, Xapi};

/// How long anything here may take, on a busy test machine.
pub(crate) const ANSWERED: Duration = Duration::from_secs(10);

/// What the library is told: whom to believe, and where Unix sockets may be.
pub(crate) fn params(
    certificate: Option<&CertificateDer<'static>>,
    unix_root: Option<PathBuf>,
) -> Params {
    let ca_file = certificate.map(|certificate| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let base64 = data_encoding::BASE64.encode(certificate);
        let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
        write!(file, "{begin}\n{base64}\n{end}\n").unwrap();
        file
    });
    let trust = Trust {
        ca_file: ca_file.as_ref().map(|file| file.path().to_owned()),
        ..Trust::default()
    };
    let profile = Profile {
        policy: Policy::default(),
        tls: Connector::new(&trust).unwrap(),
    };
    Params {
        connect: ANSWERED,
        handshake: Deadlines::all(ANSWERED),
        profiles: Profiles::new(profile, BTreeMap::new()),
        courtesy: courtesy::Params::default(),
        targets: Targets {
            rules: TargetRules {
                allow: ["127.0.0.0/8", "::1"].map(|it| it.parse().unwrap()).into(),
                deny: Vec::new(),
            },
            own_listener: None,
        },
        unix_root,
        ra2_key: Ra2Key::default(),
    }
}

pub(crate) async fn reach(
    way: Way,
    credentials: Credentials,
    params: &Params,
) -> Result<HostLeg, ReachError> {
    let target = Target { way, profile: None };
    visit(Visit::new(target, credentials), params).await
}

pub(crate) async fn visit(visit: Visit, params: &Params) -> Result<HostLeg, ReachError> {
    let resolver = Resolver::from_system().unwrap();
    let courtesy = Courtesy::new(params.courtesy);
    let reaching = host::reach(visit, &resolver, &courtesy, params);
    let reached = within("the host is reached or not", ANSWERED * 2, reaching).await;
    reached?.let_in()
}

pub(crate) fn password(password: &str) -> Credentials {
    Credentials::with_password(Some(Secret::new(password)))
}

pub(crate) fn session(session: &str) -> Credentials {
    Credentials {
        cookie: Some(Secret::new(format!("session_id={session}"))),
        ..Credentials::default()
    }
}

fn local(port: u16) -> Endpoint {
    Endpoint {
        host: "127.0.0.1".parse().unwrap(),
        port: port.try_into().unwrap(),
    }
}

pub(crate) fn tunnel(xapi: &Xapi, path: &str) -> Way {
    Way::Tunnel(Tunnel {
        endpoint: local(xapi.port),
        tls: xapi.certificate.is_some(),
        path: path.parse().unwrap(),
    })
}

pub(crate) fn websocket(url: &str, protocols: &[&str]) -> Way {
    let WebSocketUrl {
        endpoint,
        tls,
        path,
    } = url.parse().unwrap();
    Way::WebSocket(WebSocketTarget {
        endpoint,
        tls,
        path,
        protocols: protocols.iter().map(|it| it.parse().unwrap()).collect(),
    })
}

pub(crate) fn console() -> String {
    format!("/console?uuid={MACHINE}")
}
