//! The store of a gateway that stands alone: in this process, gone with it.

mod held;
mod remembered;
mod seats;
mod spent;

use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;
use tokio::time::Instant;

use crate::id::SessionId;
use crate::reason::Reason;
use crate::store::audience::Audience;
use crate::store::{
    Answer, Claim, Denied, Entry, Filter, Keep, Knock, Leaving, Message, Order, Page, Permit,
    Permitted, Resumed, Sentence, Store, Unavailable, Verdict, Whom,
};

use held::Held;

/// Everything in this process.
#[derive(Debug)]
pub struct Memory {
    held: Mutex<Held>,
    audience: Audience,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            held: Mutex::new(Held::new(Instant::now())),
            audience: Audience::default(),
        }
    }
}

impl Memory {
    /// What is held, with nothing in it that is long past its time. Every step leaves it whole, so
    /// a panic of another thread would not matter.
    fn held(&self) -> MutexGuard<'_, Held> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.sweep(Instant::now());
        held
    }

    fn tell(&self, whom: Whom, sentence: Sentence) {
        self.audience.tell(Message::End { whom, sentence });
    }
}

/// Known at once.
fn ready<'a, T: Send + 'a>(value: T) -> Answer<'a, T> {
    Box::pin(std::future::ready(Ok::<_, Unavailable>(value)))
}

impl Store for Memory {
    fn admit<'a>(&'a self, claim: &'a Claim) -> Answer<'a, Result<Vec<SessionId>, Denied>> {
        let admitted = self.held().admit(claim);
        for session in admitted.iter().flatten() {
            self.tell(Whom::Session(*session), claim.ousting());
        }
        ready(admitted)
    }

    fn connected<'a>(&'a self, entry: &'a Entry, keep: Option<&'a Keep>) -> Answer<'a, ()> {
        self.held().connected(entry, keep);
        ready(())
    }

    fn resume<'a>(&'a self, knock: &'a Knock) -> Answer<'a, Result<Resumed, Denied>> {
        let resumed = self.held().resume(knock);
        if let Ok(Resumed { entry, .. }) = &resumed {
            let whom = Whom::Legs {
                session: entry.id,
                below: entry.leg,
            };
            self.tell(whom, Sentence::plain(Reason::ResumedElsewhere));
        }
        ready(resumed)
    }

    fn renew<'a>(&'a self, entries: &'a [Entry]) -> Answer<'a, Vec<Verdict>> {
        let mut held = self.held();
        let verdicts = entries.iter().filter_map(|entry| held.renew(entry));
        ready(verdicts.collect())
    }

    fn leave<'a>(&'a self, entry: &'a Entry, leaving: Leaving) -> Answer<'a, ()> {
        self.held().leave(entry, leaving);
        ready(())
    }

    fn end<'a>(&'a self, whom: &'a Whom, sentence: &'a Sentence) -> Answer<'a, usize> {
        let ended = self.held().end(whom, sentence);
        self.tell(whom.clone(), sentence.clone());
        ready(ended)
    }

    fn permit<'a>(&'a self, session: SessionId, permit: &'a Permit) -> Answer<'a, Permitted> {
        let permitted = self.held().permit(session, *permit);
        if permitted == Permitted::Done {
            let order = Order::Permit(*permit);
            self.audience.tell(Message::Order { session, order });
        }
        ready(permitted)
    }

    fn session(&self, id: SessionId) -> Answer<'_, Option<Entry>> {
        ready(self.held().session(id).cloned())
    }

    fn sessions<'a>(
        &'a self,
        filter: &'a Filter,
        after: Option<SessionId>,
        limit: usize,
    ) -> Answer<'a, Page> {
        let held = self.held();
        let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut entries = held.behind(behind).filter(|entry| filter.takes(entry));
        let page: Vec<_> = entries.by_ref().take(limit).cloned().collect();
        let more = entries.next().is_some();
        let next = page.last().map(|entry| entry.id).filter(|_| more);
        ready(Page {
            entries: page,
            next,
        })
    }

    fn publish<'a>(&'a self, message: &'a Message) -> Answer<'a, ()> {
        self.audience.tell(message.clone());
        ready(())
    }

    fn subscribe(&self) -> broadcast::Receiver<Message> {
        self.audience.subscribe()
    }

    fn events(&self) -> broadcast::Receiver<Message> {
        self.audience.events()
    }

    fn check(&self) -> Answer<'_, ()> {
        ready(())
    }
}
