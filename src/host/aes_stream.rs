//! A host's stream inside the messages of RA2: each a u16 length, as much ciphertext, and a MAC.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tracing::debug;

use crate::rfb::auth::ra2::{HEAD_LEN, MAC_LEN, MessageCipher, SessionCiphers};

/// How many bytes are read at a time: a message as servers in use send them, and some more.
const CHUNK: usize = 8 * 1024 + HEAD_LEN + MAC_LEN;

/// Seals what is written, opens what is read.
///
/// It holds at most one message that is not written yet, and of what was read at most one message
/// (64 KiB) and a chunk (8 KiB); nothing at all while no byte is there. A text of at most 8 KiB is
/// written as one message. Bytes that were accepted may be held until the next write or flush.
///
/// What was not sealed by the host ends the stream with [`io::ErrorKind::InvalidData`], and an end
/// inside a message is [`io::ErrorKind::UnexpectedEof`].
#[derive(Debug)]
pub struct AesStream<S> {
    below: S,
    sealer: MessageCipher,
    outgoing: Outgoing,
    opener: MessageCipher,
    incoming: Incoming,
}

/// What is sealed and not yet written.
#[derive(Debug, Default)]
struct Outgoing {
    bytes: Vec<u8>,
    written: usize,
}

/// What was read, and where the opened text lies in it.
#[derive(Debug, Default)]
struct Incoming {
    bytes: Vec<u8>,
    /// What has been opened and not handed out.
    text: Range<usize>,
    /// Where the next message begins.
    next: usize,
    /// Something was read that nobody sealed: nothing behind it can be opened.
    forged: bool,
}

impl<S> AesStream<S> {
    /// Speaks through `below` from here on.
    #[must_use]
    pub fn new(below: S, ciphers: SessionCiphers) -> Self {
        let (sealer, opener) = ciphers.into_parts();
        Self {
            below,
            sealer,
            outgoing: Outgoing::default(),
            opener,
            incoming: Incoming::default(),
        }
    }
}

impl Incoming {
    /// Hands out opened text; says whether there was any.
    fn hand_out(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let len = self.text.len().min(buf.remaining());
        let end = self.text.start + len;
        if let Some(text) = self.bytes.get(self.text.start..end) {
            buf.put_slice(text);
            self.text.start = end;
        }
        if self.text.is_empty() && self.next == self.bytes.len() {
            *self = Self {
                forged: self.forged,
                ..Self::default()
            };
        }
        len > 0
    }

    /// Opens the next message, where it is whole.
    fn open(&mut self, opener: &mut MessageCipher) -> io::Result<bool> {
        if self.forged {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let unread = self.bytes.get_mut(self.next..).unwrap_or_default();
        let Some((head, rest)) = unread.split_first_chunk_mut::<HEAD_LEN>() else {
            return Ok(false);
        };
        let len = usize::from(u16::from_be_bytes(*head));
        let Some((body, rest)) = rest.split_at_mut_checked(len) else {
            return Ok(false);
        };
        let Some(mac) = rest.first_chunk::<MAC_LEN>() else {
            return Ok(false);
        };
        if let Err(forged) = opener.open(*head, body, mac) {
            debug!("a host's message was not sealed by it");
            self.forged = true;
            return Err(io::Error::new(io::ErrorKind::InvalidData, forged));
        }
        let start = self.next + HEAD_LEN;
        self.text = start..start + len;
        self.next = self.text.end + MAC_LEN;
        Ok(true)
    }

    /// Appends what was read behind what is left.
    fn append(&mut self, read: &[u8]) {
        self.bytes.drain(..self.next);
        (self.text, self.next) = (0..0, 0);
        self.bytes.extend_from_slice(read);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for AesStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if buf.remaining() == 0 || this.incoming.hand_out(buf) {
                return Poll::Ready(Ok(()));
            }
            // An empty message is lawful and no end: it is passed over.
            if this.incoming.open(&mut this.opener)? {
                continue;
            }
            let mut chunk = [0; CHUNK];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.below).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                return Poll::Ready(if this.incoming.bytes.is_empty() {
                    Ok(())
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                });
            }
            this.incoming.append(chunk.filled());
        }
    }
}

impl Outgoing {
    /// Writes all of it.
    fn poll_write_out<S: AsyncWrite + Unpin>(
        &mut self,
        below: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while let Some(rest @ [_, ..]) = self.bytes.get(self.written..) {
            let written = ready!(Pin::new(&mut *below).poll_write(cx, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
        }
        *self = Self::default();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for AesStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.outgoing.poll_write_out(&mut this.below, cx))?;
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let taken = this.sealer.seal(buf, &mut this.outgoing.bytes);
        // What does not leave now leaves with the next write or flush.
        match this.outgoing.poll_write_out(&mut this.below, cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(taken)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.outgoing.poll_write_out(&mut this.below, cx))?;
        Pin::new(&mut this.below).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.outgoing.poll_write_out(&mut this.below, cx))?;
        Pin::new(&mut this.below).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;
    use crate::rfb::auth::ra2::MAX_MESSAGE;

    /// Our stream and the host's over a pipe of `size` bytes.
    fn streams(size: usize) -> (AesStream<DuplexStream>, AesStream<DuplexStream>) {
        let (ours, host) = duplex(size);
        let [to, from] = SessionCiphers::both_sides();
        (AesStream::new(ours, to), AesStream::new(host, from))
    }

    /// Bytes that do not repeat soon.
    fn text(len: usize) -> Vec<u8> {
        (0..len).map(|n| (n * n / 7) as u8).collect()
    }

    #[tokio::test]
    async fn both_directions_pass_through_a_pipe_of_eight_bytes() {
        let (mut ours, mut host) = streams(8);
        let (up, down) = (text(3 * MAX_MESSAGE + 5), text(20_000));
        let (mut got_up, mut got_down) = (vec![0; up.len()], vec![0; down.len()]);
        let talk = async {
            let (mut read, mut write) = tokio::io::split(&mut ours);
            let send = async {
                write.write_all(&up).await.unwrap();
                write.flush().await.unwrap();
            };
            tokio::join!(send, read.read_exact(&mut got_down))
                .1
                .unwrap();
        };
        let answer = async {
            let (mut read, mut write) = tokio::io::split(&mut host);
            let send = async {
                write.write_all(&down).await.unwrap();
                write.flush().await.unwrap();
            };
            tokio::join!(send, read.read_exact(&mut got_up)).1.unwrap();
        };
        tokio::join!(talk, answer);
        assert!(got_up == up && got_down == down);
        assert!(
            ours.incoming.bytes.capacity() == 0,
            "nothing is held at rest"
        );
        assert!(
            ours.outgoing.bytes.capacity() == 0,
            "nothing is held at rest"
        );
    }

    #[tokio::test]
    async fn a_write_is_one_message_and_a_shutdown_sends_what_is_held() {
        let (ours, mut host) = duplex(1024);
        let [to, _] = SessionCiphers::both_sides();
        let mut ours = AesStream::new(ours, to);
        ours.write_all(b"key event").await.unwrap();
        ours.shutdown().await.unwrap();
        let mut sealed = Vec::new();
        host.read_to_end(&mut sealed).await.unwrap();
        assert_eq!(sealed.len(), HEAD_LEN + 9 + MAC_LEN);
        assert_eq!(sealed[..HEAD_LEN], [0, 9]);
    }

    #[tokio::test]
    async fn a_host_that_does_not_read_is_not_written_to() {
        let (mut ours, _host) = streams(8);
        assert_eq!(ours.write(&text(100)).await.unwrap(), 100);
        // The first is held; a second one is not taken before it is gone.
        let second = tokio::time::timeout(std::time::Duration::ZERO, ours.write(b"more")).await;
        assert!(second.is_err());
        assert_eq!(ours.outgoing.bytes.len(), HEAD_LEN + 100 + MAC_LEN);
    }

    /// A sealed "first", empty, and "second", as the host sends them.
    fn sealed() -> (Vec<u8>, SessionCiphers) {
        let [ours, host] = SessionCiphers::both_sides();
        let (mut sealer, _) = host.into_parts();
        let mut bytes = Vec::new();
        for text in [&b"first"[..], b"", b"second"] {
            sealer.seal(text, &mut bytes);
        }
        (bytes, ours)
    }

    /// What is read of `bytes`, before which end.
    async fn read_all(ciphers: SessionCiphers, bytes: &[u8]) -> (Vec<u8>, io::Result<usize>) {
        let mut stream = AesStream::new(bytes, ciphers);
        let mut read = Vec::new();
        let end = stream.read_to_end(&mut read).await;
        (read, end)
    }

    #[tokio::test]
    async fn an_empty_message_is_no_end() {
        let (bytes, ours) = sealed();
        let (read, end) = read_all(ours, &bytes).await;
        assert_eq!(read, b"firstsecond");
        assert_eq!(end.unwrap(), 11);
    }

    #[tokio::test]
    async fn whatever_was_changed_ends_the_stream() {
        let (bytes, _) = sealed();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 0x80;
            let (_, ours) = sealed();
            let (read, end) = read_all(ours, &changed).await;
            assert!(read.is_empty() || read == b"first", "{index}: {read:?}");
            let kind = end.unwrap_err().kind();
            // A length that was made longer waits for bytes that never come.
            let (forged, cut) = (io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof);
            assert!(kind == forged || kind == cut, "{index}: {kind}");
        }
    }

    #[tokio::test]
    async fn after_a_forged_message_nothing_is_read() {
        let (mut bytes, ours) = sealed();
        bytes[3] ^= 1;
        let mut stream = AesStream::new(&bytes[..], ours);
        for _ in 0..3 {
            let error = stream.read(&mut [0; 16]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }

    #[tokio::test]
    async fn a_stream_that_ends_inside_a_message_was_cut() {
        let (bytes, _) = sealed();
        let first = HEAD_LEN + 5 + MAC_LEN;
        for len in [1, HEAD_LEN, 7, first - 1, bytes.len() - 1] {
            let (_, ours) = sealed();
            let (_, end) = read_all(ours, &bytes[..len]).await;
            assert_eq!(
                end.unwrap_err().kind(),
                io::ErrorKind::UnexpectedEof,
                "{len}"
            );
        }
        let (_, ours) = sealed();
        let (read, end) = read_all(ours, &bytes[..first]).await;
        assert_eq!((read.as_slice(), end.unwrap()), (&b"first"[..], 5));
    }

    #[tokio::test]
    async fn the_longest_message_of_all_is_read() {
        let [ours, host] = SessionCiphers::both_sides();
        let (mut sealer, _) = host.into_parts();
        let mut bytes = Vec::new();
        let long = text(usize::from(u16::MAX));
        sealer.seal_message(&long, &mut bytes);
        let (read, end) = read_all(ours, &bytes).await;
        assert!(read == long);
        assert_eq!(end.unwrap(), long.len());
    }
}
