//! Kindness to hosts: not too many logins at once, and none for a while after some have failed.
//!
//! QEMU's listening socket has room for one connection: dialled by thirty at once it drops most,
//! and those look as if the host were down. TigerVNC counts every connection of an address that has
//! not yet ended in a login, locks the address out at five, for twice as long each time, and all
//! users of a gateway share its address. So whoever wants to a host takes a [`Place`] in the line
//! before it, keeps it until the host has decided over the login, and says how that went.

mod line;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::rfb::host::HostError;
use crate::rfb::identity::Mismatch;
use crate::target::Dialled;

use line::Line;

/// How many hosts' failures are remembered; the oldest are forgotten first. About 200 bytes each.
const MAX_REMEMBERED: usize = 4096;

/// How hosts are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// How many logins one host may be busy with at once, at least 1. Default: 4, one less than
    /// TigerVNC locks out at.
    pub places: usize,
    /// How many failures in a row are not held against anybody. Default: 3, since TigerVNC locks
    /// out at the fifth.
    pub free_failures: u32,
    /// How long a host is left alone after the last of them; each further failure doubles it.
    /// Default: 5 s, which keeps it at twice what TigerVNC asks for.
    pub first_pause: Duration,
    /// The longest pause. Default: 5 min.
    pub longest_pause: Duration,
    /// After so long without another one failures are forgotten. Default: 10 min; more than
    /// [`Params::longest_pause`].
    pub forget_after: Duration,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            places: 4,
            free_failures: 3,
            first_pause: Duration::from_secs(5),
            longest_pause: Duration::from_secs(5 * 60),
            forget_after: Duration::from_secs(10 * 60),
        }
    }
}

/// The host is left alone for now, since logins to it have failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the gateway itself leaves this host alone for another {left:.1?}, after {failures} failed logins in a row"
)]
pub struct BackingOff {
    /// How many logins have failed since the last that did not.
    pub failures: u32,
    /// How long it will still be left alone.
    pub left: Duration,
}

/// What a login came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing that counts: the host was not reached, or somebody left in the middle.
    #[default]
    Undecided,
    /// The host let us in.
    LetIn,
    /// There was no login that the host would take.
    Failed,
    /// The host said that there have been too many.
    LockedOut,
}

impl From<&HostError> for Outcome {
    fn from(error: &HostError) -> Self {
        match error {
            HostError::TooMany(_) => Self::LockedOut,
            HostError::AuthFailed(_)
            | HostError::CredentialsMissing
            | HostError::NoCommonSecurity(_)
            | HostError::AnonymousOnly(_)
            | HostError::Forbidden(_)
            | HostError::Certificate(_)
            | HostError::Tls(_) => Self::Failed,
            // By what it says of its desktop, after it had let us in.
            HostError::Identity(Mismatch::DesktopName(_) | Mismatch::MachineUuid(_)) => Self::LetIn,
            HostError::Identity(_) => Self::Failed,
            // What was not RFB, closed or fell silent is no matter of logins.
            _ => Self::Undecided,
        }
    }
}

/// The lines before all hosts. A host is what is dialled: behind one port there may be many machines,
/// each with a path or ticket of its own, and it is the port that has room for so many.
#[derive(Clone, Debug)]
pub struct Courtesy(Arc<Hosts>);

#[derive(Debug)]
struct Hosts {
    params: Params,
    lines: Mutex<HashMap<Dialled, Line<Waiter>>>,
}

/// Where the answer for somebody who waits goes.
type Waiter = oneshot::Sender<Result<Place, BackingOff>>;

/// A place at a host, given back when dropped.
#[derive(Debug)]
pub struct Place {
    hosts: Courtesy,
    host: Dialled,
    /// Whether a connection was left for another one on the way.
    left_one: bool,
    outcome: Outcome,
}

impl Courtesy {
    /// Nobody is anywhere yet.
    #[must_use]
    pub fn new(params: Params) -> Self {
        let lines = Mutex::default();
        Self(Arc::new(Hosts { params, lines }))
    }

    /// Waits for a place at a host; there is no deadline in here.
    ///
    /// # Errors
    /// [`BackingOff`], at once or as soon as somebody else's failure makes it so.
    ///
    /// # Cancel safety
    /// Cancel safe: the place in the line, or at the host, is given back.
    pub async fn place(&self, host: &Dialled) -> Result<Place, BackingOff> {
        let (waiter, answer) = oneshot::channel();
        self.change(host, |line, _, _| line.join(waiter));
        // The line answers everybody; were it gone, nobody would be in the way.
        answer.await.unwrap_or_else(|_| Ok(self.taken(host)))
    }

    /// How many wait for a place, at all hosts.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let lines = self.0.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.values().map(Line::waiting).sum()
    }

    /// Changes a host's line and gives everybody in it the answers that there are now.
    fn change(&self, host: &Dialled, change: impl FnOnce(&mut Line<Waiter>, &Params, Instant)) {
        let Hosts { params, lines } = &*self.0;
        let now = Instant::now();
        let mut answers = Vec::new();
        {
            let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            let line = lines.entry(host.clone()).or_default();
            change(line, params, now);
            // Whoever has left is passed over here, so that few places come back below.
            answers.extend(std::iter::from_fn(|| {
                line.skip(Waiter::is_closed);
                line.next(params, now)
            }));
            if line.is_blank() {
                lines.remove(host);
            } else if lines.len() > MAX_REMEMBERED {
                forget_some(&mut lines, params, now);
            }
        }
        // Not under the lock: a place whose taker is gone comes back here.
        for (waiter, answer) in answers {
            let _ = waiter.send(answer.map(|()| self.taken(host)));
        }
    }

    fn taken(&self, host: &Dialled) -> Place {
        Place {
            hosts: self.clone(),
            host: host.clone(),
            left_one: false,
            outcome: Outcome::default(),
        }
    }
}

/// Makes room: what is long past goes, and if that is not enough, the oldest that nobody is at.
fn forget_some(lines: &mut HashMap<Dialled, Line<Waiter>>, params: &Params, now: Instant) {
    lines.retain(|_, line| {
        line.forget(params, now);
        !line.is_blank()
    });
    if lines.len() <= MAX_REMEMBERED {
        return;
    }
    let idle = lines.iter().filter(|(_, line)| line.is_idle());
    let oldest = idle.min_by_key(|(_, line)| line.last_failure());
    if let Some(host) = oldest.map(|(host, _)| host.clone()) {
        lines.remove(&host);
    }
}

impl Place {
    /// Leaves one connection for another, which the host may count as one more login that failed,
    /// unless it lets us in on the other.
    pub(super) const fn leave_one(&mut self) {
        self.left_one = true;
    }

    /// Gives the place back and says what the login came to.
    pub fn end(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let (outcome, left_one) = (self.outcome, self.left_one);
        self.hosts.change(&self.host, |line, params, now| {
            if left_one {
                line.fail(0, params, now);
            }
            line.leave(outcome, params, now);
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, timeout};

    use super::*;
    use crate::target::Target;

    fn host(port: u16) -> Dialled {
        let target = Target::tcp("10.0.0.5".parse().unwrap(), port.try_into().unwrap());
        target.way.dialled()
    }

    fn lines(courtesy: &Courtesy) -> usize {
        courtesy.0.lines.lock().unwrap().len()
    }

    #[tokio::test(start_paused = true)]
    async fn the_fifth_waits_for_the_first_and_hosts_do_not_hinder_each_other() {
        let courtesy = Courtesy::new(Params::default());
        let mut inside = Vec::new();
        for _ in 0..4 {
            inside.push(courtesy.place(&host(1)).await.unwrap());
        }
        let second = Duration::from_secs(1);
        let fifth = timeout(second, courtesy.place(&host(1))).await;
        assert!(
            fifth.is_err(),
            "it waits, and gives its place in the line up"
        );
        courtesy.place(&host(2)).await.unwrap().end(Outcome::LetIn);

        let first = host(1);
        let fifth = courtesy.place(&first);
        let (fifth, ()) = tokio::join!(fifth, async { drop(inside.pop()) });
        drop((inside, fifth.unwrap()));
        assert_eq!(
            lines(&courtesy),
            0,
            "nothing is kept of hosts in good standing"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn failures_turn_away_those_who_come_and_those_who_wait() {
        let courtesy = Courtesy::new(Params::default());
        for _ in 0..2 {
            courtesy.place(&host(1)).await.unwrap().end(Outcome::Failed);
        }
        let inside = [
            courtesy.place(&host(1)).await.unwrap(),
            courtesy.place(&host(1)).await.unwrap(),
        ];
        let first = host(1);
        let waiting = courtesy.place(&first);
        let failing = async { inside.map(|place| place.end(Outcome::Failed)) };
        let (waited, _) = tokio::join!(waiting, failing);
        let refused = waited.unwrap_err();
        assert_eq!(refused.failures, 3);
        assert_eq!(
            refused.to_string(),
            "the gateway itself leaves this host alone for another 5.0s, after 3 failed logins in a row"
        );
        let left = courtesy.place(&host(1)).await.unwrap_err().left;
        assert_eq!(
            left,
            Duration::from_secs(10),
            "the fourth was inside already"
        );

        advance(left).await;
        let place = courtesy.place(&host(1)).await.unwrap();
        place.end(Outcome::LetIn);
        assert_eq!(lines(&courtesy), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_left_for_another_counts_unless_that_one_is_let_in() {
        let courtesy = Courtesy::new(Params::default());
        let visit = async |outcome| {
            let mut place = courtesy.place(&host(1)).await.unwrap();
            place.leave_one();
            place.end(outcome);
        };
        for _ in 0..9 {
            visit(Outcome::LetIn).await;
        }
        assert_eq!(lines(&courtesy), 0);
        visit(Outcome::Failed).await;
        visit(Outcome::Undecided).await;
        let refused = courtesy.place(&host(1)).await.unwrap_err();
        assert_eq!(refused.failures, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_hosts_are_remembered_than_there_is_room_for() {
        let courtesy = Courtesy::new(Params::default());
        let first = courtesy.place(&host(1)).await.unwrap();
        for port in 2..=u16::try_from(MAX_REMEMBERED).unwrap() + 10 {
            let place = courtesy.place(&host(port)).await.unwrap();
            place.end(Outcome::Failed);
            advance(Duration::from_micros(1)).await;
        }
        assert_eq!(lines(&courtesy), MAX_REMEMBERED);
        let has = |port| courtesy.0.lines.lock().unwrap().contains_key(&host(port));
        assert!(has(1), "somebody is there");
        assert!(!has(2), "the oldest");
        drop(first);
    }
}
