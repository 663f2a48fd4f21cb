//! Pings, what answers them, and peers that do not.

use tokio::io::{join, repeat, sink, split};

use super::*;

fn telling() -> Params {
    Params {
        tell_page: true,
        ..params()
    }
}

/// A browser that answers the first `pings` pings after 7 ms each and then says goodbye: when each
/// of them came, and every frame that is neither ping nor close.
async fn answering(params: Params, pings: usize) -> Outcome<(Vec<Duration>, Vec<(u8, Vec<u8>)>)> {
    relayed(
        4096,
        4096,
        params,
        FirstBytes::default(),
        async |mut browser, host| {
            let started = Instant::now();
            let (mut came, mut others) = (Vec::new(), Vec::new());
            while let Some((first, payload)) = next_frame(&mut browser).await {
                match first {
                    PING => {
                        came.push(started.elapsed());
                        tokio::time::sleep(Duration::from_millis(7)).await;
                        browser.write_all(&masked(PONG, &payload)).await.unwrap();
                        if came.len() == pings {
                            // After the answer had its time.
                            tokio::time::sleep(Duration::from_millis(7)).await;
                            browser.write_all(&masked(CLOSE, b"")).await.unwrap();
                        }
                    }
                    CLOSE => {}
                    _ => others.push((first, payload)),
                }
            }
            drop(host);
            (came, others)
        },
    )
    .await
}

#[tokio::test(start_paused = true)]
async fn a_ping_leaves_at_every_interval_and_answers_keep_a_session_alive() {
    let outcome = answering(params(), 9).await;
    let (came, others) = outcome.played;
    let seconds: Vec<u64> = came.iter().map(Duration::as_secs).collect();
    assert_eq!(seconds, [0, 25, 50, 75, 100, 125, 150, 175, 200]);
    assert_eq!(outcome.reason, Reason::BrowserClosed);
    assert_eq!(others, [], "round trips are told only to who asked");
}

#[tokio::test(start_paused = true)]
async fn a_page_is_told_how_long_its_answers_took() {
    let (_, others) = answering(telling(), 3).await.played;
    let told = (TEXT, br#"{"v":1,"type":"rtt","ms":7}"#.to_vec());
    // The timer's grain is a millisecond, and a pong may come at its other end.
    let late = (TEXT, br#"{"v":1,"type":"rtt","ms":8}"#.to_vec());
    assert_eq!(others.len(), 3);
    for other in others {
        assert!(other == told || other == late, "{other:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn pongs_that_nobody_asked_for_are_no_measure() {
    let outcome = relayed(
        4096,
        4096,
        telling(),
        FirstBytes::default(),
        async |mut browser, host| {
            let (mut reads, mut writes) = split(&mut browser);
            let send = async {
                for n in 0..10_000_u64 {
                    let pong = masked(PONG, &(n << 40 | 1).to_be_bytes());
                    writes.write_all(&pong).await.unwrap();
                }
                writes.write_all(&masked(CLOSE, b"")).await.unwrap();
            };
            let (frames, ()) = tokio::join!(all_frames(&mut reads), send);
            drop(host);
            frames.iter().map(|(first, _)| *first).collect::<Vec<_>>()
        },
    )
    .await;
    assert_eq!(outcome.played, [PING, CLOSE]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_counts_once() {
    let outcome = relayed(
        4096,
        4096,
        telling(),
        FirstBytes::default(),
        async |mut browser, host| {
            let (_, payload) = next_frame(&mut browser).await.unwrap();
            for _ in 0..5 {
                browser.write_all(&masked(PONG, &payload)).await.unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            browser.write_all(&masked(CLOSE, b"")).await.unwrap();
            let frames = all_frames(&mut browser).await;
            drop(host);
            of_kind(TEXT, &frames).len()
        },
    )
    .await;
    assert_eq!(outcome.played, 1);
}

#[tokio::test(start_paused = true)]
async fn of_a_flood_of_pings_only_the_newest_is_answered() {
    const PIPE: usize = 4096;
    let outcome = relayed(
        PIPE,
        PIPE,
        params(),
        FirstBytes::default(),
        async |mut browser, host| {
            for n in 0..20_000_u32 {
                let payload = [&n.to_be_bytes()[..], &[0; 121]].concat();
                browser.write_all(&masked(PING, &payload)).await.unwrap();
            }
            let mut answers = Vec::new();
            loop {
                let (first, payload) = next_frame(&mut browser).await.unwrap();
                let newest = payload.starts_with(&19_999_u32.to_be_bytes());
                if first == PONG {
                    answers.push(payload);
                }
                if newest {
                    break;
                }
            }
            browser.write_all(&masked(CLOSE, b"")).await.unwrap();
            drop(host);
            answers
        },
    )
    .await;
    let answers = outcome.played;
    // What fits into the pipes, one that waits for room, and the newest.
    assert!(answers.len() <= 2 * PIPE / 127 + 2, "{}", answers.len());
    assert!(answers.is_sorted());
}

#[tokio::test(start_paused = true)]
async fn a_silent_browser_is_dead_after_its_time() {
    let outcome = relayed(
        4096,
        4096,
        params(),
        FirstBytes::default(),
        async |mut browser, host| {
            // It takes its pings, and answers none.
            let frames = all_frames(&mut browser).await;
            drop(host);
            of_kind(PING, &frames).len()
        },
    )
    .await;
    assert_eq!(outcome.reason, Reason::BrowserLost);
    // The host, which stays, has its moment to read the end.
    let ran = params().dead_after + PARTING;
    assert_eq!(outcome.ran.as_millis(), ran.as_millis());
    assert_eq!(outcome.played, 3);
}

/// A host that sends without end and takes nothing, and a browser that reads as fast: nothing ever
/// waits for them, and time still passes.
#[tokio::test(start_paused = true)]
async fn a_torrent_does_not_stop_the_clock() {
    let (stuck, _full) = duplex(1);
    let to_host = join(repeat(7), stuck);
    let (ours, mut browser) = duplex(64);
    let ours = join(ours, sink());
    let frame = masked(BINARY, &text(b"a key"));
    browser.write_all(&frame).await.unwrap();
    let time = async {
        for _ in 0..=params().dead_after.as_secs() {
            tokio::time::advance(Duration::from_secs(1)).await;
        }
    };
    let relay = relayed_over(ours, to_host, params(), FirstBytes::default(), time);
    // The host goes on sending after its end, and is not listened to for long.
    let outcome = relay.await;
    assert_eq!(outcome.reason, Reason::HostLost);
}
