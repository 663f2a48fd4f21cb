//! Orders into a running relay.

use super::*;
use crate::session::drain::Notice;
use crate::session::relay::inbox::{self, Order, Sender};
use crate::store::Permit;

const LOOKING: Permissions = Permissions {
    view_only: true,
    ..WHATEVER
};
const CTRL: [u8; 8] = [4, 1, 0, 0, 0, 0, 0xff, 0xe3];
const CTRL_UP: [u8; 8] = [4, 0, 0, 0, 0, 0, 0xff, 0xe3];

fn permit(permissions: Permissions) -> Order {
    Order::Permit(Permit::first(permissions))
}

/// Runs a relay with a page, which obeys, over pipes that hold nothing up.
async fn obeying<T>(
    script: impl AsyncFnOnce(&mut DuplexStream, &mut DuplexStream, Sender) -> T,
) -> T {
    obeying_from(WHATEVER, script).await
}

/// The same, with other permissions at the beginning.
async fn obeying_from<T>(
    permissions: Permissions,
    script: impl AsyncFnOnce(&mut DuplexStream, &mut DuplexStream, Sender) -> T,
) -> T {
    let (ours, mut browser) = duplex(1 << 16);
    let (to_host, mut host) = duplex(1 << 16);
    let mut socket = WebSocket::new(ours, ::bytes::Bytes::new(), 1 << 20);
    let (buffers, traffic) = (Buffers::default(), Traffic::default());
    let params = Params {
        tell_page: true,
        permissions,
        ..params()
    };
    let (orders, obeyed) = inbox::queue();
    let relay = Relay::new(&mut socket, to_host, &buffers, params, &traffic)
        .judging(host_gate(permissions))
        .hearing(obeyed);
    tokio::select! {
        end = relay.run(FirstBytes::default()) => panic!("{end:?}"),
        played = script(&mut browser, &mut host, orders) => played,
    }
}

async fn gets(host: &mut DuplexStream, expected: &[u8]) {
    let mut got = vec![0; expected.len()];
    host.read_exact(&mut got).await.unwrap();
    assert_eq!(got, expected);
}

#[tokio::test(start_paused = true)]
async fn a_driver_becomes_a_watcher_and_a_driver_again() {
    obeying(async |browser, host, orders| {
        browser.write_all(&masked(BINARY, &CTRL)).await.unwrap();
        gets(host, &CTRL).await;
        orders.give(permit(LOOKING)).unwrap();
        gets(host, &CTRL_UP).await;
        let told = loop {
            let (first, payload) = next_frame(browser).await.unwrap();
            if first == TEXT {
                break String::from_utf8(payload).unwrap();
            }
        };
        assert!(
            told.contains(r#""type":"permissions","view_only":true"#),
            "{told}"
        );
        browser.write_all(&masked(BINARY, &CTRL)).await.unwrap();
        // Time is paused, and passes when nothing else can be done.
        tokio::time::sleep(Duration::from_secs(1)).await;
        orders.give(permit(WHATEVER)).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        browser
            .write_all(&masked(BINARY, &text(b"seen")))
            .await
            .unwrap();
        gets(host, &text(b"seen")).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_order_waits_for_the_end_of_a_message_and_no_longer() {
    obeying(async |browser, host, orders| {
        let long = text(&noise(1000));
        browser
            .write_all(&masked(BINARY, &long[..500]))
            .await
            .unwrap();
        gets(host, &long[..500]).await;
        let chord = "ctrl".parse().unwrap();
        orders.give(Order::Press(chord)).unwrap();
        orders.give(permit(LOOKING)).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let rest = [&long[500..], &text(b"too late")].concat();
        browser.write_all(&masked(BINARY, &rest)).await.unwrap();
        gets(host, &long[500..]).await;
        gets(host, &[CTRL, CTRL_UP].concat()).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_chords_is_not_stored() {
    obeying(async |browser, host, orders| {
        let long = text(b"0123456789");
        browser
            .write_all(&masked(BINARY, &long[..9]))
            .await
            .unwrap();
        gets(host, &long[..9]).await;
        for _ in 0..100 {
            while orders.give(Order::Press("ctrl".parse().unwrap())).is_err() {
                tokio::task::yield_now().await;
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        browser
            .write_all(&masked(BINARY, &long[9..]))
            .await
            .unwrap();
        gets(host, &long[9..]).await;
        gets(host, &[CTRL, CTRL_UP].concat().repeat(8)).await;
        browser
            .write_all(&masked(BINARY, &text(b"")))
            .await
            .unwrap();
        gets(host, &text(b"")).await;
    })
    .await;
}

/// The text frame with which the page is told of permissions.
async fn told(browser: &mut DuplexStream) -> String {
    loop {
        let (first, payload) = next_frame(browser).await.unwrap();
        if first == TEXT {
            return String::from_utf8(payload).unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn text_from_a_machine_is_held_back_from_the_order_on() {
    const SOME: Permissions = Permissions {
        clipboard: Clipboard {
            from_machine: 1000,
            ..WHATEVER.clipboard
        },
        ..WHATEVER
    };
    const NONE: Permissions = Permissions {
        clipboard: Clipboard {
            from_machine: 0,
            ..WHATEVER.clipboard
        },
        ..WHATEVER
    };
    const CUT: [u8; 9] = [3, 0, 0, 0, 0, 0, 0, 1, b'x'];
    const BELL: [u8; 1] = [2];
    obeying_from(SOME, async |browser, host, orders| {
        assert_eq!(next_frame(browser).await.unwrap().0, PING);
        host.write_all(&CUT).await.unwrap();
        assert_eq!(next_frame(browser).await.unwrap(), (BINARY, CUT.to_vec()));
        orders.give(permit(NONE)).unwrap();
        let told = told(browser).await;
        assert!(told.contains(r#""clipboard_from_machine":false"#), "{told}");
        host.write_all(&[&CUT[..], &BELL].concat()).await.unwrap();
        assert_eq!(next_frame(browser).await.unwrap(), (BINARY, BELL.to_vec()));
    })
    .await;
}

/// Nobody can begin to look at a host's words in the middle of them.
#[tokio::test(start_paused = true)]
async fn where_nobody_looks_at_the_host_such_an_order_ends_the_leg() {
    let (ours, mut browser) = duplex(1 << 16);
    let (to_host, mut host) = duplex(1 << 16);
    let mut socket = WebSocket::new(ours, ::bytes::Bytes::new(), 1 << 20);
    let (buffers, traffic) = (Buffers::default(), Traffic::default());
    let (orders, obeyed) = inbox::queue();
    let relay = Relay::new(&mut socket, to_host, &buffers, params(), &traffic).hearing(obeyed);
    let script = async {
        browser.write_all(&masked(BINARY, &CTRL)).await.unwrap();
        gets(&mut host, &CTRL).await;
        orders.give(permit(WHATEVER.looking_on())).unwrap();
        // The host keeps no key, and hears of nothing else that comes behind the order.
        browser
            .write_all(&masked(BINARY, &text(b"late")))
            .await
            .unwrap();
        gets(&mut host, &CTRL_UP).await;
        host.shutdown().await.unwrap();
        let mut rest = Vec::new();
        host.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"");
    };
    let (end, ()) = tokio::join!(relay.run(FirstBytes::default()), script);
    assert_eq!(end.reason, Reason::PermissionsChanged);
}

#[tokio::test(start_paused = true)]
async fn the_page_is_told_that_the_gateway_is_about_to_go() {
    obeying(async |browser, _host, orders| {
        orders.notify(Notice {
            ends: Instant::now() + Duration::from_secs(30),
            elsewhere: true,
        });
        let told = told(browser).await;
        let expected = r#"{"v":1,"type":"draining","seconds":30,"elsewhere":true}"#;
        assert_eq!(told, expected);
    })
    .await;
}
