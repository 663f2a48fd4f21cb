//! What gateways tell each other.

use serde::{Deserialize, Serialize};

use crate::clock::UnixTime;
use crate::id::{ConsoleId, SessionId};
use crate::reason::Reason;
use crate::rfb::chord::Chord;
use crate::rfb::permissions::Permissions;
use crate::store::entry::Entry;

/// Whose sessions are meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// One session.
    Session(SessionId),
    /// The legs of one session below a number, which has gone on without them.
    Legs {
        /// The session.
        session: SessionId,
        /// The leg that it goes on with.
        below: u32,
    },
    /// All that one console's token opened, and whoever still has the token.
    Console(ConsoleId),
    /// All with this label whose token was minted up to an instant, and whoever still has one.
    Label {
        /// The label's key.
        key: String,
        /// The label's value.
        value: String,
        /// The instant.
        minted_by: UnixTime,
    },
}

impl Whom {
    /// Whether a session is meant.
    #[must_use]
    pub fn means(&self, entry: &Entry) -> bool {
        match self {
            Self::Session(session) => *session == entry.id,
            Self::Legs { session, below } => *session == entry.id && entry.leg < *below,
            Self::Console(console) => *console == entry.console,
            Self::Label {
                key,
                value,
                minted_by,
            } => entry.labels.get(key) == Some(value) && entry.minted_at <= *minted_by,
        }
    }
}

/// Why somebody's session ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentence {
    /// The reason, which everybody is told.
    pub reason: Reason,
    /// What is said to the person beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Sentence {
    /// A reason with nothing beside it.
    #[must_use]
    pub const fn plain(reason: Reason) -> Self {
        Self { reason, note: None }
    }
}

/// What a session's viewer may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permit {
    /// The permissions.
    pub permissions: Permissions,
    /// How often they were changed since the session began: of two, the one with more holds.
    pub revision: u32,
}

impl Permit {
    /// What a session begins with.
    #[must_use]
    pub const fn first(permissions: Permissions) -> Self {
        Self {
            permissions,
            revision: 0,
        }
    }

    /// The one of the two that holds.
    #[must_use]
    pub const fn newer(self, other: Self) -> Self {
        if other.revision > self.revision {
            other
        } else {
            self
        }
    }
}

/// What became of a change of permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permitted {
    /// It holds.
    Done,
    /// Another change came in between, and nothing was done.
    Outdated,
    /// There is no such session, or no more.
    Gone,
}

/// A session of which its gateway has something to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The session.
    pub session: SessionId,
    /// Its leg.
    pub leg: u32,
    /// What.
    pub word: Word,
}

/// What a gateway hears of one of its sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// It ends.
    End(Sentence),
    /// Its permissions have changed.
    Permit(Permit),
}

/// What happened to a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It has its picture for the first time.
    Opened(Entry),
    /// It has its picture again.
    Resumed(Entry),
    /// It is over, or lost and may come back.
    Ended {
        /// The session.
        session: Entry,
        /// Why.
        reason: Reason,
        /// The gateway that found it over, where its own is lost and cannot say so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        found_by: Option<String>,
    },
}

impl Event {
    /// The session that it is about.
    #[must_use]
    pub const fn session(&self) -> &Entry {
        match self {
            Self::Opened(session) | Self::Resumed(session) | Self::Ended { session, .. } => session,
        }
    }

    /// The one gateway that tells others of it: the session's own, or the one that found it lost.
    #[must_use]
    pub fn gateway(&self) -> &str {
        match self {
            Self::Ended {
                found_by: Some(gateway),
                ..
            } => gateway.as_str(),
            _ => &self.session().gateway,
        }
    }
}

/// What is asked of a session that goes on. It is carried out at the next border of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// From now on the viewer may do this and nothing else.
    ///
    /// Text from the machine can be held back or bounded only where the relay has looked at what the
    /// host says from its beginning, which it does if the permissions that it began with need that.
    /// Otherwise the leg ends as `permissions_changed`, and the one that the session comes back with
    /// does so.
    Permit(Permit),
    /// Press and release these keys, whatever the viewer may do itself.
    Press(Chord),
}

/// A word to all gateways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// These sessions end.
    End {
        /// Whose.
        whom: Whom,
        /// Why.
        sentence: Sentence,
    },
    /// This session does something.
    Order {
        /// The session.
        session: SessionId,
        /// What.
        order: Order,
    },
    /// Something happened.
    Event(Event),
}
