//! The host leg: reaching an RFB server and being let in.

pub mod aes_stream;
pub mod courtesy;
pub mod dial;
mod exchange;
pub mod profile;
pub mod ra2_key;
mod read_ahead;
mod relayed;
pub mod resolve;
pub mod stream;
pub mod targets;
pub mod tunnel;
mod under_way;
pub mod unix;
pub mod visit;
pub mod way;
pub mod websocket;

pub use relayed::{Asked, Reached};

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tracing::debug;

use crate::drive::Deadlines;
use crate::reason::Reason;
use crate::rfb::host::{HostError, Seen};
use crate::rfb::init::ServerInit;
use crate::rfb::peer_text::PeerText;
use crate::rfb::policy::SecurityMethod;
use crate::rfb::{Stage, SwapError};
use crate::target::{TargetRefused, Way};

use courtesy::{BackingOff, Courtesy, Outcome};
use dial::DialError;
use profile::{Profiles, UnknownProfile};
use ra2_key::Ra2Key;
use relayed::decided;
use resolve::{ResolveError, Resolver};
use stream::HostStream;
use targets::Targets;
use tunnel::TunnelError;
use under_way::{Stop, UnderWay};
use unix::UnixError;
use visit::Visit;
use way::Peer;
use websocket::WebSocketError;

/// How hosts are reached, and how long the steps may take.
#[derive(Clone, Debug)]
pub struct Params {
    /// Waiting until the host is not busy with too many others, resolving the name, connecting to
    /// one of its addresses, and TLS, tunnel or WebSocket around RFB, in all.
    pub connect: Duration,
    /// The stages of the RFB handshake.
    pub handshake: Deadlines,
    /// How they are logged in to, and what is verified about them.
    pub profiles: Profiles,
    /// How many logins at once, and how long none after failures.
    pub courtesy: courtesy::Params,
    /// Where they may be.
    pub targets: Targets,
    /// The folder below which Unix sockets may be; there are none without it.
    pub unix_root: Option<PathBuf>,
    /// The RSA key that is shown to hosts in RA2.
    pub ra2_key: Ra2Key,
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
    /// None of its addresses may be connected to.
    #[error(transparent)]
    Target(#[from] TargetRefused),
    /// No address took the connection.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// All before RFB took longer than [`Params::connect`].
    #[error("timed out at stage connect")]
    TimedOut,
    /// TLS around RFB failed.
    #[error(transparent)]
    Tls(#[from] SwapError),
    /// The Unix socket is not there or not allowed.
    #[error(transparent)]
    Unix(#[from] UnixError),
    /// There is no tunnel.
    #[error(transparent)]
    Tunnel(#[from] TunnelError),
    /// There is no WebSocket.
    #[error(transparent)]
    WebSocket(#[from] WebSocketError),
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
            ReachError::Target(_) => Self::TargetRefused,
            ReachError::Unix(UnixError::NotAllowed | UnixError::Outside(_)) => Self::TargetRefused,
            ReachError::Dial(error) if error.is_shortage() => Self::LimitReached,
            ReachError::Resolve(_) | ReachError::Dial(_) | ReachError::Unix(_) => {
                Self::HostUnreachable
            }
            ReachError::TimedOut => Self::HostTimeout,
            ReachError::Tls(SwapError::Certificate(_)) => Self::HostTlsVerify,
            ReachError::Tls(SwapError::Identity(_)) => Self::HostIdentity,
            ReachError::Tls(SwapError::Failed(_)) => Self::HostProtocol,
            ReachError::Tunnel(error) => error.into(),
            ReachError::WebSocket(error) => error.into(),
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
            Self::Tunnel(TunnelError::Refused(refusal))
            | Self::WebSocket(WebSocketError::Refused(refusal)) => Some(refusal.words()),
            _ => None,
        }
    }

    /// The error of a handshake. A tunnel that ends before a host's first line never led to one.
    fn of_handshake(error: HostError, way: &Way) -> Self {
        match (way, &error) {
            (Way::Tunnel(_), HostError::Closed(Stage::Version)) => Self::Tunnel(TunnelError::Dead),
            _ => Self::Handshake(error),
        }
    }
}

/// A handshake that came to nothing.
#[derive(Debug)]
pub struct Failed {
    /// Why.
    pub error: ReachError,
    /// What was seen of the host until then.
    pub seen: Seen,
    /// What led nowhere, where the host offers something else: another connection
    /// [without](Visit::without) these may be let in.
    pub dead_end: Option<&'static [SecurityMethod]>,
}

impl From<ReachError> for Failed {
    /// Before anything was seen of the host.
    fn from(error: ReachError) -> Self {
        Self {
            error,
            seen: Seen::default(),
            dead_end: None,
        }
    }
}

impl From<ReachError> for Box<Failed> {
    fn from(error: ReachError) -> Self {
        Self::new(error.into())
    }
}

/// A host that let us in: it has sent ServerInit and waits for messages.
#[derive(Debug)]
pub struct HostLeg {
    /// The connection, with its layers.
    pub stream: HostStream,
    /// Whom it leads to.
    pub address: Peer,
    /// What the host says about its desktop.
    pub init: ServerInit,
    /// What followed ServerInit in the same read: the first bytes for the relay.
    pub unread: Vec<u8>,
    /// How the handshake went.
    pub seen: Seen,
}

/// Connects to a target: resolve, dial, and whatever is around RFB.
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
) -> Result<(HostStream, Peer), ReachError> {
    let profile = params.profiles.get(visit.target.profile.as_ref())?;
    let tls = profile.tls.for_machine(&visit.identity);
    let deadline = Instant::now() + params.connect;
    let reaching = way::stream(visit, resolver, tls, params);
    let reached = timeout_at(deadline, reaching).await;
    reached.unwrap_or(Err(ReachError::TimedOut))
}

/// Goes through the RFB handshake with a connected host, up to ServerInit, and checks that it is
/// the machine that is meant.
///
/// # Errors
/// [`Failed`].
///
/// # Cancel safety
/// Dropping the future closes the connection.
pub async fn handshake(
    connected: (HostStream, Peer),
    visit: Visit,
    params: &Params,
) -> Result<HostLeg, Failed> {
    let under_way = UnderWay::begin(connected, visit, params).await;
    let under_way = under_way.map_err(ReachError::from)?;
    match under_way.go_on(params).await? {
        Stop::LetIn(leg) => Ok(*leg),
        Stop::Asked(_, under_way) => Err(under_way.unanswered()),
    }
}

/// Goes to a target: a place at the host, resolve, dial, RFB handshake. With
/// [`relay`](crate::rfb::login::Login::relay) it may come back with a challenge.
///
/// Where the handshake comes to a dead end beside which the host offers something else, it goes
/// there on a second connection, in the same place; there is no third.
///
/// # Errors
/// [`Failed`].
///
/// # Cancel safety
/// Dropping the future closes whatever it had opened.
pub async fn reach(
    visit: Visit,
    resolver: &Resolver,
    courtesy: &Courtesy,
    params: &Params,
) -> Result<Reached, Box<Failed>> {
    let deadline = Instant::now() + params.connect;
    let connecting = async {
        let place = courtesy.place(&visit.target.way.dialled()).await?;
        Ok((place, connect(&visit, resolver, params).await?))
    };
    let connecting = timeout_at(deadline, connecting).await;
    let (mut place, connected) = connecting.unwrap_or(Err(ReachError::TimedOut))?;
    debug!(address = %connected.1, "host connected");
    let under_way = UnderWay::begin(connected, visit.clone(), params).await;
    let under_way = under_way.map_err(ReachError::from)?;
    let mut stop = under_way.go_on(params).await;
    if let Err(Failed {
        error,
        dead_end: Some(without),
        ..
    }) = &stop
    {
        debug!(%error, "one way to log in leads nowhere, another is tried");
        place.leave_one();
        let visit = Visit { without, ..visit };
        let connected = connect(&visit, resolver, params).await?;
        let second = UnderWay::begin(connected, visit, params).await;
        let second = second.map_err(ReachError::from)?;
        stop = second.go_on(params).await;
    }
    decided(stop, place)
}
