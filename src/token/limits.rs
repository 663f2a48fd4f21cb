//! How often a console may be opened, and for how long.

use std::num::NonZeroU16;
use std::time::Duration;

/// The longest that a token may wait to be used: a day.
pub const MAX_CONNECT_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest that a session may last, idle or not: 31 days.
pub const MAX_SESSION: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// The limits of one grant. Durations are whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many sessions the token may open. One, as a rule: a copied URL is worth nothing then.
    pub uses: NonZeroU16,
    /// How long a session may last from its admission on, resumed or not: 1 second to
    /// [`MAX_SESSION`].
    pub session_max: Duration,
    /// How long the person may do nothing: 1 second to [`MAX_SESSION`].
    pub idle_max: Duration,
}

/// Why limits cannot stand in a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is 1 second to 31 days, in whole seconds")]
pub struct BadLimit(pub &'static str);

impl Default for Limits {
    /// One use, eight hours, fifteen minutes without the person's doing.
    fn default() -> Self {
        Self {
            uses: NonZeroU16::MIN,
            session_max: Duration::from_secs(8 * 60 * 60),
            idle_max: Duration::from_secs(15 * 60),
        }
    }
}

impl Limits {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`BadLimit`].
    pub fn check(&self) -> Result<(), BadLimit> {
        let within = |duration: Duration| {
            (Duration::from_secs(1)..=MAX_SESSION).contains(&duration)
                && duration.subsec_nanos() == 0
        };
        if !within(self.session_max) {
            return Err(BadLimit("session_max"));
        }
        if !within(self.idle_max) {
            return Err(BadLimit("idle_max"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_on_both_sides() {
        assert_eq!(Limits::default().check(), Ok(()));
        for (duration, good) in [
            (Duration::ZERO, false),
            (Duration::from_millis(1500), false),
            (Duration::from_secs(1), true),
            (MAX_SESSION, true),
            (MAX_SESSION + Duration::from_secs(1), false),
        ] {
            let session = Limits {
                session_max: duration,
                ..Limits::default()
            };
            assert_eq!(session.check().is_ok(), good, "{duration:?}");
            let idle = Limits {
                idle_max: duration,
                ..Limits::default()
            };
            assert_eq!(idle.check().is_ok(), good, "{duration:?}");
        }
    }
}
