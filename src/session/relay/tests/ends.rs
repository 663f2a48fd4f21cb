//! How a relay ends, and what is still delivered.

use std::collections::VecDeque;
use std::io;

use super::*;

/// A peer that takes nothing more and has last words, one a read. `None` says that it has some, but wants to
/// be asked again.
struct Dying(VecDeque<Option<Vec<u8>>>);

impl AsyncRead for Dying {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.0.pop_front() {
            Some(Some(words)) => {
                buf.put_slice(&words);
                Poll::Ready(Ok(()))
            }
            Some(None) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            None => Poll::Pending,
        }
    }
}

impl AsyncWrite for Dying {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_host_sent_arrives_before_its_end() {
    let sent = noise(100_000);
    let outcome = relayed(
        8,
        100_000,
        params(),
        FirstBytes::default(),
        async |mut browser, mut host| {
            host.write_all(&sent).await.unwrap();
            drop(host);
            all_frames(&mut browser).await
        },
    )
    .await;
    assert_eq!(outcome.reason, Reason::HostClosed);
    assert_eq!(of_kind(BINARY, &outcome.played).concat(), sent);
    let (first, payload) = outcome.played.last().unwrap();
    assert_eq!(*first, CLOSE);
    assert!(payload.ends_with(b"host_closed"));
}

#[tokio::test(start_paused = true)]
async fn what_a_browser_sent_arrives_before_its_end() {
    let sent = text(&noise(70_000));
    let outcome = relayed(
        100_000,
        8,
        params(),
        FirstBytes::default(),
        async |mut browser, mut host| {
            browser.write_all(&masked(BINARY, &sent)).await.unwrap();
            let close = masked(CLOSE, &1001_u16.to_be_bytes());
            browser.write_all(&close).await.unwrap();
            let mut got = Vec::new();
            host.read_to_end(&mut got).await.unwrap();
            got
        },
    )
    .await;
    assert_eq!(outcome.reason, Reason::BrowserAway);
    assert!(outcome.played == sent);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_takes_nothing_more_is_still_listened_to() {
    let sent = noise(90_000);
    // Larger than a buffer, so that the failed write comes while there is more to read.
    let (to_host, mut host) = duplex(sent.len());
    host.write_all(&sent).await.unwrap();
    drop(host);
    let first = FirstBytes {
        up: text(b"a key"),
        ..FirstBytes::default()
    };
    let (ours, mut browser) = duplex(8);
    let script = async { all_frames(&mut browser).await };
    let outcome = relayed_over(ours, to_host, params(), first, script).await;
    assert_eq!(outcome.reason, Reason::HostClosed);
    assert_eq!(of_kind(BINARY, &outcome.played).concat(), sent);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_takes_nothing_more_is_asked_once_more() {
    let words = b"last words";
    let host = Dying([None, Some(words.to_vec()), Some(Vec::new())].into());
    let first = FirstBytes {
        up: text(b"a key"),
        ..FirstBytes::default()
    };
    let (ours, mut browser) = duplex(4096);
    let script = async { all_frames(&mut browser).await };
    let outcome = relayed_over(ours, host, params(), first, script).await;
    assert_eq!(outcome.reason, Reason::HostClosed);
    assert_eq!(of_kind(BINARY, &outcome.played).concat(), words);
}

#[tokio::test(start_paused = true)]
async fn a_leg_that_takes_nothing_more_and_says_nothing_has_ended() {
    const LATER: Duration = Duration::from_secs(1);
    let mute = || Dying(VecDeque::new());
    let (ours, mut browser) = duplex(4096);
    let script = async {
        tokio::time::sleep(LATER).await;
        let key = masked(BINARY, &text(b"a key"));
        browser.write_all(&key).await.unwrap();
        browser
    };
    let outcome = relayed_over(ours, mute(), params(), FirstBytes::default(), script).await;
    assert_eq!(outcome.reason, Reason::HostClosed);
    assert!(outcome.ran <= LATER + PARTING, "{:?}", outcome.ran);
}

#[tokio::test(start_paused = true)]
async fn a_browser_that_takes_nothing_more_is_asked_once_more() {
    let ping = || Some(masked(PING, b"?"));
    let close = masked(CLOSE, &1000_u16.to_be_bytes());
    // The relay reads so many pings in one go and comes back to the rest later.
    let browser = Dying([ping(), ping(), Some(close)].into());
    let (to_host, host) = duplex(64);
    let first = FirstBytes::default();
    let outcome = relayed_over(browser, to_host, params(), first, async { drop(host) }).await;
    assert_eq!(outcome.reason, Reason::BrowserClosed);
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_and_a_broken_frame_are_told_apart() {
    for (sent, reason) in [
        (masked(BINARY, b"cut")[..5].to_vec(), Reason::BrowserLost),
        (vec![BINARY, 0x01, 0x00], Reason::BrowserFraming),
        (masked(TEXT, b"hello"), Reason::BrowserTextFrame),
    ] {
        let outcome = relayed(
            64,
            64,
            params(),
            FirstBytes::default(),
            async |mut browser, host| {
                browser.write_all(&sent).await.unwrap();
                drop(browser);
                host
            },
        );
        assert_eq!(outcome.await.reason, reason);
    }
}

/// Runs a relay until `until` is done, drops it, closes, and returns what the browser got from
/// then on.
async fn dropped_after(
    first: FirstBytes,
    until: impl AsyncFnOnce(&mut DuplexStream, &mut DuplexStream),
) -> Vec<(u8, Vec<u8>)> {
    let (ours, mut browser) = duplex(8);
    let (to_host, mut host) = duplex(4096);
    let mut socket = WebSocket::new(ours, ::bytes::Bytes::new(), 1 << 20);
    let (buffers, traffic) = (Buffers::default(), Traffic::default());
    let relay = Relay::new(&mut socket, to_host, &buffers, params(), &traffic);
    tokio::select! {
        end = relay.run(first) => panic!("{end:?}"),
        () = until(&mut browser, &mut host) => {}
    }
    let (frames, ()) = tokio::join!(all_frames(&mut browser), socket.close(1001, "draining"));
    frames
}

/// Lets everything that can happen without the caller happen: time is paused, and passes only when
/// nothing else can be done.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn dropped_inside_a_data_frame_it_leaves_the_rest_of_it() {
    let frames = dropped_after(FirstBytes::default(), async |browser, host| {
        // The ping of the start is out of the way.
        assert_eq!(next_frame(browser).await.unwrap().0, PING);
        host.write_all(&noise(1000)).await.unwrap();
        settle().await;
    })
    .await;
    // Eight bytes of it lay in the pipe.
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[0], (BINARY, noise(1000)));
    assert_eq!(frames[1].0, CLOSE);
}

#[tokio::test(start_paused = true)]
async fn dropped_inside_a_frame_of_its_own_it_leaves_the_rest_of_that() {
    let frames = dropped_after(FirstBytes::default(), async |_browser, host| {
        // The ping of the start, ten bytes, does not fit into the pipe; the data waits behind it.
        settle().await;
        host.write_all(&noise(1000)).await.unwrap();
        settle().await;
    })
    .await;
    let kinds: Vec<u8> = frames.iter().map(|(first, _)| *first).collect();
    assert_eq!(kinds, [PING, CLOSE]);
    assert_eq!(frames[0].1.len(), 8);
}
