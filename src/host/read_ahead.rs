//! A stream of which something has been read already.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that is read from its first byte on, though some bytes were taken out of it before.
#[derive(Debug)]
pub(super) struct ReadAhead<S> {
    ahead: Bytes,
    stream: S,
}

impl<S> ReadAhead<S> {
    /// `ahead` are the bytes that were read before `stream` goes on.
    pub(super) const fn new(ahead: Bytes, stream: S) -> Self {
        Self { ahead, stream }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ReadAhead<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ahead.is_empty() {
            return Pin::new(&mut this.stream).poll_read(cx, buf);
        }
        let front = this
            .ahead
            .split_to(this.ahead.remaining().min(buf.remaining()));
        buf.put_slice(&front);
        if this.ahead.is_empty() {
            // An empty slice would keep its allocation alive.
            this.ahead = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ReadAhead<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn what_was_read_before_comes_first_and_writing_is_untouched() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        theirs.write_all(b"def").await.unwrap();
        let mut stream = ReadAhead::new(Bytes::from_static(b"abc"), ours);
        stream.write_all(b"up").await.unwrap();
        let mut two = [0; 2];
        theirs.read_exact(&mut two).await.unwrap();
        assert_eq!(two, *b"up");
        stream.read_exact(&mut two).await.unwrap();
        assert_eq!(two, *b"ab");
        drop(theirs);
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"cdef");
    }
}
