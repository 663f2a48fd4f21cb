//! What the gate lets through, and what is left at the host when a session ends.

use super::*;
use crate::session::relay::inbox::Order;
use crate::store::Sentence;

const CTRL: [u8; 8] = [4, 1, 0, 0, 0, 0, 0xff, 0xe3];
const CTRL_UP: [u8; 8] = [4, 0, 0, 0, 0, 0, 0xff, 0xe3];
const PRESSED: [u8; 6] = [5, 1, 0, 7, 0, 9];
const RELEASED: [u8; 6] = [5, 0, 0, 7, 0, 9];

/// What a host gets when the browser sends `stream` and is gone without a word.
async fn left_behind(permissions: Permissions, stream: &[u8]) -> Outcome<Vec<u8>> {
    let params = Params {
        permissions,
        ..params()
    };
    relayed(
        4096,
        8,
        params,
        FirstBytes::default(),
        async |mut browser, mut host| {
            browser.write_all(&masked(BINARY, stream)).await.unwrap();
            drop(browser);
            let mut got = Vec::new();
            host.read_to_end(&mut got).await.unwrap();
            got
        },
    )
    .await
}

#[tokio::test(start_paused = true)]
async fn no_key_stays_down_when_a_browser_is_gone() {
    let down = [&CTRL[..], &PRESSED].concat();
    let up = [&CTRL_UP[..], &RELEASED].concat();
    let outcome = left_behind(WHATEVER, &down).await;
    assert_eq!(outcome.reason, Reason::BrowserLost);
    assert_eq!(outcome.played, [&down[..], &up].concat());

    // In the middle of a key, of which the host has nothing.
    let cut = [&down[..], &[4, 1, 0, 0]].concat();
    let outcome = left_behind(WHATEVER, &cut).await;
    assert_eq!(outcome.played, [&down[..], &up].concat());

    // In the middle of a text, which is brought to an end.
    let cut = [&down[..], &text(&[b'x'; 5000])[..100]].concat();
    let outcome = left_behind(WHATEVER, &cut).await;
    let rest = vec![0; 5000 - 92];
    assert_eq!(outcome.played, [&cut[..], &rest, &up].concat());

    // What is not down is not released.
    let pressed = [&CTRL[..], &CTRL_UP].concat();
    let outcome = left_behind(WHATEVER, &pressed).await;
    assert_eq!(outcome.played, pressed);
}

#[tokio::test(start_paused = true)]
async fn no_key_stays_down_when_a_session_is_ended() {
    for idle in [false, true] {
        let (ours, mut browser) = duplex(4096);
        let (to_host, mut host) = duplex(8);
        let mut socket = WebSocket::new(ours, ::bytes::Bytes::new(), 1 << 20);
        let (buffers, traffic) = (Buffers::default(), Traffic::default());
        let params = Params {
            idle_max: Duration::from_secs(20),
            ..params()
        };
        let (orders, obeyed) = inbox::queue();
        let relay = Relay::new(&mut socket, to_host, &buffers, params, &traffic).hearing(obeyed);
        let ending = async {
            if !idle {
                tokio::time::sleep(Duration::from_secs(10)).await;
                orders.end(&Sentence::plain(Reason::Draining));
                // The first word stands.
                orders.end(&Sentence::plain(Reason::Terminated));
            }
        };
        browser.write_all(&masked(BINARY, &CTRL)).await.unwrap();
        let mut got = Vec::new();
        let reading = host.read_to_end(&mut got);
        let running = relay.run(FirstBytes::default());
        let (end, read, ()) = tokio::join!(running, reading, ending);
        read.unwrap();
        let reason = if idle { Reason::Idle } else { Reason::Draining };
        assert_eq!(end.reason, reason);
        assert_eq!(got, [CTRL, CTRL_UP].concat());
    }
}

#[tokio::test(start_paused = true)]
async fn releases_on_their_way_are_delivered_when_a_session_is_ended() {
    let clicked = [&CTRL[..], &CTRL_UP, &PRESSED, &RELEASED].concat();
    let chord: Chord = "ctrl-alt-del".parse().unwrap();
    for typed in [true, false] {
        let (ours, mut browser) = duplex(4096);
        let (to_host, mut host) = duplex(12);
        let mut socket = WebSocket::new(ours, ::bytes::Bytes::new(), 1 << 20);
        let (buffers, traffic) = (Buffers::default(), Traffic::default());
        let (orders, obeyed) = inbox::queue();
        let relay = Relay::new(&mut socket, to_host, &buffers, params(), &traffic).hearing(obeyed);
        if typed {
            browser.write_all(&masked(BINARY, &clicked)).await.unwrap();
        } else {
            orders.give(Order::Press(chord.clone())).unwrap();
        }
        // The host reads nothing until the session is over.
        let mut got = Vec::new();
        let ending = async {
            tokio::time::sleep(Duration::from_secs(10)).await;
            orders.end(&Sentence::plain(Reason::Terminated));
            tokio::time::sleep(PARTING / 2).await;
            host.read_to_end(&mut got).await.unwrap();
        };
        let (end, ()) = tokio::join!(relay.run(FirstBytes::default()), ending);
        assert_eq!(end.reason, Reason::Terminated);
        if typed {
            assert_eq!(got, clicked);
        } else {
            assert_eq!(got.len(), 6 * CTRL.len());
            assert!(got[3 * 8..].chunks(8).all(|key| key.starts_with(&[4, 0])));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_before_nonsense_is_delivered_and_nothing_behind_it() {
    let stream = [&CTRL[..], &[99], &PRESSED].concat();
    let outcome = relayed(
        4096,
        8,
        params(),
        FirstBytes::default(),
        async |mut browser, mut host| {
            browser.write_all(&masked(BINARY, &stream)).await.unwrap();
            let mut got = Vec::new();
            host.read_to_end(&mut got).await.unwrap();
            (got, all_frames(&mut browser).await)
        },
    )
    .await;
    assert_eq!(outcome.reason, Reason::BrowserProtocol);
    let (got, frames) = outcome.played;
    assert_eq!(got, [CTRL, CTRL_UP].concat());
    assert!(frames.last().unwrap().1.ends_with(b"browser_protocol"));
}

#[tokio::test(start_paused = true)]
async fn a_text_of_three_gigabytes_is_not_waited_for() {
    let outcome = left_behind(WHATEVER, &[6, 0, 0, 0, 0xc0, 0, 0, 0]).await;
    assert_eq!(outcome.reason, Reason::BrowserProtocol);
    assert_eq!(outcome.played, b"");
}

#[tokio::test(start_paused = true)]
async fn more_keys_than_fingers_end_it_and_are_all_released() {
    let keys = (0..65_536_u32).map(|key| [&[4, 1, 0, 0][..], &key.to_be_bytes()].concat());
    let stream: Vec<u8> = keys.flatten().collect();
    let (ours, mut browser) = duplex(1 << 20);
    browser.write_all(&masked(BINARY, &stream)).await.unwrap();
    let (to_host, mut host) = duplex(8);
    let script = async {
        let mut got = Vec::new();
        host.read_to_end(&mut got).await.unwrap();
        got
    };
    let outcome = relayed_over(ours, to_host, params(), FirstBytes::default(), script).await;
    assert_eq!(outcome.reason, Reason::BrowserProtocol);
    let down = outcome.played.chunks(8).filter(|key| key[1] == 1).count();
    let up = outcome.played.chunks(8).filter(|key| key[1] == 0).count();
    assert_eq!((down, up), (64, 64));
}
