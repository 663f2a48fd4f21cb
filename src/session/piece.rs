//! A part of a borrowed buffer on its way to a leg.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use crate::buffers::Buffer;

/// Bytes that are being written, and the buffer they lie in.
#[derive(Debug)]
pub(super) struct Piece<'p> {
    buffer: Buffer<'p>,
    rest: Range<usize>,
    begun: bool,
}

impl<'p> Piece<'p> {
    /// What lies at `range` of a buffer.
    pub(super) const fn of(buffer: Buffer<'p>, range: Range<usize>) -> Self {
        Self {
            buffer,
            rest: range,
            begun: false,
        }
    }

    /// The buffer, when nothing in it is needed any more.
    pub(super) fn into_buffer(self) -> Buffer<'p> {
        self.buffer
    }

    /// Whether everything was written.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether something was written: then the rest has to follow before anything else.
    pub(super) const fn has_begun(&self) -> bool {
        self.begun
    }

    /// What was not written yet.
    pub(super) fn rest(&self) -> &[u8] {
        self.buffer.get(self.rest.clone()).unwrap_or_default()
    }

    /// Writes as much as the stream takes at once.
    pub(super) fn poll_write(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let wrote = ready!(Pin::new(stream).poll_write(cx, self.rest()))?;
        if wrote == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.rest.start += wrote;
        self.begun = true;
        Poll::Ready(Ok(()))
    }
}
