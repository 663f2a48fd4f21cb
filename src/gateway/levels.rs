//! How full the gateway is, beside its sessions, as scrapers are told.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::serving::Standing;

/// Lets scrapers see the places for connections, of which there are so many for those that are there, and
/// `limit` in the configuration; the audit log; and the end of the certificates.
pub(super) fn tell(
    Standing {
        metrics,
        audit,
        certificates,
        ..
    }: &Standing,
    places: Arc<Semaphore>,
    most: usize,
    limit: usize,
) {
    metrics.places(
        "connections",
        "Connections that have a place, those of sessions included",
        places,
        most,
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
    if let Some(certificates) = certificates.clone() {
        metrics.time(
            "certificate_expiry_timestamp",
            "When the first of the certificates ends",
            move || certificates.first_end(),
        );
    }
}
