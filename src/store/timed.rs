//! A store whose calls are counted and timed.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::broadcast;

use crate::id::SessionId;
use crate::metrics::Metrics;
use crate::store::{
    Answer, Claim, Denied, Entry, Filter, Keep, Knock, Leaving, Message, Page, Permit, Permitted,
    Resumed, Sentence, Store, Unavailable, Verdict, Whom,
};

/// Everything that a store is asked, as scrapers are told.
const OPERATIONS: [&str; 11] = [
    "admit",
    "connected",
    "resume",
    "renew",
    "leave",
    "end",
    "permit",
    "session",
    "sessions",
    "publish",
    "check",
];

/// The store behind it, and who is told how long it took.
#[derive(Debug)]
pub struct Timed {
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
}

impl Timed {
    /// The same store. Whether it answers is told as well.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, metrics: Arc<Metrics>) -> Self {
        for operation in OPERATIONS {
            metrics.store.operation(operation);
        }
        let answers = Arc::clone(&store);
        metrics.level("store_up", "Whether the store answers", move || {
            u64::from(answers.away().is_none())
        });
        Self { store, metrics }
    }

    fn timed<'a, T: 'a>(&'a self, operation: &'static str, answer: Answer<'a, T>) -> Answer<'a, T> {
        Box::pin(async move {
            let began = Instant::now();
            let answer = answer.await;
            let store = &self.metrics.store;
            store.called(operation, began.elapsed(), answer.is_ok());
            answer
        })
    }
}

impl Store for Timed {
    fn admit<'a>(&'a self, claim: &'a Claim) -> Answer<'a, Result<Vec<SessionId>, Denied>> {
        self.timed("admit", self.store.admit(claim))
    }

    fn connected<'a>(&'a self, entry: &'a Entry, keep: Option<&'a Keep>) -> Answer<'a, ()> {
        self.timed("connected", self.store.connected(entry, keep))
    }

    fn resume<'a>(&'a self, knock: &'a Knock) -> Answer<'a, Result<Resumed, Denied>> {
        self.timed("resume", self.store.resume(knock))
    }

    fn renew<'a>(&'a self, entries: &'a [Entry]) -> Answer<'a, Vec<Verdict>> {
        self.timed("renew", self.store.renew(entries))
    }

    fn leave<'a>(&'a self, entry: &'a Entry, leaving: Leaving) -> Answer<'a, ()> {
        self.timed("leave", self.store.leave(entry, leaving))
    }

    fn end<'a>(&'a self, whom: &'a Whom, sentence: &'a Sentence) -> Answer<'a, usize> {
        self.timed("end", self.store.end(whom, sentence))
    }

    fn permit<'a>(&'a self, session: SessionId, permit: &'a Permit) -> Answer<'a, Permitted> {
        self.timed("permit", self.store.permit(session, permit))
    }

    fn session(&self, id: SessionId) -> Answer<'_, Option<Entry>> {
        self.timed("session", self.store.session(id))
    }

    fn sessions<'a>(
        &'a self,
        filter: &'a Filter,
        after: Option<SessionId>,
        limit: usize,
    ) -> Answer<'a, Page> {
        self.timed("sessions", self.store.sessions(filter, after, limit))
    }

    fn publish<'a>(&'a self, message: &'a Message) -> Answer<'a, ()> {
        self.timed("publish", self.store.publish(message))
    }

    fn subscribe(&self) -> broadcast::Receiver<Message> {
        self.store.subscribe()
    }

    fn events(&self) -> broadcast::Receiver<Message> {
        self.store.events()
    }

    fn check(&self) -> Answer<'_, ()> {
        self.timed("check", self.store.check())
    }

    fn away(&self) -> Option<Unavailable> {
        self.store.away()
    }
}
