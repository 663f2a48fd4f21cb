//! Budgets beside a clock, for many tasks at once.

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
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

/// Lines of the log that anybody can cause: some are written, and the next one says how many were left
/// out before it.
#[derive(Debug)]
pub struct Sparing {
    lines: Limiter<()>,
    left_out: AtomicU64,
}

impl Sparing {
    /// No more lines than that.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self {
            lines: Limiter::new(rate),
            left_out: AtomicU64::new(0),
        }
    }

    /// Whether a line may be written now, and how many were left out since the last one.
    pub fn line(&self) -> Option<u64> {
        if self.lines.spend(()).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.left_out.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn lines_are_few_and_say_how_many_there_were_beside() {
        let sparing = Sparing::new(Rate::parse("2/s").unwrap());
        let lines = || (0..5).map(|_| sparing.line()).collect::<Vec<_>>();
        assert_eq!(lines(), [Some(0), Some(0), None, None, None]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(lines(), [Some(3), Some(0), None, None, None]);
    }
}
