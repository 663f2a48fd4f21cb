//! What is put to a store when a session begins, comes back and ends, and what it answers.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::UnixTime;
use crate::id::SessionId;
use crate::reason::Reason;
use crate::store::entry::Entry;
use crate::store::message::Sentence;

/// Somebody comes with a token.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The session that is to be, connecting, on its first leg.
    pub entry: Entry,
    /// How many sessions the token may open.
    pub uses: NonZeroU16,
    /// For how long it can still be used, by this gateway's clock: so long it has to be known how often
    /// it was.
    pub usable_for: Duration,
    /// How many sessions there may be.
    pub quotas: Quotas,
}

impl Claim {
    /// What those are told who have to go for it. The minter's label `user` says for whom.
    #[must_use]
    pub fn ousting(&self) -> Sentence {
        Sentence {
            reason: Reason::TakenOver,
            note: self
                .entry
                .labels
                .get("user")
                .map(|user| format!("By {user}.")),
        }
    }
}

/// How many sessions there may be on all gateways, those that are lost and may come back included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quotas {
    /// In all.
    pub in_all: Option<usize>,
    /// From one client address.
    pub per_client: Option<usize>,
    /// For each value of these labels.
    pub per_label: Vec<(String, usize)>,
}

/// Why a store does not let somebody in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The token has opened as many sessions as it may.
    #[error("the token is used up")]
    Used,
    /// Somebody revoked it.
    #[error("the token was revoked")]
    Revoked,
    /// Somebody is there who shares with nobody, or the newcomer would not.
    #[error("the machine is in use since {since}")]
    InUse {
        /// Since when.
        since: UnixTime,
    },
    /// There are as many sessions as there may be.
    #[error("as many sessions as there may be {0}")]
    Quota(String),
    /// The session cannot be resumed: it is over, or the secret is not its.
    #[error("there is no session to resume, or the secret is not its")]
    Gone,
    /// Its time is over.
    #[error("the session's time was over at {0}")]
    Over(UnixTime),
}

impl From<&Denied> for Reason {
    fn from(denied: &Denied) -> Self {
        match denied {
            Denied::Used => Self::TokenUsed,
            Denied::Revoked => Self::TokenRevoked,
            Denied::InUse { .. } => Self::InUse,
            Denied::Quota(_) => Self::LimitReached,
            Denied::Gone => Self::ResumeExpired,
            Denied::Over(_) => Self::SessionLimit,
        }
    }
}

/// How a session may come back.
#[derive(Clone, Debug)]
pub struct Keep {
    /// SHA-256 of the secret that it comes back with.
    pub secret: [u8; 32],
    /// The grant, sealed for this purpose and no other.
    pub sealed_grant: String,
    /// For how long after a loss.
    pub grace: Duration,
}

/// Somebody comes with a resume secret.
#[derive(Clone, Debug)]
pub struct Knock {
    /// The session that is to continue.
    pub session: SessionId,
    /// SHA-256 of the secret.
    pub secret: [u8; 32],
    /// SHA-256 of the secret that takes its place once that one has been used.
    pub next: [u8; 32],
    /// The gateway where it continues.
    pub gateway: Arc<str>,
    /// What time it is.
    pub now: UnixTime,
}

/// A session that continues: connecting, on a new leg.
#[derive(Clone, Debug)]
pub struct Resumed {
    /// The session.
    pub entry: Entry,
    /// What [`Keep::sealed_grant`] said.
    pub sealed_grant: String,
}

/// How a leg ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// Before its picture. A first leg gives its use back; a resumed one is lost again.
    Unserved,
    /// It may come back.
    Lost,
    /// For good.
    Over,
}
