//! The host leg: reaching an RFB server and being let in.

pub mod dial;
pub mod resolve;
pub mod stream;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tracing::debug;

use crate::drive::{Deadlines, drive};
use crate::reason::Reason;
use crate::rfb::SwapError;
use crate::rfb::host::{HostError, HostHandshake, HostParams, Seen};
use crate::rfb::init::ServerInit;
use crate::rfb::login::Login;
use crate::rfb::peer_text::PeerText;
use crate::rfb::policy::Policy;
use crate::target::{Endpoint, Target, Way};
use crate::tls::connect::Connector;

use dial::DialError;
use resolve::{ResolveError, Resolver};
use stream::HostStream;

/// How hosts are reached, and how long the steps may take.
#[derive(Clone, Debug)]
pub struct Params {
    /// Resolving the name, connecting to one of its addresses and TLS around RFB, in all.
    pub connect: Duration,
    /// The stages of the RFB handshake.
    pub handshake: Deadlines,
    /// What hosts may be logged in with.
    pub policy: Policy,
    /// Who checks the certificates of hosts.
    pub tls: Connector,
}

/// Why a host could not be reached or did not let us in.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// The name has no address.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// No address took the connection.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// Resolving, connecting and TLS took longer than [`Params::connect`].
    #[error("timed out at stage connect")]
    TimedOut,
    /// TLS around RFB failed.
    #[error(transparent)]
    Tls(#[from] SwapError),
    /// The RFB handshake failed.
    #[error(transparent)]
    Handshake(#[from] HostError),
}

impl From<&ReachError> for Reason {
    fn from(error: &ReachError) -> Self {
        match error {
            ReachError::Resolve(_) | ReachError::Dial(_) => Self::HostUnreachable,
            ReachError::TimedOut => Self::HostTimeout,
            ReachError::Tls(SwapError::Certificate(_)) => Self::HostTlsVerify,
            ReachError::Tls(SwapError::Failed(_)) => Self::HostProtocol,
            ReachError::Handshake(error) => error.into(),
        }
    }
}

impl ReachError {
    /// What the host itself said, for the person.
    #[must_use]
    pub const fn said(&self) -> Option<&PeerText> {
        match self {
            Self::Handshake(error) => error.said(),
            _ => None,
        }
    }
}

/// A host that let us in: it has sent ServerInit and waits for messages.
#[derive(Debug)]
pub struct HostLeg {
    /// The connection, with its layers.
    pub stream: HostStream,
    /// The address that took it.
    pub address: SocketAddr,
    /// What the host says about its desktop.
    pub init: ServerInit,
    /// What followed ServerInit in the same read: the first bytes for the relay.
    pub unread: Vec<u8>,
    /// How the handshake went.
    pub seen: Seen,
}

/// Connects to a target: resolve, dial, TLS where it is around RFB.
///
/// # Errors
/// [`ReachError`], never its `Handshake`.
///
/// # Cancel safety
/// Dropping the future closes whatever it had opened.
pub async fn connect(
    target: &Target,
    resolver: &Resolver,
    params: &Params,
) -> Result<(HostStream, SocketAddr), ReachError> {
    let deadline = Instant::now() + params.connect;
    let reaching = async {
        match &target.way {
            Way::Tcp(endpoint) => tcp(endpoint, resolver, params).await,
            Way::Tls(endpoint) => {
                let (mut stream, address) = tcp(endpoint, resolver, params).await?;
                stream.start_tls().await?;
                Ok((stream, address))
            }
        }
    };
    let reached = timeout_at(deadline, reaching).await;
    reached.unwrap_or(Err(ReachError::TimedOut))
}

async fn tcp(
    endpoint: &Endpoint,
    resolver: &Resolver,
    params: &Params,
) -> Result<(HostStream, SocketAddr), ReachError> {
    let addresses = resolver.resolve(&endpoint.host).await?;
    let (stream, address) = dial::dial(&addresses, endpoint.port.get()).await?;
    let stream = HostStream::tcp(stream, endpoint.host.clone(), params.tls.clone());
    Ok((stream, address))
}

/// Goes through the RFB handshake with a connected host, up to ServerInit.
///
/// # Errors
/// [`HostError`], with what was seen of the host until then.
///
/// # Cancel safety
/// Dropping the future closes the connection.
pub async fn handshake(
    (mut stream, address): (HostStream, SocketAddr),
    login: Login,
    params: &Params,
) -> Result<HostLeg, (HostError, Seen)> {
    let policy = params.policy.clone();
    let mut machine = HostHandshake::new(HostParams {
        login,
        policy,
        entropy: crate::entropy::fill,
    });
    let mut unread = Vec::new();
    let end = drive(&mut machine, &mut stream, &mut unread, &params.handshake).await;
    let seen = machine.seen().clone();
    debug!(
        %address,
        version = seen.version.map(display),
        offered = ?seen.offered,
        chosen = seen.chosen.map(display),
        passed = end.is_ok(),
        "host handshake"
    );
    match end {
        Ok(init) => Ok(HostLeg {
            stream,
            address,
            init,
            unread,
            seen,
        }),
        Err(error) => Err((error, seen)),
    }
}

/// Goes the whole way to a target: resolve, dial, RFB handshake.
///
/// # Errors
/// [`ReachError`].
///
/// # Cancel safety
/// Dropping the future closes whatever it had opened.
pub async fn reach(
    target: &Target,
    login: Login,
    resolver: &Resolver,
    params: &Params,
) -> Result<HostLeg, ReachError> {
    let connected = connect(target, resolver, params).await?;
    debug!(address = %connected.1, "host connected");
    Ok(handshake(connected, login, params)
        .await
        .map_err(|(error, _)| error)?)
}
