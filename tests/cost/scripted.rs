//! Streams that always have something to give, or never, and take all that they are given.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How often a stream was asked, and how much went through it.
#[derive(Debug, Default)]
pub struct Calls {
    /// Reads that brought something.
    pub reads: Cell<usize>,
    /// Reads for which there was nothing.
    pub in_vain: Cell<usize>,
    /// Writes.
    pub writes: Cell<usize>,
    /// Bytes that were written.
    pub written: Cell<usize>,
}

/// One end of a relay.
pub struct Scripted {
    /// What is read, over and over.
    cycle: Vec<u8>,
    at: usize,
    /// How many bytes are still to be read before the stream ends; `None` when none ever come.
    left: Option<usize>,
    calls: Rc<Calls>,
}

impl Scripted {
    /// A peer that says nothing and stays.
    pub fn silent() -> (Self, Rc<Calls>) {
        Self::of(Vec::new(), None)
    }

    /// A peer that says `times` times `cycle` as fast as it is read, and leaves.
    pub fn saying(cycle: Vec<u8>, times: usize) -> (Self, Rc<Calls>) {
        let left = cycle.len() * times;
        Self::of(cycle, Some(left))
    }

    fn of(cycle: Vec<u8>, left: Option<usize>) -> (Self, Rc<Calls>) {
        let calls = Rc::new(Calls::default());
        let stream = Self {
            cycle,
            at: 0,
            left,
            calls: Rc::clone(&calls),
        };
        (stream, calls)
    }
}

impl AsyncRead for Scripted {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let Some(left) = &mut this.left else {
            this.calls.in_vain.set(this.calls.in_vain.get() + 1);
            return Poll::Pending;
        };
        if *left > 0 {
            this.calls.reads.set(this.calls.reads.get() + 1);
        }
        while *left > 0 && buf.remaining() > 0 {
            let rest = &this.cycle[this.at..];
            let len = rest.len().min(buf.remaining()).min(*left);
            buf.put_slice(&rest[..len]);
            this.at = (this.at + len) % this.cycle.len();
            *left -= len;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Scripted {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.calls.writes.set(self.calls.writes.get() + 1);
        self.calls.written.set(self.calls.written.get() + buf.len());
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
