//! The host leg: reaching an RFB server and being let in.

pub mod courtesy;
pub mod dial;
pub mod profile;
pub mod resolve;
pub mod stream;
pub mod visit;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tracing::debug;

use crate::drive::{Deadlines, drive};
use crate::reason::Reason;
use crate::rfb::SwapError;
use crate::rfb::host::{HostError, HostHandshake, HostParams, Seen};
use crate::rfb::init::ServerInit;
use crate::rfb::peer_text::PeerText;
use crate::target::{Endpoint, Way};
use crate::tls::connect::Connector;

use courtesy::{BackingOff, Courtesy, Outcome};
use dial::DialError;
use profile::{Profiles, UnknownProfile};
use resolve::{ResolveError, Resolver};
use stream::HostStream;
use visit::Visit;

/// How hosts are reached, and how long the steps may take.
#[derive(Clone, Debug)]
pub struct Params {
    /// Waiting until the host is not busy with too many others, resolving the name, connecting to
    /// one of its addresses and TLS around RFB, in all.
    pub connect: Duration,
    /// The stages of the RFB handshake.
    pub handshake: Deadlines,
    /// How they are logged in to, and what is verified about them.
    pub profiles: Profiles,
    /// How many logins at once, and how long none after failures.
    pub courtesy: courtesy::Params,
}

/// Why a host could not be reached or did not let us in.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// This gateway cannot go where the grant sends it.
    #[error(transparent)]
    Profile(#[from] UnknownProfile),
    /// Logins have failed here lately, and the host is left alone for a while.
    #[error(transparent)]
    BackingOff(#[from] BackingOff),
    /// The name has no address.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// No address took the connection.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// Waiting for a turn, resolving, connecting and TLS took longer than [`Params::connect`].
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
            // The minter and this gateway are configured apart: nothing that the person or the
            // host could change.
            ReachError::Profile(_) => Self::Internal,
            ReachError::BackingOff(_) => Self::HostTooManyAttempts,
            ReachError::Resolve(_) | ReachError::Dial(_) => Self::HostUnreachable,
            ReachError::TimedOut => Self::HostTimeout,
            ReachError::Tls(SwapError::Certificate(_)) => Self::HostTlsVerify,
            ReachError::Tls(SwapError::Identity(_)) => Self::HostIdentity,
            ReachError::Tls(SwapError::Failed(_)) => Self::HostProtocol,
            ReachError::Handshake(error) => error.into(),
        }
    }
}

impl ReachError {
    /// What the failure says about the next login here. A machine that is not the right one has let
    /// us in all the same.
    fn outcome(&self) -> Outcome {
        match self {
            Self::Handshake(error) => error.into(),
            _ => Outcome::Undecided,
        }
    }

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
    visit: &Visit,
    resolver: &Resolver,
    params: &Params,
) -> Result<(HostStream, SocketAddr), ReachError> {
    let profile = params.profiles.get(visit.target.profile.as_ref())?;
    let tls = profile.tls.for_machine(&visit.identity);
    let deadline = Instant::now() + params.connect;
    let reaching = async {
        match &visit.target.way {
            Way::Tcp(endpoint) => tcp(endpoint, resolver, tls).await,
            Way::Tls(endpoint) => {
                let (mut stream, address) = tcp(endpoint, resolver, tls).await?;
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
    tls: Connector,
) -> Result<(HostStream, SocketAddr), ReachError> {
    let addresses = resolver.resolve(&endpoint.host).await?;
    let (stream, address) = dial::dial(&addresses, endpoint.port.get()).await?;
    Ok((HostStream::tcp(stream, endpoint.host.clone(), tls), address))
}

/// Goes through the RFB handshake with a connected host, up to ServerInit, and checks that it is
/// the machine that is meant.
///
/// # Errors
/// [`ReachError`], with what was seen of the host until then.
///
/// # Cancel safety
/// Dropping the future closes the connection.
pub async fn handshake(
    (mut stream, address): (HostStream, SocketAddr),
    visit: Visit,
    params: &Params,
) -> Result<HostLeg, (ReachError, Seen)> {
    let profile = params.profiles.get(visit.target.profile.as_ref());
    let profile = profile.map_err(|error| (error.into(), Seen::default()))?;
    let policy = visit.policy(&profile.policy, stream.shown().is_some());
    let login = visit.credentials.login;
    let mut machine = HostHandshake::new(HostParams {
        login,
        policy,
        entropy: crate::entropy::fill,
    });
    let mut unread = Vec::new();
    let end = drive(&mut machine, &mut stream, &mut unread, &params.handshake).await;
    let end = visit
        .identity
        .judge(end, stream.shown().map(|it| it.key), None);
    let seen = machine.seen().clone();
    debug!(
        %address,
        version = seen.version.map(display),
        offered = ?seen.offered,
        chosen = seen.chosen.map(display),
        tls = stream.shown().map(|shown| display(shown.proof)),
        certificate = stream.shown().map(|shown| display(shown.key)),
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
        Err(error) => Err((error.into(), seen)),
    }
}

/// Goes the whole way to a target: a place at the host, resolve, dial, RFB handshake.
///
/// # Errors
/// [`ReachError`].
///
/// # Cancel safety
/// Dropping the future closes whatever it had opened.
pub async fn reach(
    visit: Visit,
    resolver: &Resolver,
    courtesy: &Courtesy,
    params: &Params,
) -> Result<HostLeg, ReachError> {
    let deadline = Instant::now() + params.connect;
    let connecting = async {
        let place = courtesy.place(&visit.target.way).await?;
        Ok((place, connect(&visit, resolver, params).await?))
    };
    let connecting = timeout_at(deadline, connecting).await;
    let (place, connected) = connecting.unwrap_or(Err(ReachError::TimedOut))?;
    debug!(address = %connected.1, "host connected");
    match handshake(connected, visit, params).await {
        Ok(leg) => {
            place.end(Outcome::LetIn);
            Ok(leg)
        }
        Err((error, _)) => {
            place.end(error.outcome());
            Err(error)
        }
    }
}
