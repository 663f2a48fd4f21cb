//! What a relay tells of itself while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::UnixTime;
use crate::metrics::Metrics;
use crate::traces::Opening;

/// What the relay alone writes, and anybody may read at any time; and who is told of what happens
/// seldom.
#[derive(Debug, Default)]
pub struct Traffic {
    up: AtomicU64,
    down: AtomicU64,
    active: AtomicU64,
    paced: AtomicBool,
    /// Who counts what happens once, or seldom, and when the session arrived.
    metrics: Option<(Arc<Metrics>, Instant)>,
    /// Who traces it.
    opening: Opening,
}

impl Traffic {
    /// That of a session that arrived then.
    #[must_use]
    pub fn since(arrival: Instant, metrics: Arc<Metrics>, opening: Opening) -> Self {
        Self {
            metrics: Some((metrics, arrival)),
            opening,
            ..Self::default()
        }
    }

    /// Bytes of RFB from the browser to the host.
    #[must_use]
    pub fn up(&self) -> u64 {
        self.up.load(Relaxed)
    }

    /// Bytes of RFB from the host to the browser.
    #[must_use]
    pub fn down(&self) -> u64 {
        self.down.load(Relaxed)
    }

    /// When the person last did something; 1970 when never.
    #[must_use]
    pub fn active(&self) -> UnixTime {
        UnixTime::from_secs(self.active.load(Relaxed))
    }

    /// Whether updates are paced.
    #[must_use]
    pub fn is_paced(&self) -> bool {
        self.paced.load(Relaxed)
    }

    pub(super) fn add_up(&self, bytes: usize) {
        add(&self.up, bytes);
    }

    pub(super) fn add_down(&self, bytes: usize) {
        add(&self.down, bytes);
    }

    pub(super) fn acted(&self, at: UnixTime) {
        self.active.store(at.as_secs(), Relaxed);
    }

    pub(super) fn set_paced(&self, paced: bool) {
        self.paced.store(paced, Relaxed);
    }

    /// The first of the picture is on its way.
    pub(super) fn framed(&self) {
        if let Some((metrics, arrival)) = &self.metrics {
            metrics.sessions.first_frame(arrival.elapsed());
        }
        self.opening.framed();
    }

    /// The browser answered a ping.
    pub(super) fn answered(&self, trip: Duration) {
        if let Some((metrics, _)) = &self.metrics {
            metrics.sessions.round_trip(trip);
        }
    }
}

/// One task writes, so nothing is lost between load and store, and no bus is locked.
fn add(counter: &AtomicU64, bytes: usize) {
    let sum = counter.load(Relaxed).wrapping_add(bytes as u64);
    counter.store(sum, Relaxed);
}
