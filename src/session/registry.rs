//! The sessions that run on this gateway, so that words of others reach them.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;
use tracing::debug;

use crate::id::SessionId;
use crate::reason::Reason;
use crate::session::drain::Notice;
use crate::session::relay::{Traffic, inbox};
use crate::store::{Entry, Order, Permit, Sentence, Verdict, Whom, Word};

/// Which leg of which session.
pub(super) type LegId = (SessionId, u32);

/// The legs that run here.
#[derive(Debug, Default)]
pub(super) struct Registry {
    /// Boxed, since a third of a table is empty.
    legs: Mutex<HashMap<LegId, Box<Running>>>,
    /// Set when the gateway is about to go.
    notice: OnceLock<Notice>,
    /// Set when nobody may run here any more.
    closed: OnceLock<Sentence>,
    emptied: Notify,
}

#[derive(Debug)]
struct Running {
    entry: Entry,
    /// Whether the store knows it. What it has not let in is not renewed.
    admitted: bool,
    traffic: Arc<Traffic>,
    words: inbox::Sender,
}

/// A leg's place in the registry, which is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place<'r> {
    registry: &'r Registry,
    leg: LegId,
    inbox: Option<inbox::Receiver>,
}

impl Registry {
    /// Takes a leg in, which counts in `traffic`. From now on it can be ended from outside.
    pub(super) fn take(&self, entry: Entry, traffic: Arc<Traffic>) -> Place<'_> {
        let leg = (entry.id, entry.leg);
        let (words, inbox) = inbox::queue();
        let running = Running {
            entry,
            admitted: false,
            traffic,
            words,
        };
        let mut legs = self.running();
        // Under the lock: whoever looks for legs after it was set finds this one.
        if let Some(notice) = self.notice.get() {
            running.words.notify(*notice);
        }
        if let Some(sentence) = self.closed.get() {
            running.words.end(sentence);
        }
        legs.insert(leg, Box::new(running));
        drop(legs);
        Place {
            registry: self,
            leg,
            inbox: Some(inbox),
        }
    }

    /// Ends those that are meant.
    pub(super) fn end(&self, whom: &Whom, sentence: &Sentence) {
        for running in self.running().values() {
            if whom.means(&running.entry) {
                running.words.end(sentence);
            }
        }
    }

    /// Ends all, and whoever still comes.
    pub(super) fn close(&self) {
        let sentence = self
            .closed
            .get_or_init(|| Sentence::plain(Reason::Draining));
        for running in self.running().values() {
            running.words.end(sentence);
        }
    }

    /// Gives an order to a session, if it runs here.
    pub(super) fn order(&self, session: SessionId, order: &Order) {
        let mut running = self.running();
        let legs = running.values_mut();
        for running in legs.filter(|running| running.entry.id == session) {
            running.obey(order);
        }
    }

    /// Ends one leg, or tells it what it may do.
    pub(super) fn carry_out(&self, verdict: &Verdict) {
        if let Some(running) = self.running().get_mut(&(verdict.session, verdict.leg)) {
            match &verdict.word {
                Word::End(sentence) => running.words.end(sentence),
                Word::Permit(permit) => running.obey(&Order::Permit(*permit)),
            }
        }
    }

    /// How those are that were admitted.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let running = self.running();
        let admitted = running.values().filter(|running| running.admitted);
        admitted.map(|running| running.now()).collect()
    }

    /// How many legs run here.
    pub(super) fn count(&self) -> usize {
        self.running().len()
    }

    /// Which legs run here, in no order.
    pub(super) fn legs(&self) -> Vec<LegId> {
        self.running().keys().copied().collect()
    }

    /// How many have paced updates.
    pub(super) fn paced(&self) -> usize {
        let running = self.running();
        let paced = running.values().filter(|it| it.traffic.is_paced());
        paced.count()
    }

    /// From now on whoever comes is told that the gateway is about to go.
    pub(super) fn begin_drain(&self, notice: Notice) {
        // Who drains twice says the same again.
        let _ = self.notice.set(notice);
    }

    /// Tells one leg that the gateway is about to go.
    pub(super) fn notify(&self, leg: LegId, notice: Notice) {
        if let Some(running) = self.running().get(&leg) {
            running.words.notify(notice);
        }
    }

    /// Waits until no leg runs here.
    pub(super) async fn empty(&self) {
        loop {
            let mut emptied = pin!(self.emptied.notified());
            // From here on no word is missed.
            emptied.as_mut().enable();
            if self.running().is_empty() {
                return;
            }
            emptied.await;
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<LegId, Box<Running>>> {
        self.legs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Old permissions that come late change nothing.
    fn obey(&mut self, order: &Order) {
        if let Order::Permit(permit) = order {
            let known = self.entry.permit;
            self.entry.permit = known.newer(*permit);
            if self.entry.permit == known {
                return;
            }
        }
        if self.words.give(order.clone()).is_err() {
            debug!(session = %self.entry.id, "too many orders wait");
        }
    }

    /// The entry with what the relay tells of itself. What earlier legs counted is in it.
    fn now(&self) -> Entry {
        let mut entry = self.entry.clone();
        entry.active = entry.active.max(self.traffic.active());
        entry.bytes_up += self.traffic.up();
        entry.bytes_down += self.traffic.down();
        entry
    }
}

impl Place<'_> {
    /// Where it hears from outside; there is one to take.
    pub(super) const fn inbox(&mut self) -> Option<inbox::Receiver> {
        self.inbox.take()
    }

    /// The store has let it in.
    pub(super) fn admitted(&self) {
        if let Some(running) = self.registry.running().get_mut(&self.leg) {
            running.admitted = true;
        }
    }

    /// The entry at its end, once: it is not renewed any more.
    pub(super) fn close(&self) -> Option<Entry> {
        let mut running = self.registry.running();
        let running = running.get_mut(&self.leg)?;
        std::mem::replace(&mut running.admitted, false).then(|| running.now())
    }

    /// Changes the entry, and says what it is then.
    pub(super) fn update(&self, change: impl FnOnce(&mut Entry)) -> Option<Entry> {
        let mut running = self.registry.running();
        let running = running.get_mut(&self.leg)?;
        change(&mut running.entry);
        Some(running.now())
    }

    /// What the viewer may do, as far as this gateway has heard.
    pub(super) fn permit(&self) -> Option<Permit> {
        let running = self.registry.running();
        running.get(&self.leg).map(|running| running.entry.permit)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut running = self.registry.running();
        running.remove(&self.leg);
        let last = running.is_empty();
        drop(running);
        if last {
            self.registry.emptied.notify_waiters();
        }
    }
}
