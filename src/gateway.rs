//! The gateway as a whole: assembles everything and owns the listener.

mod beside;
mod drain;
mod edge;
mod encryption;
mod keys;
mod params;
mod profiles;
mod readiness;
mod reload;
mod serving;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use crate::audit::{self, Audit};
use crate::config::{Config, StoreError};
use crate::current::Current;
use crate::host::resolve::{ResolveError, Resolver};
use crate::http::Client;
use crate::http::api::events::Listeners;
use crate::http::api::reload::{Asked, Kept};
use crate::http::metrics::Scrape;
use crate::http::serve::serve;
use crate::listener;
use crate::metrics::Metrics;
use crate::mint::Minter;
use crate::stream::Stream;
use crate::tls::TlsError;
use crate::tls::listen::Acceptor;
use crate::webhook::WebhookError;
use beside::Beside;
use drain::Phases;
use params::webhook;
use reload::{Part, Reload};
use serving::{Face, Serving, Standing};

pub use keys::Keys;
pub use profiles::profiles;

/// How long accepting pauses when the system has no descriptors or memory for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// While connections come, a timer of the accept loop is never further away than this. Handshakes set
/// many timers, and one that becomes the nearest of all wakes the reactor by a system call.
const NEAR_TIMER: Duration = Duration::from_millis(100);

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    standing: Standing,
    current: Arc<Current<Serving>>,
    minter: Minter,
    reload: Reload,
}

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is in use, not ours, or not allowed.
    #[error("cannot listen on {address} (setting {setting}): {error}")]
    Listen {
        /// What it comes from.
        setting: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
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
}

/// What a new connection is given.
struct Front {
    /// What it meets at this moment.
    face: Box<dyn Fn() -> Arc<Face> + Send + Sync>,
    acceptor: Option<Acceptor>,
    tasks: TaskTracker,
    /// From here on there are no more connections.
    closing: CancellationToken,
}

impl Gateway {
    /// Starts a gateway with these keys: when this returns, it is listening.
    ///
    /// # Errors
    /// [`StartError`].
    ///
    /// # Cancel safety
    /// Cancel safe: nothing runs before it listens.
    pub async fn start(config: &Config, keys: Keys) -> Result<Self, StartError> {
        let listener = bind("listen", config.listen, config.browser.dead_after).await?;
        Self::start_on(listener, config, keys).await
    }

    /// The same, with a listener that was there before, in place of the setting.
    ///
    /// # Errors
    /// [`StartError`].
    ///
    /// # Cancel safety
    /// Cancel safe: nothing runs before it listens.
    pub async fn start_on(
        listener: TcpListener,
        config: &Config,
        keys: Keys,
    ) -> Result<Self, StartError> {
        let options = listener::set_options(&listener, config.browser.dead_after);
        let address = options.and_then(|()| listener.local_addr());
        let address = address.map_err(|error| StartError::Listen {
            setting: "listen",
            address: config.listen,
            error,
        })?;
        let certificates = encryption::certificates(config, address)?;
        let acceptor = certificates.clone().map(Acceptor::new).transpose()?;
        let resolver = Resolver::from_system()?;
        let beside = Beside::bind(config).await?;
        let metrics = Arc::new(Metrics::new());

        let public_url = config.public_url_at(address).to_string();
        let places = params::places(config);
        let audit = Audit::start(&config.audit)?;
        let keys = keys.in_use(&metrics, &audit);
        let (tasks, phases) = (TaskTracker::new(), Phases::new());
        let stop = phases.stop.clone();
        let store = config.store.open(&params::name(config))?;
        if let Some(webhook) = webhook(config, resolver.clone())? {
            tasks.spawn(webhook.run(store.subscribe(), stop.clone()));
        }
        let standing = Standing {
            address,
            public_url: public_url.clone(),
            max_sessions: places.sessions,
            ring: keys.ring,
            outdated: keys.outdated,
            resolver,
            store,
            audit,
            metrics: Arc::clone(&metrics),
            certificates: certificates.clone(),
            listeners: Listeners::new(phases.drain.clone()),
            reloads: Arc::default(),
            tasks: tasks.clone(),
            phases: phases.clone(),
        };
        let current = Arc::new(Current::from(standing.serve(config, None)?));
        let serving = Arc::clone(&current);
        let front = Front {
            face: Box::new(move || Arc::clone(&serving.get().face)),
            acceptor,
            tasks: tasks.clone(),
            closing: phases.drain.clone(),
        };
        info!(%address, public_url, tls = front.acceptor.is_some(), "listening");
        let shown = certificates.clone().map(|it| {
            let stamps = it.shown_stamps();
            (it as Arc<dyn Part>, stamps)
        });
        let reload = Reload::new(shown.into_iter().chain(keys.file).collect());
        tasks.spawn(reload.clone().watch(stop.clone()));
        let scrape = Scrape {
            metrics,
            certificates,
        };
        beside.serve(config, &public_url, scrape, &tasks, &phases);
        tasks.spawn(accept(listener, Arc::new(front), places.connections));
        Ok(Self {
            minter: standing.minter(config),
            standing,
            current,
            reload,
        })
    }

    /// The address that it listens on, with the port that the system chose for port 0.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.standing.address
    }

    /// What makes console URLs.
    #[must_use]
    pub const fn minter(&self) -> &Minter {
        &self.minter
    }

    /// Takes up what its files hold now (certificates, the key ring), and says here and in the log
    /// what is no good and stays as it was. Nobody is dropped.
    ///
    /// # Cancel safety
    /// Cancel safe: what has begun goes on.
    pub async fn reload(&self) -> Vec<Kept> {
        self.reload.all().await
    }

    /// Serves from now on as another configuration says. What runs goes on with what it began with.
    /// Waits for a disk.
    ///
    /// # Errors
    /// [`StartError`]: nothing has changed.
    pub fn reconfigure(&self, config: &Config) -> Result<(), StartError> {
        let before = self.current.get();
        let serving = self.standing.serve(config, Some(&before))?;
        self.current.replace(serving);
        Ok(())
    }

    /// Those who ask through the API that the configuration be read again. Until somebody takes this,
    /// and once it is dropped, they are told that nobody can.
    pub fn reloads(&self) -> mpsc::Receiver<Asked> {
        self.standing.reloads.open()
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

/// Listens on an address.
async fn bind(
    setting: &'static str,
    address: SocketAddr,
    dead_after: Duration,
) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind(address).await;
    let ready = bound.and_then(|listener| {
        listener::set_options(&listener, dead_after)?;
        Ok(listener)
    });
    ready.map_err(|error| StartError::Listen {
        setting,
        address,
        error,
    })
}

/// Takes connections until the gateway drains, and no more at once than there are places. When all
/// are taken, new ones wait in the kernel's queue.
async fn accept(listener: TcpListener, front: Arc<Front>, max_connections: usize) {
    let places = Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS)));
    let mut near = std::pin::pin!(sleep(NEAR_TIMER));
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let place = Arc::clone(&places)
                .acquire_owned()
                .await
                .map_err(io::Error::other)?;
            listener
                .accept()
                .await
                .map(|(stream, address)| (stream, address, place))
        };
        let accepted = tokio::select! {
            accepted = accepted => accepted,
            () = front.closing.cancelled() => return,
            () = &mut near, if !near.is_elapsed() => continue,
        };
        match accepted {
            Ok((stream, address, place)) => {
                if near.is_elapsed() {
                    near.as_mut().reset(Instant::now() + NEAR_TIMER);
                }
                let address = address.into();
                let face = (front.face)();
                if let Err(why) = face.edge.take(address) {
                    face.edge.refuse(&stream, address, &why);
                    continue;
                }
                let client = Client {
                    address,
                    place: Arc::new(place),
                };
                front
                    .tasks
                    .spawn(connection(stream, client, face, Arc::clone(&front)));
            }
            // Whoever hung up before we came is no reason to wait; anything else is a shortage,
            // which asking again at once would only make worse.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(mut stream: TcpStream, mut client: Client, face: Arc<Face>, front: Arc<Front>) {
    let address = client.address;
    let identified = tokio::select! {
        identified = face.edge.client(&mut stream, address) => identified,
        () = front.closing.cancelled() => return,
    };
    client.address = match identified {
        Ok(client) => client,
        Err(error) => return debug!(client = %address, %error, "turned away"),
    };
    let stream = match &front.acceptor {
        None => Stream::Tcp(stream),
        Some(acceptor) => {
            let accepted = tokio::select! {
                accepted = acceptor.accept(stream) => accepted,
                () = front.closing.cancelled() => return,
            };
            match accepted {
                Ok(stream) => stream,
                Err(error) => return debug!(client = %address, %error, "TLS handshake failed"),
            }
        }
    };
    let http2 = face.http2.clone();
    drop(face);
    // Each request meets what there is then.
    let router = || (front.face)().router.clone();
    serve(stream, client, router, &http2, &front.closing).await;
}
