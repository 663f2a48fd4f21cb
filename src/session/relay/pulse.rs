//! When a browser is pinged, and how long its answer took.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::ws::Control;

/// Into how many parts an interval is divided: pings leave where one begins.
const SLOTS: u32 = 64;

/// When browsers are pinged.
///
/// Those of many sessions leave at the same moments, since what costs a session at rest is how often its
/// thread wakes up.
#[derive(Clone, Copy, Debug)]
pub struct Pings {
    interval: Duration,
    since: Instant,
}

impl Pings {
    /// At least once in each interval.
    #[must_use]
    pub fn every(interval: Duration) -> Self {
        let since = Instant::now();
        Self { interval, since }
    }

    /// The moment after a ping that leaves now: an interval later, or up to a 64th of it less.
    fn after(&self, now: Instant) -> Instant {
        let latest = now + self.interval;
        let slot = (self.interval / SLOTS).as_nanos().max(1);
        let into_slot = latest.duration_since(self.since).as_nanos() % slot;
        latest - Duration::from_nanos(u64::try_from(into_slot).unwrap_or_default())
    }
}

/// The relay's clock.
#[derive(Debug)]
pub(super) struct Pulse {
    pings: Pings,
    started: Instant,
    next_ping: Instant,
    /// What the ping in flight carries: microseconds since the start.
    in_flight: Option<[u8; 8]>,
    /// Rings first without being asked: one that is due at once would wake the reactor for nothing.
    begun: bool,
    timer: Pin<Box<Sleep>>,
}

impl Pulse {
    /// Pings at once and then as `pings` says.
    pub(super) fn new(pings: Pings) -> Self {
        let now = Instant::now();
        Self {
            pings,
            started: now,
            next_ping: now,
            in_flight: None,
            begun: false,
            timer: Box::pin(sleep_until(now)),
        }
    }

    /// How long the relay has run.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Whether the timer rang. If so it has to be [set](Self::set) again.
    pub(super) fn poll_rang(&mut self, cx: &mut Context<'_>) -> bool {
        !std::mem::replace(&mut self.begun, true) || self.timer.as_mut().poll(cx).is_ready()
    }

    /// Sets the timer to the next ping, or to `deadline` if that is earlier.
    pub(super) fn set(&mut self, deadline: Instant) {
        self.timer.as_mut().reset(deadline.min(self.next_ping));
    }

    /// Whether a ping is due; if so it counts as sent.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let due = now >= self.next_ping;
        if due {
            self.next_ping = self.pings.after(now);
        }
        due
    }

    /// The payload of a ping that leaves now.
    pub(super) fn ping(&mut self) -> [u8; 8] {
        let sent = u64::try_from(self.started.elapsed().as_micros());
        let sent = sent.unwrap_or(u64::MAX).to_be_bytes();
        self.in_flight = Some(sent);
        sent
    }

    /// How long the ping in flight took, if this is its answer. A pong that nobody asked for is no
    /// measure.
    pub(super) fn round_trip(&mut self, pong: &Control) -> Option<Duration> {
        let sent = self.in_flight.take_if(|sent| **pong == sent[..])?;
        let sent = Duration::from_micros(u64::from_be_bytes(sent));
        Some(self.started.elapsed().saturating_sub(sent))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(25);

    #[tokio::test(start_paused = true)]
    async fn sessions_that_came_at_different_times_are_pinged_together_and_often_enough() {
        let pings = Pings::every(INTERVAL);
        let slot = INTERVAL / SLOTS;
        let mut moments = std::collections::BTreeSet::new();
        for _ in 0..640 {
            advance(slot / 10).await;
            let now = Instant::now();
            let next = pings.after(now) - now;
            assert!(next > INTERVAL - slot && next <= INTERVAL, "{next:?}");
            moments.insert(pings.after(now));
            // From then on it is at the border of a slot, give or take what the clock cannot tell.
            let again = pings.after(pings.after(now)) - pings.after(now);
            assert_eq!(again, INTERVAL);
        }
        assert!(moments.len() <= 65, "{}", moments.len());
    }

    #[tokio::test(start_paused = true)]
    async fn no_interval_is_too_short() {
        let now = Instant::now();
        let next = Pings::every(Duration::from_nanos(1)).after(now);
        assert_eq!(next - now, Duration::from_nanos(1));
    }
}
