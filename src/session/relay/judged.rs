//! What a host says, past the gate, where a permission or the pacing of updates needs that somebody
//! looks; and what the gateway says to the browser between two of its messages.
//!
//! The gate's own pieces are frames in the browser's queue, which go before the piece that is next. So
//! that they stay few and in order, the host is not read from while they wait.

use std::ops::Range;

use tokio::io::{AsyncRead, AsyncWrite};

use super::Relay;
use crate::buffers::Buffer;
use crate::reason::Reason;
use crate::rfb::host_gate::{HostGate, ROOM};
use crate::rfb::permissions::Permissions;
use crate::session::end::End;
use crate::ws::{HEAD_ROOM, Opcode};

impl<B, H> Relay<'_, B, H>
where
    B: AsyncRead + AsyncWrite + Unpin,
    H: AsyncRead + AsyncWrite + Unpin,
{
    /// How many bytes a buffer has free in front of what the host sends.
    pub(super) const fn room(&self) -> usize {
        match self.host_gate {
            None => HEAD_ROOM,
            Some(_) => HEAD_ROOM + ROOM,
        }
    }

    /// Lets what the host sent pass, as far as it may, and says where in the buffer that lies.
    pub(super) fn judge(&mut self, buffer: &mut Buffer<'_>, received: usize) -> Range<usize> {
        let Some(gate) = &mut self.host_gate else {
            return 0..0;
        };
        let (_, space) = buffer.split_at_mut(HEAD_ROOM);
        let mut ahead = Vec::new();
        let (range, outcome) = gate.pass(space, received, &mut ahead);
        self.traffic.set_paced(gate.is_paced());
        if let Err(violation) = outcome {
            self.host_broke = true;
            let end = End::detailed(Reason::HostProtocol, &violation);
            self.host_end = Some(Box::new(end));
        }
        self.say(&ahead);
        HEAD_ROOM + range.start..HEAD_ROOM + range.end
    }

    /// Whether the browser has to get something of our own before the host is read from. Here it is
    /// told what it was denied, and asked how far it is: everything that passed is written. And here
    /// a gate that is not needed is left out.
    pub(super) fn speaks_first(&mut self) -> bool {
        let Some(gate) = &mut self.host_gate else {
            return false;
        };
        if self.browser.has_queued() {
            return true;
        }
        if gate.is_idle() {
            self.host_gate = None;
            return false;
        }
        if !gate.is_between_messages() {
            return false;
        }
        let mut words = Vec::new();
        gate.speak(self.gate.take_denied(), &mut words);
        self.say(&words);
        !words.is_empty()
    }

    /// How many bytes may be read from the host now.
    pub(super) fn budget(&self) -> usize {
        let gate = self.host_gate.as_ref();
        gate.map_or(usize::MAX, |gate| gate.budget())
    }

    /// Puts RFB of our own before what the browser gets next.
    fn say(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.traffic.add_down(bytes.len());
            self.browser.queue(Opcode::Binary, bytes);
        }
    }

    /// Other permissions for what the host says; whether they can be put into practice. Nobody can
    /// begin to look at a stream in the middle of it.
    pub(super) fn permit_host(&mut self, permissions: Permissions) -> bool {
        match &mut self.host_gate {
            Some(gate) => gate.permit(permissions),
            None => !HostGate::is_needed(permissions),
        }
    }
}
