//! The line before one host, without I/O: who may go in, who waits, who is turned away.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::{BackingOff, Outcome, Params};

/// Everything that is known of one host. `W` is somebody who waits.
#[derive(Debug)]
pub(super) struct Line<W> {
    inside: usize,
    waiting: VecDeque<W>,
    /// Logins that failed since the last that did not.
    failures: u32,
    last_failure: Option<Instant>,
    closed_until: Option<Instant>,
}

impl<W> Default for Line<W> {
    fn default() -> Self {
        Self {
            inside: 0,
            waiting: VecDeque::new(),
            failures: 0,
            last_failure: None,
            closed_until: None,
        }
    }
}

impl<W> Line<W> {
    /// Puts somebody at the end of the line. [`Line::next`] says what becomes of them.
    pub(super) fn join(&mut self, waiter: W) {
        self.waiting.push_back(waiter);
    }

    /// Drops those at the front who have gone away.
    pub(super) fn skip(&mut self, gone: impl Fn(&W) -> bool) {
        while self.waiting.front().is_some_and(&gone) {
            self.waiting.pop_front();
        }
    }

    /// The first of the line, if there is an answer for them: whoever is let in is counted as
    /// inside from here on. To be called until there is none.
    pub(super) fn next(
        &mut self,
        params: &Params,
        now: Instant,
    ) -> Option<(W, Result<(), BackingOff>)> {
        self.forget(params, now);
        let left = self.closed_until.map(|end| end.duration_since(now));
        if let Some(left) = left.filter(|left| !left.is_zero()) {
            let failures = self.failures;
            let waiter = self.waiting.pop_front()?;
            return Some((waiter, Err(BackingOff { failures, left })));
        }
        if self.inside >= self.places(params) {
            return None;
        }
        let waiter = self.waiting.pop_front()?;
        self.inside += 1;
        Some((waiter, Ok(())))
    }

    /// Somebody who was inside has left.
    pub(super) fn leave(&mut self, outcome: Outcome, params: &Params, now: Instant) {
        self.inside = self.inside.saturating_sub(1);
        match outcome {
            Outcome::Undecided => {}
            Outcome::LetIn => {
                (self.failures, self.last_failure, self.closed_until) = (0, None, None);
            }
            Outcome::Failed => self.fail(0, params, now),
            // It already counts; one more attempt would be one too many.
            Outcome::LockedOut => self.fail(params.free_failures.saturating_add(1), params, now),
        }
    }

    /// A login has failed, and it is the `least`th at least.
    pub(super) fn fail(&mut self, least: u32, params: &Params, now: Instant) {
        self.failures = self.failures.saturating_add(1).max(least);
        self.last_failure = Some(now);
        let pause = params.pause(self.failures);
        self.closed_until = (!pause.is_zero()).then(|| now + pause);
    }

    /// Whether there is nothing here that would not be here by default.
    pub(super) fn is_blank(&self) -> bool {
        self.is_idle() && self.failures == 0
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nobody is inside or waits.
    pub(super) fn is_idle(&self) -> bool {
        self.inside == 0 && self.waiting.is_empty()
    }

    /// When a login failed last, unless that is forgotten.
    pub(super) const fn last_failure(&self) -> Option<Instant> {
        self.last_failure
    }

    /// Forgets failures that are long past.
    pub(super) fn forget(&mut self, params: &Params, now: Instant) {
        let past = |failure| now.duration_since(failure) >= params.forget_after;
        if self.last_failure.is_some_and(past) {
            (self.failures, self.last_failure, self.closed_until) = (0, None, None);
        }
    }

    /// How many may be inside. After a failure it is fewer, so that failures and those inside
    /// together never pass what a host forgives; after the free ones it is one.
    fn places(&self, params: &Params) -> usize {
        match self.failures {
            0 => params.places,
            failures => {
                let left = (params.free_failures + 1).saturating_sub(failures).max(1);
                params.places.min(usize::try_from(left).unwrap_or(1))
            }
        }
        .max(1)
    }
}

impl Params {
    /// How long a host is left alone after so many failures in a row.
    fn pause(&self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(self.free_failures) else {
            return Duration::ZERO;
        };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.first_pause
            .saturating_mul(factor)
            .min(self.longest_pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMS: Params = Params {
        places: 4,
        free_failures: 3,
        first_pause: Duration::from_secs(5),
        longest_pause: Duration::from_secs(300),
        forget_after: Duration::from_secs(600),
    };

    fn now() -> Instant {
        Instant::from_std(std::time::Instant::now())
    }

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// Who is let in now, in order; panics at anybody turned away.
    fn enter(line: &mut Line<u32>, now: Instant) -> Vec<u32> {
        let next = std::iter::from_fn(|| line.next(&PARAMS, now));
        next.map(|(who, answer)| answer.map(|()| who).unwrap())
            .collect()
    }

    /// Fails a login of somebody new.
    fn fail(line: &mut Line<u32>, now: Instant) {
        line.join(0);
        assert_eq!(enter(line, now), [0]);
        line.leave(Outcome::Failed, &PARAMS, now);
    }

    #[test]
    fn four_go_in_and_the_others_follow_in_their_order() {
        let (mut line, now) = (Line::default(), now());
        (0..7).for_each(|who| line.join(who));
        assert_eq!(enter(&mut line, now), [0, 1, 2, 3]);
        line.leave(Outcome::LetIn, &PARAMS, now);
        assert_eq!(enter(&mut line, now), [4]);
        line.leave(Outcome::Undecided, &PARAMS, now);
        line.leave(Outcome::LetIn, &PARAMS, now);
        assert_eq!(enter(&mut line, now), [5, 6]);
        (0..4).for_each(|_| line.leave(Outcome::LetIn, &PARAMS, now));
        assert!(line.is_blank());
    }

    #[test]
    fn failures_and_those_inside_never_come_to_five() {
        let (mut line, now) = (Line::default(), now());
        fail(&mut line, now);
        (1..9).for_each(|who| line.join(who));
        assert_eq!(enter(&mut line, now), [1, 2, 3]);
        line.leave(Outcome::Failed, &PARAMS, now);
        assert!(
            enter(&mut line, now).is_empty(),
            "two failed, two are inside"
        );
        line.leave(Outcome::LetIn, &PARAMS, now);
        assert_eq!(enter(&mut line, now), [4, 5, 6], "a login clears the count");
    }

    #[test]
    fn the_pause_doubles_up_to_its_bound_and_those_who_wait_are_told() {
        let (mut line, mut now) = (Line::default(), now());
        fail(&mut line, now);
        fail(&mut line, now);
        for pause in [5, 10, 20, 40, 80, 160, 300, 300] {
            fail(&mut line, now);
            line.join(7);
            let (who, answer) = line.next(&PARAMS, now).unwrap();
            assert_eq!((who, answer.unwrap_err().left), (7, secs(pause)));
            now += secs(pause);
        }
        line.join(8);
        line.join(9);
        assert_eq!(enter(&mut line, now), [8], "then one at a time");
        line.leave(Outcome::LetIn, &PARAMS, now);
        assert_eq!(enter(&mut line, now), [9]);
        line.leave(Outcome::Undecided, &PARAMS, now);
        assert!(line.is_blank(), "a login clears all");
    }

    #[test]
    fn a_lockout_at_the_host_is_waited_out_from_the_first() {
        let (mut line, now) = (Line::default(), now());
        line.join(1);
        assert_eq!(enter(&mut line, now), [1]);
        line.leave(Outcome::LockedOut, &PARAMS, now);
        line.join(2);
        let (_, answer) = line.next(&PARAMS, now).unwrap();
        assert_eq!(answer.unwrap_err().left, secs(10));
    }

    #[test]
    fn failures_are_forgotten() {
        let (mut line, now) = (Line::default(), now());
        (0..3).for_each(|_| fail(&mut line, now));
        line.forget(&PARAMS, now + secs(599));
        assert!(!line.is_blank());
        line.forget(&PARAMS, now + secs(600));
        assert!(line.is_blank());
    }
}
