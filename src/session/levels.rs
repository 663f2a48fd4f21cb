//! How full it is here, as scrapers are told.

use std::sync::Arc;

use crate::buffers::BUFFER_LEN;
use crate::metrics::Metrics;
use crate::session::Sessions;

impl Sessions {
    /// Lets scrapers see how much is in use, and how much there is of it.
    pub(super) fn tell_levels(&self, metrics: &Metrics) {
        let sessions = self.params.max_sessions as u64;
        metrics.level(
            "sessions_limit",
            "Sessions that there may be, those on their way to the picture included",
            move || sessions,
        );
        let (slots, most) = (Arc::clone(&self.slots), self.slots.available_permits());
        metrics.places(
            "sessions_admitted",
            "Sessions that have a place, those on their way to the picture included",
            slots,
            most,
        );
        let (ways, most) = (
            Arc::clone(&self.handshakes),
            self.handshakes.available_permits(),
        );
        metrics.places(
            "handshakes_under_way",
            "Arrivals that are on their way to the picture",
            ways,
            most,
        );
        metrics.level(
            "handshakes_limit",
            "Arrivals that may be on their way to the picture at once",
            move || most as u64,
        );
        let registry = Arc::clone(&self.registry);
        metrics.level(
            "sessions_paced",
            "Consoles whose updates are paced",
            move || registry.paced() as u64,
        );
        let courtesy = self.courtesy.clone();
        metrics.level(
            "host_logins_waiting",
            "Arrivals that wait for their turn at a host",
            move || courtesy.waiting() as u64,
        );
        let buffers = Arc::clone(&self.buffers);
        metrics.level(
            "relay_buffers_in_use",
            "Buffers in which bytes are on their way",
            move || buffers.count().lent as u64,
        );
        let buffers = Arc::clone(&self.buffers);
        metrics.level(
            "relay_buffers_bytes",
            "Length of all buffers of the relay, those that wait for the next included",
            move || {
                let count = buffers.count();
                ((count.lent + count.free) * BUFFER_LEN) as u64
            },
        );
    }
}
