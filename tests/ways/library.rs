//! Hosts reached through the library, as the gateway reaches them.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use fanlight::host::courtesy::Courtesy;
use fanlight::host::resolve::Resolver;
use fanlight::host::visit::Visit;
use fanlight::host::{self, HostLeg, Params, ReachError, Reached};
use fanlight::rfb::policy::Policy;
use fanlight::secret::Secret;
use fanlight::target::{Endpoint, Target, Tunnel, Way, WebSocketTarget, WebSocketUrl};
use fanlight::token::Credentials;
use rustls::pki_types::CertificateDer;

use crate::common::host_params;
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
    let ca_file = ca_file.as_ref().map(tempfile::NamedTempFile::path);
    Params {
        unix_root,
        ..host_params::with(Policy::default(), ca_file, ANSWERED)
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
    reached
        .and_then(Reached::let_in)
        .map_err(|failed| failed.error)
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
