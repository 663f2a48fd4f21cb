//! The sessions that run on this gateway, so that words of others reach them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::id::SessionId;
use crate::store::{Entry, Sentence, Verdict, Whom};

/// Which leg of which session.
type LegId = (SessionId, u32);

/// The legs that run here.
#[derive(Debug, Default)]
pub(super) struct Registry(Mutex<HashMap<LegId, Running>>);

#[derive(Debug)]
struct Running {
    entry: Entry,
    /// Whether the store knows it. What it has not let in is not renewed.
    admitted: bool,
    sentence: watch::Sender<Option<Sentence>>,
}

/// A leg's place in the registry, which is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place<'r> {
    registry: &'r Registry,
    leg: LegId,
    sentence: watch::Receiver<Option<Sentence>>,
}

impl Registry {
    /// Takes a leg in. From now on it can be ended from outside.
    pub(super) fn take(&self, entry: Entry) -> Place<'_> {
        let leg = (entry.id, entry.leg);
        let (sender, sentence) = watch::channel(None);
        let running = Running {
            entry,
            admitted: false,
            sentence: sender,
        };
        self.running().insert(leg, running);
        Place {
            registry: self,
            leg,
            sentence,
        }
    }

    /// Ends those that are meant.
    pub(super) fn end(&self, whom: &Whom, sentence: &Sentence) {
        for running in self.running().values() {
            if whom.means(&running.entry) {
                running.tell(sentence);
            }
        }
    }

    /// Ends one leg.
    pub(super) fn carry_out(&self, verdict: &Verdict) {
        if let Some(running) = self.running().get(&(verdict.session, verdict.leg)) {
            running.tell(&verdict.sentence);
        }
    }

    /// How those are that were admitted.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let running = self.running();
        let admitted = running.values().filter(|running| running.admitted);
        admitted.map(|running| running.entry.clone()).collect()
    }

    fn running(&self) -> MutexGuard<'_, HashMap<LegId, Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// The first word stands.
    fn tell(&self, sentence: &Sentence) {
        self.sentence.send_if_modified(|said| {
            let first = said.is_none();
            if first {
                *said = Some(sentence.clone());
            }
            first
        });
    }
}

impl Place<'_> {
    /// The store has let it in.
    pub(super) fn admitted(&self) {
        if let Some(running) = self.registry.running().get_mut(&self.leg) {
            running.admitted = true;
        }
    }

    /// The entry at its end: it is not renewed any more.
    pub(super) fn close(&self) -> Option<Entry> {
        let mut running = self.registry.running();
        let running = running.get_mut(&self.leg)?;
        running.admitted = false;
        Some(running.entry.clone())
    }

    /// Changes the entry, and says what it is then.
    pub(super) fn update(&self, change: impl FnOnce(&mut Entry)) -> Option<Entry> {
        let mut running = self.registry.running();
        let running = running.get_mut(&self.leg)?;
        change(&mut running.entry);
        Some(running.entry.clone())
    }

    /// What will end it, should somebody say so.
    pub(super) fn sentence(&self) -> watch::Receiver<Option<Sentence>> {
        self.sentence.clone()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.registry.running().remove(&self.leg);
    }
}
