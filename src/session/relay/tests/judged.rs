//! What comes from a host whose words are looked at.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::*;
use crate::rfb::server_message::tests::{rectangle, update};

/// Text from the machine up to 1000 bytes, and neither resizing nor the power switch.
const BOUNDED: Permissions = Permissions {
    view_only: false,
    clipboard: Clipboard {
        to_machine: 1000,
        from_machine: 1000,
    },
    resize: false,
    power: false,
};
/// Raw, the extended clipboard, ExtendedDesktopSize, xvp.
const LISTED: [i32; 4] = [0, 0xc0a1_e5ce_u32.cast_signed(), -308, -309];
/// What the host hears of it: who may not resize is not said to know how.
const HEARD: [i32; 4] = [LISTED[0], LISTED[1], 0x464c_0000, 0x464c_0000];
const BELL: [u8; 1] = [2];
const REQUEST: [u8; 10] = [3, 0, 0, 0, 0, 0, 2, 0x80, 1, 0xe0];
const CTRL: [u8; 8] = [4, 1, 0, 0, 0, 0, 0xff, 0xe3];
const CTRL_UP: [u8; 8] = [4, 0, 0, 0, 0, 0, 0xff, 0xe3];

fn list(encodings: &[i32]) -> Vec<u8> {
    let mut message = vec![2, 0, 0, encodings.len() as u8];
    for encoding in encodings {
        message.extend(encoding.to_be_bytes());
    }
    message
}

/// SetPixelFormat with so many bits a pixel.
fn format(bits: u8) -> Vec<u8> {
    let colours = [0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0];
    [&[0, 0, 0, 0, bits, bits][..], &colours].concat()
}

fn cut_text(len: usize) -> Vec<u8> {
    let mut message = text(&vec![b'x'; len]);
    message[0] = 3;
    message
}

/// Text of the extended clipboard.
fn provide(len: usize) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(&(len as u32).to_be_bytes()).unwrap();
    zlib.write_all(&noise(len)).unwrap();
    zlib.flush().unwrap();
    let body = zlib.get_ref();
    let announced = -(body.len() as i32 + 4);
    let head = [[3, 0, 0, 0], announced.to_be_bytes(), [0x10, 0, 0, 1]].concat();
    [&head, &body[..]].concat()
}

fn raw(width: u16, height: u16) -> Vec<u8> {
    let body = noise(usize::from(width) * usize::from(height) * 4);
    rectangle([0, 0, width, height], 0, &body)
}

/// Takes from the host's end what the browser sent, so that it is known to have passed.
async fn hears(host: &mut DuplexStream, expected: &[u8]) {
    let mut got = vec![0; expected.len()];
    host.read_exact(&mut got).await.unwrap();
    assert_eq!(got, expected);
}

/// Relays over pipes of some size: the browser lists what it knows, then the host says `down` and
/// leaves.
async fn judged(permissions: Permissions, pipe: usize, down: &[u8]) -> Outcome<Vec<(u8, Vec<u8>)>> {
    let params = Params {
        permissions,
        ..params()
    };
    let first = FirstBytes::default();
    relayed(pipe, pipe, params, first, async |mut browser, mut host| {
        let said = async {
            let mut heard = vec![0; list(&LISTED).len()];
            host.read_exact(&mut heard).await.unwrap();
            host.write_all(down).await.unwrap();
            host.shutdown().await.unwrap();
        };
        let sent = masked(BINARY, &list(&LISTED));
        let (mut from_gateway, mut to_gateway) = tokio::io::split(&mut browser);
        let shown = all_frames(&mut from_gateway);
        tokio::join!(shown, said, to_gateway.write_all(&sent)).0
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn text_is_dropped_and_all_else_passes_whatever_the_pieces() {
    let picture = update(&[raw(20, 20), raw(1, 1)]);
    let down = [
        &picture[..],
        &cut_text(1001),
        &BELL,
        &provide(1002),
        &cut_text(1000),
        &picture,
        &provide(900),
        &BELL,
    ]
    .concat();
    let expected = [
        &picture[..],
        &BELL,
        &cut_text(1000),
        &picture,
        &provide(900),
        &BELL,
    ]
    .concat();
    for pipe in [8, 1 << 16] {
        let outcome = judged(BOUNDED, pipe, &down).await;
        assert_eq!(outcome.reason, Reason::HostClosed);
        let frames = outcome.played;
        assert!(of_kind(BINARY, &frames).concat() == expected, "{pipe}");
        assert_eq!(outcome.traffic.down(), expected.len() as u64);
        let empty = frames.iter().filter(|frame| **frame == (BINARY, vec![]));
        assert_eq!(empty.count(), 0, "no frame without anything in it");
    }
    let none = Permissions {
        clipboard: Clipboard::NONE,
        ..BOUNDED
    };
    let outcome = judged(none, 8, &down).await;
    let expected = [&picture[..], &BELL, &picture, &BELL].concat();
    assert!(of_kind(BINARY, &outcome.played).concat() == expected);
}

#[tokio::test(start_paused = true)]
async fn what_the_handshake_read_beyond_its_end_is_looked_at_as_well() {
    let params = Params {
        permissions: BOUNDED,
        ..params()
    };
    let first = FirstBytes {
        down: [&cut_text(1001)[..], &BELL, &[0, 0]].concat(),
        ..FirstBytes::default()
    };
    let outcome = relayed(64, 64, params, first, async |mut browser, mut host| {
        host.write_all(&[0, 1]).await.unwrap();
        host.write_all(&raw(1, 1)).await.unwrap();
        drop(host);
        all_frames(&mut browser).await
    })
    .await;
    let expected = [&BELL, &update(&[raw(1, 1)])[..]].concat();
    assert_eq!(of_kind(BINARY, &outcome.played).concat(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_breaks_the_protocol_is_parted_from_without_a_key_down() {
    let outside = update(&[rectangle([630, 0, 20, 1], 0, &[0; 80])]);
    let down = [&BELL, &outside[..]].concat();
    let params = Params {
        permissions: BOUNDED,
        ..params()
    };
    let first = FirstBytes::default();
    let outcome = relayed(1 << 12, 8, params, first, async |mut browser, mut host| {
        browser.write_all(&masked(BINARY, &CTRL)).await.unwrap();
        hears(&mut host, &CTRL).await;
        // It is hung up on before it has said everything.
        let _ = host.write_all(&down).await;
        let mut rest = Vec::new();
        host.read_to_end(&mut rest).await.unwrap();
        drop(host);
        (all_frames(&mut browser).await, rest)
    })
    .await;
    assert_eq!(outcome.reason, Reason::HostProtocol);
    let (frames, rest) = outcome.played;
    assert_eq!(rest, CTRL_UP);
    let shown = of_kind(BINARY, &frames).concat();
    assert_eq!(
        shown,
        [&BELL, &outside[..4]].concat(),
        "what came before it"
    );
    let (first, payload) = frames.last().unwrap();
    assert_eq!(*first, CLOSE);
    assert!(payload.ends_with(b"host_protocol"));
}

#[tokio::test(start_paused = true)]
async fn pixels_of_another_size_have_to_be_asked_for_in_time() {
    let late = [&list(&LISTED)[..], &format(16)].concat();
    let params = Params {
        permissions: BOUNDED,
        ..params()
    };
    let first = FirstBytes::default();
    let outcome = relayed(64, 64, params, first, async |mut browser, mut host| {
        browser.write_all(&masked(BINARY, &late)).await.unwrap();
        let mut heard = Vec::new();
        host.read_to_end(&mut heard).await.unwrap();
        heard
    })
    .await;
    assert_eq!(outcome.reason, Reason::BrowserProtocol);
    assert_eq!(outcome.played, list(&HEARD));

    let up = [format(16), list(&LISTED), REQUEST.to_vec()].concat();
    let pixels = update(&[rectangle([0, 0, 3, 1], 0, &noise(6))]);
    let first = FirstBytes::default();
    let outcome = relayed(64, 64, params, first, async |mut browser, mut host| {
        browser.write_all(&masked(BINARY, &up)).await.unwrap();
        let mut heard = vec![0; up.len()];
        host.read_exact(&mut heard).await.unwrap();
        host.write_all(&[&pixels[..], &BELL].concat())
            .await
            .unwrap();
        drop(host);
        all_frames(&mut browser).await
    })
    .await;
    assert_eq!(
        of_kind(BINARY, &outcome.played).concat(),
        [&pixels[..], &BELL].concat()
    );
}

/// Plays a script between a browser and a host that are looked at, and ends it.
async fn playing<T>(script: impl AsyncFnOnce(&mut DuplexStream, &mut DuplexStream) -> T) -> T {
    let params = Params {
        permissions: BOUNDED,
        ..params()
    };
    let first = FirstBytes::default();
    let outcome = relayed(
        1 << 12,
        1 << 12,
        params,
        first,
        async |mut browser, mut host| {
            assert_eq!(next_frame(&mut browser).await.unwrap().0, PING);
            script(&mut browser, &mut host).await
        },
    );
    outcome.await.played
}

#[tokio::test(start_paused = true)]
async fn an_update_that_is_dropped_is_asked_for_again() {
    playing(async |browser, host| {
        browser.write_all(&masked(BINARY, &REQUEST)).await.unwrap();
        hears(host, &REQUEST).await;
        host.write_all(&update(&[])).await.unwrap();
        let mut again = REQUEST;
        again[1] = 1;
        hears(host, &again).await;
        // Between two messages of the browser.
        browser
            .write_all(&masked(BINARY, &text(b"cut")[..9]))
            .await
            .unwrap();
        hears(host, &text(b"cut")[..9]).await;
        host.write_all(&update(&[])).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        browser
            .write_all(&masked(BINARY, &text(b"cut")[9..]))
            .await
            .unwrap();
        hears(host, &[&text(b"cut")[9..], &again].concat()).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_may_not_is_told_so_between_two_messages() {
    const RESIZE: [u8; 8] = [251, 0, 1, 0, 1, 0, 0, 0];
    const RESET: [u8; 4] = [250, 0, 1, 4];
    const FAIL: [u8; 4] = [250, 0, 1, 0];
    let screen = [&[1, 0, 0, 0][..], &[0; 8], &[2, 0x80, 1, 0xe0], &[0; 4]].concat();
    let prohibited = update(&[rectangle([1, 1, 640, 480], -308, &screen)]);
    playing(async |browser, host| {
        // One that does not know the answers gets none.
        let sent = [&RESIZE[..], &RESET, &list(&LISTED)].concat();
        browser.write_all(&masked(BINARY, &sent)).await.unwrap();
        let mut heard = vec![0; list(&LISTED).len()];
        host.read_exact(&mut heard).await.unwrap();
        host.write_all(&BELL).await.unwrap();
        assert_eq!(next_frame(browser).await.unwrap(), (BINARY, BELL.to_vec()));

        let sent = [&RESIZE[..], &RESET].concat();
        browser.write_all(&masked(BINARY, &sent)).await.unwrap();
        let answer = [&prohibited[..], &FAIL].concat();
        assert_eq!(next_frame(browser).await.unwrap(), (BINARY, answer));

        let picture = update(&[raw(2, 2)]);
        let (front, back) = picture.split_at(20);
        host.write_all(front).await.unwrap();
        assert_eq!(next_frame(browser).await.unwrap(), (BINARY, front.to_vec()));
        browser.write_all(&masked(BINARY, &RESET)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        host.write_all(back).await.unwrap();
        assert_eq!(next_frame(browser).await.unwrap(), (BINARY, back.to_vec()));
        assert_eq!(next_frame(browser).await.unwrap(), (BINARY, FAIL.to_vec()));
    })
    .await;
}
