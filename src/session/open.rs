//! The story of one session.

use bytes::Bytes;
use tokio::select;
use tokio::sync::SemaphorePermit;
use zeroize::Zeroizing;

use crate::entropy;
use crate::id::SessionId;
use crate::reason::Reason;
use crate::rfb::browser::Admission;
use crate::session::end::End;
use crate::session::page_message::PageMessage;
use crate::session::record::Record;
use crate::session::relay::{self, Relay};
use crate::session::{Arrival, Sessions};
use crate::stream::Stream;
use crate::token::Grant;
use crate::websocket::WebSocket;
use crate::ws::Opcode;

/// The socket of the browser.
pub(super) type Socket = WebSocket<Stream>;

impl Sessions {
    /// Runs a session from its WebSocket to its end. `read_ahead` is what was read behind the
    /// upgrade request.
    ///
    /// # Cancel safety
    /// Not cancel safe: it is a task of its own, and ends by itself when the gateway stops.
    pub async fn run(&self, mut arrival: Arrival, stream: Stream, read_ahead: Bytes) {
        let mut socket = WebSocket::new(stream, read_ahead, self.params.max_frame);
        let mut record = Record::new(SessionId::from_random(entropy::random()), arrival.client);

        let end = select! {
            end = self.open(&mut socket, &mut arrival, &mut record) => end,
            () = self.stop.cancelled() => End::plain(Reason::Draining),
        };
        // A host in this process, such as the demo's, closes because of the same stop.
        let end = if end.reason == Reason::HostClosed && self.stop.is_cancelled() {
            End::plain(Reason::Draining)
        } else {
            end
        };

        record.log_end(&end);
        if arrival.page {
            let message = PageMessage::end(end.reason, end.said.as_ref(), end.retry);
            socket.queue(Opcode::Text, message.to_json().as_bytes());
        }
        socket
            .close(end.reason.close_code(), end.reason.code())
            .await;
    }

    /// Token, host, browser, relay.
    async fn open(&self, socket: &mut Socket, arrival: &mut Arrival, record: &mut Record) -> End {
        // Nobody needs it again, and a session may last for days.
        let token = arrival.token.take();
        let admitted = self.admit(token);
        if let Ok((grant, _)) = &admitted {
            record.grant(grant);
        }
        let name = admitted
            .as_ref()
            .ok()
            .and_then(|(grant, _)| grant.name.clone());

        let mut unread = Vec::new();
        let (greeted, reached) = match self.greet_and_reach(socket, &mut unread, admitted).await {
            Ok(both) => both,
            Err(end) => return end,
        };
        let (mut host, _slot) = match reached {
            Ok(host) => host,
            Err(end) => return self.refuse(socket, greeted, end).await,
        };

        if let Some(name) = &name {
            host.init.rename(name.as_str());
        }
        if arrival.page {
            let connected = PageMessage::Connected {
                name: name.as_ref().map(|name| name.as_str()),
            };
            socket.queue(Opcode::Text, connected.to_json().as_bytes());
        }
        let admission = Admission::new(greeted, host.init);
        if let Err(end) = self.browser(admission, socket, &mut unread).await {
            return end;
        }

        record.host_tls = host.stream.shown().map(|shown| shown.proof);
        record.log_start();
        let first = relay::FirstBytes {
            up: unread,
            down: host.unread,
        };
        let params = relay::Params {
            ping_interval: self.params.ping_interval,
            dead_after: self.params.dead_after,
            tell_round_trips: arrival.page,
        };
        let relay = Relay::new(
            socket,
            host.stream,
            &self.buffers,
            params,
            &mut record.traffic,
        );
        relay.run(first).await
    }

    /// The decision whether this arrival may open a session, and for what.
    fn admit(&self, token: Option<Zeroizing<String>>) -> Result<(Grant, SemaphorePermit<'_>), End> {
        let token = token.ok_or_else(|| End::plain(Reason::TokenMissing))?;
        let grant = self
            .open_token(&token)
            .map_err(|error| End::because(&error))?;
        let slot = self
            .slots
            .try_acquire()
            .map_err(|_| End::plain(Reason::LimitReached))?;
        Ok((grant, slot))
    }
}
