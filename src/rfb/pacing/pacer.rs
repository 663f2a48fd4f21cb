//! The machine that decides about pacing and carries it out.

use std::time::Duration;

use bytes::BufMut;

use super::flight::Flight;
use super::{FAR, Pacing};

/// EndOfContinuousUpdates: there are continuous updates, or there are none any more.
const END: u8 = 150;

/// A fence that wants an answer, and what an answer may repeat of its flags.
const REQUEST: u32 = 1 << 31;
const ANSWER: u32 = 0b11;

/// Type, padding, flags, length.
const FENCE_HEAD: usize = 1 + 3 + 4 + 1;

/// Answers to fences of the viewer that may wait for their turn, in bytes. Who sends more and takes
/// none gets none.
const MAX_ANSWERS: usize = 1024;

/// The pacing of one session: what its viewer and its host say goes in, and what is to be said to them
/// comes out.
///
/// Times are counted from any one moment.
#[derive(Debug)]
pub struct Pacer {
    state: State,
    now: Duration,
    /// Whether the host was asked for an update and has not sent one.
    requested: bool,
    /// Whether the viewer is to be told EndOfContinuousUpdates.
    end_due: bool,
    /// As much as has come of a fence from the viewer.
    heard: Vec<u8>,
    /// Answers to fences from the viewer.
    answers: Vec<u8>,
    /// The number of the first fence, should the viewer enable updates.
    next_fence: u32,
}

#[derive(Debug)]
enum State {
    Plain,
    Undecided {
        /// Whether the viewer is far away, once that is known.
        far: Option<bool>,
        /// Whether the host has sent an update.
        updated: bool,
    },
    Offered,
    Running(Flight),
}

impl Pacer {
    /// Nothing is known yet of the viewer and of the host.
    #[must_use]
    pub const fn new(pacing: Pacing) -> Self {
        let far = match pacing {
            Pacing::Auto => None,
            Pacing::On => Some(true),
            Pacing::Off => Some(false),
        };
        Self {
            state: match far {
                Some(false) => State::Plain,
                far => State::Undecided {
                    far,
                    updated: false,
                },
            },
            now: Duration::ZERO,
            requested: false,
            end_due: false,
            heard: Vec::new(),
            answers: Vec::new(),
            next_fence: 0,
        }
    }

    /// Whether it has come to nothing, for good.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        matches!(self.state, State::Plain)
    }

    /// Whether the viewer was told of continuous updates that are ours.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        matches!(self.state, State::Offered | State::Running(_))
    }

    /// Whether the viewer has enabled continuous updates that are ours.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        matches!(self.state, State::Running(_))
    }

    /// What follows happens at this time.
    pub const fn set_time(&mut self, now: Duration) {
        self.now = now;
    }

    /// Takes in how far away the viewer is. `fits`: whether it lists Fence and ContinuousUpdates.
    pub fn note_round_trip(&mut self, trip: Duration, fits: bool) {
        if let State::Undecided { far, .. } = &mut self.state {
            far.get_or_insert(trip > FAR);
            self.decide(fits);
        }
    }

    /// Takes in that the host sends an update. `fits` as in [`Pacer::note_round_trip`].
    pub fn note_update(&mut self, fits: bool) {
        if let State::Undecided { updated, .. } = &mut self.state {
            *updated = true;
            self.decide(fits);
        }
    }

    /// Takes in that the host has said EndOfContinuousUpdates or a fence: it paces itself, and ours
    /// would be in its way. Returns whether the viewer may hear of it.
    pub fn note_own_pacing(&mut self) -> bool {
        if let State::Undecided { .. } = self.state {
            self.state = State::Plain;
        }
        !self.is_ours()
    }

    /// Takes in that the host cannot be followed any more, which is possible until there is
    /// [something of ours](Self::is_ours).
    pub fn give_up(&mut self) {
        self.state = State::Plain;
    }

    fn decide(&mut self, fits: bool) {
        if let State::Undecided { far, updated } = self.state {
            match far {
                Some(false) => self.state = State::Plain,
                Some(true) if updated && fits => {
                    self.state = State::Offered;
                    self.end_due = true;
                }
                Some(true) if updated => self.state = State::Plain,
                _ => {}
            }
        }
    }

    /// Takes in that an update is over.
    pub const fn end_update(&mut self) {
        self.requested = false;
    }

    /// Takes in that so many bytes go to the viewer.
    pub const fn pass(&mut self, bytes: usize) {
        if let State::Running(flight) = &mut self.state {
            flight.pass(bytes);
        }
    }

    /// Takes in a FramebufferUpdateRequest of the viewer; whether the host gets it. An incremental one
    /// asks for what comes anyway.
    pub const fn note_request(&mut self, incremental: bool) -> bool {
        if incremental && matches!(self.state, State::Running(_)) {
            return false;
        }
        self.requested = true;
        true
    }

    /// Takes in an EnableContinuousUpdates of the viewer; whether the host gets it. Which part of the
    /// screen it names makes no difference: it is all of it, or was before the size changed.
    pub fn note_enable(&mut self, enable: bool) -> bool {
        match (&self.state, enable) {
            (State::Plain | State::Undecided { .. }, _) => return true,
            (State::Offered, true) => {
                self.state = State::Running(Flight::new(self.now, self.next_fence));
            }
            (State::Running(flight), false) => {
                self.next_fence = flight.next();
                self.state = State::Offered;
                self.end_due = true;
            }
            (State::Offered, false) => self.end_due = true,
            (State::Running(_), true) => {}
        }
        false
    }

    /// Takes in the head of a ClientFence; whether the host gets it. If not, its payload is for
    /// [`Pacer::go_on_fence`].
    pub fn begin_fence(&mut self, head: &[u8], screen: u64) -> bool {
        if !self.is_ours() {
            return true;
        }
        self.heard.clear();
        self.go_on_fence(head, screen);
        false
    }

    /// Goes on with a ClientFence. `screen` is what all pixels have in bytes.
    pub fn go_on_fence(&mut self, bytes: &[u8], screen: u64) {
        self.heard.extend_from_slice(bytes);
        if let [_, _, _, _, a, b, c, d, len, payload @ ..] = &self.heard[..]
            && payload.len() >= usize::from(*len)
        {
            let flags = u32::from_be_bytes([*a, *b, *c, *d]);
            if flags & REQUEST != 0 {
                self.answer_fence(flags);
            } else if let (State::Running(flight), Ok(number)) =
                (&mut self.state, <[u8; 4]>::try_from(payload))
            {
                flight.answered(u32::from_be_bytes(number), self.now, screen);
            }
            self.heard.clear();
        }
    }

    /// The host knows no fences: the answer to the viewer's is ours.
    fn answer_fence(&mut self, flags: u32) {
        if self.answers.len() + self.heard.len() <= MAX_ANSWERS
            && let Some(payload) = self.heard.get(FENCE_HEAD - 1..)
        {
            self.answers.put_slice(&[248, 0, 0, 0]);
            self.answers.put_u32(flags & ANSWER);
            self.answers.put_slice(payload);
        }
    }

    /// Writes what the viewer has to be told between two messages of the host.
    pub fn speak(&mut self, out: &mut Vec<u8>) {
        let before = out.len();
        if std::mem::take(&mut self.end_due) {
            out.put_u8(END);
        }
        out.append(&mut self.answers);
        let said = out.len() - before;
        if let State::Running(flight) = &mut self.state {
            flight.pass(said);
            flight.fence(self.now, out);
        }
    }

    /// Whether the host is to be asked for what has changed.
    #[must_use]
    pub fn wants_update(&self) -> bool {
        match &self.state {
            State::Running(flight) => !self.requested && flight.has_room(self.now),
            _ => false,
        }
    }

    /// How many more bytes may go to the viewer now.
    #[must_use]
    pub fn budget(&self, screen: u64) -> u64 {
        match &self.state {
            State::Running(flight) => flight.budget(screen),
            _ => u64::MAX,
        }
    }
}
