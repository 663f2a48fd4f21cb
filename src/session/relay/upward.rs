//! From the browser to the host: unmasked in place, through the gate, written as it arrives.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::SystemTime;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::ahead::Ahead;
use super::inbox::{Heard, MAX_WAITING, Order};
use super::{Look, Moved, Relay};
use crate::buffers::Buffer;
use crate::clock::UnixTime;
use crate::reason::Reason;
use crate::rfb::gate::ROOM;
use crate::rfb::permissions::Permissions;
use crate::session::end::End;
use crate::session::page_message::PageMessage;
use crate::session::piece::Piece;

impl<'r, B, H> Relay<'r, B, H>
where
    B: AsyncRead + AsyncWrite + Unpin,
    H: AsyncRead + AsyncWrite + Unpin,
{
    pub(super) fn read_browser(&mut self, cx: &mut Context<'_>, look: &mut Look<'r>) -> Moved {
        let over = self.browser.ended().is_some() || self.misuse.is_some();
        if self.has_up() || self.browser_gone || over {
            return false;
        }
        if look.browser_is_dry && !self.browser_deaf {
            return self.answer_ping(cx);
        }
        let mut buffer = look.spare.take().unwrap_or_else(|| self.buffers.take());
        let (_, space) = buffer.split_at_mut(ROOM);
        let received = self.browser.poll_receive(cx, space);
        self.note_round_trip();
        match received {
            Poll::Pending if self.browser_deaf => {
                self.browser_gone = true;
                true
            }
            Poll::Pending => {
                look.spare = Some(buffer);
                look.browser_is_dry = true;
                self.answer_ping(cx)
            }
            Poll::Ready(Ok(read)) => {
                self.pass(buffer, read);
                true
            }
            Poll::Ready(Err(_)) => true,
        }
    }

    /// What was read may have been a ping alone, which wants its answer now. Should that fail, so does the
    /// next write; and the host may have been waiting for its turn.
    fn answer_ping(&mut self, cx: &mut Context<'_>) -> Moved {
        self.down.is_none()
            && self.browser.has_queued()
            && self.browser.poll_send_queued(cx).is_ready()
    }

    /// Takes what the browser sent, [`ROOM`] bytes behind the front of the buffer, through the gate.
    pub(super) fn pass(&mut self, mut buffer: Buffer<'r>, received: usize) {
        let ahead = self.ahead.bytes();
        let host = self.host_gate.as_deref_mut();
        let (range, outcome) = self.gate.pass(&mut buffer, received, ahead, host);
        self.traffic.add_up(ahead.len() + range.len());
        if !range.is_empty() {
            self.up = Some(Piece::of(buffer, range));
        }
        let now = Instant::now();
        if self.has_up() {
            self.wrote_up = now;
        }
        if self.gate.take_activity() {
            self.traffic.acted(UnixTime::from(SystemTime::now()));
            if self.limits.note_activity(now) {
                self.tell_page(&PageMessage::IdleOver);
            }
        }
        if let Err(misuse) = outcome {
            let end = End::detailed(Reason::BrowserProtocol, &misuse);
            self.misuse = Some(Box::new(end));
        }
    }

    /// Whether something is on its way to the host.
    pub(super) const fn has_up(&self) -> bool {
        self.up.is_some() || !self.ahead.is_empty()
    }

    /// Takes what others say, and says whether that is the end.
    pub(super) fn hear(&mut self, cx: &Context<'_>) -> Option<End> {
        while let Some(inbox) = &mut self.inbox {
            match inbox.poll_take(cx) {
                Poll::Pending => break,
                Poll::Ready(Heard::End(sentence)) => return Some(End::sentenced(sentence)),
                Poll::Ready(Heard::Draining(notice)) => self.tell_page(&notice.message()),
                Poll::Ready(Heard::Order(Order::Permit(permit))) => self.permit(permit.permissions),
                // A browser that keeps a message open keeps these waiting; somebody who cannot see
                // them done need not press them more often.
                Poll::Ready(Heard::Order(Order::Press(chord))) => {
                    if self.chords.len() < MAX_WAITING {
                        self.chords.push(chord);
                    }
                }
            }
        }
        None
    }

    /// Carries orders out where the host is at the border of a message.
    pub(super) fn carry_out_orders(&mut self) -> Moved {
        let gate = self.host_gate.as_ref();
        let owes_update = gate.is_some_and(|gate| gate.owes_update());
        let waiting = self.unsettled || owes_update || !self.chords.is_empty();
        if !waiting || self.has_up() || self.gate.owed() > 0 || self.host_deaf.is_some() {
            return false;
        }
        let ahead = self.ahead.bytes();
        if std::mem::take(&mut self.unsettled) {
            self.gate.settle(ahead, self.host_gate.as_deref_mut());
        }
        for chord in std::mem::take(&mut self.chords) {
            self.gate.press(&chord, self.host_gate.as_deref(), ahead);
        }
        if owes_update && let Some(gate) = &mut self.host_gate {
            gate.request_update(ahead);
        }
        let any = !self.ahead.is_empty();
        if any {
            self.wrote_up = Instant::now();
        }
        any
    }

    /// Other permissions, from the next message on.
    fn permit(&mut self, permissions: Permissions) {
        self.gate.permit(permissions);
        self.unsettled = true;
        if self.permit_host(permissions) {
            self.tell_page(&PageMessage::permissions(permissions));
        } else {
            self.outgrown = true;
        }
    }

    pub(super) fn write_host(&mut self, cx: &mut Context<'_>, look: &mut Look<'r>) -> Moved {
        let mut moved = false;
        let wrote = if !self.ahead.is_empty() {
            self.ahead.poll_write(&mut self.host, cx)
        } else if let Some(piece) = &mut self.up {
            let wrote = piece.poll_write(&mut self.host, cx);
            if piece.is_empty() {
                look.spare = self.up.take().map(Piece::into_buffer);
            }
            wrote
        } else {
            Poll::Pending
        };
        if let Poll::Ready(wrote) = wrote {
            moved = true;
            self.wrote_up = Instant::now();
            self.up_unflushed = true;
            if let Err(error) = wrote {
                self.up = None;
                self.ahead = Ahead::default();
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
        self.host_deaf = Some(Box::new(End::of_host(error)));
    }
}
