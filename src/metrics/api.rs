//! What is counted of the API.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByCode {
    code: &'static str,
}

/// Counters of the API.
#[derive(Default)]
pub struct Api {
    refused: Family<ByCode, Counter>,
}

impl Api {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register(
            "api_refused",
            "Requests to the API that were refused, by the code of why",
            self.refused.clone(),
        );
    }

    /// This may be why, and its first time is to be seen as a rise.
    pub fn code(&self, code: &'static str) {
        drop(self.refused.get_or_create(&ByCode { code }));
    }

    /// A request was refused.
    pub fn refused(&self, code: &'static str) {
        self.refused.get_or_create(&ByCode { code }).inc();
    }
}
