//! RFB behind a WebSocket of which we are the client: ESXi, Proxmox, KubeVirt, QEMU.
//!
//! Bytes go out as binary messages, and the payload of whatever comes in is a stream again: a
//! message means nothing in RFB, so a frame is never waited for, and an empty one is passed over.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tracing::debug;

use super::exchange::{ExchangeError, exchange};
use super::read_ahead::ReadAhead;
use crate::entropy;
use crate::frame_queue::FrameQueue;
use crate::http1::refusal::Refusal;
use crate::http1::request::{BadCookie, Extra};
use crate::http1::upgrade::{BadAnswer, Opening};
use crate::reason::Reason;
use crate::rfb::peer_text::PeerText;
use crate::target::WebSocketTarget;
use crate::ws::{
    CloseFrame, DataKind, Decoder, Event, Opcode, Violation, close_payload, masked_frame,
};

/// The longest message that is written, in bytes: what a session types is far below.
const MAX_MESSAGE: usize = 16 * 1024;

/// How many times in a row a reader finds nothing but control frames and empty ones before it lets
/// other tasks run: one read brings thousands of those.
const MAX_FRUITLESS: usize = 2;

/// The status that opens a WebSocket.
const SWITCHING: u16 = 101;

/// Why there is no WebSocket.
#[derive(Debug, thiserror::Error)]
pub enum WebSocketError {
    /// The grant makes no request. Minting has checked that, so another version minted it.
    #[error(transparent)]
    Request(#[from] BadCookie),
    /// There is no answer.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// The answer is no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The answer is yes, but not to us.
    #[error(transparent)]
    Answer(#[from] BadAnswer),
}

impl From<&WebSocketError> for Reason {
    fn from(error: &WebSocketError) -> Self {
        match error {
            WebSocketError::Request(_) => Self::Internal,
            WebSocketError::Exchange(ExchangeError::Closed) => Self::HostClosed,
            WebSocketError::Exchange(ExchangeError::Answer(_)) | WebSocketError::Answer(_) => {
                Self::HostProtocol
            }
            WebSocketError::Refused(refusal) => refusal.into(),
        }
    }
}

/// Opens the WebSocket over `stream`, a connection to the target's endpoint, inside TLS where the
/// target says so.
///
/// # Errors
/// [`WebSocketError`].
///
/// # Cancel safety
/// Dropping the future closes the connection.
pub(super) async fn open<S>(
    mut stream: S,
    target: &WebSocketTarget,
    extra: Extra<'_>,
) -> Result<HostWebSocket<S>, WebSocketError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let opening = Opening::new(&target.path, &target.protocols, entropy::random());
    let request = opening.request(&target.endpoint, extra)?;
    let (head, behind) = exchange(&mut stream, &request).await?;
    if head.status != SWITCHING {
        return Err(Refusal::of_websocket(head.status).into());
    }
    let protocol = opening.check(&head)?;
    debug!(
        protocol = protocol.map(|it| it.as_str()),
        "host WebSocket open"
    );
    Ok(HostWebSocket::new(stream, Bytes::from(behind)))
}

/// Why nothing more comes through a host's WebSocket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SocketEnd {
    /// The host sent a close frame, with a code and words if it has any.
    #[error("the host closed its WebSocket{}", in_words(.0.as_ref()))]
    Closed(Option<(u16, Option<PeerText>)>),
    /// The host broke the framing.
    #[error("the host broke the framing of its WebSocket: {0}")]
    Violation(#[from] Violation),
    /// The host sent text.
    #[error("the host sent text through its WebSocket, and RFB is bytes")]
    Text,
}

fn in_words(close: Option<&(u16, Option<PeerText>)>) -> String {
    match close {
        None => String::new(),
        Some((code, None)) => format!(" with code {code}"),
        Some((code, Some(words))) => format!(" with code {code}: \"{words}\""),
    }
}

/// The stream inside a host's WebSocket.
///
/// Reading it ends with an error that is a [`SocketEnd`] where the host says that it ends, and
/// like any other stream where it just does.
pub(super) struct HostWebSocket<S> {
    stream: ReadAhead<S>,
    decoder: Decoder,
    outgoing: FrameQueue,
    ended: Option<SocketEnd>,
    /// Whether our close frame was queued.
    said_goodbye: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> HostWebSocket<S> {
    /// Takes an upgraded stream over, with what was read behind the answer.
    fn new(stream: S, ahead: Bytes) -> Self {
        Self {
            stream: ReadAhead::new(ahead, stream),
            decoder: Decoder::of_server(),
            outgoing: FrameQueue::new(|opcode, payload, out| {
                masked_frame(opcode, payload, entropy::random(), out);
            }),
            ended: None,
            said_goodbye: false,
        }
    }

    /// Queues our close frame, once: nothing follows it.
    fn queue_goodbye(&mut self) {
        if !self.said_goodbye {
            self.said_goodbye = true;
            self.outgoing.take_ping();
            self.outgoing.push(Opcode::Close, &close_payload(1000, ""));
        }
    }

    /// Decodes what was read and moves the payload of all data frames to the front.
    fn take_frames(&mut self, bytes: &mut [u8]) -> usize {
        let (mut at, mut payload) = (0, 0);
        let end = loop {
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
                })) => break SocketEnd::Text,
                Ok(Some(Event::Ping(_))) if self.said_goodbye => {}
                Ok(Some(Event::Ping(ping))) => self.outgoing.answer(ping),
                Ok(Some(Event::Pong(_))) => {}
                Ok(Some(Event::Close(close))) => {
                    let said =
                        |close: CloseFrame| (close.code, PeerText::clean(close.reason.as_bytes()));
                    break SocketEnd::Closed(close.map(said));
                }
                Err(violation) => break violation.into(),
            }
        };
        debug!(%end, "host WebSocket ended");
        self.ended = Some(end);
        self.queue_goodbye();
        payload
    }

    /// Writes what is queued and what answers a ping, and flushes.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.poll_send(&mut self.stream, cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for HostWebSocket<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let socket = self.get_mut();
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        for _ in 0..MAX_FRUITLESS {
            if let Some(end) = &socket.ended {
                let error = io::Error::new(io::ErrorKind::ConnectionAborted, end.clone());
                // Whether our goodbye still leaves changes nothing.
                let _ = socket.poll_send(cx);
                return Poll::Ready(Err(error));
            }
            // Pongs leave while nothing is written; a failure shows in the read.
            let _ = socket.poll_send(cx);
            let room = buf.initialize_unfilled();
            let mut read = ReadBuf::new(&mut *room);
            ready!(Pin::new(&mut socket.stream).poll_read(cx, &mut read))?;
            let read = read.filled().len();
            if read == 0 {
                return Poll::Ready(Ok(()));
            }
            let payload = socket.take_frames(room.get_mut(..read).unwrap_or_default());
            if payload > 0 {
                buf.advance(payload);
                let _ = socket.poll_send(cx);
                return Poll::Ready(Ok(()));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for HostWebSocket<S> {
    /// Takes the bytes, at most 16 KiB of them, as one binary message.
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let socket = self.get_mut();
        if socket.said_goodbye {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let message = buf.get(..MAX_MESSAGE).unwrap_or(buf);
        socket
            .outgoing
            .poll_message(&mut socket.stream, cx, message)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_send(cx)
    }

    /// Says goodbye and ends the stream's sending direction.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let socket = self.get_mut();
        socket.queue_goodbye();
        ready!(socket.poll_send(cx))?;
        Pin::new(&mut socket.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
