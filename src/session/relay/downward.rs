//! From the host to the browser: read behind head-room, framed in place, written at once.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::{Look, Moved, Relay};
use crate::buffers::Buffer;
use crate::reason::Reason;
use crate::session::end::End;
use crate::session::page_message::PageMessage;
use crate::session::piece::Piece;
use crate::ws::{self, HEAD_ROOM, Opcode};

/// The type of the message that brings pictures ([RFC 6143, 7.6.1]). Until one has come, whatever
/// begins like it is taken for it: a piece of something else that does would only come earlier.
///
/// [RFC 6143, 7.6.1]: https://www.rfc-editor.org/rfc/rfc6143#section-7.6.1
const FRAMEBUFFER_UPDATE: u8 = 0;

impl<'r, B, H> Relay<'r, B, H>
where
    B: AsyncRead + AsyncWrite + Unpin,
    H: AsyncRead + AsyncWrite + Unpin,
{
    pub(super) fn read_host(&mut self, cx: &mut Context<'_>, look: &mut Look<'r>) -> Moved {
        let browser_over = self.browser_deaf || self.browser.ended().is_some();
        if self.down.is_some() || self.host_end.is_some() || browser_over || self.speaks_first() {
            return false;
        }
        // A host may take nothing before it is read from, and a browser that waits for the host is not
        // read from: its answer would never come.
        let budget = if self.has_up() {
            usize::MAX
        } else {
            self.budget()
        };
        if budget == 0 {
            return false;
        }
        if look.host_is_dry && self.host_deaf.is_none() {
            return false;
        }
        let mut buffer = look.spare.take().unwrap_or_else(|| self.buffers.take());
        let (_, space) = buffer.split_at_mut(self.room());
        let (space, _) = space.split_at_mut(budget.min(space.len()));
        let mut read = ReadBuf::new(space);
        let read = match Pin::new(&mut self.host).poll_read(cx, &mut read) {
            Poll::Pending => {
                look.spare = Some(buffer);
                look.host_is_dry = true;
                self.host_end = self.host_deaf.take();
                return self.host_end.is_some();
            }
            Poll::Ready(Ok(())) => read.filled().len(),
            Poll::Ready(Err(error)) => {
                self.host_end = Some(Box::new(End::of_host(&error)));
                return true;
            }
        };
        if read == 0 {
            self.host_end = Some(Box::new(End::plain(Reason::HostClosed)));
            return true;
        }
        self.show(buffer, read);
        true
    }

    /// Takes what the host sent, `received` bytes behind the [room](Self::room) in front of them.
    pub(super) fn show(&mut self, mut buffer: Buffer<'r>, received: usize) {
        let range = match self.host_gate {
            None => HEAD_ROOM..HEAD_ROOM + received,
            Some(_) => self.judge(&mut buffer, received),
        };
        if range.is_empty() {
            return;
        }
        if self.awaits_frame && buffer.get(range.start) == Some(&FRAMEBUFFER_UPDATE) {
            self.awaits_frame = false;
            self.traffic.framed();
        }
        let at = ws::head(&mut buffer, range.start, range.len(), Opcode::Binary);
        self.traffic.add_down(range.len());
        self.down = Some(Piece::of(buffer, at..range.end));
    }

    pub(super) fn write_browser(
        &mut self,
        cx: &mut Context<'_>,
        look: &mut Look<'r>,
    ) -> std::io::Result<Moved> {
        if self.browser_deaf {
            return Ok(false);
        }
        let inside_frame = self.down.as_ref().is_some_and(|piece| piece.has_begun());
        let mut moved = false;
        if !inside_frame && self.browser.has_queued() {
            if self.browser.poll_send_queued(cx)?.is_pending() {
                return Ok(false);
            }
            moved = true;
        }
        if let Some(piece) = &mut self.down
            && let Poll::Ready(wrote) = piece.poll_write(self.browser.stream(), cx)
        {
            wrote?;
            moved = true;
            self.down_unflushed = true;
            self.wrote_down = Instant::now();
            if piece.is_empty() {
                look.spare = self.down.take().map(Piece::into_buffer);
            }
        }
        if self.down_unflushed && Pin::new(self.browser.stream()).poll_flush(cx)?.is_ready() {
            self.down_unflushed = false;
        }
        Ok(moved)
    }

    pub(super) fn note_round_trip(&mut self) {
        let pong = self.browser.take_pong();
        let trip = pong.and_then(|pong| self.pulse.round_trip(&pong));
        if let Some(trip) = trip {
            if let Some(gate) = &mut self.host_gate {
                gate.note_round_trip(trip);
            }
            self.traffic.answered(trip);
            let ms = u64::try_from(trip.as_millis()).unwrap_or(u64::MAX);
            self.tell_page(&PageMessage::Rtt { ms });
        }
    }

    /// Tells the page around the viewer, if there is one.
    pub(super) fn tell_page(&mut self, message: &PageMessage<'_>) {
        if self.params.tell_page {
            self.browser
                .queue(Opcode::Text, message.to_json().as_bytes());
        }
    }
}
