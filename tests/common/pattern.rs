//! Megabytes whose every byte is known: what is lost, doubled or reordered is found.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::wait::until;
use super::websocket::{Sink, Source};

/// An endless stream of lawful messages whose every byte is known by its offset.
///
/// The messages are cut texts, which both directions have under the same layout but for the type:
/// type, 3 bytes of padding, length of 4 bytes, text.
pub struct Pattern(pub Vec<u8>);

impl Pattern {
    /// From host to browser: ServerCutText (RFC 6143, 7.6.4).
    pub fn down() -> Self {
        Self::of(3)
    }

    /// From browser to host: ClientCutText (RFC 6143, 7.5.6).
    pub fn up() -> Self {
        Self::of(6)
    }

    fn of(kind: u8) -> Self {
        let (mut bytes, mut state) = (Vec::new(), 0x2545_f491_u32);
        for length in [1, 250, 4093, 65_521, 17, 100_003] {
            bytes.extend_from_slice(&[kind, 0, 0, 0]);
            bytes.extend_from_slice(&u32::to_be_bytes(length));
            for _ in 0..length {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                bytes.push((state >> 24) as u8);
            }
        }
        Self(bytes)
    }

    /// The piece of the stream at `offset`, at most `length` bytes of it.
    pub fn at(&self, offset: usize, length: usize) -> &[u8] {
        let start = offset % self.0.len();
        let end = self.0.len().min(start + length);
        &self.0[start..end]
    }

    /// Panics unless `bytes` are what the stream has at `offset`.
    pub fn check(&self, mut offset: usize, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let expected = self.at(offset, bytes.len());
            let (now, later) = bytes.split_at(expected.len());
            assert!(
                now == expected,
                "other bytes between {offset} and {}",
                offset + now.len()
            );
            offset += now.len();
            bytes = later;
        }
    }
}

/// Odd sizes, over and over: single bytes, the borders of the length fields, large ones.
pub const CHUNKS: [usize; 9] = [1, 125, 126, 4_099, 65_535, 65_536, 7, 131_071, 1_021];

/// How far a transfer has come, for somebody who watches it.
pub type Progress = AtomicUsize;

/// Writes `total` bytes of the pattern, as a host does.
pub async fn pour(stream: &mut (impl AsyncWrite + Unpin), pattern: &Pattern, total: usize) {
    pour_watched(stream, pattern, total, &Progress::new(0)).await;
}

/// Writes `total` bytes of the pattern and says how far it is.
pub async fn pour_watched(
    stream: &mut (impl AsyncWrite + Unpin),
    pattern: &Pattern,
    total: usize,
    progress: &Progress,
) {
    let mut sent = 0;
    for chunk in CHUNKS.into_iter().cycle() {
        if sent == total {
            return;
        }
        let piece = pattern.at(sent, chunk.min(total - sent));
        stream.write_all(piece).await.unwrap();
        sent += piece.len();
        progress.store(sent, Ordering::Relaxed);
    }
}

/// Sends `total` bytes of the pattern in frames, as a browser does.
pub async fn send(sink: &mut Sink, pattern: &Pattern, total: usize, progress: &Progress) {
    let mut sent = 0;
    for chunk in CHUNKS.into_iter().cycle() {
        if sent == total {
            return;
        }
        let piece = pattern.at(sent, chunk.min(total - sent));
        sink.binary(piece).await.unwrap();
        sent += piece.len();
        progress.store(sent, Ordering::Relaxed);
    }
}

/// Reads `total` bytes and compares each with the pattern, as a host does.
pub async fn drink(stream: &mut (impl AsyncRead + Unpin), pattern: &Pattern, total: usize) {
    let mut buffer = vec![0; 65_536];
    let mut seen = 0;
    while seen < total {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the gateway left after {seen} bytes");
        pattern.check(seen, &buffer[..read]);
        seen += read;
    }
}

/// Reads `total` bytes off the WebSocket and compares each with the pattern.
pub async fn watch(source: &mut Source, pattern: &Pattern, total: usize) {
    let left_over = source.left_over();
    let first = source.read_exact(left_over).await.unwrap();
    pattern.check(0, &first);
    let mut seen = first.len();
    while seen < total {
        let payload = source.next_binary().await;
        let payload = payload.unwrap_or_else(|| panic!("{:?} after {seen}", source.end));
        pattern.check(seen, &payload);
        seen += payload.len();
    }
    assert_eq!(seen, total, "more than was sent");
}

/// Waits until a transfer has begun and come to a halt, and says how far it had come.
pub async fn stalled(progress: &Progress, deadline: Duration) -> usize {
    /// Without a byte for so long it stands still: what holds it up is not the machine's load.
    const STILL: Duration = Duration::from_millis(300);
    until("the transfer stalls", deadline, async || {
        let before = progress.load(Ordering::Relaxed);
        tokio::time::sleep(STILL).await;
        let now = progress.load(Ordering::Relaxed);
        if now > 0 && now == before {
            Ok(now)
        } else {
            Err(format!("{now} bytes"))
        }
    })
    .await
}
