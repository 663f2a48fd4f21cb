//! The story of one session.

use std::future::Future;
use std::pin::{Pin, pin};

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::select;
use tokio::sync::SemaphorePermit;
use tokio::time::timeout;

use crate::drive::{Deadlines, drive};
use crate::entropy;
use crate::host::{self, HostLeg};
use crate::id::SessionId;
use crate::reason::Reason;
use crate::rfb::browser::{Admission, BrowserError, Greeted, Greeting, refusal};
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
type Socket = WebSocket<Stream>;

impl Sessions {
    /// Runs a session from its WebSocket to its end. `read_ahead` is what was read behind the
    /// upgrade request.
    ///
    /// # Cancel safety
    /// Not cancel safe: it is a task of its own, and ends by itself when the gateway stops.
    pub async fn run(&self, arrival: Arrival, stream: Stream, read_ahead: Bytes) {
        let mut socket = WebSocket::new(stream, read_ahead, self.params.max_frame);
        let mut record = Record::new(SessionId::from_random(entropy::random()), arrival.client);

        let end = select! {
            end = self.open(&mut socket, &arrival, &mut record) => end,
            () = self.stop.cancelled() => End::plain(Reason::Draining),
        };

        record.log_end(&end);
        if arrival.page {
            let message = PageMessage::end(end.reason, end.said.as_ref());
            socket.queue(Opcode::Text, message.to_json().as_bytes());
        }
        socket
            .close(end.reason.close_code(), end.reason.code())
            .await;
    }

    /// Token, host, browser, relay.
    async fn open(&self, socket: &mut Socket, arrival: &Arrival, record: &mut Record) -> End {
        let admitted = self.admit(arrival);
        if let Ok((grant, _)) = &admitted {
            record.grant(grant);
        }
        let name = admitted
            .as_ref()
            .ok()
            .and_then(|(grant, _)| grant.name.clone());

        let mut unread = Vec::new();
        let reaching = pin!(self.reach(admitted));
        let (greeted, reached) = match self.greet(socket, &mut unread, reaching).await {
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
        let mut admission = Admission::new(greeted, host.init);
        let deadlines = self.browser_deadlines();
        if let Err(error) = drive(&mut admission, socket, &mut unread, &deadlines).await {
            return browser_end(socket, &error);
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
    fn admit(&self, arrival: &Arrival) -> Result<(Grant, SemaphorePermit<'_>), End> {
        let token = arrival
            .token
            .as_ref()
            .ok_or_else(|| End::plain(Reason::TokenMissing))?;
        let grant = self
            .open_token(token)
            .map_err(|error| End::because(&error))?;
        let slot = self
            .slots
            .try_acquire()
            .map_err(|_| End::plain(Reason::LimitReached))?;
        Ok((grant, slot))
    }

    /// Goes to the host, if there is a grant to go with.
    async fn reach<'s>(
        &'s self,
        admitted: Result<(Grant, SemaphorePermit<'s>), End>,
    ) -> Result<(HostLeg, SemaphorePermit<'s>), End> {
        let (grant, slot) = admitted?;
        host::reach(
            grant.into(),
            &self.resolver,
            &self.courtesy,
            &self.params.host,
        )
        .await
        .map(|host| (host, slot))
        .map_err(|error| End {
            said: error.said().cloned(),
            ..End::because(&error)
        })
    }

    /// Greets the browser while the host is being reached, and waits for both.
    ///
    /// A browser that misbehaves or leaves ends it at once; a host that fails waits until the
    /// browser can be told.
    async fn greet<R>(
        &self,
        socket: &mut Socket,
        unread: &mut Vec<u8>,
        mut reaching: Pin<&mut impl Future<Output = R>>,
    ) -> Result<(Greeted, R), End> {
        let mut reached = None;
        let mut greeting = Greeting::default();
        let deadlines = self.browser_deadlines();
        let greeted = {
            let mut greeted = pin!(drive(&mut greeting, socket, unread, &deadlines));
            loop {
                select! {
                    greeted = &mut greeted => break greeted,
                    outcome = &mut reaching, if reached.is_none() => reached = Some(outcome),
                }
            }
        };
        let greeted = greeted.map_err(|error| browser_end(socket, &error))?;
        if let Some(reached) = reached {
            return Ok((greeted, reached));
        }
        select! {
            reached = reaching => Ok((greeted, reached)),
            end = socket.wait_for_end(unread) => Err(End::because(&end)),
        }
    }

    /// Tells a greeted browser why there is no picture, in RFB's own way.
    async fn refuse(&self, socket: &mut Socket, greeted: Greeted, end: End) -> End {
        let words = refusal(greeted, end.reason, end.said.as_ref());
        // If the browser does not take it, the close frame will not arrive either.
        let sending = async {
            socket.write_all(&words).await?;
            socket.flush().await
        };
        let _ = timeout(self.params.browser_handshake, sending).await;
        end
    }

    const fn browser_deadlines(&self) -> Deadlines {
        Deadlines::all(self.params.browser_handshake)
    }
}

/// What ended the browser's handshake: the WebSocket knows it better than RFB, where it ended.
fn browser_end(socket: &Socket, error: &BrowserError) -> End {
    match (socket.ended(), error) {
        (Some(end), BrowserError::Closed(_)) => End::because(end),
        _ => End::because(error),
    }
}
