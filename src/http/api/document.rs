//! A session and what happens to it, as the API and the webhook tell them.

use std::net::IpAddr;

use serde::Serialize;

use crate::clock::UnixTime;
use crate::http::api::permissions::PermissionsDocument;
use crate::id::{ConsoleId, SessionId};
use crate::reason::Reason;
use crate::store::{Entry, Event, State};
use crate::token::{Labels, Role, Sharing};

/// A session.
#[derive(Debug, Serialize)]
pub struct SessionDocument<'e> {
    id: SessionId,
    console: ConsoleId,
    state: State,
    labels: &'e Labels,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'e str>,
    client: IpAddr,
    role: Role,
    sharing: Sharing,
    permissions: PermissionsDocument,
    gateway: &'e str,
    started: UnixTime,
    idle_since: UnixTime,
    ends_by: UnixTime,
    bytes_up: u64,
    bytes_down: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    security: Option<&'e str>,
}

impl<'e> SessionDocument<'e> {
    /// Tells of a session, and where its machine is only to those who may know.
    #[must_use]
    pub fn new(entry: &'e Entry, with_target: bool) -> Self {
        Self {
            id: entry.id,
            console: entry.console,
            state: entry.state,
            labels: &entry.labels,
            target: with_target.then_some(&*entry.target),
            client: entry.client,
            role: entry.role,
            sharing: entry.sharing,
            permissions: PermissionsDocument::new(entry.permit.permissions),
            gateway: &entry.gateway,
            started: entry.started,
            idle_since: entry.active,
            ends_by: entry.ends_by,
            bytes_up: entry.bytes_up,
            bytes_down: entry.bytes_down,
            security: entry.security.as_deref(),
        }
    }
}

/// What happened.
#[derive(Debug, Serialize)]
pub struct EventDocument<'e> {
    event: &'static str,
    session: SessionDocument<'e>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
}

impl<'e> EventDocument<'e> {
    /// Tells of an event.
    #[must_use]
    pub fn new(event: &'e Event, with_target: bool) -> Self {
        let (name, reason) = match event {
            Event::Opened(_) => ("opened", None),
            Event::Resumed(_) => ("resumed", None),
            Event::Ended { reason, .. } => ("ended", Some(*reason)),
        };
        Self {
            event: name,
            session: SessionDocument::new(event.session(), with_target),
            reason,
        }
    }

    /// `opened`, `resumed` or `ended`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.event
    }
}
