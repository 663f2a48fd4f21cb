//! What is counted of the keys of the ring.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use tracing::warn;

use super::seconds;
use crate::clock::UnixTime;
use crate::id::KeyId;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByKey {
    key: String,
}

impl ByKey {
    fn new(id: KeyId) -> Self {
        let key = id.to_string();
        Self { key }
    }
}

/// Counters and gauges of keys.
#[derive(Default)]
pub struct Keys {
    sealed: Family<ByKey, Counter>,
    created: Family<ByKey, Gauge>,
}

impl Keys {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register(
            "tokens_sealed",
            "Grants that this process sealed, for tokens and for resuming, by key",
            self.sealed.clone(),
        );
        r.register_with_unit(
            "key_created_timestamp",
            "When the keys of the ring were made",
            Unit::Seconds,
            self.created.clone(),
        );
    }

    /// A key of the ring.
    pub fn added(&self, id: KeyId, created: UnixTime) {
        let key = ByKey::new(id);
        drop(self.sealed.get_or_create(&key));
        let gauge = self.created.get_or_create(&key);
        gauge.set(seconds(created));
    }

    /// A key is not in the ring any more.
    pub fn retired(&self, id: KeyId) {
        let key = ByKey::new(id);
        self.sealed.remove(&key);
        self.created.remove(&key);
    }

    /// A grant was sealed with this key. The log says when that was often.
    pub fn sealed(&self, id: KeyId) {
        let seals = self.sealed.get_or_create(&ByKey::new(id)).inc() + 1;
        if is_often(seals) {
            warn!(key = %id, seals, "this process has sealed often with one key: rotate the key ring");
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seals_are_worth_a_word_well_before_a_key_is_worn_out() {
        let worn_out = 1_u64 << 32;
        let words: Vec<u64> = (0..33).map(|n| 1 << n).filter(|it| is_often(*it)).collect();
        assert_eq!(words.first().map(|first| worn_out / first), Some(64));
        assert_eq!(words.len(), 7, "at each doubling: {words:?}");
        let between = [0, 1, OFTEN - 1, OFTEN + 1, 3 * OFTEN];
        assert!(between.iter().all(|seals| !is_often(*seals)));
    }
}
