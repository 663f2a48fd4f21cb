//! How long a session may go on: in all, and without anybody doing anything.

use std::time::Duration;

use tokio::time::Instant;

use crate::reason::Reason;

/// How long before the end of patience the page is told.
const NOTICE: Duration = Duration::from_secs(60);

/// The clocks of one session. Nothing is set anew at each key: a deadline that comes too early is
/// moved when it comes.
#[derive(Debug)]
pub(super) struct Limits {
    idle_max: Duration,
    /// When somebody last did something.
    active: Instant,
    /// Whether the page was told that patience is ending.
    told: bool,
    /// When the session is over in any case.
    over: Instant,
}

impl Limits {
    pub(super) fn new(now: Instant, idle_max: Duration, session_max: Duration) -> Self {
        Self {
            idle_max,
            active: now,
            told: false,
            over: now + session_max,
        }
    }

    /// Somebody did something. Whether the page has to be told that the end is off.
    pub(super) const fn note_activity(&mut self, now: Instant) -> bool {
        self.active = now;
        std::mem::replace(&mut self.told, false)
    }

    /// Why the session is over at this time, if it is.
    pub(super) fn over(&self, now: Instant) -> Option<Reason> {
        if now >= self.over {
            return Some(Reason::SessionLimit);
        }
        (now >= self.idle_end()).then_some(Reason::Idle)
    }

    /// How long there is left, if this is the time to tell the page.
    pub(super) fn notice(&mut self, now: Instant) -> Option<Duration> {
        if self.told || now < self.notice_at() {
            return None;
        }
        self.told = true;
        Some(self.idle_end().saturating_duration_since(now))
    }

    /// When to look again.
    pub(super) fn next(&self) -> Instant {
        let idle = if self.told {
            self.idle_end()
        } else {
            self.notice_at()
        };
        idle.min(self.over)
    }

    fn idle_end(&self) -> Instant {
        self.active + self.idle_max
    }

    /// A minute before the end, and half way where there is not that much.
    fn notice_at(&self) -> Instant {
        self.idle_end() - NOTICE.min(self.idle_max / 2)
    }
}
