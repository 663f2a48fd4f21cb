use std::sync::Arc;

use tokio::io::{DuplexStream, duplex};
use tokio::select;
use tokio::time::sleep;

use super::*;
use crate::ws::unmask;

const MASK: [u8; 4] = [1, 2, 3, 4];

/// A short frame as a browser writes it.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = payload.to_vec();
    unmask(&mut bytes, MASK, 0);
    [&[first, 0x80 | payload.len() as u8], &MASK[..], &bytes].concat()
}

fn pair(read_ahead: &[u8]) -> (WebSocket<DuplexStream>, DuplexStream) {
    let (ours, browser) = duplex(8);
    (
        WebSocket::new(ours, Bytes::copy_from_slice(read_ahead), 1024),
        browser,
    )
}

#[tokio::test]
async fn binary_messages_are_a_stream_through_a_pipe_of_eight_bytes() {
    let first = masked(0x82, b"RFB 003");
    let (mut socket, mut browser) = pair(&first[..9]);
    let play_browser = async {
        browser.write_all(&first[9..]).await.unwrap();
        browser
            .write_all(&masked(0x89, b"are you there?"))
            .await
            .unwrap();
        browser.write_all(&masked(0x02, b".0")).await.unwrap();
        browser.write_all(&masked(0x80, b"08\n")).await.unwrap();
        browser
            .write_all(&masked(0x88, &1000u16.to_be_bytes()))
            .await
            .unwrap();
        let mut answers = Vec::new();
        browser.read_to_end(&mut answers).await.unwrap();
        answers
    };
    let play_gateway = async {
        let mut received = Vec::new();
        socket.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"RFB 003.008\n");
        assert_eq!(socket.ended(), Some(&SocketEnd::Closed(Some(1000))));
        socket.write_all(b"bytes").await.unwrap();
        socket.close(1000, "browser_closed").await;
    };
    let (answers, ()) = tokio::join!(play_browser, play_gateway);
    let expected: [&[u8]; 6] = [
        &[0x8a, 14],
        b"are you there?",
        &[0x82, 5],
        b"bytes",
        &[0x88, 16, 3, 0xe8],
        b"browser_closed",
    ];
    assert_eq!(answers, expected.concat());
}

#[tokio::test]
async fn data_before_a_violation_still_counts() {
    let bytes = [masked(0x82, b"good"), vec![0x82, 0x00]].concat();
    let (mut socket, _browser) = pair(&bytes);
    let mut received = Vec::new();
    socket.read_to_end(&mut received).await.unwrap();
    assert_eq!(received, b"good");
    assert_eq!(
        socket.ended(),
        Some(&SocketEnd::Violation(Violation::Unmasked))
    );
    assert_eq!(
        Reason::from(socket.ended().unwrap()),
        Reason::BrowserFraming
    );
}

#[tokio::test]
async fn text_and_loss_are_told_apart() {
    let (mut socket, browser) = pair(&masked(0x81, b"hello"));
    assert_eq!(socket.read(&mut [0; 8]).await.unwrap(), 0);
    assert_eq!(socket.ended(), Some(&SocketEnd::Text));
    drop(browser);
    let (mut socket, browser) = pair(&masked(0x82, b"hello")[..4]);
    drop(browser);
    assert_eq!(socket.read(&mut [0; 8]).await.unwrap(), 0);
    assert_eq!(socket.ended(), Some(&SocketEnd::Lost));
}

#[tokio::test]
async fn a_waiting_browser_may_send_a_little_ahead() {
    let (mut socket, _browser) = pair(&masked(0x82, b"x").repeat(MAX_AHEAD + 1));
    let mut unread = Vec::new();
    assert_eq!(socket.wait_for_end(&mut unread).await, SocketEnd::TooEarly);
}

#[tokio::test(start_paused = true)]
async fn a_browser_that_does_not_answer_the_close_is_not_waited_for_long() {
    let (ours, mut browser) = duplex(64);
    let socket = WebSocket::new(ours, Bytes::new(), 1024);
    let started = Instant::now();
    socket.close(4100, "host_unreachable").await;
    assert_eq!(started.elapsed(), CLOSE_HANDSHAKE);
    let mut said = Vec::new();
    browser.read_to_end(&mut said).await.unwrap();
    assert_eq!(
        said,
        [&[0x88, 18, 0x10, 0x04], &b"host_unreachable"[..]].concat()
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_follows_a_close_frame() {
    // A ping is answered before our goodbye, and not at all after the browser's.
    let ping = masked(0x89, b"?");
    let both = [ping.clone(), masked(0x88, b"")].concat();
    for (sent, answer) in [(ping, &[0x8a, 1, b'?'][..]), (both, &[])] {
        let (ours, mut browser) = duplex(64);
        let mut socket = WebSocket::new(ours, Bytes::from(sent), 1024);
        let received = std::future::poll_fn(|cx| {
            Poll::Ready(socket.poll_receive(cx, &mut [0; 64]).is_ready())
        });
        received.await;
        socket.close(1001, "bye").await;
        let mut said = Vec::new();
        browser.read_to_end(&mut said).await.unwrap();
        assert_eq!(said, [answer, &[0x88, 5, 3, 0xe9], b"bye"].concat());
    }
}

#[tokio::test]
async fn to_read_nothing_is_not_to_lose_the_browser() {
    let (mut socket, _browser) = pair(b"");
    assert_eq!(socket.read(&mut []).await.unwrap(), 0);
    assert_eq!(socket.ended(), None);
}

#[tokio::test(start_paused = true)]
async fn a_ping_alone_is_answered_before_more_comes() {
    let pong = [&[0x8a, 3][..], b"hey"].concat();
    let mut answer = [0; 5];

    let (mut socket, mut browser) = pair(&[]);
    browser.write_all(&masked(0x89, b"hey")[..8]).await.unwrap();
    let play_browser = async {
        browser.write_all(&masked(0x89, b"hey")[8..]).await.unwrap();
        browser.read_exact(&mut answer).await.unwrap();
    };
    let mut buf = [0; 8];
    select! {
        _ = socket.read(&mut buf) => panic!("there is nothing to read"),
        () = play_browser => assert_eq!(answer[..], pong),
        () = sleep(CLOSE_HANDSHAKE) => panic!("a reader does not answer"),
    }

    let mut unread = Vec::new();
    let play_browser = async {
        browser.write_all(&masked(0x89, b"hey")).await.unwrap();
        browser.read_exact(&mut answer).await.unwrap();
    };
    select! {
        _ = socket.wait_for_end(&mut unread) => panic!("the browser is still there"),
        () = play_browser => assert_eq!(answer[..], pong),
        () = sleep(CLOSE_HANDSHAKE) => panic!("whoever waits does not answer"),
    }
}

#[tokio::test]
async fn a_flood_of_empty_frames_leaves_room_for_others() {
    let flood = masked(0x82, b"").repeat(1000);
    let (mut socket, _browser) = pair(&flood);
    let mut buf = [0; 60];
    let mut turns = 0;
    // Ten frames a read: a reader that never let go would be at their end in its first turn.
    let reading = std::future::poll_fn(|cx| {
        turns += 1;
        let received = socket.poll_receive(cx, &mut buf);
        assert!(received.is_pending());
        if socket.read_ahead.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    });
    reading.await;
    assert!(turns >= 1000 / 10 / MAX_FRUITLESS, "{turns} turns");
}

#[tokio::test]
async fn what_was_read_ahead_is_let_go_once_it_is_read() {
    struct Ahead(
        Vec<u8>,
        #[expect(dead_code, reason = "it is counted")] Arc<()>,
    );
    impl AsRef<[u8]> for Ahead {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    let held = Arc::new(());
    let ahead = |bytes: &[u8]| Bytes::from_owner(Ahead(bytes.to_vec(), Arc::clone(&held)));

    let (ours, _browser) = duplex(64);
    let _socket = WebSocket::new(ours, ahead(b"GET /").slice(5..), 1024);
    assert_eq!(Arc::strong_count(&held), 1, "nothing was read ahead");

    let (ours, _browser) = duplex(64);
    let mut socket = WebSocket::new(ours, ahead(&masked(0x82, b"x")), 1024);
    assert_eq!(Arc::strong_count(&held), 2);
    assert_eq!(socket.read(&mut [0; 64]).await.unwrap(), 1);
    assert_eq!(Arc::strong_count(&held), 1);
}
