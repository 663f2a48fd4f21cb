//! The browser leg's WebSocket: the codec of `ws` over a byte stream.
//!
//! Bytes go in and out as binary messages; pings are answered, a close is remembered, and text
//! goes out to pages that asked for it. It can be read and written like any stream, which is what
//! the handshake does; the relay uses [`WebSocket::poll_receive`] and writes its frames itself.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, timeout};

use crate::frame_queue::FrameQueue;
use crate::reason::Reason;
use crate::ws::{
    CloseFrame, Control, DataKind, Decoder, Event, Opcode, Violation, ViolationKind, close_payload,
    frame,
};

/// How long the browser has to answer our close frame.
const CLOSE_HANDSHAKE: Duration = Duration::from_secs(2);

/// What a browser may have sent ahead, in bytes, while it has to wait for us.
const MAX_AHEAD: usize = 4096;

/// How many times in a row a reader finds nothing but control frames and empty ones before it lets
/// other tasks run: one read brings thousands of those.
const MAX_FRUITLESS: usize = 2;

/// The close code of a browser whose page is left ([RFC 6455, 7.4.1]).
///
/// [RFC 6455, 7.4.1]: https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
const GOING_AWAY: u16 = 1001;

/// A WebSocket of which we are the server.
pub struct WebSocket<S> {
    stream: S,
    /// What was read together with the upgrade request. It shares an allocation with the request,
    /// token and all, so it is let go as soon as it is read.
    read_ahead: Bytes,
    decoder: Decoder,
    outgoing: FrameQueue,
    /// The payload of the newest pong, until somebody asks; boxed, as hardly ever there.
    pong: Option<Box<Control>>,
    /// When the last byte came.
    heard: Instant,
    ended: Option<SocketEnd>,
}

/// Why nothing more will come from the browser.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SocketEnd {
    /// It sent a close frame, with this code if any.
    #[error("closed by the browser{}", .0.map(|code| format!(" with code {code}")).unwrap_or_default())]
    Closed(Option<u16>),
    /// The connection broke or ended without a close frame.
    #[error("the connection ended without a close frame")]
    Lost,
    /// It broke the framing.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// It sent a text frame.
    #[error("a text frame")]
    Text,
    /// It sent more than it may before it was answered.
    #[error("bytes before their time")]
    TooEarly,
}

impl From<&SocketEnd> for Reason {
    fn from(end: &SocketEnd) -> Self {
        match end {
            SocketEnd::Closed(Some(GOING_AWAY)) => Self::BrowserAway,
            SocketEnd::Closed(_) => Self::BrowserClosed,
            SocketEnd::Lost => Self::BrowserLost,
            SocketEnd::Text => Self::BrowserTextFrame,
            SocketEnd::TooEarly => Self::BrowserProtocol,
            SocketEnd::Violation(violation) => match violation.kind() {
                ViolationKind::Protocol => Self::BrowserFraming,
                ViolationKind::Utf8 => Self::BrowserBadUtf8,
                ViolationKind::TooBig => Self::BrowserFrameTooBig,
            },
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Takes an upgraded stream over, with what was read behind the upgrade request. Frames of the
    /// browser may have up to `max_frame` bytes of payload.
    pub fn new(stream: S, read_ahead: Bytes, max_frame: u64) -> Self {
        Self {
            stream,
            read_ahead: unless_empty(read_ahead),
            decoder: Decoder::new(max_frame),
            outgoing: FrameQueue::new(frame),
            pong: None,
            heard: Instant::now(),
            ended: None,
        }
    }

    /// The stream below, to write whole frames to when [`Self::poll_send_queued`] is done.
    pub const fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// When the last byte came from the browser.
    pub const fn heard(&self) -> Instant {
        self.heard
    }

    /// Why nothing more will come, if that is so.
    pub const fn ended(&self) -> Option<&SocketEnd> {
        self.ended.as_ref()
    }

    /// The newest pong since the last call.
    pub const fn take_pong(&mut self) -> Option<Box<Control>> {
        self.pong.take()
    }

    /// Whether frames wait to be written or flushed.
    pub const fn has_queued(&self) -> bool {
        self.outgoing.is_busy()
    }

    /// Puts a whole frame into the queue. Its length is in nobody's hands but ours.
    pub fn queue(&mut self, opcode: Opcode, payload: &[u8]) {
        self.outgoing.push(opcode, payload);
    }

    /// Puts the rest of a frame that was begun by other means in front of the queue.
    pub fn queue_first(&mut self, rest: &[u8]) {
        self.outgoing.push_first(rest);
    }

    /// Receives data into `buf`: `n` bytes of payload at its front, at least one.
    ///
    /// Reading and unmasking happen in `buf`, whose other bytes have no meaning afterwards.
    pub fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<Result<usize, SocketEnd>> {
        for _ in 0..MAX_FRUITLESS {
            if let Some(end) = &self.ended {
                return Poll::Ready(Err(end.clone()));
            }
            let read = ready!(self.poll_fill(cx, buf));
            let received = buf.get_mut(..read).unwrap_or_default();
            let payload = self.take_frames(received);
            if payload > 0 {
                return Poll::Ready(Ok(payload));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Reads bytes as they come; 0 when the stream ended, which is noted.
    fn poll_fill(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<usize> {
        let read = if self.read_ahead.is_empty() {
            let mut read = ReadBuf::new(buf);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read)) {
                Ok(()) => read.filled().len(),
                Err(_) => 0,
            }
        } else {
            let read = self.read_ahead.len().min(buf.len());
            let (front, _) = buf.split_at_mut(read);
            self.read_ahead.copy_to_slice(front);
            self.read_ahead = unless_empty(std::mem::take(&mut self.read_ahead));
            read
        };
        if read == 0 {
            self.ended = Some(SocketEnd::Lost);
        } else {
            self.heard = Instant::now();
        }
        Poll::Ready(read)
    }

    /// Decodes what was read and moves the payload of all data frames to the front.
    fn take_frames(&mut self, bytes: &mut [u8]) -> usize {
        let (mut at, mut payload) = (0, 0);
        loop {
            match self.decoder.next(bytes, &mut at) {
                Ok(None) => return payload,
                Ok(Some(Event::Data {
                    kind: DataKind::Binary,
                    payload: range,
                    ..
                })) => {
                    let len = range.len();
                    bytes.copy_within(range, payload);
                    payload += len;
                }
                Ok(Some(Event::Data {
                    kind: DataKind::Text,
                    ..
                })) => {
                    self.ended = Some(SocketEnd::Text);
                    return payload;
                }
                Ok(Some(Event::Ping(ping))) => self.outgoing.answer(ping),
                Ok(Some(Event::Pong(pong))) => self.pong = Some(Box::new(pong)),
                Ok(Some(Event::Close(close))) => {
                    self.ended = Some(SocketEnd::Closed(close.map(|CloseFrame { code, .. }| code)));
                    return payload;
                }
                Err(violation) => {
                    self.ended = Some(violation.into());
                    return payload;
                }
            }
        }
    }

    /// Writes the queue and what answers a ping, until both are empty, and flushes.
    ///
    /// Not to be called while a frame written by other means is incomplete.
    pub fn poll_send_queued(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.poll_send(&mut self.stream, cx)
    }

    /// Waits until the browser goes away, keeping what it sends ahead in `unread`.
    ///
    /// # Cancel safety
    /// Cancel safe: what was read is in `unread`.
    pub async fn wait_for_end(&mut self, unread: &mut Vec<u8>) -> SocketEnd {
        let mut buf = [0; 512];
        loop {
            let received = std::future::poll_fn(|cx| {
                let received = self.poll_receive(cx, &mut buf);
                // A ping in between is answered; whether that succeeds shows in the next read.
                let _ = self.poll_send_queued(cx);
                received
            });
            match received.await {
                Ok(len) => unread.extend(buf.iter().take(len)),
                Err(end) => return end,
            }
            if unread.len() > MAX_AHEAD {
                return SocketEnd::TooEarly;
            }
        }
    }

    /// Says goodbye: sends what is queued and a close frame, waits a moment for the browser's, and
    /// closes the stream. To be called when no frame is half written.
    ///
    /// # Cancel safety
    /// Not cancel safe: drop the socket too.
    pub async fn close(mut self, code: u16, reason: &str) {
        // Nothing follows a close frame; who has sent one wants no pong any more.
        if let Some(ping) = self.outgoing.take_ping()
            && self.ended.is_none()
        {
            self.queue(Opcode::Pong, &ping);
        }
        self.queue(Opcode::Close, &close_payload(code, reason));
        // Whatever goes wrong here, the connection is over.
        let _ = timeout(CLOSE_HANDSHAKE, async {
            std::future::poll_fn(|cx| self.poll_send_queued(cx)).await?;
            let mut buf = [0; 2048];
            if self.ended.is_none() {
                while std::future::poll_fn(|cx| self.poll_receive(cx, &mut buf))
                    .await
                    .is_ok()
                {}
            }
            // The browser's last words have been read, and TLS is told that ours were said. What a
            // browser that broke the protocol still sends is read away, so that the kernel does not
            // answer it with a reset, which would take our close frame with it.
            self.stream.shutdown().await?;
            while self.stream.read(&mut buf).await? > 0 {}
            io::Result::Ok(())
        })
        .await;
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocket<S> {
    /// Ends when the browser does, for whatever reason: [`WebSocket::ended`] knows which.
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let socket = self.get_mut();
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let received = socket.poll_receive(cx, buf.initialize_unfilled());
        // Behind the reading: a ping that came alone would wait for the next bytes otherwise.
        if received.is_pending()
            && socket.has_queued()
            && let Poll::Ready(Err(error)) = socket.poll_send_queued(cx)
        {
            return Poll::Ready(Err(error));
        }
        if let Ok(received) = ready!(received) {
            buf.advance(received);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocket<S> {
    /// Takes the bytes as one binary message.
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let socket = self.get_mut();
        socket.outgoing.poll_message(&mut socket.stream, cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let socket = self.get_mut();
        ready!(socket.poll_send_queued(cx))?;
        Pin::new(&mut socket.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let socket = self.get_mut();
        ready!(socket.poll_send_queued(cx))?;
        Pin::new(&mut socket.stream).poll_shutdown(cx)
    }
}

/// An empty slice keeps the whole of its allocation alive; an empty `Bytes` has none.
fn unless_empty(bytes: Bytes) -> Bytes {
    if bytes.is_empty() {
        Bytes::new()
    } else {
        bytes
    }
}

#[cfg(test)]
mod tests;
