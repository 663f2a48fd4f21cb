//! What the memory store holds, and its decisions.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::time::Duration;

use subtle::ConstantTimeEq;
use tokio::time::Instant;

use super::seats::Seats;
use super::spent::Spent;
use crate::id::SessionId;
use crate::reason::Reason;
use crate::store::{
    Claim, Denied, Entry, Keep, Knock, Leaving, Resumed, Sentence, State, Verdict, Whom,
};
use crate::token::Sharing;

/// How often what is past its time is thrown away.
const SWEEP: Duration = Duration::from_secs(10);

/// How long it is remembered why a session was ended: longer than its gateway takes to ask.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);

#[derive(Debug)]
pub(super) struct Held {
    sessions: BTreeMap<SessionId, Record>,
    seats: Seats,
    spent: Spent,
    /// Why sessions were ended, and until when that is remembered.
    ended: HashMap<SessionId, (Sentence, Instant)>,
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
            ended: HashMap::new(),
            next_sweep: now + SWEEP,
        }
    }

    /// Throws away what is past its time, now and then.
    pub(super) fn sweep(&mut self, now: Instant) {
        if now < self.next_sweep {
            return;
        }
        self.next_sweep = now + SWEEP;
        self.spent.sweep(now);
        self.ended.retain(|_, (_, until)| *until > now);
        let records = self.sessions.values();
        let over: Vec<_> = records
            .filter(|record| record.is_over(now))
            .map(|record| record.entry.id)
            .collect();
        for id in over {
            self.forget(id);
        }
    }

    pub(super) fn session(&self, id: SessionId) -> Option<&Entry> {
        let record = self.sessions.get(&id)?;
        (!record.is_over(Instant::now())).then_some(&record.entry)
    }

    /// The sessions behind an id, in their order.
    pub(super) fn behind(&self, id: Bound<SessionId>) -> impl Iterator<Item = &Entry> {
        let now = Instant::now();
        let records = self.sessions.range((id, Bound::Unbounded));
        records
            .map(|(_, record)| record)
            .filter(move |record| !record.is_over(now))
            .map(|record| &record.entry)
    }

    pub(super) fn admit(&mut self, claim: &Claim) -> Result<Vec<SessionId>, Denied> {
        let entry = &claim.entry;
        self.spent.check(claim)?;
        let out = self.make_way(entry, entry.id)?;
        let leaving = out.iter().filter_map(|id| self.session(*id));
        self.seats.check(claim, leaving)?;
        for id in &out {
            self.condemn(*id, claim.ousting());
        }
        self.spent.spend(claim);
        self.seats.take(entry);
        let record = Record {
            entry: entry.clone(),
            keep: None,
            previous: None,
            lost_until: None,
        };
        self.sessions.insert(entry.id, record);
        Ok(out)
    }

    pub(super) fn connected(&mut self, entry: &Entry, keep: Option<&Keep>) {
        if let Some(record) = self.newest(entry) {
            record.entry = entry.clone();
            if let Some(keep) = keep {
                record.keep = Some(keep.clone());
            }
        }
    }

    pub(super) fn resume(&mut self, knock: &Knock) -> Result<Resumed, Denied> {
        let record = self.sessions.get(&knock.session).ok_or(Denied::Gone)?;
        if record.is_over(Instant::now()) || !record.opens_with(&knock.secret) {
            return Err(Denied::Gone);
        }
        let entry = &record.entry;
        if knock.now >= entry.ends_by {
            return Err(Denied::Over(entry.ends_by));
        }
        if entry.state == State::Lost {
            self.make_way(entry, entry.id)?;
        }
        let record = self.sessions.get_mut(&knock.session).ok_or(Denied::Gone)?;
        let keep = record.keep.as_mut().ok_or(Denied::Gone)?;
        if bool::from(keep.secret.ct_eq(&knock.secret)) {
            record.previous = Some(keep.secret);
        }
        keep.secret = knock.next;
        record.lost_until = None;
        record.entry.leg += 1;
        record.entry.state = State::Connecting;
        record.entry.gateway.clone_from(&knock.gateway);
        Ok(Resumed {
            entry: record.entry.clone(),
            sealed_grant: keep.sealed_grant.clone(),
        })
    }

    pub(super) fn renew(&mut self, entry: &Entry) -> Option<Verdict> {
        let sentence = match self.ended.get(&entry.id) {
            Some((sentence, _)) => sentence.clone(),
            None => {
                let record = self.sessions.get_mut(&entry.id)?;
                if record.entry.leg == entry.leg {
                    record.entry = entry.clone();
                    return None;
                }
                Sentence::plain(Reason::ResumedElsewhere)
            }
        };
        Some(Verdict {
            session: entry.id,
            leg: entry.leg,
            sentence,
        })
    }

    pub(super) fn leave(&mut self, entry: &Entry, leaving: Leaving) {
        let Some(record) = self.newest(entry) else {
            return;
        };
        let grace = record.keep.as_ref().map(|keep| keep.grace);
        match (leaving, grace) {
            (Leaving::Lost, Some(grace)) | (Leaving::Unserved, Some(grace)) => {
                record.entry = Entry {
                    state: State::Lost,
                    ..entry.clone()
                };
                record.lost_until = Some(Instant::now() + grace);
            }
            (Leaving::Unserved, None) => {
                self.spent.give_back(entry.console);
                self.forget(entry.id);
            }
            (Leaving::Lost, None) | (Leaving::Over, _) => self.forget(entry.id),
        }
    }

    pub(super) fn end(&mut self, whom: &Whom, sentence: &Sentence) -> usize {
        self.spent.revoke(whom);
        let records = self.sessions.values();
        let meant: Vec<_> = records
            .filter(|record| whom.means(&record.entry))
            .map(|record| record.entry.id)
            .collect();
        for id in &meant {
            self.condemn(*id, sentence.clone());
        }
        meant.len()
    }

    /// Whom a session puts out at its machine, if it may come in there at all. Those that are lost
    /// are in nobody's way.
    fn make_way(&self, entry: &Entry, except: SessionId) -> Result<Vec<SessionId>, Denied> {
        let there = self.seats.at(&entry.machine);
        let mut there = there
            .filter(|id| *id != except)
            .filter_map(|id| self.session(id))
            .filter(|other| other.state != State::Lost);
        match entry.sharing {
            Sharing::TakeOver => Ok(there.map(|other| other.id).collect()),
            Sharing::Exclusive => match there.next() {
                Some(other) => Err(Denied::InUse {
                    since: other.started,
                }),
                None => Ok(Vec::new()),
            },
            Sharing::Shared => match there.find(|other| other.sharing != Sharing::Shared) {
                Some(other) => Err(Denied::InUse {
                    since: other.started,
                }),
                None => Ok(Vec::new()),
            },
        }
    }

    /// The record of a session, unless it has gone on with another leg.
    fn newest(&mut self, entry: &Entry) -> Option<&mut Record> {
        let record = self.sessions.get_mut(&entry.id)?;
        (record.entry.leg == entry.leg).then_some(record)
    }

    fn condemn(&mut self, id: SessionId, sentence: Sentence) {
        self.forget(id);
        let until = Instant::now() + REMEMBERED;
        self.ended.insert(id, (sentence, until));
    }

    fn forget(&mut self, id: SessionId) {
        if let Some(record) = self.sessions.remove(&id) {
            self.seats.leave(&record.entry);
        }
    }
}

impl Record {
    fn is_over(&self, now: Instant) -> bool {
        self.lost_until.is_some_and(|until| until <= now)
    }

    fn opens_with(&self, secret: &[u8; 32]) -> bool {
        let newest = self.keep.as_ref().map(|keep| &keep.secret);
        let known = newest.into_iter().chain(self.previous.as_ref());
        known.fold(false, |fits, known| fits | bool::from(known.ct_eq(secret)))
    }
}
