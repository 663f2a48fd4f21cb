//! Sessions: from a WebSocket with a token to an end with a reason.
//!
//! ```text
//!   token ──> grant ──> admit ──> reach the host ────┐
//!                                                    ├─> picture ──> relay ──> end
//!   greet the browser (version, None) ───────────────┘      │                   ^
//!                                                           └───── refuse ──────┘
//! ```
//!
//! Both sides are worked on at once: while the host is dialled and authenticates us, the browser
//! goes through as much of its handshake as does not depend on the outcome. Then it is admitted
//! with the host's ServerInit, or refused with the reason's words. Where the password is the
//! viewer's, it gets the host's challenge in between ([`greet`]). A refusal is never an HTTP
//! status: a browser hides the status of a refused upgrade from the page.
//!
//! [`open`] is the story; [`relay`] moves the bytes; [`record`] is what is logged of it all.

mod admit;
pub mod drain;
mod edge;
pub mod end;
mod greet;
mod levels;
pub mod open;
pub mod page_message;
mod piece;
pub mod record;
mod registry;
pub mod relay;
pub mod resume;
mod watch;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

use crate::audit::Audit;
use crate::buffers::Buffers;
use crate::client_addr::ClientAddr;
use crate::clock::UnixTime;
use crate::current::Current;
use crate::host;
use crate::host::courtesy::Courtesy;
use crate::host::resolve::Resolver;
use crate::metrics::Metrics;
use crate::origin::{OriginPolicy, Presented};
use crate::rate::TooOften;
use crate::store::{Quotas, Store};
use crate::token::{self, Grant, KeyRing, OpenError};
use crate::traces::Traces;

use registry::Registry;
use relay::Pings;
use resume::ResumeSecret;
use watch::Watch;

/// What sessions are allowed and how long their steps may take.
#[derive(Clone, Debug)]
pub struct Params {
    /// How many sessions may be open here at once, those that are still connecting included.
    pub max_sessions: usize,
    /// How many there may be on all gateways.
    pub quotas: Quotas,
    /// For how long a lost session may come back.
    pub resume_grace: Duration,
    /// Whether sessions are let in unchecked while the store is away.
    pub admit_without_store: bool,
    /// Where it is written down who got in, who did not, and how it ended.
    pub audit: Audit,
    /// What this gateway is called in lists of sessions.
    pub gateway: Arc<str>,
    /// How many of them may be on their way to the picture at once.
    pub max_handshakes: usize,
    /// Whose pages may open them.
    pub origins: OriginPolicy,
    /// How long each stage of the browser's RFB handshake may take.
    pub browser_handshake: Duration,
    /// When browsers are pinged, so that proxies in between see life: every 25 seconds stays below the
    /// usual limit of 60.
    pub pings: Pings,
    /// After so long without a byte and without progress in writing a peer is dead.
    pub dead_after: Duration,
    /// The longest frame that a browser may send, in bytes of payload.
    pub max_frame: u64,
    /// The steps towards a host.
    pub host: host::Params,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where their way to the picture is told.
    pub traces: Traces,
}

/// All sessions of this gateway.
#[derive(Debug)]
pub struct Sessions {
    params: Params,
    ring: Arc<Current<KeyRing>>,
    resolver: Resolver,
    courtesy: Courtesy,
    buffers: Arc<Buffers>,
    slots: Arc<Semaphore>,
    store: Arc<dyn Store>,
    registry: Arc<Registry>,
    handshakes: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Somebody at the WebSocket, before anything is known of them.
#[derive(Debug)]
pub struct Arrival {
    /// Who it is, as far as addresses say.
    pub client: ClientAddr,
    /// Whose page it is.
    pub origin: Presented,
    /// Whether they come too often.
    pub too_often: Option<TooOften>,
    /// What was presented.
    pub pass: Pass,
    /// Whether it is our page, which understands [`page_message`]s.
    pub page: bool,
}

/// What somebody wants to get in with.
#[derive(Debug, Default)]
pub enum Pass {
    /// Nothing.
    #[default]
    None,
    /// A token.
    Token(Zeroizing<String>),
    /// The secret of a session that is to continue.
    Resume(ResumeSecret),
}

impl Sessions {
    /// `stop` ends all sessions when it is cancelled; their tasks run in `tasks`.
    #[must_use]
    pub fn new(
        params: Params,
        ring: Arc<Current<KeyRing>>,
        resolver: Resolver,
        store: Arc<dyn Store>,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let slots = Semaphore::new(params.max_sessions.min(Semaphore::MAX_PERMITS));
        let registry = Arc::<Registry>::default();
        let watching = Watch {
            store: Arc::clone(&store),
            registry: Arc::clone(&registry),
            audit: params.audit.clone(),
            gateway: params.gateway.clone(),
        };
        tasks.spawn(stop.clone().run_until_cancelled_owned(watching.run()));
        let (closing, stopping) = (Arc::clone(&registry), stop.clone());
        tasks.spawn(async move {
            stopping.cancelled().await;
            closing.close();
        });
        let handshakes = Semaphore::new(params.max_handshakes.min(Semaphore::MAX_PERMITS));
        let metrics = Arc::clone(&params.metrics);
        let sessions = Self {
            courtesy: Courtesy::new(params.host.courtesy),
            params,
            ring,
            resolver,
            buffers: Arc::default(),
            slots: Arc::new(slots),
            store,
            registry,
            handshakes: Arc::new(handshakes),
            tasks,
            stop,
        };
        sessions.tell_levels(&metrics);
        sessions
    }

    /// The same sessions, to which new ones come with other parameters. How many there may be, and
    /// how hosts are approached, stays as it was.
    #[must_use]
    pub fn with(&self, mut params: Params) -> Self {
        params.host.ra2_key = self.params.host.ra2_key.clone();
        Self {
            params,
            ring: Arc::clone(&self.ring),
            resolver: self.resolver.clone(),
            courtesy: self.courtesy.clone(),
            buffers: Arc::clone(&self.buffers),
            slots: Arc::clone(&self.slots),
            store: Arc::clone(&self.store),
            registry: Arc::clone(&self.registry),
            handshakes: Arc::clone(&self.handshakes),
            tasks: self.tasks.clone(),
            stop: self.stop.clone(),
        }
    }

    /// Opens a token without using it up, as the page does before it shows itself.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_token(&self, token: &str) -> Result<Grant, OpenError> {
        token::open(token, &self.ring.get(), UnixTime::from(SystemTime::now()))
    }

    /// Where the tasks of sessions run, which a shutdown waits for.
    #[must_use]
    pub const fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }
}
