//! How a gateway stops.
//!
//! ```text
//!   running ── stop ──> draining ── nobody left, or drain_timeout ──> stopping ── grace ──> gone
//!                          └────────────── end ──────────────────────────^
//! ```
//!
//! Draining: it is not ready, takes no more connections, tells pages to go on elsewhere, and works on for
//! the sessions that it has. Stopping: whoever is left is ended, and everything says goodbye.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::Gateway;
use super::serving::Standing;
use crate::config::Config;

/// How long the audit log may take to write its end.
const AUDIT_GRACE: Duration = Duration::from_secs(2);

/// How long goodbyes may take where nobody wants to wait for them.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What is cancelled one after the other.
#[derive(Clone, Debug)]
pub(super) struct Phases {
    /// No more connections, and no readiness.
    pub(super) drain: CancellationToken,
    /// The end of everything.
    pub(super) stop: CancellationToken,
}

impl Phases {
    pub(super) fn new() -> Self {
        let stop = CancellationToken::new();
        Self {
            // Whatever stops has been drained.
            drain: stop.child_token(),
            stop,
        }
    }
}

/// How long the phases may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shutdown {
    drain: Duration,
    grace: Duration,
    /// Whether other gateways take sessions over.
    elsewhere: bool,
}

impl Shutdown {
    pub(super) const fn of(config: &Config) -> Self {
        Self {
            drain: config.drain_timeout,
            grace: config.shutdown_grace,
            elsewhere: config.store.redis.is_some(),
        }
    }
}

impl Gateway {
    /// Stops: takes no more connections, sends its sessions to other gateways, ends those that are
    /// left, and waits for all to say goodbye; each for as long as the configuration grants.
    ///
    /// # Cancel safety
    /// Cancel safe: [`Gateway::end`] does the rest.
    pub async fn stop(&self) {
        let serving = self.current.get();
        let Shutdown {
            drain,
            grace,
            elsewhere,
        } = serving.shutdown;
        self.standing.phases.drain.cancel();
        let sessions = &serving.service.sessions;
        if !drain.is_zero() && sessions.count() > 0 {
            info!(sessions = sessions.count(), timeout = ?drain, "draining");
            sessions.drain(drain, elsewhere).await;
        }
        let over = Instant::now() + grace;
        info!(sessions = sessions.count(), ?grace, "stopping");
        sessions.dismiss(grace / 2).await;
        self.goodbye(over).await;
    }

    /// Stops at once: every session is ended, and nobody is waited for but for a last word.
    ///
    /// # Cancel safety
    /// Cancel safe: what was not waited for ends with the process.
    pub async fn end(&self) {
        self.goodbye(Instant::now() + LAST_WORDS).await;
    }

    async fn goodbye(&self, over: Instant) {
        let Standing {
            phases,
            tasks,
            audit,
            ..
        } = &self.standing;
        phases.stop.cancel();
        tasks.close();
        if timeout_at(over, tasks.wait()).await.is_err() {
            warn!(left = tasks.len(), "stopped before everything had ended");
        }
        audit.close(AUDIT_GRACE).await;
    }
}
