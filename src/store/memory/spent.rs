//! Which tokens are worth nothing any more: used up or revoked.

use std::time::Duration;

use tokio::time::Instant;

use super::remembered::{self, Remembered};
use crate::clock::UnixTime;
use crate::id::{ConsoleId, SessionId};
use crate::store::{Claim, Denied, Entry, Sentence, Whom};
use crate::token::limits::MAX_CONNECT_WITHIN;

/// By how much the clock may be set back while it is remembered what was used. Nobody else's clock
/// counts here.
const SET_BACK: Duration = Duration::from_secs(10 * 60);

/// For how long what was revoked is remembered: no token waits longer than that to be used, and
/// whoever minted it may have had another clock.
const REMEMBERED: Duration = MAX_CONNECT_WITHIN.saturating_add(Duration::from_secs(60 * 60));

#[derive(Debug, Default)]
pub(super) struct Spent {
    /// Which sessions tokens have opened; one in a list of its own length, as a rule.
    uses: Remembered<ConsoleId, Vec<SessionId>>,
    consoles: Remembered<ConsoleId, Sentence>,
    /// Labels whose tokens are void when they were minted up to an instant.
    labels: Remembered<(String, String), (UnixTime, Sentence)>,
}

impl Spent {
    /// Whether a token still opens something.
    pub(super) fn check(&self, claim: &Claim) -> Result<(), Denied> {
        if self.revoked(&claim.entry).is_some() {
            return Err(Denied::Revoked);
        }
        let used = self.uses.get(&claim.entry.console);
        if used.is_some_and(|(sessions, _)| sessions.len() >= claim.uses.get().into()) {
            return Err(Denied::Used);
        }
        Ok(())
    }

    /// What was said when the token that opens a session was revoked.
    pub(super) fn revoked(&self, entry: &Entry) -> Option<&Sentence> {
        if let Some((sentence, _)) = self.consoles.get(&entry.console) {
            return Some(sentence);
        }
        entry.labels.iter().find_map(|(key, value)| {
            let label = (key.to_owned(), value.to_owned());
            let ((minted_by, sentence), _) = self.labels.get(&label)?;
            (entry.minted_at <= *minted_by).then_some(sentence)
        })
    }

    /// Takes in that a token, which can be used for so long, has opened a session.
    pub(super) fn spend(&mut self, entry: &Entry, usable_for: Duration) {
        let until = Instant::now() + usable_for.min(MAX_CONNECT_WITHIN) + SET_BACK;
        let fresh = (Vec::new(), until);
        let (sessions, kept_until) = self.uses.entry(entry.console).or_insert(fresh);
        *kept_until = until.max(*kept_until);
        if !sessions.contains(&entry.id) {
            sessions.reserve_exact(1);
            sessions.push(entry.id);
        }
    }

    pub(super) fn give_back(&mut self, entry: &Entry) {
        if let Some((sessions, _)) = self.uses.get_mut(&entry.console) {
            sessions.retain(|id| *id != entry.id);
        }
    }

    /// Voids the tokens that are meant. A single session has none of its own.
    pub(super) fn revoke(&mut self, whom: &Whom, sentence: &Sentence) {
        let until = Instant::now() + REMEMBERED;
        match whom {
            Whom::Console(console) => {
                self.consoles.insert(*console, (sentence.clone(), until));
            }
            Whom::Label {
                key,
                value,
                minted_by,
            } => {
                let label = (key.clone(), value.clone());
                let revoked = self.labels.entry(label);
                let (revoked, kept_until) =
                    revoked.or_insert(((*minted_by, sentence.clone()), until));
                *revoked = (revoked.0.max(*minted_by), sentence.clone());
                *kept_until = until;
            }
            Whom::Session(_) | Whom::Legs { .. } => {}
        }
    }

    pub(super) fn sweep(&mut self, now: Instant) {
        remembered::sweep(&mut self.uses, now);
        remembered::sweep(&mut self.consoles, now);
        remembered::sweep(&mut self.labels, now);
    }
}
