//! Bytes of our own for the host, which go before what the browser sends next.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

/// A queue that has no memory while it is empty.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    bytes: Vec<u8>,
    written: usize,
}

impl Ahead {
    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Where to append to.
    pub(super) const fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// What was not written yet.
    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.written..).unwrap_or_default()
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
        self.written += wrote;
        if self.rest().is_empty() {
            *self = Self::default();
        }
        Poll::Ready(Ok(()))
    }
}
