//! What the memory store holds, and its decisions.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::Duration;

use subtle::ConstantTimeEq;
use tokio::time::Instant;

use super::remembered::{self, Remembered};
use super::seats::Seats;
use super::spent::Spent;
use crate::id::SessionId;
use crate::reason::Reason;
use crate::store::{
    Claim, Denied, Entry, Keep, Knock, Leaving, Permit, Permitted, Resumed, Sentence, State,
    Verdict, Whom, Word,
};
use crate::token::Sharing;
use crate::token::limits::MAX_CONNECT_WITHIN;

/// How often what was remembered long enough is thrown away.
const SWEEP: Duration = Duration::from_secs(10);

/// How long it is remembered that a session is over: longer than its gateway takes to ask.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);

#[derive(Debug)]
pub(super) struct Held {
    /// Boxed, since a third of a tree is empty.
    sessions: BTreeMap<SessionId, Box<Record>>,
    seats: Seats,
    spent: Spent,
    /// When the grace of those that are lost is over.
    due: BTreeSet<(Instant, SessionId)>,
    /// Which sessions are over, and by whose sentence unless they went by themselves.
    over: Remembered<SessionId, Option<Sentence>>,
    next_sweep: Instant,
}

#[derive(Debug)]
struct Record {
    entry: Entry,
    keep: Option<Keep>,
    /// The secret before the newest, which works until the newest is used.
    previous: Option<[u8; 32]>,
    /// Until when it may come back, once it is lost.
    lost_until: Option<Instant>,
}

impl Held {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            sessions: BTreeMap::new(),
            seats: Seats::default(),
            spent: Spent::default(),
            due: BTreeSet::new(),
            over: Remembered::new(),
            next_sweep: now + SWEEP,
        }
    }

    /// Throws away sessions whose grace is over, and now and then what was remembered long enough.
    pub(super) fn sweep(&mut self, now: Instant) {
        while let Some((until, id)) = self.due.first().copied() {
            if until > now {
                break;
            }
            self.forget(id);
        }
        if now < self.next_sweep {
            return;
        }
        self.next_sweep = now + SWEEP;
        self.spent.sweep(now);
        remembered::sweep(&mut self.over, now);
    }

    pub(super) fn session(&self, id: SessionId) -> Option<&Entry> {
        self.sessions.get(&id).map(|record| &record.entry)
    }

    /// The sessions behind an id, in their order.
    pub(super) fn behind(&self, id: Bound<SessionId>) -> impl Iterator<Item = &Entry> {
        let records = self.sessions.range((id, Bound::Unbounded));
        records.map(|(_, record)| &record.entry)
    }

    pub(super) fn admit(&mut self, claim: &Claim) -> Result<Vec<SessionId>, Denied> {
        let entry = &claim.entry;
        self.spent.check(claim)?;
        let out = self.make_way(entry)?;
        let leaving = out.iter().filter_map(|id| self.session(*id));
        self.seats.check(claim, leaving)?;
        for id in &out {
            self.close(*id, Some(claim.ousting()));
        }
        self.take_in(entry, claim.usable_for);
        Ok(out)
    }

    pub(super) fn connected(&mut self, entry: &Entry, keep: Option<&Keep>) {
        if let Some(Word::End(_)) = self.go_on(entry) {
            return;
        }
        let record = self.newest(entry);
        if let Some((record, keep)) = record.zip(keep) {
            record.keep = Some(keep.clone());
        }
    }

    pub(super) fn resume(&mut self, knock: &Knock) -> Result<Resumed, Denied> {
        let record = self.sessions.get(&knock.session).ok_or(Denied::Gone)?;
        if !record.opens_with(&knock.secret) {
            return Err(Denied::Gone);
        }
        let entry = &record.entry;
        if knock.now >= entry.ends_by {
            return Err(Denied::Over(entry.ends_by));
        }
        // It puts nobody out: two pages that come back by themselves would do so for ever.
        if let Some(other) = self.in_the_way(entry) {
            return Err(Denied::InUse {
                since: other.started,
            });
        }
        let record = self.sessions.get_mut(&knock.session).ok_or(Denied::Gone)?;
        let keep = record.keep.as_mut().ok_or(Denied::Gone)?;
        if bool::from(keep.secret.ct_eq(&knock.secret)) {
            record.previous = Some(keep.secret);
        }
        keep.secret = knock.next;
        if let Some(until) = record.lost_until.take() {
            self.due.remove(&(until, knock.session));
        }
        record.entry.leg += 1;
        record.entry.state = State::Connecting;
        record.entry.gateway.clone_from(&knock.gateway);
        Ok(Resumed {
            entry: record.entry.clone(),
            sealed_grant: keep.sealed_grant.clone(),
        })
    }

    pub(super) fn renew(&mut self, entry: &Entry) -> Option<Verdict> {
        self.go_on(entry).map(|word| Verdict {
            session: entry.id,
            leg: entry.leg,
            word,
        })
    }

    /// A leg says how it is. One that the store has not heard of is taken in, since it runs; the
    /// answer is why a leg may not go on, or what it has not heard of.
    fn go_on(&mut self, entry: &Entry) -> Option<Word> {
        if let Some((sentence, _)) = self.over.get(&entry.id) {
            return sentence.clone().map(Word::End);
        }
        match self.sessions.get_mut(&entry.id) {
            Some(record) if record.entry.leg > entry.leg => {
                let elsewhere = Sentence::plain(Reason::ResumedElsewhere);
                Some(Word::End(elsewhere))
            }
            // It was renewed before it left, and that came late.
            Some(record) if record.entry.state == State::Lost => None,
            Some(record) => {
                self.seats.change(&record.entry, entry);
                let permit = record.entry.permit.newer(entry.permit);
                record.entry = Entry {
                    permit,
                    ..entry.clone()
                };
                (permit != entry.permit).then_some(Word::Permit(permit))
            }
            None => {
                let revoked = self.spent.revoked(entry).cloned();
                let refused = revoked.or_else(|| {
                    let other = self.in_the_way(entry);
                    other.map(|_| Sentence::plain(Reason::TakenOver))
                });
                if refused.is_none() {
                    self.take_in(entry, MAX_CONNECT_WITHIN);
                }
                refused.map(Word::End)
            }
        }
    }

    pub(super) fn leave(&mut self, entry: &Entry, leaving: Leaving) {
        let Some(record) = self.newest(entry) else {
            return;
        };
        let grace = record.keep.as_ref().map(|keep| keep.grace);
        match (leaving, grace) {
            (Leaving::Lost, Some(grace)) | (Leaving::Unserved, Some(grace)) => {
                let lost = Entry {
                    state: State::Lost,
                    permit: record.entry.permit.newer(entry.permit),
                    ..entry.clone()
                };
                let until = Instant::now() + grace;
                let was_until = record.lost_until.replace(until);
                let was = std::mem::replace(&mut record.entry, lost);
                self.seats.change(&was, entry);
                if let Some(was_until) = was_until {
                    self.due.remove(&(was_until, entry.id));
                }
                self.due.insert((until, entry.id));
            }
            (Leaving::Unserved, None) => {
                self.spent.give_back(entry);
                self.close(entry.id, None);
            }
            (Leaving::Lost, None) | (Leaving::Over, _) => self.close(entry.id, None),
        }
    }

    pub(super) fn end(&mut self, whom: &Whom, sentence: &Sentence) -> usize {
        self.spent.revoke(whom, sentence);
        if let Whom::Session(session) = whom {
            // Its gateway may be about to tell us of it.
            self.remember(*session, Some(sentence.clone()));
        }
        let records = self.sessions.values();
        let meant: Vec<_> = records
            .filter(|record| whom.means(&record.entry))
            .map(|record| record.entry.id)
            .collect();
        for id in &meant {
            self.close(*id, Some(sentence.clone()));
        }
        meant.len()
    }

    pub(super) fn permit(&mut self, id: SessionId, permit: Permit) -> Permitted {
        let Some(record) = self.sessions.get_mut(&id) else {
            return Permitted::Gone;
        };
        if record.entry.permit.revision.checked_add(1) != Some(permit.revision) {
            return Permitted::Outdated;
        }
        record.entry.permit = permit;
        Permitted::Done
    }

    /// Whom a session puts out at its machine, if it may come in there at all.
    fn make_way(&self, entry: &Entry) -> Result<Vec<SessionId>, Denied> {
        if entry.sharing == Sharing::TakeOver {
            return Ok(self.beside(entry).map(|other| other.id).collect());
        }
        match self.in_the_way(entry) {
            Some(other) => Err(Denied::InUse {
                since: other.started,
            }),
            None => Ok(Vec::new()),
        }
    }

    /// Somebody beside whom a session cannot be.
    fn in_the_way(&self, entry: &Entry) -> Option<&Entry> {
        let shares = |it: &Entry| it.sharing == Sharing::Shared;
        self.beside(entry)
            .find(|other| !shares(entry) || !shares(other))
    }

    /// The others at a session's machine. Those that are lost are in nobody's way.
    fn beside(&self, entry: &Entry) -> impl Iterator<Item = &Entry> {
        let there = self.seats.at(&entry.machine);
        there
            .filter(|id| *id != entry.id)
            .filter_map(|id| self.session(id))
            .filter(|other| other.state != State::Lost)
    }

    /// The record of a session, unless it has gone on with another leg.
    fn newest(&mut self, entry: &Entry) -> Option<&mut Record> {
        let record = self.sessions.get_mut(&entry.id)?;
        (record.entry.leg == entry.leg).then_some(record)
    }

    fn take_in(&mut self, entry: &Entry, usable_for: Duration) {
        self.spent.spend(entry, usable_for);
        self.seats.take(entry);
        let record = Record {
            entry: entry.clone(),
            keep: None,
            previous: None,
            lost_until: None,
        };
        self.sessions.insert(entry.id, Box::new(record));
    }

    /// A session is over: by a sentence, or else by itself.
    fn close(&mut self, id: SessionId, sentence: Option<Sentence>) {
        self.forget(id);
        self.remember(id, sentence);
    }

    fn remember(&mut self, id: SessionId, sentence: Option<Sentence>) {
        let until = Instant::now() + REMEMBERED;
        self.over.insert(id, (sentence, until));
    }

    fn forget(&mut self, id: SessionId) {
        if let Some(record) = self.sessions.remove(&id) {
            self.seats.leave(&record.entry);
            if let Some(until) = record.lost_until {
                self.due.remove(&(until, id));
            }
        }
    }
}

impl Record {
    fn opens_with(&self, secret: &[u8; 32]) -> bool {
        let newest = self.keep.as_ref().map(|keep| &keep.secret);
        let known = newest.into_iter().chain(self.previous.as_ref());
        known.fold(false, |fits, known| fits | bool::from(known.ct_eq(secret)))
    }
}
