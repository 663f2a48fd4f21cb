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
//!
//! What the browser sends goes through the [`Gate`]: it tells messages apart, so that the relay knows
//! whether anybody is there, can put messages of its own between them, and leaves no key down at a
//! host that it parts from. What the host says is not looked at, unless a permission or the pacing of
//! updates needs that: then it goes through the [`HostGate`].

mod ahead;
mod downward;
pub mod inbox;
mod judged;
mod limits;
mod parting;
mod pulse;
mod traffic;
mod upward;

pub use pulse::Pings;
pub use traffic::Traffic;

use std::future::{Future, poll_fn};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::buffers::{Buffer, Buffers};
use crate::reason::Reason;
use crate::rfb::chord::Chord;
use crate::rfb::gate::{Gate, ROOM};
use crate::rfb::host_gate::HostGate;
use crate::rfb::permissions::Permissions;
use crate::session::end::End;
use crate::session::page_message::PageMessage;
use crate::session::piece::Piece;
use crate::session::relay::ahead::Ahead;
use crate::session::relay::inbox::Receiver;
use crate::session::relay::limits::Limits;
use crate::session::relay::pulse::Pulse;
use crate::websocket::WebSocket;
use crate::ws::Opcode;

/// How a relay keeps its legs alive, and what it lets happen.
#[derive(Clone, Copy, Debug)]
pub struct Params {
    /// When the browser is pinged.
    pub pings: Pings,
    /// After so long without a byte and without progress in writing a peer is dead.
    pub dead_after: Duration,
    /// Whether the browser is a page that takes messages: how long its pings took, that nobody
    /// seems to be there, what may be done.
    pub tell_page: bool,
    /// What the viewer may do.
    pub permissions: Permissions,
    /// How long the person may do nothing.
    pub idle_max: Duration,
    /// How long the relay may last.
    pub session_max: Duration,
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
    traffic: &'r Traffic,
    /// A frame on its way to the browser.
    down: Option<Piece<'r>>,
    /// Payload on its way to the host.
    up: Option<Piece<'r>>,
    /// What goes before it. While there is any, none of the payload has gone.
    ahead: Ahead,
    gate: Gate,
    /// For the other direction, where it is looked at.
    host_gate: Option<Box<HostGate>>,
    /// How the browser broke the protocol.
    misuse: Option<Box<End>>,
    inbox: Option<Receiver>,
    /// Whether no picture has come yet.
    awaits_frame: bool,
    /// Whether there are permissions that these legs cannot put into practice.
    outgrown: bool,
    /// Whether the host does not know yet of a change of permissions.
    unsettled: bool,
    /// Keys to be pressed.
    chords: Vec<Chord>,
    /// Whether a leg's stream holds written bytes back, as TLS does.
    down_unflushed: bool,
    up_unflushed: bool,
    /// Why nothing more comes from the host.
    host_end: Option<Box<End>>,
    /// Whether it is there all the same, and broke the protocol.
    host_broke: bool,
    /// Why the host takes nothing more, while there may still be something to read from it.
    host_deaf: Option<Box<End>>,
    /// The same of the browser, whose last words may be a close frame.
    browser_deaf: bool,
    /// Whether a deaf browser has been read to its end.
    browser_gone: bool,
    /// When the browser last took data.
    wrote_down: Instant,
    /// When the host last took data, or was given some after it had taken all.
    wrote_up: Instant,
    pulse: Pulse,
    limits: Limits,
}

/// How many pieces a relay moves in each direction before the others of its thread have their turn: a key
/// that comes meanwhile waits for no more of each of them.
const ROUNDS: usize = 2;

/// Whether a step of the relay moved anything.
type Moved = bool;

/// What the relay has found out while it looks at its legs.
#[derive(Default)]
struct Look<'r> {
    /// A buffer with nothing in it, for the next attempt to read: most looks borrow one, whatever they
    /// move.
    spare: Option<Buffer<'r>>,
    /// Whether the host had nothing to say. It wakes the relay when it has, and is not asked before;
    /// unless it takes nothing more meanwhile: then what it answers to that is its last word.
    host_is_dry: bool,
    /// The same of the browser.
    browser_is_dry: bool,
}

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
        traffic: &'r Traffic,
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
            ahead: Ahead::default(),
            gate: Gate::new(params.permissions),
            host_gate: None,
            misuse: None,
            inbox: None,
            awaits_frame: true,
            outgrown: false,
            unsettled: false,
            chords: Vec::new(),
            down_unflushed: false,
            up_unflushed: false,
            host_end: None,
            host_broke: false,
            host_deaf: None,
            browser_deaf: false,
            browser_gone: false,
            wrote_down: now,
            wrote_up: now,
            pulse: Pulse::new(),
            limits: Limits::new(now, params.idle_max, params.session_max),
        }
    }

    /// The same, which lets through what this gate lets through of what the host says.
    #[must_use]
    pub fn judging(mut self, host_gate: Option<Box<HostGate>>) -> Self {
        self.host_gate = host_gate;
        self
    }

    /// The same, which hears while it runs what comes from outside.
    #[must_use]
    pub fn hearing(mut self, inbox: Receiver) -> Self {
        self.inbox = Some(inbox);
        self
    }

    /// Relays until one leg ends, everything that the other still has to get is written, and says
    /// why it ended; or until it hears that it is to end. No key stays down at a host that is still
    /// there.
    ///
    /// # Cancel safety
    /// When dropped, the browser's socket is at the border of a frame again: the rest of a half
    /// written one is in its queue. Keys stay down at the host then: [say](inbox::Sender::end) it.
    #[allow(
        clippy::manual_async_fn,
        reason = "an async fn keeps what it is given twice, and a relay is most of a session at rest"
    )]
    pub fn run(mut self, first: FirstBytes) -> impl Future<Output = End> {
        async move {
            self.begin(&first);
            drop(first);
            let end = poll_fn(|cx| self.poll(cx)).await;
            if self.host_end.is_none() || self.host_broke {
                Box::pin(self.part_from_host()).await;
            }
            end
        }
    }

    fn begin(&mut self, first: &FirstBytes) {
        if !first.down.is_empty() {
            let room = self.room();
            let (buffer, received) = self.holding(&first.down, room);
            self.show(buffer, received);
        }
        if !first.up.is_empty() {
            let (buffer, received) = self.holding(&first.up, ROOM);
            self.pass(buffer, received);
        }
    }

    /// A buffer with `bytes` in it, behind some room, and how many they are.
    fn holding(&self, bytes: &[u8], room: usize) -> (Buffer<'r>, usize) {
        let mut buffer = self.buffers.take();
        let (_, space) = buffer.split_at_mut(room);
        let len = bytes.len().min(space.len());
        for (space, byte) in space.iter_mut().zip(bytes) {
            *space = *byte;
        }
        (buffer, len)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        // The clock is read first, since legs that are always ready use up what the runtime lets a
        // task do in one go; and judged by last, since what lies in the sockets after a pause of
        // the whole process is a sign of life.
        let rang = self.pulse.poll_rang(cx);
        if let Some(gate) = &mut self.host_gate {
            gate.set_time(self.pulse.elapsed());
        }
        if let Some(end) = self.exchange(cx) {
            return Poll::Ready(end);
        }
        if rang {
            if let Some(end) = self.beat() {
                return Poll::Ready(end);
            }
            // Listened to from here on. Should it ring already, that is heard next time.
            if self.pulse.poll_rang(cx) {
                cx.waker().wake_by_ref();
            }
            // A ping leaves now: others that are pinged at this moment may come before our next turn.
            if let Some(end) = self.exchange(cx) {
                return Poll::Ready(end);
            }
        }
        Poll::Pending
    }

    /// Moves bytes until none can be moved, or others have to have their turn.
    fn exchange(&mut self, cx: &mut Context<'_>) -> Option<End> {
        let sentenced = self.hear(cx);
        let mut look = Look::default();
        for _ in 0..ROUNDS {
            let mut moved = self.read_host(cx, &mut look);
            moved |= self.write_browser(cx, &mut look).unwrap_or_else(|_| {
                self.browser_deaf = true;
                self.down = None;
                true
            });
            moved |= self.carry_out_orders();
            moved |= self.read_browser(cx, &mut look);
            moved |= self.write_host(cx, &mut look);
            let end = self.finished();
            if end.is_some() || !moved {
                return end.or(sentenced);
            }
        }
        cx.waker().wake_by_ref();
        sentenced
    }

    /// Over, once the leg that lives has got everything.
    fn finished(&self) -> Option<End> {
        if self.outgrown {
            return Some(End::plain(Reason::PermissionsChanged));
        }
        let ended = self.browser.ended().map(End::because);
        let ended = self.misuse.as_deref().cloned().or(ended);
        let lost = self.browser_gone.then(|| End::plain(Reason::BrowserLost));
        if let Some(end) = ended.or(lost) {
            let delivered = !self.has_up() && !self.up_unflushed;
            return (delivered || self.host_end.is_some()).then_some(end);
        }
        let delivered = self.down.is_none() && !self.down_unflushed;
        self.host_end.as_deref().filter(|_| delivered).cloned()
    }

    /// Ends when a leg is dead, and pings when that is due.
    fn beat(&mut self) -> Option<End> {
        let now = Instant::now();
        let (dead, reason) = self.next_death();
        if now >= dead {
            return Some(End::plain(reason));
        }
        if let Some(reason) = self.limits.over(now) {
            return Some(End::plain(reason));
        }
        if let Some(left) = self.limits.notice(now) {
            let seconds = (left + Duration::from_millis(500)).as_secs();
            self.tell_page(&PageMessage::IdleSoon { seconds });
        }
        // None while the one before has not even left.
        if self.pulse.is_due(now, self.params.pings) && !self.browser.has_queued() {
            let ping = self.pulse.ping();
            self.browser.queue(Opcode::Ping, &ping);
        }
        self.pulse.set(dead.min(self.limits.next()));
        None
    }

    /// When which leg will be dead, if nothing comes in between.
    ///
    /// While the host has to take what the browser sent, the browser is not read from, and its
    /// silence means nothing.
    fn next_death(&self) -> (Instant, Reason) {
        let (life, reason) = if self.has_up() {
            (self.wrote_up, Reason::HostLost)
        } else {
            // A ping that the kernel takes is no sign of life; an answer or taken data is.
            let heard = self.browser.heard().max(self.wrote_up);
            (heard.max(self.wrote_down), Reason::BrowserLost)
        };
        (life + self.params.dead_after, reason)
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
