//! A leg that is not read from stops the other; nobody's slowness is stored.

use super::*;
use crate::buffers::BUFFER_LEN;

const PIPE: usize = 64;

/// Writes until nothing is taken any more, and says how many bytes were.
async fn flood(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> usize {
    let mut taken = 0;
    for chunk in bytes.chunks(16) {
        let Ok(Ok(())) = timeout(Duration::from_secs(30), stream.write_all(chunk)).await else {
            break;
        };
        taken += chunk.len();
    }
    taken
}

#[tokio::test(start_paused = true)]
async fn a_browser_that_reads_nothing_stops_the_host() {
    let flooding = async |browser: DuplexStream, mut host: DuplexStream| {
        let taken = flood(&mut host, &noise(1 << 20)).await;
        // Both ends stay open until the relay is over.
        tokio::time::sleep(params().dead_after).await;
        drop((browser, host));
        taken
    };
    let outcome = relayed(PIPE, PIPE, params(), FirstBytes::default(), flooding).await;
    assert_eq!(outcome.reason, Reason::BrowserLost);
    assert_eq!(outcome.ran.as_secs(), params().dead_after.as_secs());
    assert!(
        outcome.played <= BUFFER_LEN + 2 * PIPE,
        "{}",
        outcome.played
    );
}

#[tokio::test(start_paused = true)]
async fn a_host_that_reads_nothing_stops_the_browser_and_is_the_one_to_blame() {
    let frames = masked(BINARY, &text(&[7; 92])).repeat(10_000);
    let flooding = async |mut browser: DuplexStream, host: DuplexStream| {
        let taken = flood(&mut browser, &frames).await;
        let rest = all_frames(&mut browser).await;
        drop(host);
        (taken, rest)
    };
    let outcome = relayed(PIPE, PIPE, params(), FirstBytes::default(), flooding).await;
    let (taken, rest) = outcome.played;
    assert_eq!(outcome.reason, Reason::HostLost);
    assert!(taken <= BUFFER_LEN + 2 * PIPE, "{taken}");
    assert!(rest.last().unwrap().1.ends_with(b"host_lost"));
}

#[tokio::test(start_paused = true)]
async fn while_a_host_is_slow_the_browser_is_not_taken_for_dead() {
    let sent = text(&noise(52));
    let outcome = relayed(
        4096,
        8,
        params(),
        FirstBytes::default(),
        async |mut browser, mut host| {
            browser.write_all(&masked(BINARY, &sent)).await.unwrap();
            browser.write_all(&masked(CLOSE, b"")).await.unwrap();
            let mut got: Vec<u8> = Vec::new();
            let mut some = [0; 8];
            loop {
                // Slower than the browser could answer a ping, faster than a dead host.
                tokio::time::sleep(Duration::from_secs(50)).await;
                match host.read(&mut some).await.unwrap() {
                    0 => return got,
                    read => got.extend(&some[..read]),
                }
            }
        },
    )
    .await;
    assert_eq!(outcome.reason, Reason::BrowserClosed);
    assert_eq!(outcome.played, sent);
}

#[tokio::test(start_paused = true)]
async fn a_host_has_its_time_from_when_it_is_asked_to_take_something() {
    let outcome = relayed(
        4096,
        8,
        params(),
        FirstBytes::default(),
        async |mut browser, mut host| {
            // Fills the host's pipe; then nothing is asked of the host for ten minutes.
            browser
                .write_all(&masked(BINARY, &text(b"")))
                .await
                .unwrap();
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_secs(30)).await;
                browser.write_all(&masked(PONG, b"")).await.unwrap();
            }
            browser
                .write_all(&masked(BINARY, &text(b"")))
                .await
                .unwrap();
            tokio::time::sleep(params().dead_after / 2).await;
            let mut got = [0; 16];
            host.read_exact(&mut got).await.unwrap();
            browser.write_all(&masked(CLOSE, b"")).await.unwrap();
            got
        },
    )
    .await;
    assert_eq!(outcome.reason, Reason::BrowserClosed);
    assert_eq!(outcome.played, text(b"").repeat(2)[..]);
}
