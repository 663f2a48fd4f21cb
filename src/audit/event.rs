//! What is written down.

use std::net::IpAddr;

use serde::Serialize;

use crate::id::{ConsoleId, KeyId, RequestId, SessionId};
use crate::reason::Reason;
use crate::subject::Subject;
use crate::token::Labels;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// The log begins, or goes on in another process or file.
    Start,
    /// A console URL was made.
    Mint,
    /// Somebody was let in, for the first time or again.
    Admit,
    /// Somebody was not let in.
    Refuse,
    /// A session ended, or was lost and may come back.
    End,
    /// Somebody ended a session through the API.
    Terminate,
    /// Somebody changed what a session's viewer may do.
    Permit,
    /// Somebody pressed keys at a session's machine through the API.
    Press,
    /// A console or a label was revoked.
    Revoke,
    /// Somebody had the configuration read again through the API.
    Reload,
    /// The gateway seals with another key, or opens with others, than before.
    Keys,
    /// Lines are missing here: there was no room for them.
    Lost,
    /// The gateway stops.
    Stop,
}

/// One thing that was done. It has no place for a secret.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// What.
    pub act: Act,
    /// The request that it was done for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// Who: the name of an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Which console.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console: Option<ConsoleId>,
    /// Which session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The minter's labels, which say who and which machine.
    #[serde(skip_serializing_if = "is_empty")]
    pub labels: Labels,
    /// Where the machine is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The key of the key ring that seals now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealing_key: Option<KeyId>,
    /// Bytes that were relayed to the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_up: Option<u64>,
    /// Bytes that were relayed to the browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_down: Option<u64>,
    /// How many lines are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<u64>,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Event {
    /// An act of which nothing is said yet but the request that the task is about, if it is.
    #[must_use]
    pub fn new(act: Act) -> Self {
        Self {
            act,
            request: Subject::now().request,
            key: None,
            console: None,
            session: None,
            labels: Labels::default(),
            target: None,
            client: None,
            reason: None,
            sealing_key: None,
            bytes_up: None,
            bytes_down: None,
            lines: None,
            detail: None,
        }
    }
}

fn is_empty(labels: &Labels) -> bool {
    labels.iter().next().is_none()
}
