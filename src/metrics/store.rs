//! What is counted of the store's calls.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// The upper bounds of how long calls take, in seconds.
const CALL: [f64; 10] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0, 10.0,
];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByOperation {
    operation: &'static str,
}

/// Counters of the store.
pub struct Store {
    calls: Family<ByOperation, Histogram, fn() -> Histogram>,
    failures: Family<ByOperation, Counter>,
}

impl Store {
    pub(super) fn new() -> Self {
        Self {
            calls: Family::new_with_constructor(|| Histogram::new(CALL)),
            failures: Family::default(),
        }
    }

    pub(super) fn register(&self, r: &mut Registry) {
        r.register_with_unit(
            "store_call",
            "How long the store took to answer, by what it was asked",
            Unit::Seconds,
            self.calls.clone(),
        );
        r.register(
            "store_failures",
            "Calls of the store without an answer, by what it was asked",
            self.failures.clone(),
        );
    }

    /// This can be asked, and its first failure is to be seen as a rise.
    pub fn operation(&self, operation: &'static str) {
        drop(self.calls.get_or_create(&ByOperation { operation }));
        drop(self.failures.get_or_create(&ByOperation { operation }));
    }

    /// A call was over after so long, with an answer or without.
    pub fn called(&self, operation: &'static str, after: Duration, answered: bool) {
        let operation = ByOperation { operation };
        let calls = self.calls.get_or_create(&operation);
        calls.observe(after.as_secs_f64());
        if !answered {
            self.failures.get_or_create(&operation).inc();
        }
    }
}
