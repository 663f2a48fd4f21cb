//! What is logged, counted and traced of a session: a line at its start and a line at its end, with the same
//! fields.

use std::sync::Arc;

use tokio::time::Instant;
use tracing::{error, info, warn};

use crate::audit::{Act, Event};
use crate::client_addr::ClientAddr;
use crate::id::{ConsoleId, SessionId};
use crate::metrics::Metrics;
use crate::reason::{Reason, Severity};
use crate::rfb::security::SecurityType;
use crate::session::end::End;
use crate::session::relay::Traffic;
use crate::tls::verify::Proof;
use crate::token::{Grant, Labels};
use crate::traces::{Opening, Traces};

/// A session as the log tells it. It never holds a secret.
#[derive(Debug)]
pub struct Record {
    session: SessionId,
    client: ClientAddr,
    started: Instant,
    console: Option<ConsoleId>,
    target: String,
    labels: Labels,
    metrics: Arc<Metrics>,
    opening: Opening,
    /// Whether it has come to the relay.
    relaying: bool,
    /// The security type that was chosen at the host, as soon as it has let us in.
    pub security: Option<SecurityType>,
    /// What proved who the host is, where it was spoken with inside TLS.
    pub host_tls: Option<Proof>,
    /// Bytes that were relayed.
    pub traffic: Arc<Traffic>,
}

impl Record {
    /// Starts a session's record, when little more than the client is known.
    #[must_use]
    pub fn new(
        session: SessionId,
        client: ClientAddr,
        metrics: Arc<Metrics>,
        traces: &Traces,
    ) -> Self {
        let started = Instant::now();
        let opening = traces.arrival(session);
        let traffic = Traffic::since(started, Arc::clone(&metrics), opening.clone());
        Self {
            session,
            client,
            started,
            console: None,
            target: String::new(),
            labels: Labels::default(),
            relaying: false,
            security: None,
            host_tls: None,
            traffic: Arc::new(traffic),
            metrics,
            opening,
        }
    }

    /// The session's name.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// Takes over the name of a session that continues.
    pub fn resume(&mut self, session: SessionId) {
        self.session = session;
        self.opening.resumes(session);
    }

    /// Takes over what the grant says of the session.
    pub fn grant(&mut self, grant: &Grant) {
        self.console = Some(grant.id);
        self.opening.opens(grant.id);
        self.target = grant.target.to_string();
        self.labels = grant.labels.clone();
    }

    /// The session as the audit log tells it.
    #[must_use]
    pub fn event(&self, act: Act) -> Event {
        Event {
            session: Some(self.session),
            console: self.console,
            labels: self.labels.clone(),
            target: self.console.map(|_| self.target.clone()),
            client: Some(self.client.ip()),
            ..Event::new(act)
        }
    }

    /// Its end, or that there was nothing to end.
    #[must_use]
    pub fn end_event(&self, admitted: bool, end: &End) -> Event {
        let act = if admitted { Act::End } else { Act::Refuse };
        let relayed = |bytes| admitted.then_some(bytes);
        Event {
            reason: Some(end.reason),
            bytes_up: relayed(self.traffic.up()),
            bytes_down: relayed(self.traffic.down()),
            detail: end.note.clone(),
            ..self.event(act)
        }
    }

    /// Logs that the relay begins.
    pub fn log_start(&mut self) {
        self.relaying = true;
        self.metrics
            .sessions
            .started(self.started.elapsed(), self.security);
        self.opening.connected(self.security);
        info!(
            session = %self.session,
            console = self.console.map(display),
            target = self.target,
            client = %self.client,
            labels = %self.labels,
            host_tls = self.host_tls.map(display),
            "session started"
        );
    }

    /// Logs the end, as loudly as its reason deserves.
    pub fn log_end(&self, end: &End) {
        let security = self.security.or(end.security);
        self.opening.ended(end.reason, security);
        if self.relaying {
            let (up, down) = (self.traffic.up(), self.traffic.down());
            let lasted = self.started.elapsed();
            self.metrics.sessions.ended(end.reason, lasted, up, down);
        } else {
            self.metrics.sessions.refused(end.reason, security);
        }
        macro_rules! line {
            ($level:ident) => {
                $level!(
                    session = %self.session,
                    console = self.console.map(display),
                    target = self.target,
                    client = %self.client,
                    labels = %self.labels,
                    host_tls = self.host_tls.map(display),
                    reason = end.reason.code(),
                    detail = end.detail,
                    bytes_up = self.traffic.up(),
                    bytes_down = self.traffic.down(),
                    duration = ?self.started.elapsed(),
                    "session ended"
                )
            };
        }
        match Reason::severity(end.reason) {
            Severity::Info => line!(info),
            Severity::Warn => line!(warn),
            Severity::Error => line!(error),
        }
    }
}
