//! How the sessions of a gateway that is about to go are sent on.
//!
//! ```text
//!   drain ── each page is told, one after the other ──> it resumes elsewhere, or stays
//!   dismiss ── who stayed is ended, one after the other ──> 1001, and the page comes back
//! ```
//!
//! A page that moves opens its new leg first: the store ends the old one when the new one is let in.
//! So a page that finds no other gateway keeps its picture as long as this one lets it.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use crate::reason::Reason;
use crate::session::Sessions;
use crate::session::page_message::PageMessage;
use crate::session::registry::LegId;
use crate::store::{Sentence, Verdict, Word};

/// Between two pages that are sent on, where there is time: as they are told, so they come to the
/// other gateways and their hosts.
const APART: Duration = Duration::from_millis(5);

/// That the gateway is about to go.
#[derive(Clone, Copy, Debug)]
pub struct Notice {
    /// When it ends the sessions that are left.
    pub ends: Instant,
    /// Whether they can go on at another gateway.
    pub elsewhere: bool,
}

impl Notice {
    /// What the page is told.
    #[must_use]
    pub fn message(self) -> PageMessage<'static> {
        let left = self.ends.saturating_duration_since(Instant::now());
        PageMessage::Draining {
            seconds: (left + Duration::from_millis(500)).as_secs(),
            elsewhere: self.elsewhere,
        }
    }
}

impl Sessions {
    /// How many run here, those on their way to the picture included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.registry.count()
    }

    /// Tells each page that its session ends after `within`, spread over half of it at most, and
    /// waits until there are none or time is up. `elsewhere` is whether others share the store.
    ///
    /// # Cancel safety
    /// Cancel safe: who was not told is told nothing.
    pub async fn drain(&self, within: Duration, elsewhere: bool) {
        let ends = Instant::now() + within;
        let notice = Notice { ends, elsewhere };
        self.registry.begin_drain(notice);
        let all_gone = async {
            let tell = |leg| self.registry.notify(leg, notice);
            self.one_by_one(within / 2, tell).await;
            self.registry.empty().await;
        };
        // Whoever is left is dismissed.
        let _ = timeout_at(ends, all_gone).await;
    }

    /// Ends all sessions as `draining`, spread over `within` at most, so that not all of their
    /// browsers come to the other gateways at once.
    ///
    /// # Cancel safety
    /// Cancel safe: who was not ended runs on.
    pub async fn dismiss(&self, within: Duration) {
        let end = |(session, leg)| {
            self.registry.carry_out(&Verdict {
                session,
                leg,
                word: Word::End(Sentence::plain(Reason::Draining)),
            });
        };
        self.one_by_one(within, end).await;
    }

    /// Does something with each leg, in no order.
    async fn one_by_one(&self, within: Duration, what: impl Fn(LegId)) {
        let legs = self.registry.legs();
        let count = u32::try_from(legs.len()).unwrap_or(u32::MAX).max(1);
        let apart = APART.min(within / count);
        let mut at = Instant::now();
        for leg in legs {
            what(leg);
            at += apart;
            sleep_until(at).await;
        }
    }
}
