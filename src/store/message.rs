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

/// A session that its gateway has to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The session.
    pub session: SessionId,
    /// Its leg.
    pub leg: u32,
    /// Why.
    pub sentence: Sentence,
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
    },
}

/// What is asked of a session that goes on. It is carried out at the next border of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// From now on the viewer may do this and nothing else.
    ///
    /// Text from the machine can be held back or bounded only where the relay has looked at what the
    /// host says from its beginning, which it does if the permissions that it began with bound that
    /// text. Otherwise this part of the order is left out, and the page is told so; who may only look
    /// from such an order on can still get plain text.
    Permit(Permissions),
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
