//! When a browser is pinged, and how long its answer took.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::ws::Control;

/// Into how many parts an interval is divided: pings leave where one begins. Fewer would save little more
/// (of a thread with thousands of sessions, this many save nine wake-ups in ten), and let a key wait for
/// more of them.
const SLOTS: u32 = 256;

/// When browsers are pinged.
///
/// Those of many sessions leave at the same moments, since what costs a session at rest is how often its
/// thread wakes up.
#[derive(Clone, Copy, Debug)]
pub struct Pings {
    interval: Duration,
    /// Any moment, if it is the same for all.
    since: Instant,
}

impl Pings {
    /// At least once in each interval, at moments that are counted from `since`.
    #[must_use]
    pub const fn every(interval: Duration, since: Instant) -> Self {
        Self { interval, since }
    }

    /// The moment after a ping that leaves now: an interval later, or up to a slot less.
    fn after(self, now: Instant) -> Instant {
        let latest = now + self.interval;
        let slot = (self.interval / SLOTS).as_nanos().max(1);
        let into_slot = latest.duration_since(self.since).as_nanos() % slot;
        latest - Duration::from_nanos(u64::try_from(into_slot).unwrap_or_default())
    }
}

/// The relay's clock.
#[derive(Debug)]
pub(super) struct Pulse {
    started: Instant,
    next_ping: Instant,
    /// What the ping in flight carries: microseconds since the start.
    in_flight: Option<[u8; 8]>,
    /// Rings first without being asked: one that is due at once would wake the reactor for nothing.
    begun: bool,
    timer: Pin<Box<Sleep>>,
}

impl Pulse {
    /// Pings at once.
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
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

    /// Whether a ping is due; if so the next one is when `pings` says.
    pub(super) fn is_due(&mut self, now: Instant, pings: Pings) -> bool {
        let due = now >= self.next_ping;
        if due {
            self.next_ping = pings.after(now);
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
    async fn sessions_that_came_at_different_times_are_pinged_together() {
        let pings = Pings::every(INTERVAL, Instant::now());
        let slot = INTERVAL / SLOTS;
        let begin = async |after: Duration| {
            advance(after).await;
            let mut pulse = Pulse::new();
            assert!(pulse.is_due(Instant::now(), pings));
            pulse
        };
        let mut early = begin(slot / 4).await;
        let mut late = begin(slot / 2).await;
        assert_eq!(early.next_ping, late.next_ping);
        // However late a thread comes to it.
        for (pulse, delay) in [(&mut early, slot / 8), (&mut late, slot / 2)] {
            assert!(!pulse.is_due(pulse.next_ping - slot / 8, pings));
            assert!(pulse.is_due(pulse.next_ping + delay, pings));
        }
        assert_eq!(early.next_ping, late.next_ping);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_longer_than_the_interval() {
        for interval in [INTERVAL, Duration::from_millis(10), Duration::from_nanos(1)] {
            let pings = Pings::every(interval, Instant::now());
            let slot = interval / SLOTS;
            for _ in 0..100 {
                advance(interval / 97).await;
                let next = pings.after(Instant::now()) - Instant::now();
                assert!(next + slot >= interval && next <= interval, "{next:?}");
            }
        }
    }
}
