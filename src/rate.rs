//! How often something may happen, and who has to wait.
//!
//! A leaky bucket each (GCRA): a budget of `count` may be spent at once and comes back evenly over
//! `period`. All that is kept of somebody is the time at which their budget is whole again, and
//! only until then. The memory is bounded whatever happens: where too many spend at once, the rest
//! share one budget.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::Duration;

/// So many times within a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many at once.
    pub count: NonZeroU32,
    /// The time over which all of them come back.
    pub period: Duration,
}

impl Rate {
    /// Reads `20/s`, `600/m` and `5000/h`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (count, unit) = text.split_once('/')?;
        let digits = count.bytes().all(|b| b.is_ascii_digit());
        let count = count.parse().ok().filter(|_| digits)?;
        let (_, period) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        Some(Self { count, period })
    }
}

const UNITS: [(&str, Duration); 3] = [
    ("s", Duration::from_secs(1)),
    ("m", Duration::from_secs(60)),
    ("h", Duration::from_secs(60 * 60)),
];

/// As it is read.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.into_iter().find(|(_, period)| *period == self.period);
        match unit {
            Some((name, _)) => write!(f, "{}/{name}", self.count),
            None => write!(f, "{} in {:?}", self.count, self.period),
        }
    }
}

/// Somebody's budget is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many in too short a time: the next one in {wait:?}")]
pub struct TooOften {
    /// How long until there is some of it again.
    pub wait: Duration,
}

/// The most spenders that are kept apart.
const MAX_SPENDERS: usize = 1 << 16;

/// How many have to be there before those are looked for who need not be.
const FIRST_SWEEP: usize = 1 << 10;

/// Between two sweeps that find nobody.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Budgets by spender. Times are counted from any one moment.
#[derive(Debug)]
pub struct Budgets<K> {
    rate: Rate,
    /// When the budget of each is whole again.
    whole_at: HashMap<K, Duration>,
    /// For all who find no place there.
    others_whole_at: Duration,
    /// The number of spenders at which the next sweep is due, and the time before which it is not.
    sweep_at: usize,
    sweep_after: Duration,
}

impl<K: Eq + Hash> Budgets<K> {
    /// Everybody's budget is whole.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            whole_at: HashMap::new(),
            others_whole_at: Duration::ZERO,
            sweep_at: FIRST_SWEEP,
            sweep_after: Duration::ZERO,
        }
    }

    /// Spends one of somebody's budget at the time `now`.
    ///
    /// # Errors
    /// [`TooOften`]; asking in vain costs nothing.
    pub fn spend(&mut self, spender: K, now: Duration) -> Result<(), TooOften> {
        if self.whole_at.len() >= self.sweep_at && now >= self.sweep_after {
            self.whole_at.retain(|_, whole_at| *whole_at > now);
            self.whole_at.shrink_to(FIRST_SWEEP);
            self.sweep_at = (self.whole_at.len() * 2).clamp(FIRST_SWEEP, MAX_SPENDERS);
            self.sweep_after = now + SWEEP_EVERY;
        }
        let room = self.whole_at.len() < MAX_SPENDERS;
        let whole_at = match self.whole_at.get_mut(&spender) {
            Some(whole_at) => whole_at,
            None if room => self.whole_at.entry(spender).or_insert(now),
            None => &mut self.others_whole_at,
        };
        let after = (*whole_at).max(now) + self.rate.period / self.rate.count.get();
        let wait = after.saturating_sub(now + self.rate.period);
        if wait.is_zero() {
            *whole_at = after;
            Ok(())
        } else {
            Err(TooOften { wait })
        }
    }

    /// How many spenders are kept apart.
    #[must_use]
    pub fn len(&self) -> usize {
        self.whole_at.len()
    }

    /// Whether nobody is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.whole_at.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn rate(text: &str) -> Rate {
        Rate::parse(text).unwrap()
    }

    #[test]
    fn rates_read_and_print() {
        for text in ["1/s", "600/m", "5000/h"] {
            assert_eq!(rate(text).to_string(), text);
        }
        for text in [
            "",
            "5",
            "/s",
            "0/s",
            "-1/s",
            "+1/s",
            "1/d",
            "1/ s",
            "1.5/s",
            "99999999999/s",
        ] {
            assert_eq!(Rate::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_budget_may_be_spent_at_once_and_comes_back_evenly() {
        let mut budgets = Budgets::new(rate("60/m"));
        for _ in 0..60 {
            assert_eq!(budgets.spend("a", SECOND), Ok(()));
        }
        let wait = TooOften { wait: SECOND };
        assert_eq!(budgets.spend("a", SECOND), Err(wait));
        assert_eq!(
            budgets.spend("a", SECOND),
            Err(wait),
            "asking costs nothing"
        );
        assert_eq!(budgets.spend("b", SECOND), Ok(()));
        assert_eq!(budgets.spend("a", 2 * SECOND), Ok(()));
        assert_eq!(budgets.spend("a", 2 * SECOND), Err(wait));
        // A minute later it is whole, and no more than whole.
        let later = 1000 * SECOND;
        let spent = (0..100).filter(|_| budgets.spend("a", later).is_ok());
        assert_eq!(spent.count(), 60);
    }

    #[test]
    fn no_crowd_is_remembered_beyond_the_bound() {
        let mut budgets = Budgets::new(rate("2/h"));
        for spender in 0..10 * MAX_SPENDERS {
            // Those without a place share one budget, and are mostly refused.
            let _ = budgets.spend(spender, SECOND);
        }
        assert_eq!(budgets.len(), MAX_SPENDERS);
        assert!(budgets.spend(usize::MAX, SECOND).is_err());
        assert_eq!(budgets.spend(0, SECOND), Ok(()), "who has a place keeps it");
        // When they have their budgets back they are forgotten.
        assert_eq!(budgets.spend(1, SECOND * 3600 * 2), Ok(()));
        assert_eq!(budgets.len(), 1);
    }
}
