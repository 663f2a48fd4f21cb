//! Updates that come without being asked for one by one.

use super::*;
use crate::rfb::pacing::{FAR, MAX_FENCES, Pacing};
use crate::rfb::server_message::tests::{rectangle, update};

/// Raw, Fence, ContinuousUpdates.
const FITTING: [u8; 16] = [
    2, 0, 0, 3, 0, 0, 0, 0, 255, 255, 254, 200, 255, 255, 254, 199,
];
/// Raw alone.
const UNFIT: [u8; 8] = [2, 0, 0, 1, 0, 0, 0, 0];
/// The whole screen of 640 by 480.
const EVERYTHING: [u8; 10] = [3, 0, 0, 0, 0, 0, 2, 0x80, 1, 0xe0];
const CHANGES: [u8; 10] = [3, 1, 0, 0, 0, 0, 2, 0x80, 1, 0xe0];
const ENABLE: [u8; 10] = [150, 1, 0, 0, 0, 0, 2, 0x80, 1, 0xe0];
const END: [u8; 1] = [150];
const BELL: [u8; 1] = [2];
const CTRL: [u8; 8] = [4, 1, 0, 0, 0, 0, 0xff, 0xe3];
const CTRL_UP: [u8; 8] = [4, 0, 0, 0, 0, 0, 0xff, 0xe3];
/// All pixels, in bytes.
const SCREEN: usize = 640 * 480 * 4;

fn picture() -> Vec<u8> {
    update(&[rectangle([8, 8, 1, 1], 0, &noise(4))])
}

/// The number in a fence of ours.
fn number(frame: &(u8, Vec<u8>)) -> [u8; 4] {
    assert_eq!(frame.0, BINARY);
    let number = frame.1.strip_prefix(&[248, 0, 0, 0, 0x80, 0, 0, 3, 4]);
    number.expect("a fence").try_into().unwrap()
}

fn answer(number: [u8; 4]) -> Vec<u8> {
    [&[248, 0, 0, 0, 0, 0, 0, 3, 4][..], &number].concat()
}

async fn send(browser: &mut DuplexStream, message: &[u8]) {
    let frame = masked(BINARY, message);
    browser.write_all(&frame).await.unwrap();
}

async fn shown(browser: &mut DuplexStream, message: &[u8]) {
    let frame = next_frame(browser).await.unwrap();
    assert_eq!(frame, (BINARY, message.to_vec()));
}

async fn hears(host: &mut DuplexStream, expected: &[u8]) {
    let mut got = vec![0; expected.len()];
    host.read_exact(&mut got).await.unwrap();
    assert_eq!(got, expected);
}

/// Nothing more comes to the host, however long it waits.
async fn hears_nothing(host: &mut DuplexStream) {
    let waited = timeout(Duration::from_secs(5), host.read_u8()).await;
    assert!(waited.is_err(), "{waited:?}");
}

/// Plays a script between a browser and a host, and ends it.
async fn playing<T>(
    pacing: Pacing,
    script: impl AsyncFnOnce(&mut DuplexStream, &mut DuplexStream) -> T,
) -> Outcome<T> {
    let (ours, mut browser) = duplex(1 << 16);
    let (to_host, mut host) = duplex(1 << 16);
    let gate = HostGate::new(&init(), WHATEVER).unwrap().pacing(pacing);
    let gate = Some(Box::new(gate));
    let script = async move { script(&mut browser, &mut host).await };
    let first = FirstBytes::default();
    relayed_past(gate, ours, to_host, params(), first, script).await
}

/// The ping with which a relay begins, which is answered at once or left.
async fn pinged(browser: &mut DuplexStream) -> Vec<u8> {
    let (first, payload) = next_frame(browser).await.unwrap();
    assert_eq!(first, PING);
    payload
}

/// The first update, after which continuous updates are offered and enabled.
async fn enabled(browser: &mut DuplexStream, host: &mut DuplexStream) {
    pinged(browser).await;
    send(browser, &[&FITTING[..], &EVERYTHING].concat()).await;
    hears(host, &[&FITTING[..], &EVERYTHING].concat()).await;
    host.write_all(&picture()).await.unwrap();
    shown(browser, &picture()).await;
    shown(browser, &END).await;
    // noVNC asks once more: it had seen the update before the offer.
    send(browser, &[CHANGES, ENABLE].concat()).await;
    hears(host, &CHANGES).await;
}

#[tokio::test(start_paused = true)]
async fn updates_come_without_a_request_of_the_browser() {
    playing(Pacing::On, async |browser, host| {
        enabled(browser, host).await;
        let mut fences = Vec::new();
        for _ in 0..MAX_FENCES {
            host.write_all(&picture()).await.unwrap();
            shown(browser, &picture()).await;
            fences.push(number(&next_frame(browser).await.unwrap()));
            if fences.len() < MAX_FENCES {
                hears(host, &CHANGES).await;
            }
        }
        // As many as may be under way.
        hears_nothing(host).await;
        // The browser's own requests are merged into ours.
        send(browser, &CHANGES).await;
        hears_nothing(host).await;
        send(browser, &answer(fences[0])).await;
        hears(host, &CHANGES).await;
        // Two at once need one fence.
        host.write_all(&[picture(), picture()].concat())
            .await
            .unwrap();
        shown(browser, &[picture(), picture()].concat()).await;
        number(&next_frame(browser).await.unwrap());
        hears_nothing(host).await;
    })
    .await;
}

/// How many bytes of RFB come until nothing more does.
async fn arriving(browser: &mut (impl AsyncRead + Unpin)) -> usize {
    let mut got = 0;
    while let Ok(frame) = timeout(Duration::from_secs(5), next_frame(browser)).await {
        got += frame.unwrap().1.len();
    }
    got
}

#[tokio::test(start_paused = true)]
async fn a_host_that_talks_before_it_listens_is_heard() {
    let whole = rectangle([0, 0, 640, 480], 0, &vec![7; SCREEN]);
    let more_than_a_screen = update(&[whole.clone(), whole]);
    let words = text(&[b'x'; 300_000]);
    playing(Pacing::On, async |browser, host| {
        enabled(browser, host).await;
        host.write_all(&picture()).await.unwrap();
        shown(browser, &picture()).await;
        let fence = number(&next_frame(browser).await.unwrap());
        hears(host, &CHANGES).await;
        // The answer stands behind more than fits on the way to the host.
        let (mut from_us, mut to_us) = tokio::io::split(browser);
        let said = masked(BINARY, &[&words[..], &answer(fence)].concat());
        let host = async {
            host.write_all(&more_than_a_screen).await.unwrap();
            hears(host, &words).await;
        };
        let says = to_us.write_all(&said);
        let (said, (), got) = tokio::join!(says, host, arriving(&mut from_us));
        said.unwrap();
        assert!(got > 2 * SCREEN);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_is_bounded_when_fences_are_not_answered() {
    let whole = rectangle([0, 0, 640, 480], 0, &vec![7; SCREEN]);
    let two = update(&[whole.clone(), whole]);
    playing(Pacing::On, async |browser, host| {
        enabled(browser, host).await;
        host.write_all(&picture()).await.unwrap();
        shown(browser, &picture()).await;
        let fence = number(&next_frame(browser).await.unwrap());
        // The host sends more than a screen at once, and more than it was asked for.
        let floods = async {
            loop {
                host.write_all(&two).await.unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let looks = async {
            let before = arriving(browser).await;
            assert!(before + picture().len() <= SCREEN, "{before}");
            assert!(before > SCREEN - 1000, "{before}");
            // The rest of the message, and a fence behind it.
            send(browser, &answer(fence)).await;
            let behind = arriving(browser).await;
            assert_eq!(before + behind, two.len() + answer(fence).len());
        };
        tokio::select! {
            () = looks => {}
            () = floods => {}
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_fit_gets_the_stream_as_it_is() {
    let fence = [248, 0, 0, 0, 0x80, 0, 0, 1, 2, 7, 7];
    for (name, lists, says) in [
        ("no fences", &UNFIT[..], picture()),
        (
            "a host with its own",
            &FITTING,
            [&END[..], &picture()].concat(),
        ),
        (
            "a host with fences",
            &FITTING,
            [&fence[..], &picture()].concat(),
        ),
    ] {
        playing(Pacing::On, async |browser, host| {
            pinged(browser).await;
            let sent = [lists, &EVERYTHING].concat();
            send(browser, &sent).await;
            hears(host, &sent).await;
            host.write_all(&says).await.unwrap();
            shown(browser, &says).await;
            // Nothing is added and nothing is held back, not even what breaks the protocol.
            let sent = [&ENABLE[..], &answer([0; 4]), &CHANGES].concat();
            send(browser, &sent).await;
            hears(host, &sent).await;
            for _ in 0..3 {
                host.write_all(&[77; 100]).await.unwrap();
                shown(browser, &[77; 100]).await;
            }
            hears_nothing(host).await;
        })
        .await;
        assert!(!name.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_round_trip_decides() {
    let ms = Duration::from_millis(1);
    for (trip, paced) in [(ms, false), (FAR - ms, false), (FAR + 2 * ms, true)] {
        for pong_first in [true, false] {
            playing(Pacing::Auto, async |browser, host| {
                let ping = pinged(browser).await;
                send(browser, &[&FITTING[..], &EVERYTHING].concat()).await;
                hears(host, &[&FITTING[..], &EVERYTHING].concat()).await;
                if !pong_first {
                    host.write_all(&picture()).await.unwrap();
                    shown(browser, &picture()).await;
                }
                tokio::time::sleep(trip).await;
                browser.write_all(&masked(PONG, &ping)).await.unwrap();
                tokio::time::sleep(ms).await;
                if pong_first {
                    host.write_all(&picture()).await.unwrap();
                    shown(browser, &picture()).await;
                }
                host.write_all(&picture()).await.unwrap();
                if paced {
                    shown(browser, &END).await;
                }
                shown(browser, &picture()).await;
                send(browser, &ENABLE).await;
                if paced {
                    hears(host, &CHANGES).await;
                } else {
                    hears(host, &ENABLE).await;
                }
            })
            .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn requests_and_releases_find_their_place_between_two_messages() {
    let outcome = playing(Pacing::On, async |browser, host| {
        enabled(browser, host).await;
        let cut = text(b"a text in two parts");
        send(browser, &[&CTRL[..], &cut[..12]].concat()).await;
        hears(host, &[&CTRL[..], &cut[..12]].concat()).await;
        host.write_all(&[&picture()[..], &BELL].concat())
            .await
            .unwrap();
        shown(browser, &[&picture()[..], &BELL].concat()).await;
        let fence = number(&next_frame(browser).await.unwrap());
        hears_nothing(host).await;
        send(browser, &cut[12..]).await;
        hears(host, &[&cut[12..], &CHANGES].concat()).await;
        // Cut anywhere, an answer never reaches the host.
        for byte in answer(fence) {
            send(browser, &[byte]).await;
        }
        send(browser, &[&answer(fence)[..], &[4, 1]].concat()).await;
        browser.shutdown().await.unwrap();
        let mut rest = Vec::new();
        host.read_to_end(&mut rest).await.unwrap();
        rest
    })
    .await;
    assert_eq!(outcome.reason, Reason::BrowserLost);
    assert_eq!(outcome.played, CTRL_UP);
}

#[tokio::test(start_paused = true)]
async fn a_dead_browser_is_noticed_while_the_host_paints() {
    let outcome = playing(Pacing::On, async |browser, host| {
        enabled(browser, host).await;
        let (mut from_gateway, _to_gateway) = tokio::io::split(browser);
        let (mut from_relay, mut to_relay) = tokio::io::split(host);
        let paints = async {
            let mut request = [0; 10];
            while to_relay.write_all(&picture()).await.is_ok()
                && from_relay.read_exact(&mut request).await.is_ok()
            {}
        };
        // It takes everything and answers nothing, no ping either.
        tokio::join!(all_frames(&mut from_gateway), paints);
    })
    .await;
    assert_eq!(outcome.reason, Reason::BrowserLost);
    assert!(outcome.ran <= params().dead_after + Duration::from_secs(1));
}
