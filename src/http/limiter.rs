//! Budgets beside a clock, for many tasks at once.

use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::rate::{Budgets, Rate, TooOften};

/// How often something may happen to each of many.
#[derive(Debug)]
pub struct Limiter<K> {
    started: Instant,
    budgets: Mutex<Budgets<K>>,
}

impl<K: Eq + Hash> Limiter<K> {
    /// Everybody's budget is whole.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self {
            started: Instant::now(),
            budgets: Mutex::new(Budgets::new(rate)),
        }
    }

    /// Spends one of somebody's budget now.
    ///
    /// # Errors
    /// [`TooOften`].
    pub fn spend(&self, spender: K) -> Result<(), TooOften> {
        let now = self.started.elapsed();
        // Nothing in there panics half-way.
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        budgets.spend(spender, now)
    }
}
