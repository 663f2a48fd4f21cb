//! What is asked of a relay while it runs.
//!
//! A queue of our own, since it is there for every session and hardly ever has anything in it: it
//! takes some hundred bytes, where a channel's first block would take over a thousand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

pub use crate::store::Order;

/// How many orders may wait for one relay.
pub const MAX_WAITING: usize = 8;

/// Where orders are given.
#[derive(Clone, Debug)]
pub struct Sender(Arc<Queue>);

/// Where the relay takes them, one task alone.
#[derive(Debug)]
pub struct Receiver(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<VecDeque<Order>>,
    relay: AtomicWaker,
}

/// As many orders wait as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_WAITING} orders wait already")]
pub struct Full;

/// A queue of at most [`MAX_WAITING`] orders.
#[must_use]
pub fn queue() -> (Sender, Receiver) {
    let queue = Arc::<Queue>::default();
    (Sender(Arc::clone(&queue)), Receiver(queue))
}

impl Sender {
    /// Gives an order.
    ///
    /// # Errors
    /// [`Full`], and the order is forgotten.
    pub fn give(&self, order: Order) -> Result<(), Full> {
        let mut waiting = self.0.waiting();
        if waiting.len() == MAX_WAITING {
            return Err(Full);
        }
        waiting.push_back(order);
        drop(waiting);
        self.0.relay.wake();
        Ok(())
    }

    /// Whether all orders were taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.waiting().is_empty()
    }
}

impl Receiver {
    /// The next order; wakes the task when one comes.
    pub fn poll_take(&mut self, cx: &Context<'_>) -> Poll<Order> {
        // In this order, or one that comes in between would wake nobody.
        self.0.relay.register(cx.waker());
        match self.0.waiting().pop_front() {
            Some(order) => Poll::Ready(order),
            None => Poll::Pending,
        }
    }
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Order>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
