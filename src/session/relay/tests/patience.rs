//! Sessions that last too long, in all or with nobody there.

use super::*;

fn page() -> Params {
    Params {
        tell_page: true,
        idle_max: Duration::from_secs(300),
        ..params()
    }
}

/// Somebody who answers every ping, sends `message` every ten seconds for `during`, and then only
/// answers: the texts that they got, rounds trips left out.
async fn sending(
    params: Params,
    message: &[u8],
    during: Duration,
) -> Outcome<Vec<(Duration, String)>> {
    relayed(
        4096,
        4096,
        params,
        FirstBytes::default(),
        async |browser, mut host| {
            let started = Instant::now();
            let (mut reads, mut writes) = tokio::io::split(browser);
            let (out, mut queue) = tokio::sync::mpsc::unbounded_channel();
            let pongs = out.clone();
            let browser_side = async move {
                let mut texts = Vec::new();
                while let Some((first, payload)) = next_frame(&mut reads).await {
                    match first {
                        PING => drop(pongs.send(masked(PONG, &payload))),
                        TEXT => {
                            texts.push((started.elapsed(), String::from_utf8(payload).unwrap()))
                        }
                        _ => {}
                    }
                }
                texts.retain(|(_, text)| !text.contains("rtt"));
                texts
            };
            let typing = async move {
                while started.elapsed() < during {
                    tokio::time::sleep(Duration::from_secs(10)).await;
                    let _ = out.send(masked(BINARY, message));
                }
            };
            let writing = async move {
                while let Some(frame) = queue.recv().await {
                    if writes.write_all(&frame).await.is_err() {
                        break;
                    }
                }
            };
            let host_side = async {
                let mut got = Vec::new();
                let _ = host.read_to_end(&mut got).await;
            };
            let (texts, (), (), ()) = tokio::join!(browser_side, typing, writing, host_side);
            texts
        },
    )
    .await
}

const KEY: [u8; 16] = [4, 1, 0, 0, 0, 0, 0, 0x61, 4, 0, 0, 0, 0, 0, 0, 0x61];
const POINTER: [u8; 6] = [5, 0, 0, 1, 0, 1];
const UPDATE_REQUEST: [u8; 10] = [3, 1, 0, 0, 0, 0, 4, 0, 3, 0];
const SOON: &str = r#"{"v":1,"type":"idle_soon","seconds":60}"#;
const OVER: &str = r#"{"v":1,"type":"idle_over"}"#;

#[tokio::test(start_paused = true)]
async fn requests_for_updates_are_nobody_there() {
    for message in [&UPDATE_REQUEST[..], &[248, 0, 0, 0, 0, 0, 0, 0, 0]] {
        let outcome = sending(page(), message, Duration::from_secs(1000)).await;
        assert_eq!(outcome.reason, Reason::Idle);
        assert_eq!(outcome.ran.as_secs(), 300);
        let texts: Vec<_> = outcome
            .played
            .iter()
            .map(|(at, text)| (at.as_secs(), &text[..]))
            .collect();
        assert_eq!(texts, [(240, SOON)]);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_types_or_moves_the_mouse_is_there() {
    for message in [&KEY[..], &POINTER, &text(b"pasted")] {
        let outcome = sending(page(), message, Duration::from_secs(1000)).await;
        assert_eq!(outcome.reason, Reason::Idle);
        assert_eq!(outcome.ran.as_secs(), 1300);
        assert_eq!(outcome.played.len(), 1, "{:?}", outcome.played);
    }
}

#[tokio::test(start_paused = true)]
async fn who_may_only_look_is_there_all_the_same() {
    let looking = Params {
        permissions: Permissions {
            view_only: true,
            ..WHATEVER
        },
        ..page()
    };
    let outcome = sending(looking, &POINTER, Duration::from_secs(1000)).await;
    assert_eq!(outcome.ran.as_secs(), 1300);
    assert_eq!(outcome.traffic.up(), 0, "and moves nothing");
}

#[tokio::test(start_paused = true)]
async fn a_warning_is_taken_back_when_somebody_comes() {
    let outcome = relayed(
        4096,
        4096,
        page(),
        FirstBytes::default(),
        async |mut browser, host| {
            let mut texts = Vec::new();
            while let Some((first, payload)) = next_frame(&mut browser).await {
                if first == PING {
                    let _ = browser.write_all(&masked(PONG, &payload)).await;
                }
                if first == TEXT && !payload.starts_with(br#"{"v":1,"type":"rtt"#) {
                    texts.push(String::from_utf8(payload).unwrap());
                    if texts == [SOON] {
                        browser.write_all(&masked(BINARY, &KEY)).await.unwrap();
                    }
                }
            }
            drop(host);
            texts
        },
    )
    .await;
    assert_eq!(outcome.reason, Reason::Idle);
    assert_eq!(outcome.played, [SOON, OVER, SOON]);
    assert_eq!(outcome.ran.as_secs(), 240 + 300);
}

#[tokio::test(start_paused = true)]
async fn a_short_patience_is_announced_half_way() {
    let short = Params {
        idle_max: Duration::from_secs(30),
        ..page()
    };
    let outcome = sending(short, b"", Duration::ZERO).await;
    assert_eq!(outcome.reason, Reason::Idle);
    assert_eq!(outcome.ran.as_secs(), 30);
    let soon = r#"{"v":1,"type":"idle_soon","seconds":15}"#.to_owned();
    assert_eq!(outcome.played, [(Duration::from_secs(15), soon)]);
}

#[tokio::test(start_paused = true)]
async fn nobody_stays_longer_than_a_session_may_last() {
    let short = Params {
        session_max: Duration::from_secs(700),
        ..page()
    };
    let outcome = sending(short, &KEY, Duration::from_secs(1000)).await;
    assert_eq!(outcome.reason, Reason::SessionLimit);
    assert_eq!(outcome.ran.as_secs(), 700);
    assert_eq!(outcome.played, []);
}
