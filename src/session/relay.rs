//! Moving bytes, both ways, in one task.
//!
//! ```text
//!   host ── read behind head-room ──> piece ── one write, header and payload ──> browser
//!   host <── one write ── piece <── unmasked in place ── read ── browser
//! ```
//!
//! Each direction has at most one piece in flight and reads no further before it is written: a leg
//! that cannot be written is not read from, and that is all the flow control there is. A piece lies
//! in a borrowed buffer that goes back as soon as it is written, so a session at rest has none.
//!
//! Frames of our own (pong, ping, close, text) go out between the data frames, never inside one.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use crate::buffers::Buffers;
use crate::reason::Reason;
use crate::session::open::End;
use crate::session::page_message::PageMessage;
use crate::session::piece::Piece;
use crate::websocket::WebSocket;
use crate::ws::{self, HEAD_ROOM, Opcode};

/// How long a host has to take the last bytes after the browser is gone.
const PARTING: Duration = Duration::from_millis(500);

/// How a relay keeps its legs alive.
#[derive(Clone, Copy, Debug)]
pub struct Params {
    /// How often the browser is pinged.
    pub ping_interval: Duration,
    /// After so long without a byte and without progress in writing a peer is dead.
    pub dead_after: Duration,
    /// Whether the browser is told how long its pings took.
    pub tell_round_trips: bool,
}

/// Bytes of RFB that were relayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// From the browser to the host.
    pub up: u64,
    /// From the host to the browser.
    pub down: u64,
}

/// What the handshakes read beyond their end: at most some KiB each.
#[derive(Debug, Default)]
pub struct FirstBytes {
    /// For the host.
    pub up: Vec<u8>,
    /// For the browser.
    pub down: Vec<u8>,
}

/// The relay of one session.
pub struct Relay<'r, B: AsyncRead + AsyncWrite + Unpin, H> {
    browser: &'r mut WebSocket<B>,
    host: H,
    buffers: &'r Buffers,
    params: Params,
    traffic: &'r mut Traffic,
    /// A frame on its way to the browser.
    down: Option<Piece<'r>>,
    /// Payload on its way to the host.
    up: Option<Piece<'r>>,
    /// Whether the browser's stream holds written bytes back.
    unflushed: bool,
    /// Why nothing more comes from the host.
    host_end: Option<End>,
    /// Why the host takes nothing more, while there may still be something to read from it.
    host_deaf: Option<End>,
    /// When data was last written to each leg.
    wrote_down: Instant,
    wrote_up: Instant,
    started: Instant,
    next_ping: Instant,
    /// What the ping in flight carries: microseconds since the start.
    pinged: Option<[u8; 8]>,
    timer: Pin<Box<Sleep>>,
}

/// Whether a step of the relay moved anything.
type Moved = bool;

impl<'r, B, H> Relay<'r, B, H>
where
    B: AsyncRead + AsyncWrite + Unpin,
    H: AsyncRead + AsyncWrite + Unpin,
{
    /// A relay between a browser that has its ServerInit and the host that sent it.
    pub fn new(
        browser: &'r mut WebSocket<B>,
        host: H,
        buffers: &'r Buffers,
        params: Params,
        traffic: &'r mut Traffic,
    ) -> Self {
        let now = Instant::now();
        Self {
            browser,
            host,
            buffers,
            params,
            traffic,
            down: None,
            up: None,
            unflushed: false,
            host_end: None,
            host_deaf: None,
            wrote_down: now,
            wrote_up: now,
            started: now,
            next_ping: now,
            pinged: None,
            timer: Box::pin(sleep_until(now)),
        }
    }

    /// Relays until one leg ends, everything that the other still has to get is written, and says
    /// why it ended.
    ///
    /// # Cancel safety
    /// When dropped, the browser's socket is at the border of a frame again: the rest of a half
    /// written one is in its queue.
    pub async fn run(mut self, first: FirstBytes) -> End {
        self.begin(&first);
        drop(first);
        let end = std::future::poll_fn(|cx| self.poll(cx)).await;
        if self.host_end.is_none() {
            self.part_from_host().await;
        }
        end
    }

    fn begin(&mut self, first: &FirstBytes) {
        if !first.down.is_empty() {
            self.traffic.down += first.down.len() as u64;
            self.down = Some(Piece::framing(self.buffers.take(), &first.down));
        }
        if !first.up.is_empty() {
            self.traffic.up += first.up.len() as u64;
            self.up = Some(Piece::holding(self.buffers.take(), &first.up));
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            let mut moved = self.read_host(cx);
            match self.write_browser(cx) {
                Ok(wrote) => moved |= wrote,
                Err(_) => return Poll::Ready(End::plain(Reason::BrowserLost)),
            }
            moved |= self.read_browser(cx);
            moved |= self.write_host(cx);
            if let Some(end) = self.finished() {
                return Poll::Ready(end);
            }
            if !moved {
                return self.poll_clock(cx);
            }
        }
    }

    /// Over, once the leg that lives has got everything.
    fn finished(&self) -> Option<End> {
        if let Some(end) = self.browser.ended() {
            return (self.up.is_none() || self.host_end.is_some()).then(|| End::because(end));
        }
        let delivered = self.down.is_none() && !self.unflushed;
        self.host_end.clone().filter(|_| delivered)
    }

    fn read_host(&mut self, cx: &mut Context<'_>) -> Moved {
        if self.down.is_some() || self.host_end.is_some() || self.browser.ended().is_some() {
            return false;
        }
        let mut buffer = self.buffers.take();
        let (_, space) = buffer.split_at_mut(HEAD_ROOM);
        let mut read = ReadBuf::new(space);
        let read = match Pin::new(&mut self.host).poll_read(cx, &mut read) {
            Poll::Pending => {
                self.host_end = self.host_deaf.take();
                return self.host_end.is_some();
            }
            Poll::Ready(Ok(())) => read.filled().len(),
            Poll::Ready(Err(error)) => {
                self.host_end = Some(host_end(&error));
                return true;
            }
        };
        if read == 0 {
            self.host_end = Some(End::plain(Reason::HostClosed));
            return true;
        }
        let at = ws::head(&mut buffer, HEAD_ROOM, read, Opcode::Binary);
        self.down = Some(Piece::of(buffer, at..HEAD_ROOM + read));
        self.traffic.down += read as u64;
        true
    }

    fn write_browser(&mut self, cx: &mut Context<'_>) -> std::io::Result<Moved> {
        let inside_frame = self.down.as_ref().is_some_and(|piece| piece.has_begun());
        if !inside_frame
            && self.browser.has_queued()
            && self.browser.poll_send_queued(cx)?.is_pending()
        {
            return Ok(false);
        }
        let mut moved = false;
        if let Some(piece) = &mut self.down
            && let Poll::Ready(wrote) = piece.poll_write(self.browser.stream(), cx)
        {
            wrote?;
            moved = true;
            self.unflushed = true;
            self.wrote_down = Instant::now();
            if piece.is_empty() {
                self.down = None;
            }
        }
        if self.unflushed && Pin::new(self.browser.stream()).poll_flush(cx)?.is_ready() {
            self.unflushed = false;
        }
        Ok(moved)
    }

    fn read_browser(&mut self, cx: &mut Context<'_>) -> Moved {
        if self.up.is_some() || self.browser.ended().is_some() {
            return false;
        }
        let mut buffer = self.buffers.take();
        let received = self.browser.poll_receive(cx, &mut buffer);
        self.note_round_trip();
        match received {
            // What was read may have been a ping alone, which wants its answer now.
            Poll::Pending => {
                self.down.is_none() && self.browser.has_queued() && {
                    self.browser.poll_send_queued(cx).is_ready()
                }
            }
            Poll::Ready(Ok(read)) => {
                self.traffic.up += read as u64;
                self.up = Some(Piece::of(buffer, 0..read));
                true
            }
            Poll::Ready(Err(_)) => true,
        }
    }

    fn write_host(&mut self, cx: &mut Context<'_>) -> Moved {
        let Some(piece) = &mut self.up else {
            return false;
        };
        match piece.poll_write(&mut self.host, cx) {
            Poll::Pending => false,
            Poll::Ready(Ok(())) => {
                self.wrote_up = Instant::now();
                if piece.is_empty() {
                    self.up = None;
                }
                true
            }
            Poll::Ready(Err(error)) => {
                self.up = None;
                self.host_deaf = Some(host_end(&error));
                true
            }
        }
    }

    /// A pong carries the time at which its ping left. Pongs that nobody asked for are no measure.
    fn note_round_trip(&mut self) {
        let pong = self.browser.take_pong();
        let Some(sent) = self
            .pinged
            .take_if(|sent| pong.is_some_and(|pong| *pong == sent[..]))
        else {
            return;
        };
        let sent = Duration::from_micros(u64::from_be_bytes(sent));
        let trip = self.started.elapsed().saturating_sub(sent);
        if self.params.tell_round_trips {
            let ms = u64::try_from(trip.as_millis()).unwrap_or(u64::MAX);
            self.browser
                .queue(Opcode::Text, PageMessage::Rtt { ms }.to_json().as_bytes());
        }
    }

    /// Pings that are due, and peers that are dead.
    fn poll_clock(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        while self.timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            // A ping that the kernel takes is no sign of life; an answer or taken data is.
            let browser_dead = self.browser.heard().max(self.wrote_down) + self.params.dead_after;
            if now >= browser_dead {
                return Poll::Ready(End::plain(Reason::BrowserLost));
            }
            let host_dead = self
                .up
                .is_some()
                .then(|| self.wrote_up + self.params.dead_after);
            if host_dead.is_some_and(|dead| now >= dead) {
                return Poll::Ready(End::plain(Reason::HostLost));
            }
            if now >= self.next_ping {
                self.next_ping = now + self.params.ping_interval;
                if !self.browser.has_queued() {
                    let sent = u64::try_from(self.started.elapsed().as_micros());
                    self.browser
                        .queue(Opcode::Ping, &sent.unwrap_or(u64::MAX).to_be_bytes());
                    if self.write_browser(cx).is_err() {
                        return Poll::Ready(End::plain(Reason::BrowserLost));
                    }
                }
            }
            let next = browser_dead
                .min(self.next_ping)
                .min(host_dead.unwrap_or(browser_dead));
            self.timer.as_mut().reset(next);
        }
        Poll::Pending
    }

    /// Lets the host take what it was sent: closing with bytes of its own unread would make the
    /// kernel reset the connection and throw both away.
    async fn part_from_host(&mut self) {
        let mut rest = [0; 2048];
        let _ = timeout(PARTING, async {
            self.host.shutdown().await?;
            while self.host.read(&mut rest).await? > 0 {}
            std::io::Result::Ok(())
        })
        .await;
    }
}

impl<B: AsyncRead + AsyncWrite + Unpin, H> Drop for Relay<'_, B, H> {
    fn drop(&mut self) {
        if let Some(piece) = &self.down {
            self.browser.queue_first(piece.rest());
        }
    }
}

/// A connection that the kernel gave up is lost; any other error is the host's way of closing.
fn host_end(error: &std::io::Error) -> End {
    let lost = matches!(
        error.kind(),
        std::io::ErrorKind::TimedOut
            | std::io::ErrorKind::HostUnreachable
            | std::io::ErrorKind::NetworkUnreachable
    );
    let reason = if lost {
        Reason::HostLost
    } else {
        Reason::HostClosed
    };
    End {
        detail: error.to_string(),
        ..End::plain(reason)
    }
}
