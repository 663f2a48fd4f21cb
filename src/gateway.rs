//! The gateway as a whole: assembles everything and owns the listeners.

mod drain;
mod edge;
mod encryption;
mod front;
mod keys;
mod levels;
mod listening;
mod params;
mod profiles;
mod readiness;
mod reload;
mod serving;
#[cfg(feature = "otel")]
mod traces;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use crate::audit::{self, Audit};
use crate::config::{Config, PublicUrl, StoreError};
use crate::current::Current;
use crate::descriptors;
use crate::host::profile::Profiles;
use crate::host::resolve::{ResolveError, Resolver};
use crate::http::api::events::Followers;
use crate::http::api::refusals::Refusals;
use crate::http::api::reload::{Asked, Kept, Reloads};
use crate::http::limiter::Sparing;
use crate::http::roles::Role;
use crate::metrics::Metrics;
use crate::mint::Minter;
use crate::store::{Store, Timed};
use crate::systemd::HandedOver;
use crate::tls::TlsError;
use crate::webhook::WebhookError;
use crate::workers::Workers;
use drain::Phases;
use front::{Front, accept};
use listening::Listening;
use params::webhook;
use reload::{Part, Reload};
use serving::{Serving, Standing};

pub use keys::Keys;
pub use profiles::profiles;

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    standing: Standing,
    fronts: Vec<Arc<Front>>,
    current: Current<Serving>,
    minter: Minter,
    reload: Reload,
    asked: mpsc::Receiver<Asked>,
}

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is in use, not ours, or not allowed.
    #[error("cannot listen on {address} (setting {setting}): {error}")]
    Listen {
        /// What it comes from.
        setting: &'static str,
        /// The address, as it was configured.
        address: String,
        /// What the system says.
        error: io::Error,
    },
    /// Nobody says what the gateway's URL is, and what systemd handed over does not tell.
    #[error("public_url has to be set: no listener with the role public is at an address")]
    NoPublicUrl,
    /// A certificate, a key or an authority cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Names cannot be resolved.
    #[error(transparent)]
    Resolver(#[from] ResolveError),
    /// The store cannot be used as it is configured.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There can be no audit log.
    #[error(transparent)]
    Audit(#[from] audit::StartError),
    /// There can be no webhook.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// There can be no traces.
    #[cfg(feature = "otel")]
    #[error(transparent)]
    Traces(#[from] crate::otlp::HeadersError),
}

impl Gateway {
    /// Starts a gateway with these keys: when this returns, it is listening.
    ///
    /// # Errors
    /// [`StartError`].
    ///
    /// # Cancel safety
    /// Cancel safe: nothing runs before it listens.
    pub async fn start(config: &Config, keys: Keys, workers: &Workers) -> Result<Self, StartError> {
        Self::start_with(config, keys, workers, Vec::new()).await
    }

    /// The same, with sockets that were there before: they stand where a listener names them, and else
    /// in place of the setting `listen`.
    ///
    /// # Errors
    /// [`StartError`].
    ///
    /// # Cancel safety
    /// Cancel safe: nothing runs before it listens.
    pub async fn start_with(
        config: &Config,
        keys: Keys,
        workers: &Workers,
        handed_over: Vec<HandedOver>,
    ) -> Result<Self, StartError> {
        let bound = listening::bind(config, handed_over).await?;
        let (listening, sockets): (Vec<_>, Vec<_>) = bound.into_iter().unzip();
        let certificates = encryption::certificates(config, &listening)?;
        let (acceptors, clients) = encryption::acceptors(&listening, certificates.as_ref())?;
        let resolver = Resolver::from_system()?;
        let metrics = Arc::new(Metrics::new());
        let public_url = public_url(config, &listening)?;
        let places = params::places(config);
        let audit = Audit::start(&config.audit)?;
        let keys = keys.in_use(&metrics, &audit);
        let (tasks, phases) = (TaskTracker::new(), Phases::new());
        let stop = phases.stop.clone();
        let (reloads, asked) = Reloads::queue(phases.drain.clone());
        let store = config.store.open(&params::name(config))?;
        let store = Arc::new(Timed::new(store, Arc::clone(&metrics)));
        if let Some(webhook) = webhook(config, resolver.clone(), Arc::clone(&metrics))? {
            tasks.spawn(webhook.run(store.events(), stop.clone()));
        }
        #[cfg(feature = "otel")]
        let traces = traces::start(config, &resolver, &metrics, &tasks, &stop)?;
        #[cfg(not(feature = "otel"))]
        let traces = crate::traces::Traces::off();
        let standing = Standing {
            started: Instant::now(),
            listening,
            public_url,
            max_sessions: places.sessions,
            ring: keys.ring,
            outdated: keys.outdated,
            resolver,
            store,
            audit,
            refusals: Arc::new(Refusals::new(Arc::clone(&metrics))),
            metrics,
            traces,
            certificates: certificates.clone(),
            followers: Followers::new(phases.drain.clone()),
            reloads,
            tasks: tasks.clone(),
            phases: phases.clone(),
        };
        let (serving, faces) = standing.serve(config, profiles(config)?, None);
        let sharing = standing.listening.iter();
        let sharing = sharing.filter(|it| it.listener.roles.serves()).count();
        // Each listener holds a place for whoever comes next: those that nobody comes to take none away.
        let most = places.connections.saturating_add(sharing.saturating_sub(1));
        let shared = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        // One at each listener is held for a connection that is to come.
        let taken_at_most = shared.available_permits().saturating_sub(sharing);
        levels::tell(
            &standing,
            Arc::clone(&shared),
            taken_at_most,
            places.connections,
        );
        let mut fronts = Vec::new();
        let at_work = sockets.into_iter().zip(acceptors).zip(faces);
        for (listening, ((socket, acceptor), face)) in standing.listening.iter().zip(at_work) {
            let Listening { listener, tls, .. } = listening;
            let roles = listener.roles;
            let public_url = roles.has(Role::Public).then_some(&standing.public_url);
            let public_url = public_url.map(tracing::field::display);
            info!(address = %socket, public_url, %roles, tls, "listening");
            let front = Arc::new(Front {
                face: Current::from(face),
                acceptor,
                places: if roles.serves() {
                    Arc::clone(&shared)
                } else {
                    Arc::new(Semaphore::new(descriptors::BESIDE))
                },
                full: (!roles.serves()).then(|| Sparing::new(edge::SAID_EVERY)),
                tasks: tasks.clone(),
                workers: workers.clone(),
                // Who watches the gateway watches it to its end.
                closing: if roles.is_only(Role::Metrics) {
                    phases.stop.clone()
                } else {
                    phases.drain.clone()
                },
            });
            tasks.spawn(accept(socket, Arc::clone(&front)));
            fronts.push(front);
        }
        let shown = certificates.map(|it| {
            let stamps = it.shown_stamps();
            (it as Arc<dyn Part>, stamps)
        });
        let parts = shown.into_iter().chain(clients).chain(keys.file);
        let reload = Reload::new(parts.collect());
        tasks.spawn(reload.clone().watch(stop));
        Ok(Self {
            minter: standing.minter(config),
            standing,
            fronts,
            current: Current::from(serving),
            reload,
            asked,
        })
    }

    /// The first address that it listens on, with the port that the system chose for port 0; nothing
    /// where it listens at Unix sockets alone.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        let mut listening = self.standing.listening.iter();
        listening.find_map(|it| it.address)
    }

    /// What makes console URLs.
    #[must_use]
    pub const fn minter(&self) -> &Minter {
        &self.minter
    }

    /// Takes up what its files hold now (certificates, client authorities, the key ring), and says
    /// here and in the log what is no good and stays as it was. Nobody is dropped.
    ///
    /// # Cancel safety
    /// Cancel safe: what has begun goes on.
    pub async fn reload(&self) -> Vec<Kept> {
        self.reload.all().await
    }

    /// Serves from now on as another configuration says, with its [`profiles`]. What runs goes on with
    /// what it began with, but for what reads on with an API key that is there no more.
    pub fn reconfigure(&self, config: &Config, profiles: Profiles) {
        let before = self.current.get();
        let (serving, faces) = self.standing.serve(config, profiles, Some(&before));
        self.current.replace(serving);
        for (front, face) in self.fronts.iter().zip(faces) {
            front.face.replace(face);
        }
        let now = self.current.get();
        before.service.api.keys.withdraw(&now.service.api.keys);
    }

    /// Waits for the next who asks through the API that the configuration be read again.
    ///
    /// # Cancel safety
    /// Cancel safe: nobody is lost.
    pub async fn asked_to_reload(&mut self) -> Option<Asked> {
        self.asked.recv().await
    }

    /// Where its tasks run, for others that are to end with it.
    #[must_use]
    pub const fn tasks(&self) -> &TaskTracker {
        &self.standing.tasks
    }

    /// What is cancelled when it stops, after the drain.
    #[must_use]
    pub const fn stopping(&self) -> &CancellationToken {
        &self.standing.phases.stop
    }
}

/// The gateway as browsers see it, now that it is known where it listens.
fn public_url(config: &Config, listening: &[Listening]) -> Result<PublicUrl, StartError> {
    let bound = |listener: &_| {
        let mut there = listening.iter().filter(|it| it.listener == *listener);
        there.find_map(|it| it.address)
    };
    config.public_url(bound).ok_or(StartError::NoPublicUrl)
}
