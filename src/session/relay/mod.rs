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

mod pulse;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, timeout};

use crate::buffers::Buffers;
use crate::reason::Reason;
use crate::session::end::End;
use crate::session::page_message::PageMessage;
use crate::session::piece::Piece;
use crate::session::relay::pulse::Pulse;
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
    /// Whether a leg's stream holds written bytes back, as TLS does.
    down_unflushed: bool,
    up_unflushed: bool,
    /// Why nothing more comes from the host.
    host_end: Option<End>,
    /// Why the host takes nothing more, while there may still be something to read from it.
    host_deaf: Option<End>,
    /// The same of the browser, whose last words may be a close frame.
    browser_deaf: bool,
    /// Whether a deaf browser has been read to its end.
    browser_gone: bool,
    /// When the browser last took data.
    wrote_down: Instant,
    /// When the host last took data, or was given some after it had taken all.
    wrote_up: Instant,
    pulse: Pulse,
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
            down_unflushed: false,
            up_unflushed: false,
            host_end: None,
            host_deaf: None,
            browser_deaf: false,
            browser_gone: false,
            wrote_down: now,
            wrote_up: now,
            pulse: Pulse::new(params.ping_interval),
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
        // The clock is read first, since legs that are always ready use up what the runtime lets a
        // task do in one go; and judged by last, since what lies in the sockets after a pause of
        // the whole process is a sign of life.
        let rang = self.pulse.poll_rang(cx);
        if let Some(end) = self.exchange(cx) {
            return Poll::Ready(end);
        }
        if rang {
            if let Some(end) = self.beat() {
                return Poll::Ready(end);
            }
            // Once more, to write the ping and to listen to the timer.
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Moves bytes until none can be moved.
    fn exchange(&mut self, cx: &mut Context<'_>) -> Option<End> {
        loop {
            let mut moved = self.read_host(cx);
            moved |= self.write_browser(cx).unwrap_or_else(|_| {
                self.browser_deaf = true;
                self.down = None;
                true
            });
            moved |= self.read_browser(cx);
            moved |= self.write_host(cx);
            let end = self.finished();
            if end.is_some() || !moved {
                return end;
            }
        }
    }

    /// Over, once the leg that lives has got everything.
    fn finished(&self) -> Option<End> {
        let ended = self.browser.ended().map(End::because);
        let lost = self.browser_gone.then(|| End::plain(Reason::BrowserLost));
        if let Some(end) = ended.or(lost) {
            let delivered = self.up.is_none() && !self.up_unflushed;
            return (delivered || self.host_end.is_some()).then_some(end);
        }
        let delivered = self.down.is_none() && !self.down_unflushed;
        self.host_end.clone().filter(|_| delivered)
    }

    fn read_host(&mut self, cx: &mut Context<'_>) -> Moved {
        let browser_over = self.browser_deaf || self.browser.ended().is_some();
        if self.down.is_some() || self.host_end.is_some() || browser_over {
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
                self.host_end = Some(End::of_host(&error));
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
        if self.browser_deaf {
            return Ok(false);
        }
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
            self.down_unflushed = true;
            self.wrote_down = Instant::now();
            if piece.is_empty() {
                self.down = None;
            }
        }
        if self.down_unflushed && Pin::new(self.browser.stream()).poll_flush(cx)?.is_ready() {
            self.down_unflushed = false;
        }
        Ok(moved)
    }

    fn read_browser(&mut self, cx: &mut Context<'_>) -> Moved {
        if self.up.is_some() || self.browser_gone || self.browser.ended().is_some() {
            return false;
        }
        let mut buffer = self.buffers.take();
        let received = self.browser.poll_receive(cx, &mut buffer);
        self.note_round_trip();
        match received {
            Poll::Pending if self.browser_deaf => {
                self.browser_gone = true;
                true
            }
            // What was read may have been a ping alone, which wants its answer now. Should that
            // fail, so does the next write.
            Poll::Pending => {
                self.down.is_none() && self.browser.has_queued() && {
                    let sent = self.browser.poll_send_queued(cx);
                    matches!(sent, Poll::Ready(Err(_)))
                }
            }
            Poll::Ready(Ok(read)) => {
                self.traffic.up += read as u64;
                self.up = Some(Piece::of(buffer, 0..read));
                self.wrote_up = Instant::now();
                true
            }
            Poll::Ready(Err(_)) => true,
        }
    }

    fn write_host(&mut self, cx: &mut Context<'_>) -> Moved {
        let mut moved = false;
        if let Some(piece) = &mut self.up
            && let Poll::Ready(wrote) = piece.poll_write(&mut self.host, cx)
        {
            moved = true;
            self.wrote_up = Instant::now();
            self.up_unflushed = true;
            if wrote.is_err() || piece.is_empty() {
                self.up = None;
            }
            if let Err(error) = wrote {
                self.deafen(&error);
            }
        }
        if self.up_unflushed
            && let Poll::Ready(flushed) = Pin::new(&mut self.host).poll_flush(cx)
        {
            self.up_unflushed = false;
            if let Err(error) = flushed {
                self.deafen(&error);
                moved = true;
            }
        }
        moved
    }

    /// The host takes nothing more; what it sent before is still read.
    fn deafen(&mut self, error: &std::io::Error) {
        self.up_unflushed = false;
        self.host_deaf = Some(End::of_host(error));
    }

    fn note_round_trip(&mut self) {
        let pong = self.browser.take_pong();
        let trip = pong.and_then(|pong| self.pulse.round_trip(&pong));
        if let Some(trip) = trip.filter(|_| self.params.tell_round_trips) {
            let ms = u64::try_from(trip.as_millis()).unwrap_or(u64::MAX);
            let message = PageMessage::Rtt { ms }.to_json();
            self.browser.queue(Opcode::Text, message.as_bytes());
        }
    }

    /// Ends when a leg is dead, and pings when that is due.
    fn beat(&mut self) -> Option<End> {
        let now = Instant::now();
        let (dead, reason) = self.next_death();
        if now >= dead {
            return Some(End::plain(reason));
        }
        // None while the one before has not even left.
        if self.pulse.is_due(now) && !self.browser.has_queued() {
            let ping = self.pulse.ping();
            self.browser.queue(Opcode::Ping, &ping);
        }
        self.pulse.set(dead);
        None
    }

    /// When which leg will be dead, if nothing comes in between.
    ///
    /// While the host has to take what the browser sent, the browser is not read from, and its
    /// silence means nothing.
    fn next_death(&self) -> (Instant, Reason) {
        let (life, reason) = if self.up.is_some() {
            (self.wrote_up, Reason::HostLost)
        } else {
            // A ping that the kernel takes is no sign of life; an answer or taken data is.
            let heard = self.browser.heard().max(self.wrote_up);
            (heard.max(self.wrote_down), Reason::BrowserLost)
        };
        (life + self.params.dead_after, reason)
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
    /// Only a frame that was begun has to be finished. One that was not may stand behind a half
    /// written one of our own, and the host's last words are cut off somewhere anyway.
    fn drop(&mut self) {
        if let Some(piece) = self.down.as_ref().filter(|piece| piece.has_begun()) {
            self.browser.queue_first(piece.rest());
        }
    }
}

#[cfg(test)]
mod tests;
