//! From a target's way to a stream on which RFB is spoken.

use std::fmt;
use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::resolve::Resolver;
use super::stream::HostStream;
use super::targets::Targets;
use super::visit::Visit;
use super::{Params, ReachError, dial, tunnel, unix, websocket};
use crate::http1::request::Extra;
use crate::target::{Endpoint, HostName, UnixPath, Way};
use crate::tls::connect::Connector;

/// Whom a connection leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The address that took it.
    Tcp(SocketAddr),
    /// The socket.
    Unix(UnixPath),
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{path}"),
        }
    }
}

/// Connects, and opens whatever is around RFB. The deadline is the caller's.
pub(super) async fn stream(
    visit: &Visit,
    resolver: &Resolver,
    tls: Connector,
    params: &Params,
) -> Result<(HostStream, Peer), ReachError> {
    let extra = Extra {
        cookie: visit.credentials.cookie.as_ref(),
        headers: &visit.credentials.headers,
    };
    match &visit.target.way {
        Way::Tcp(endpoint) => connection(endpoint, false, resolver, tls, params).await,
        Way::Tls(endpoint) => connection(endpoint, true, resolver, tls, params).await,
        Way::Unix(path) => {
            let stream = unix::connect(path, params.unix_root.as_deref()).await?;
            // Should TLS be asked for inside: what a certificate calls a machine that is this one.
            let host = HostName::Dns("localhost".into());
            let stream = HostStream::layered(stream, host, tls, None);
            Ok((stream, Peer::Unix(path.clone())))
        }
        Way::Tunnel(to) => {
            let host = to.endpoint.host.clone();
            let (below, peer) =
                connection(&to.endpoint, to.tls, resolver, tls.clone(), params).await?;
            let shown = below.shown();
            let stream = tunnel::open(below, to, extra).await?;
            Ok((HostStream::layered(stream, host, tls, shown), peer))
        }
        Way::WebSocket(to) => {
            let host = to.endpoint.host.clone();
            let (below, peer) =
                connection(&to.endpoint, to.tls, resolver, tls.clone(), params).await?;
            let shown = below.shown();
            let stream = websocket::open(below, to, extra).await?;
            Ok((HostStream::layered(stream, host, tls, shown), peer))
        }
    }
}

/// A connection to an endpoint, inside TLS or not.
async fn connection(
    endpoint: &Endpoint,
    inside_tls: bool,
    resolver: &Resolver,
    tls: Connector,
    params: &Params,
) -> Result<(HostStream, Peer), ReachError> {
    let port = endpoint.port.get();
    let (stream, address) = connect(&endpoint.host, port, resolver, &params.targets).await?;
    let mut stream = HostStream::tcp(stream, endpoint.host.clone(), tls);
    if inside_tls {
        stream.start_tls().await?;
    }
    Ok((stream, Peer::Tcp(address)))
}

/// Resolves a name, looks which of its addresses may be dialled, and dials those: the name is not
/// asked again.
pub(super) async fn connect(
    host: &HostName,
    port: u16,
    resolver: &Resolver,
    targets: &Targets,
) -> Result<(TcpStream, SocketAddr), ReachError> {
    let addresses = resolver.resolve(host).await?;
    let addresses = targets.allowed(&addresses, port)?;
    Ok(dial::dial(&addresses, port).await?)
}
