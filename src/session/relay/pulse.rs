//! When a browser is pinged, and how long its answer took.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::ws::Control;

/// The relay's clock.
#[derive(Debug)]
pub(super) struct Pulse {
    interval: Duration,
    started: Instant,
    next_ping: Instant,
    /// What the ping in flight carries: microseconds since the start.
    in_flight: Option<[u8; 8]>,
    /// Rings first without being asked: one that is due at once would wake the reactor for nothing.
    begun: bool,
    timer: Pin<Box<Sleep>>,
}

impl Pulse {
    /// Pings at once and then at every interval.
    pub(super) fn new(interval: Duration) -> Self {
        let now = Instant::now();
        Self {
            interval,
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

    /// Whether a ping is due; if so the next one is after another interval.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let due = now >= self.next_ping;
        if due {
            self.next_ping = now + self.interval;
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
