//! What a relay tells of itself while it runs.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::clock::UnixTime;

/// Counters that the relay alone writes, and anybody may read at any time.
#[derive(Debug, Default)]
pub struct Traffic {
    up: AtomicU64,
    down: AtomicU64,
    active: AtomicU64,
}

impl Traffic {
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

    pub(super) fn add_up(&self, bytes: usize) {
        add(&self.up, bytes);
    }

    pub(super) fn add_down(&self, bytes: usize) {
        add(&self.down, bytes);
    }

    pub(super) fn acted(&self, at: UnixTime) {
        self.active.store(at.as_secs(), Relaxed);
    }
}

/// One task writes, so nothing is lost between load and store, and no bus is locked.
fn add(counter: &AtomicU64, bytes: usize) {
    let sum = counter.load(Relaxed).wrapping_add(bytes as u64);
    counter.store(sum, Relaxed);
}
