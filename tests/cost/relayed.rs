//! Allocations, reads and writes for what is relayed.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use fanlight::buffers::{BUFFER_LEN, Buffers};
use fanlight::rfb::gate::ROOM;
use fanlight::rfb::permissions::Permissions;
use fanlight::session::relay::{FirstBytes, Params, Pings, Relay, Traffic};
use fanlight::websocket::WebSocket;
use fanlight::ws::{HEAD_ROOM, Opcode, masked_frame};
use stats_alloc::Region;
use tokio::time::Instant;

use super::COUNTING;
use super::scripted::{Calls, Scripted};

const MIB: usize = 1 << 20;

/// noVNC's longest message.
const MESSAGE: usize = 10 * 1024;

/// How many pieces a relay moves each way before others have their turn. The side that says nothing is
/// asked once in as long.
const PIECES_A_LOOK: usize = 2;

/// What a relay from end to end took.
struct Took {
    traffic: Traffic,
    allocations: usize,
}

/// Relays until one end leaves.
fn relay(browser: Scripted, host: Scripted) -> Took {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let buffers = Buffers::default();
    let params = Params {
        pings: Pings::every(Duration::from_secs(25), Instant::now()),
        dead_after: Duration::from_secs(60),
        tell_page: false,
        permissions: Permissions::default(),
        idle_max: Duration::from_secs(900),
        session_max: Duration::from_secs(900),
    };
    let traffic = Traffic::default();
    let mut socket = WebSocket::new(browser, Bytes::new(), MIB as u64);
    let region = Region::new(COUNTING);
    runtime.block_on(async {
        let relay = Relay::new(&mut socket, host, &buffers, params, &traffic);
        relay.run(FirstBytes::default()).await;
    });
    let allocations = region.change().allocations;
    Took {
        traffic,
        allocations,
    }
}

/// The fewest allocations of a few runs: the test's own harness may make some meanwhile.
fn fewest(run: impl Fn() -> usize) -> usize {
    (0..5).map(|_| run()).min().unwrap()
}

/// Host to browser: a read fills a buffer, and one write sends it with its head.
pub fn down() {
    // However much is moved: the timer, a buffer, the pool's list of them, the ping, and the end.
    assert_eq!(fewest(move_down), 5);
}

fn move_down() -> usize {
    const MIBS: usize = 64;
    let (browser, to_browser) = Scripted::silent();
    let (host, of_host) = Scripted::saying(vec![7; MIB], MIBS);
    let took = relay(browser, host);
    assert_eq!(took.traffic.down(), (MIBS * MIB) as u64);
    let pieces = (MIBS * MIB).div_ceil(BUFFER_LEN - HEAD_ROOM);
    assert_eq!(of_host.reads.get(), pieces);
    assert_eq!(to_browser.in_vain.get(), pieces / PIECES_A_LOOK + 1);
    let with_the_ping = pieces + 1;
    assert_eq!(to_browser.writes.get(), with_the_ping);
    took.allocations
}

/// Browser to host: a read fills a buffer, and one write sends the payloads of all its frames.
pub fn up() {
    // The same, a buffer to part from the host with, and one that is read into meanwhile.
    assert_eq!(fewest(move_up), 6);
}

fn move_up() -> usize {
    const MESSAGES: usize = 6400;
    let mut frame = Vec::new();
    masked_frame(
        Opcode::Binary,
        &cut_text(MESSAGE),
        [0x37, 0xfa, 0x21, 0x3d],
        &mut frame,
    );
    let sent = frame.len() * MESSAGES;
    let (browser, of_browser) = Scripted::saying(frame, MESSAGES);
    let (host, to_host): (Scripted, Rc<Calls>) = Scripted::silent();
    let took = relay(browser, host);
    assert_eq!(took.traffic.up(), (MESSAGES * MESSAGE) as u64);
    assert_eq!(to_host.written.get(), MESSAGES * MESSAGE);
    let pieces = sent.div_ceil(BUFFER_LEN - ROOM);
    assert_eq!(of_browser.reads.get(), pieces);
    assert_eq!(to_host.writes.get(), pieces);
    // And as long as it is waited for to hang up: at once, and when the time for that is over.
    assert_eq!(to_host.in_vain.get(), pieces / PIECES_A_LOOK + 3);
    took.allocations
}

/// A ClientCutText of so many bytes in all (RFC 6143, 7.5.6).
fn cut_text(len: usize) -> Vec<u8> {
    let text = u32::try_from(len - 8).unwrap();
    let mut message = vec![6, 0, 0, 0];
    message.extend_from_slice(&text.to_be_bytes());
    message.resize(len, b'x');
    message
}
