//! What a leg hears from outside: that it is to end, what it is to do, that the gateway is about to go.
//!
//! A queue of our own, since it is there for every session and hardly ever has anything in it: it
//! takes some hundred bytes, where a channel's first block would take over a thousand; and one for
//! all, since a relay looks into it at each wake-up.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

pub use crate::store::Order;

use crate::rfb::chord::Chord;
use crate::session::drain::Notice;
use crate::store::{Permit, Sentence};

/// What a relay hears while it runs.
#[derive(Clone, Debug)]
pub enum Heard {
    /// It is to end.
    End(Sentence),
    /// Somebody wants something done.
    Order(Order),
    /// The gateway is about to go, as the page is told.
    Draining(Notice),
}

/// How many chords may wait for one relay.
pub const MAX_WAITING: usize = 8;

/// Where a relay is told.
#[derive(Clone, Debug)]
pub struct Sender(Arc<Queue>);

/// Where the relay hears it, one task alone.
#[derive(Debug)]
pub struct Receiver(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    relay: AtomicWaker,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Boxed, as hardly ever there.
    sentence: Option<Box<Sentence>>,
    notice: Option<Notice>,
    /// The permissions that were said last.
    permit: Option<Permit>,
    chords: VecDeque<Chord>,
}

/// As many chords wait as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_WAITING} chords wait already")]
pub struct Full;

/// A queue of one sentence, of permissions, of which the last count, and of at most [`MAX_WAITING`]
/// chords.
#[must_use]
pub fn queue() -> (Sender, Receiver) {
    let queue = Arc::<Queue>::default();
    (Sender(Arc::clone(&queue)), Receiver(queue))
}

impl Sender {
    /// Gives an order. For permissions there is always room.
    ///
    /// # Errors
    /// [`Full`], and the chord is forgotten.
    pub fn give(&self, order: Order) -> Result<(), Full> {
        let mut waiting = self.0.waiting();
        match order {
            Order::Permit(permit) => waiting.permit = Some(permit),
            Order::Press(_) if waiting.chords.len() == MAX_WAITING => return Err(Full),
            Order::Press(chord) => waiting.chords.push_back(chord),
        }
        drop(waiting);
        self.0.relay.wake();
        Ok(())
    }

    /// Says that it is to end. The first word stands.
    pub fn end(&self, sentence: &Sentence) {
        let mut waiting = self.0.waiting();
        waiting
            .sentence
            .get_or_insert_with(|| Box::new(sentence.clone()));
        drop(waiting);
        self.0.relay.wake();
    }

    /// Says that the gateway is about to go.
    pub fn notify(&self, notice: Notice) {
        self.0.waiting().notice = Some(notice);
        self.0.relay.wake();
    }
}

impl Receiver {
    /// The next of them, a sentence before all others and permissions first among the orders; wakes
    /// the task when one comes.
    pub fn poll_take(&mut self, cx: &Context<'_>) -> Poll<Heard> {
        // In this order, or one that comes in between would wake nobody.
        self.0.relay.register(cx.waker());
        let mut waiting = self.0.waiting();
        if let Some(sentence) = waiting.sentence.take() {
            return Poll::Ready(Heard::End(*sentence));
        }
        if let Some(notice) = waiting.notice.take() {
            return Poll::Ready(Heard::Draining(notice));
        }
        if let Some(permit) = waiting.permit.take() {
            return Poll::Ready(Heard::Order(Order::Permit(permit)));
        }
        let Some(chord) = waiting.chords.pop_front() else {
            return Poll::Pending;
        };
        if waiting.chords.is_empty() {
            drop(mem::take(&mut waiting.chords));
        }
        Poll::Ready(Heard::Order(Order::Press(chord)))
    }

    /// Waits for the sentence alone; everything else waits for the relay.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn sentence(&mut self) -> Sentence {
        let sentence = poll_fn(|cx| {
            self.0.relay.register(cx.waker());
            self.0
                .waiting()
                .sentence
                .take()
                .map_or(Poll::Pending, Poll::Ready)
        });
        *sentence.await
    }
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
