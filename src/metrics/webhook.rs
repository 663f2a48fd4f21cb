//! What is counted of the webhook's events.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What became of an event that was to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The receiver took it.
    Delivered,
    /// The receiver will never take it.
    Refused,
    /// The receiver did not take it in time.
    GivenUp,
    /// There was no room for it.
    Dropped,
}

impl Fate {
    const ALL: [Self; 4] = [Self::Delivered, Self::Refused, Self::GivenUp, Self::Dropped];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::GivenUp => "given_up",
            Self::Dropped => "dropped",
        }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByResult {
    result: &'static str,
}

impl From<Fate> for ByResult {
    fn from(fate: Fate) -> Self {
        let result = fate.as_str();
        Self { result }
    }
}

/// Counters of the webhook.
#[derive(Default)]
pub struct Webhook {
    waiting: Gauge,
    events: Family<ByResult, Counter>,
}

impl Webhook {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register(
            "webhook_queue",
            "Events that wait to be sent to the webhook, the one on its way included",
            self.waiting.clone(),
        );
        for fate in Fate::ALL {
            drop(self.events.get_or_create(&fate.into()));
        }
        r.register(
            "webhook_events",
            "Events for the webhook, by what became of them",
            self.events.clone(),
        );
    }

    /// One more waits.
    pub fn queued(&self) {
        self.waiting.inc();
    }

    /// One that waited does not any more.
    pub fn settled(&self, fate: Fate) {
        self.waiting.dec();
        self.events.get_or_create(&fate.into()).inc();
    }

    /// Some were missed before they could wait. Counts as one: how many there were is not known.
    pub fn dropped(&self) {
        let dropped = Fate::Dropped.into();
        self.events.get_or_create(&dropped).inc();
    }
}
