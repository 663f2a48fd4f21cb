//! What is under way to the viewer: passed, and not yet parsed there as far as fences tell.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::BufMut;

use super::window::Window;

/// How many fences may be unanswered. As many updates may be under way, however small they are.
pub const MAX_FENCES: usize = 64;

/// A fence that wants an answer, which is to come behind everything before it and before everything
/// behind it.
const FLAGS: u32 = 1 << 31 | 0b11;

/// From the moment on at which the viewer enabled updates.
#[derive(Debug)]
pub(super) struct Flight {
    /// Bytes that have passed, and those that the viewer has parsed.
    sent: u64,
    parsed: u64,
    /// Where the last fence is.
    fenced: u64,
    fences: VecDeque<Fence>,
    next: u32,
    window: Window,
}

#[derive(Debug)]
struct Fence {
    number: u32,
    /// What had passed, it included, and what had been parsed when it was sent.
    sent: u64,
    parsed: u64,
    at: Duration,
}

impl Flight {
    /// `next` is the number of the first fence.
    pub(super) const fn new(now: Duration, next: u32) -> Self {
        Self {
            sent: 0,
            parsed: 0,
            fenced: 0,
            fences: VecDeque::new(),
            next,
            window: Window::new(now),
        }
    }

    /// The number of the next fence.
    pub(super) const fn next(&self) -> u32 {
        self.next
    }

    /// So many bytes have passed.
    pub(super) const fn pass(&mut self, bytes: usize) {
        self.sent = self.sent.saturating_add(bytes as u64);
    }

    /// Writes a fence, if anything has passed behind the last one.
    pub(super) fn fence(&mut self, now: Duration, out: &mut Vec<u8>) {
        if self.sent == self.fenced || self.fences.len() == MAX_FENCES {
            return;
        }
        let (number, before) = (self.next, out.len());
        self.next = number.wrapping_add(1);
        out.put_slice(&[248, 0, 0, 0]);
        out.put_u32(FLAGS);
        out.put_u8(4);
        out.put_u32(number);
        self.pass(out.len() - before);
        self.fenced = self.sent;
        self.fences.push_back(Fence {
            number,
            sent: self.sent,
            parsed: self.parsed,
            at: now,
        });
    }

    /// A fence came back: it, and with it those before it. `screen` is as in [`Window::note`].
    pub(super) fn answered(&mut self, number: u32, now: Duration, screen: u64) {
        let place = self.fences.iter().position(|fence| fence.number == number);
        let Some(fence) = place.and_then(|place| self.fences.drain(..=place).next_back()) else {
            return;
        };
        self.parsed = fence.sent;
        let trip = now.saturating_sub(fence.at);
        let taken = fence.sent - fence.parsed;
        self.window.note(now, trip, taken, screen);
        if self.window.is_stale(now) && self.under_way() == 0 {
            self.window.renew(now);
        }
    }

    /// Whether the host may be asked for more.
    pub(super) fn has_room(&self, now: Duration) -> bool {
        let most = if self.window.is_stale(now) {
            1
        } else {
            self.window.bytes()
        };
        // One more is due for what has passed behind the last.
        let fences = self.fences.len() + usize::from(self.sent > self.fenced);
        self.under_way() < most && fences < MAX_FENCES
    }

    /// How many bytes may pass before a fence has come back: at most one raw screen, or what a trip
    /// takes where that is more. As many as there are while no fence is out: nothing would ever come
    /// back in the middle of a message that is longer.
    pub(super) fn budget(&self, screen: u64) -> u64 {
        if self.fences.is_empty() {
            return u64::MAX;
        }
        let most = screen.max(self.window.bytes());
        most.saturating_sub(self.under_way())
    }

    const fn under_way(&self) -> u64 {
        self.sent - self.parsed
    }
}
