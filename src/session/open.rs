//! The story of one session.

use std::sync::Arc;

use bytes::Bytes;
use tokio::{join, select};

use crate::audit::Act;
use crate::entropy;
use crate::host::stream::HostStream;
use crate::id::SessionId;
use crate::reason::Reason;
use crate::rfb::browser::Admission;
use crate::rfb::host_gate::HostGate;
use crate::rfb::init::ServerInit;
use crate::rfb::pacing::Pacing;
use crate::rfb::permissions::Permissions;
use crate::session::admit::Seat;
use crate::session::end::End;
use crate::session::page_message::PageMessage;
use crate::session::record::Record;
use crate::session::relay::{self, Relay, inbox};
use crate::session::{Arrival, Sessions};
use crate::stream::Stream;
use crate::subject;
use crate::token::Grant;
use crate::websocket::WebSocket;
use crate::ws::Opcode;

/// The socket of the browser.
pub(super) type Socket = WebSocket<Stream>;

/// A session whose legs both stand.
struct Opened {
    host: HostStream,
    first: relay::FirstBytes,
    params: relay::Params,
    host_gate: Option<Box<HostGate>>,
}

impl Sessions {
    /// Runs a session from its WebSocket to its end. `read_ahead` is what was read behind the
    /// upgrade request.
    ///
    /// # Cancel safety
    /// Not cancel safe: it is a task of its own, and ends by itself when the gateway stops.
    pub async fn run(&self, arrival: Box<Arrival>, stream: Stream, read_ahead: Bytes) {
        let page = arrival.page;
        let mut socket = WebSocket::new(stream, read_ahead, self.params.max_frame);
        let mut record = Record::new(
            SessionId::from_random(entropy::random()),
            arrival.client,
            Arc::clone(&self.params.metrics),
            &self.params.traces,
        );
        subject::runs(record.session());

        // Whatever comes before and after the relay is boxed: a session at rest keeps none of it.
        let (grant, mut seat) = Box::pin(self.let_in(arrival, &mut record)).await;
        let mut inbox = seat.as_mut().and_then(|seat| seat.place.inbox());
        let opening = self.open(&mut socket, page, grant, &mut seat, &mut record);
        let opened = Box::pin(async {
            select! {
                opened = opening => opened,
                end = self.sentenced(inbox.as_mut()) => Err(end),
            }
        });
        let end = match opened.await {
            Ok(opened) => self.relay(opened, &mut socket, &mut record, inbox).await,
            Err(end) => end,
        };
        // A host in this process, such as the demo's, closes because of the same stop.
        let end = if end.reason == Reason::HostClosed && self.stop.is_cancelled() {
            End::plain(Reason::Draining)
        } else {
            end
        };

        record.log_end(&end);
        let ended = record.end_event(seat.is_some(), &end);
        self.params.audit.record(ended);
        if page {
            let message = PageMessage::end(&end).to_json();
            socket.queue(Opcode::Text, message.as_bytes());
        }
        let closing = Box::pin(socket.close(end.reason.close_code(), end.reason.code()));
        let leaving = async {
            if let Some(seat) = &seat {
                Box::pin(self.leave(seat, &end)).await;
            }
        };
        join!(closing, leaving);
    }

    /// The grant, or why there is none, and the seat in the session that it gives.
    async fn let_in(
        &self,
        mut arrival: Box<Arrival>,
        record: &mut Record,
    ) -> (Result<Box<Grant>, End>, Option<Seat<'_>>) {
        match self.admit(&mut arrival, record).await {
            Ok((grant, seat)) => {
                self.params.audit.record(record.event(Act::Admit));
                (Ok(Box::new(grant)), Some(seat))
            }
            Err(end) => (Err(end), None),
        }
    }

    /// Host and browser.
    async fn open(
        &self,
        socket: &mut Socket,
        page: bool,
        grant: Result<Box<Grant>, End>,
        seat: &mut Option<Seat<'_>>,
        record: &mut Record,
    ) -> Result<Box<Opened>, End> {
        let kept = grant.as_ref().ok().cloned();
        let grant = grant.map(|grant| *grant);
        let mut unread = Vec::new();
        let (greeted, reached) = self.greet_and_reach(socket, &mut unread, grant).await?;
        let (mut host, grant, seat) = match (reached, kept, seat.as_mut()) {
            (Ok(host), Some(grant), Some(seat)) => (host, grant, seat),
            (reached, _, seat) => {
                let end = reached.err().unwrap_or(End::plain(Reason::Internal));
                let end = self.unserved(seat, end).await;
                return Err(self.refuse(socket, greeted, end).await);
            }
        };

        let name = grant.name.as_ref().map(|name| name.as_str());
        if let Some(name) = name {
            host.init.rename(name);
        }
        record.security = host.seen.chosen;
        record.host_tls = host.stream.shown().map(|shown| shown.proof);
        // They may have changed since the session began.
        let permit = seat.place.permit();
        let permissions = permit.map_or(grant.permissions, |permit| permit.permissions);
        let pacing = pacing(&grant, page);
        let host_gate = match judging(&host.init, permissions, pacing) {
            Ok(host_gate) => host_gate,
            Err(end) => {
                let end = self.unserved(Some(seat), end).await;
                return Err(self.refuse(socket, greeted, end).await);
            }
        };
        if page {
            let secret = seat.secret.as_ref().map(|secret| secret.to_text());
            let connected = PageMessage::Connected {
                name,
                resume: secret.as_deref().map(String::as_str),
                grace: secret.as_ref().map(|_| self.params.resume_grace.as_secs()),
            };
            for message in [connected, PageMessage::permissions(permissions)] {
                socket.queue(Opcode::Text, message.to_json().as_bytes());
            }
        }
        let admission = Admission::new(greeted, host.init);
        let (shown, ()) = join!(
            self.browser(admission, socket, &mut unread),
            self.connected(seat, &grant, &host.seen),
        );
        shown?;
        Ok(Box::new(Opened {
            host: host.stream,
            first: relay::FirstBytes {
                up: unread,
                down: host.unread,
            },
            params: relay::Params {
                pings: self.params.pings,
                dead_after: self.params.dead_after,
                tell_page: page,
                permissions,
                idle_max: grant.limits.idle_max,
                session_max: seat.time_left(),
            },
            host_gate,
        }))
    }

    /// Moves bytes until one side has enough, or somebody ends the session from outside.
    async fn relay(
        &self,
        opened: Box<Opened>,
        socket: &mut Socket,
        record: &mut Record,
        inbox: Option<inbox::Receiver>,
    ) -> End {
        record.log_start();
        subject::outlives_request();
        let Opened {
            host,
            first,
            params,
            host_gate,
        } = *opened;
        let mut relay =
            Relay::new(socket, host, &self.buffers, params, &record.traffic).judging(host_gate);
        if let Some(inbox) = inbox {
            relay = relay.hearing(inbox);
        }
        relay.run(first).await
    }

    /// Waits until somebody ends the session from outside, which who has no seat hears of only when the
    /// gateway stops.
    async fn sentenced(&self, inbox: Option<&mut inbox::Receiver>) -> End {
        match inbox {
            Some(inbox) => End::sentenced(inbox.sentence().await),
            None => {
                self.stop.cancelled().await;
                End::plain(Reason::Draining)
            }
        }
    }

    /// There will be no picture: whoever comes again with the same token is let in, also when they
    /// are quicker than the rest of this end.
    async fn unserved(&self, seat: Option<&mut Seat<'_>>, end: End) -> End {
        let Some(seat) = seat else {
            return end;
        };
        self.leave(seat, &end).await;
        // Another try helps where the person mistyped their password.
        if seat.resumed && end.reason == Reason::HostAuthFailed && !end.retry {
            // It has let us in before, with the same credentials.
            return End {
                detail: end.detail,
                said: end.said,
                security: end.security,
                ..End::plain(Reason::HostCredentialsSpent)
            };
        }
        end
    }
}

/// Whether updates may be paced. Other viewers than our page may do what a paced stream does not allow,
/// such as another pixel format in its middle: to them only where the grant says so.
fn pacing(grant: &Grant, page: bool) -> Pacing {
    match grant.pacing {
        Pacing::Auto if !page => Pacing::Off,
        pacing => pacing,
    }
}

/// The gate for what the host says, where the permissions or the pacing need one.
fn judging(
    init: &ServerInit,
    permissions: Permissions,
    pacing: Pacing,
) -> Result<Option<Box<HostGate>>, End> {
    let needed = HostGate::is_needed(permissions);
    if !needed && pacing == Pacing::Off {
        return Ok(None);
    }
    match HostGate::new(init, permissions) {
        Ok(gate) => Ok(Some(Box::new(gate.pacing(pacing)))),
        // Its pixels make it one that is not paced.
        Err(_) if !needed => Ok(None),
        Err(violation) => Err(End::detailed(Reason::HostProtocol, &violation)),
    }
}
