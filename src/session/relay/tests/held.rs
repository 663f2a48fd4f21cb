//! Streams that hold bytes back until they are flushed, as TLS does when its socket is full.

use std::io;
use std::task::ready;

use tokio::io::split;

use super::*;

/// Takes up to a KiB into its own hands, and passes it on only when it is flushed.
struct Held {
    pipe: DuplexStream,
    held: Vec<u8>,
}

impl Held {
    const ROOM: usize = 1024;

    const fn over(pipe: DuplexStream) -> Self {
        Self {
            pipe,
            held: Vec::new(),
        }
    }
}

impl AsyncRead for Held {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_read(cx, buf)
    }
}

impl AsyncWrite for Held {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.held.len() == Self::ROOM {
            ready!(self.as_mut().poll_flush(cx))?;
        }
        let taken = buf.len().min(Self::ROOM - self.held.len());
        self.held.extend(&buf[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { pipe, held } = &mut *self;
        while !held.is_empty() {
            let written = ready!(Pin::new(&mut *pipe).poll_write(cx, held))?;
            held.drain(..written);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.pipe).poll_shutdown(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_in_the_hands_of_a_stream() {
    let (ours, browser) = duplex(8);
    let (to_host, mut host) = duplex(8);
    let started = Instant::now();
    let script = async {
        let (mut reads, mut writes) = split(browser);
        // A ping of ours, of which the pipe takes eight bytes and the stream holds two.
        let ping = next_frame(&mut reads).await.unwrap();
        assert_eq!(ping.0, PING);
        // An answer of ours.
        writes
            .write_all(&masked(PING, b"still there?"))
            .await
            .unwrap();
        let pong = next_frame(&mut reads).await.unwrap();
        assert_eq!(pong, (PONG, b"still there?".to_vec()));
        // Data, both ways.
        writes
            .write_all(&masked(BINARY, &text(&noise(492))))
            .await
            .unwrap();
        let mut got = vec![0; 500];
        host.read_exact(&mut got).await.unwrap();
        assert_eq!(got, text(&noise(492)));
        let send = host.write_all(&got);
        let (sent, received) = tokio::join!(send, next_frame(&mut reads));
        sent.unwrap();
        let mut received = received.unwrap().1;
        while received.len() < 500 {
            received.extend(next_frame(&mut reads).await.unwrap().1);
        }
        assert_eq!(received, text(&noise(492)));
        // None of it had to wait for a timer.
        assert_eq!(started.elapsed().as_secs(), 0);
        // The last bytes before a goodbye.
        writes
            .write_all(&masked(BINARY, &text(&noise(900))))
            .await
            .unwrap();
        writes.write_all(&masked(CLOSE, b"")).await.unwrap();
        let mut last = Vec::new();
        host.read_to_end(&mut last).await.unwrap();
        assert_eq!(last, text(&noise(900)));
        drop(host);
        all_frames(&mut reads).await
    };
    let outcome = relayed_over(
        Held::over(ours),
        Held::over(to_host),
        params(),
        FirstBytes::default(),
        script,
    )
    .await;
    assert_eq!(outcome.reason, Reason::BrowserClosed);
}
