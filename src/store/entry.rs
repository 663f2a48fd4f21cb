//! A session as all gateways see it.

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::UnixTime;
use crate::id::{ConsoleId, SessionId};
use crate::store::message::Permit;
use crate::token::{Labels, Role, Sharing};

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Admitted; its host is being reached.
    Connecting,
    /// The picture is there.
    Live,
    /// A leg is gone, and the session may come back.
    Lost,
}

/// One session. It holds no secret. Its copies share their texts: one is made of each session at every
/// beat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name, which a resume keeps.
    pub id: SessionId,
    /// Which pair of legs this is: 1, and one more with each resume.
    pub leg: u32,
    /// The console that it was minted as.
    pub console: ConsoleId,
    /// When that was.
    pub minted_at: UnixTime,
    /// The minter's labels.
    pub labels: Arc<Labels>,
    /// Where the machine is, for whoever may know.
    pub target: Arc<str>,
    /// The machine, as one text for one way to it.
    pub machine: Arc<str>,
    /// Where the browser is.
    pub client: IpAddr,
    /// What the viewer is there for.
    pub role: Role,
    /// Who else may be there.
    pub sharing: Sharing,
    /// What the viewer may do.
    pub permit: Permit,
    /// The gateway that has it.
    pub gateway: Arc<str>,
    /// How far it is.
    pub state: State,
    /// When it was admitted.
    pub started: UnixTime,
    /// When it ends in any case.
    pub ends_by: UnixTime,
    /// When the person last did something.
    pub active: UnixTime,
    /// Bytes that were relayed to the host.
    pub bytes_up: u64,
    /// Bytes that were relayed to the browser.
    pub bytes_down: u64,
    /// How the host was logged in to.
    pub security: Option<Arc<str>>,
}

/// Which sessions are asked for: those that fit everything that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Labels that they have.
    pub labels: Labels,
    /// The console that they were minted as.
    pub console: Option<ConsoleId>,
}

impl Filter {
    /// Whether a session is meant.
    #[must_use]
    pub fn takes(&self, entry: &Entry) -> bool {
        self.console.is_none_or(|console| console == entry.console)
            && self
                .labels
                .iter()
                .all(|(key, value)| entry.labels.get(key) == Some(value))
    }
}

/// A part of a list of sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// In the order of their ids.
    pub entries: Vec<Entry>,
    /// Behind which one the list goes on, if it does.
    pub next: Option<SessionId>,
}
