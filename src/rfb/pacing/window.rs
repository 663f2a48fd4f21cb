//! How many bytes may be under way before the host is asked for more.
//!
//! As many as keep the trip of a fence a little longer than the shortest one. What a link or a viewer
//! cannot take at once waits somewhere, and everything behind it as well, a key's echo not least; that
//! shows in the trip. By Little's law what is taken during a trip is what was under way at its
//! beginning, so that the window which gives a trip of the wanted length is known from one sample.

use std::time::Duration;

/// One update may always be under way, and a second one behind so much.
const LEAST: u64 = 4 * 1024;

/// What may wait, in time: a frame or two, or a quarter of a long trip.
const SLACK: Duration = Duration::from_millis(40);

/// The shortest trip is measured anew when none has come near it for so long: the way may have become
/// longer, or what is under way may never have been little enough to show how long it is.
const STALE: Duration = Duration::from_secs(10);

/// A window that follows what the viewer takes.
#[derive(Debug)]
pub(super) struct Window {
    bytes: u64,
    /// The shortest trip, once there is one.
    shortest: Option<Duration>,
    /// When a trip was last about as short.
    confirmed: Duration,
}

impl Window {
    /// Opens at `now`, at its smallest.
    pub(super) const fn new(now: Duration) -> Self {
        Self {
            bytes: LEAST,
            shortest: None,
            confirmed: now,
        }
    }

    /// How many bytes may be under way.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether everything under way has to arrive first, so that the next trip is of nothing but the
    /// way.
    pub(super) fn is_stale(&self, now: Duration) -> bool {
        now.saturating_sub(self.confirmed) > STALE
    }

    /// Takes a new measure of the shortest trip, now that nothing is under way.
    pub(super) const fn renew(&mut self, now: Duration) {
        self.shortest = None;
        self.confirmed = now;
    }

    /// A fence came back after `trip`, during which `taken` bytes were. `screen` is what all pixels
    /// have in bytes: beyond it the window grows no further than to what a trip takes.
    pub(super) fn note(&mut self, now: Duration, trip: Duration, taken: u64, screen: u64) {
        let shortest = self.shortest.map_or(trip, |shortest| shortest.min(trip));
        self.shortest = Some(shortest);
        if trip <= shortest + shortest / 8 {
            self.confirmed = now;
        }
        let wanted = shortest + SLACK.max(shortest / 4);
        // Where nothing waits, twice as much may fit; else what gives the wanted trip.
        let fits = if trip <= shortest + SLACK / 4 {
            taken.saturating_mul(2)
        } else {
            let fits = u128::from(taken) * wanted.as_micros() / trip.as_micros();
            u64::try_from(fits).unwrap_or(u64::MAX)
        };
        // A viewer that was sent little has not shown how much it takes.
        let grown = if trip <= wanted {
            self.bytes.max(fits)
        } else {
            fits
        };
        self.bytes = grown.min(screen.max(taken)).max(LEAST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREEN: u64 = 1_000_000;
    const MS: Duration = Duration::from_millis(1);

    /// What a link of some bytes a millisecond does with a window that is always full.
    fn settle(window: &mut Window, rate: u64, way: u64, rounds: u32) -> (u64, u64) {
        let mut now = Duration::ZERO;
        let mut trip = way;
        for _ in 0..rounds {
            let under_way = window.bytes();
            trip = way.max(under_way / rate);
            now += MS * trip as u32;
            window.note(now, MS * trip as u32, under_way, SCREEN);
        }
        (window.bytes(), trip)
    }

    #[test]
    fn what_waits_is_a_little_more_than_the_way() {
        for (rate, way) in [(100, 100), (500, 100), (1000, 300), (200, 30)] {
            let mut window = Window::new(Duration::ZERO);
            let (bytes, trip) = settle(&mut window, rate, way, 40);
            assert!(bytes >= rate * way, "{rate} {way}: {bytes}");
            assert!(trip <= way + 40.max(way / 4), "{rate} {way}: {trip}");
        }
    }

    #[test]
    fn a_fast_link_is_not_filled_beyond_a_screen() {
        let mut window = Window::new(Duration::ZERO);
        let (bytes, trip) = settle(&mut window, 1_000_000, 100, 40);
        assert_eq!((bytes, trip), (SCREEN, 100));
    }

    #[test]
    fn a_way_that_became_longer_is_measured_anew() {
        let mut window = Window::new(Duration::ZERO);
        window.note(MS * 50, MS * 50, 100_000, SCREEN);
        let mut now = MS * 50;
        while !window.is_stale(now) {
            now += MS * 200;
            window.note(now, MS * 200, 100_000, SCREEN);
            assert!(now < 2 * STALE, "it is never stale");
        }
        assert!(window.bytes() < 100_000);
        window.renew(now);
        assert!(!window.is_stale(now));
        window.note(now + MS * 200, MS * 200, 100_000, SCREEN);
        assert_eq!(window.bytes(), 200_000);
    }
}
