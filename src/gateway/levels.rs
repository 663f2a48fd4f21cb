//! How full the gateway is, beside its sessions, as scrapers are told.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::audit::Audit;
use crate::metrics::Metrics;

/// The places that the connections of those listeners share who serve browsers and management.
pub(super) struct Connections {
    pub(super) places: Arc<Semaphore>,
    /// How many connections there may be.
    pub(super) limit: usize,
    /// How many places there are.
    pub(super) most: usize,
    /// How many are held for connections that are to come: one at each listener.
    pub(super) waited_for: usize,
}

/// Lets scrapers see the places for connections, and the audit log.
pub(super) fn tell(metrics: &Metrics, audit: &Audit, connections: Connections) {
    let Connections {
        places,
        limit,
        most,
        waited_for,
    } = connections;
    metrics.level(
        "connections",
        "Connections that have a place, those of sessions included",
        move || most.saturating_sub(places.available_permits() + waited_for) as u64,
    );
    metrics.level(
        "connections_limit",
        "Connections that there may be",
        move || limit as u64,
    );
    let log = audit.clone();
    metrics.level(
        "audit_queue",
        "Events that wait to be written to the audit log",
        move || log.waiting(),
    );
    let log = audit.clone();
    metrics.count(
        "audit_events_lost",
        "Events for which the audit log had no room",
        move || log.lost(),
    );
    let log = audit.clone();
    metrics.level(
        "audit_up",
        "Whether the audit log can be written, or need not be",
        move || u64::from(log.healthy()),
    );
}
