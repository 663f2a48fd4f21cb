//! What the gateway counts, in the words of OpenMetrics.
//!
//! Labels are bounded: reasons are one closed list, and keys are those of the
//! ring. Nothing is labelled by machine, person or token.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tracing::warn;

use crate::clock::UnixTime;
use crate::id::KeyId;
use crate::reason::Reason;

/// The upper bounds of how long handshakes take, in seconds.
const HANDSHAKE: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0,
];

/// The upper bounds of how long sessions last, in seconds: a second to a day.
const DURATION: [f64; 8] = [1.0, 10.0, 60.0, 300.0, 1800.0, 7200.0, 28_800.0, 86_400.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByReason {
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByKey {
    key: String,
}

/// No label, of what is there once or not at all.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Once {}

/// All counters and gauges of a gateway.
pub struct Metrics {
    registry: Registry,
    sessions: Gauge,
    refused: Family<ByReason, Counter>,
    ended: Family<ByReason, Counter>,
    handshake: Histogram,
    duration: Histogram,
    up: Counter,
    down: Counter,
    sealed: Family<ByKey, Counter>,
    key_created: Family<ByKey, Gauge>,
    certificate_end: Family<Once, Gauge>,
}

impl Metrics {
    /// All at zero; each reason is there from the start, so that its first one is seen as a rise.
    #[must_use]
    pub fn new() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("fanlight"),
            sessions: Gauge::default(),
            refused: Family::default(),
            ended: Family::default(),
            handshake: Histogram::new(HANDSHAKE),
            duration: Histogram::new(DURATION),
            up: Counter::default(),
            down: Counter::default(),
            sealed: Family::default(),
            key_created: Family::default(),
            certificate_end: Family::default(),
        };
        for reason in Reason::ALL {
            let reason = reason.code();
            drop(metrics.refused.get_or_create(&ByReason { reason }));
            drop(metrics.ended.get_or_create(&ByReason { reason }));
        }
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        let r = &mut self.registry;
        r.register("build", "What was built", Info::new(version));
        r.register("sessions", "Consoles that are open", self.sessions.clone());
        r.register(
            "sessions_refused",
            "Arrivals that got no picture, by why",
            self.refused.clone(),
        );
        r.register(
            "sessions_ended",
            "Consoles that were open, by why they ended",
            self.ended.clone(),
        );
        r.register_with_unit(
            "handshake",
            "From the WebSocket to the relay, where it came to that",
            Unit::Seconds,
            self.handshake.clone(),
        );
        r.register_with_unit(
            "session",
            "How long consoles that ended were open",
            Unit::Seconds,
            self.duration.clone(),
        );
        r.register_with_unit(
            "up",
            "From browsers to machines, of sessions that ended",
            Unit::Bytes,
            self.up.clone(),
        );
        r.register_with_unit(
            "down",
            "From machines to browsers, of sessions that ended",
            Unit::Bytes,
            self.down.clone(),
        );
        r.register(
            "tokens_sealed",
            "Grants that this process sealed, for tokens and for resuming, by key",
            self.sealed.clone(),
        );
        r.register_with_unit(
            "key_created_timestamp",
            "When the keys of the ring were made",
            Unit::Seconds,
            self.key_created.clone(),
        );
        r.register_with_unit(
            "certificate_expiry_timestamp",
            "When the first of the certificates ends",
            Unit::Seconds,
            self.certificate_end.clone(),
        );
        self
    }

    /// A key of the ring.
    pub fn key(&self, id: KeyId, created: UnixTime) {
        let key = ByKey {
            key: id.to_string(),
        };
        drop(self.sealed.get_or_create(&key));
        let gauge = self.key_created.get_or_create(&key);
        gauge.set(seconds(created));
    }

    /// A key is not in the ring any more.
    pub fn key_retired(&self, id: KeyId) {
        let key = ByKey {
            key: id.to_string(),
        };
        self.sealed.remove(&key);
        self.key_created.remove(&key);
    }

    /// A grant was sealed with this key. The log says when that was often.
    pub fn sealed(&self, id: KeyId) {
        let key = ByKey {
            key: id.to_string(),
        };
        let seals = self.sealed.get_or_create(&key).inc() + 1;
        if is_often(seals) {
            warn!(key = %id, seals, "this process has sealed often with one key: rotate the key ring");
        }
    }

    /// The first of the certificates ends then.
    pub fn certificate_ends(&self, end: UnixTime) {
        self.certificate_end
            .get_or_create(&Once {})
            .set(seconds(end));
    }

    /// A session got to its relay, so long after it arrived.
    pub fn started(&self, after: Duration) {
        self.sessions.inc();
        self.handshake.observe(after.as_secs_f64());
    }

    /// A session that had got to its relay ended, so long after it arrived.
    pub fn ended(&self, reason: Reason, lasted: Duration, up: u64, down: u64) {
        let reason = reason.code();
        self.sessions.dec();
        self.ended.get_or_create(&ByReason { reason }).inc();
        self.duration.observe(lasted.as_secs_f64());
        self.up.inc_by(up);
        self.down.inc_by(down);
    }

    /// An arrival did not get to a relay.
    pub fn refused(&self, reason: Reason) {
        let reason = reason.code();
        self.refused.get_or_create(&ByReason { reason }).inc();
    }

    /// All of it, as OpenMetrics writes it.
    ///
    /// # Errors
    /// None that is known: it is written to memory.
    pub fn to_text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

/// How many seals with one key are often, in one process. A key is good for 2^32 of AES-GCM with
/// random nonces ([NIST SP 800-38D], 8.3), by all gateways that have it, from its first day to its
/// last; a process knows of its own. At the first word of this, 64 such processes are at the limit.
///
/// [NIST SP 800-38D]: https://csrc.nist.gov/pubs/sp/800/38/d/final
const OFTEN: u64 = 1 << 26;

/// Whether that many are worth a word: the first time, and each time it is twice as many.
const fn is_often(seals: u64) -> bool {
    seals >= OFTEN && seals.is_power_of_two()
}

/// A point in time as a gauge has it. No time of ours is too late for it.
fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_life_of_sessions_as_a_scraper_sees_it() {
        let metrics = Metrics::new();
        let key = KeyId::from_random([7; 4]);
        metrics.key(key, UnixTime::from_secs(1_795_249_800));
        metrics.sealed(key);
        metrics.certificate_ends(UnixTime::from_secs(1_800_000_000));
        for _ in 0..2 {
            metrics.started(Duration::from_millis(30));
        }
        metrics.ended(Reason::HostClosed, Duration::from_secs(90), 10, 2000);
        metrics.refused(Reason::TokenExpired);
        let text = metrics.to_text().unwrap();
        for reason in Reason::ALL {
            let zero = format!("{{reason=\"{reason}\"}} ");
            assert_eq!(
                text.matches(&zero).count(),
                2,
                "{reason} is there from the start"
            );
        }
        // What is still at zero stands in no order.
        let moved: Vec<&str> = text.lines().filter(|it| !it.ends_with("} 0")).collect();
        insta::assert_snapshot!(moved.join("\n"));
    }

    #[test]
    fn seals_are_worth_a_word_well_before_a_key_is_worn_out() {
        let worn_out = 1_u64 << 32;
        let words: Vec<u64> = (0..33).map(|n| 1 << n).filter(|it| is_often(*it)).collect();
        assert_eq!(words.first().map(|first| worn_out / first), Some(64));
        assert_eq!(words.len(), 7, "at each doubling: {words:?}");
        let between = [0, 1, OFTEN - 1, OFTEN + 1, 3 * OFTEN];
        assert!(between.iter().all(|seals| !is_often(*seals)));
    }

    #[test]
    fn a_retired_key_is_counted_no_more() {
        let metrics = Metrics::new();
        let (old, new) = (KeyId::from_random([7; 4]), KeyId::from_random([8; 4]));
        for key in [old, new] {
            metrics.key(key, UnixTime::from_secs(1_795_249_800));
            metrics.sealed(key);
        }
        metrics.key_retired(old);
        let text = metrics.to_text().unwrap();
        assert!(!text.contains(&old.to_string()), "{text}");
        assert_eq!(text.matches(&new.to_string()).count(), 2, "{text}");
    }
}
