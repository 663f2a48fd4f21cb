//! Frames on their way out of a WebSocket, whichever side of it we are.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use crate::ws::{Control, Opcode};

/// How a whole frame is appended to others: a client masks what a server does not.
pub type Framing = fn(Opcode, &[u8], &mut Vec<u8>);

/// Whole frames that wait to be written, less what was, and the answer that a ping waits for.
#[derive(Debug)]
pub struct FrameQueue {
    framing: Framing,
    bytes: Vec<u8>,
    /// Whether the stream may hold back bytes of frames that left the queue, as TLS does.
    unflushed: bool,
    /// The newest ping that was not answered yet; older ones need no answer (RFC 6455, 5.5.3).
    /// Boxed, as hardly ever there.
    ping: Option<Box<Control>>,
}

impl FrameQueue {
    /// An empty queue, which holds no buffer.
    #[must_use]
    pub const fn new(framing: Framing) -> Self {
        Self {
            framing,
            bytes: Vec::new(),
            unflushed: false,
            ping: None,
        }
    }

    /// Puts a whole frame at the end. Its length is in nobody's hands but ours.
    pub fn push(&mut self, opcode: Opcode, payload: &[u8]) {
        (self.framing)(opcode, payload, &mut self.bytes);
    }

    /// Puts the rest of a frame that was begun by other means in front.
    pub fn push_first(&mut self, rest: &[u8]) {
        self.bytes.splice(..0, rest.iter().copied());
    }

    /// Has a ping answered, in place of one before it.
    pub fn answer(&mut self, ping: Control) {
        self.ping = Some(Box::new(ping));
    }

    /// The ping that was to be answered, and is not now.
    pub const fn take_ping(&mut self) -> Option<Box<Control>> {
        self.ping.take()
    }

    /// Whether frames wait to be written or flushed.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        !self.bytes.is_empty() || self.ping.is_some() || self.unflushed
    }

    /// Writes everything and what answers a ping, and flushes.
    ///
    /// # Errors
    /// The stream's, and `WriteZero` when it takes nothing.
    pub fn poll_send<S>(&mut self, stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>>
    where
        S: AsyncWrite + Unpin,
    {
        loop {
            if let Some(ping) = self.ping.take_if(|_| self.bytes.is_empty()) {
                self.push(Opcode::Pong, &ping);
            }
            if self.bytes.is_empty() {
                if self.unflushed {
                    ready!(Pin::new(stream).poll_flush(cx))?;
                    self.unflushed = false;
                }
                return Poll::Ready(Ok(()));
            }
            let written = ready!(Pin::new(&mut *stream).poll_write(cx, &self.bytes))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unflushed = true;
            self.bytes.drain(..written);
            if self.bytes.is_empty() {
                // A session at rest holds no buffer.
                self.bytes = Vec::new();
            }
        }
    }

    /// Takes a binary message when everything before it has left.
    ///
    /// # Errors
    /// As [`Self::poll_send`].
    pub fn poll_message<S>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
        message: &[u8],
    ) -> Poll<io::Result<usize>>
    where
        S: AsyncWrite + Unpin,
    {
        ready!(self.poll_send(stream, cx))?;
        self.push(Opcode::Binary, message);
        // The bytes are ours now; that they do not leave at once is the flush's matter.
        match self.poll_send(stream, cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(message.len())),
        }
    }
}
