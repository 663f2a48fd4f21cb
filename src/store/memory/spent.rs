//! Which tokens are worth nothing any more: used up or revoked.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::UnixTime;
use crate::id::ConsoleId;
use crate::store::{Claim, Denied, Whom};
use crate::token::limits::MAX_CONNECT_WITHIN;

/// For how long what was used or revoked is remembered: no token waits longer than that to be used,
/// and clocks may differ by an hour.
const REMEMBERED: Duration = MAX_CONNECT_WITHIN.saturating_add(Duration::from_secs(60 * 60));

/// Each with the time until which it is remembered.
#[derive(Debug, Default)]
pub(super) struct Spent {
    /// How often tokens were used.
    uses: HashMap<ConsoleId, (u16, Instant)>,
    consoles: HashMap<ConsoleId, Instant>,
    /// Labels whose tokens are void when they were minted up to an instant.
    labels: HashMap<(String, String), (UnixTime, Instant)>,
}

impl Spent {
    /// Whether a token still opens something.
    pub(super) fn check(&self, claim: &Claim) -> Result<(), Denied> {
        let entry = &claim.entry;
        let void = |(key, value): (&str, &str)| {
            let label = (key.to_owned(), value.to_owned());
            let revoked = self.labels.get(&label);
            revoked.is_some_and(|(minted_by, _)| entry.minted_at <= *minted_by)
        };
        if self.consoles.contains_key(&entry.console) || entry.labels.iter().any(void) {
            return Err(Denied::Revoked);
        }
        let used = self.uses.get(&entry.console).map_or(0, |(used, _)| *used);
        if used >= claim.uses.get() {
            return Err(Denied::Used);
        }
        Ok(())
    }

    pub(super) fn spend(&mut self, claim: &Claim) {
        let fresh = (0, Instant::now() + REMEMBERED);
        let (used, _) = self.uses.entry(claim.entry.console).or_insert(fresh);
        *used += 1;
    }

    pub(super) fn give_back(&mut self, console: ConsoleId) {
        if let Some((used, _)) = self.uses.get_mut(&console) {
            *used = used.saturating_sub(1);
        }
    }

    /// Voids the tokens that are meant. A single session has none of its own.
    pub(super) fn revoke(&mut self, whom: &Whom) {
        let until = Instant::now() + REMEMBERED;
        match whom {
            Whom::Console(console) => {
                self.consoles.insert(*console, until);
            }
            Whom::Label {
                key,
                value,
                minted_by,
            } => {
                let label = (key.clone(), value.clone());
                let revoked = self.labels.entry(label).or_insert((*minted_by, until));
                *revoked = (revoked.0.max(*minted_by), until);
            }
            Whom::Session(_) | Whom::Legs { .. } => {}
        }
    }

    pub(super) fn sweep(&mut self, now: Instant) {
        self.uses.retain(|_, (_, until)| *until > now);
        self.consoles.retain(|_, until| *until > now);
        self.labels.retain(|_, (_, until)| *until > now);
    }
}
