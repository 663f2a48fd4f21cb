//! The relay over pipes in memory, between a scripted browser and a scripted host.

mod bytes;
mod ends;
mod held;
mod input;
mod judged;
mod life;
mod orders;
mod pace;
mod paced;
mod patience;

use std::pin::Pin;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio::time::timeout;

use super::parting::PARTING;
use super::*;
use crate::rfb::permissions::Clipboard;
use crate::rfb::server_message::tests::init;
use crate::ws;

/// A mask that changes every byte.
const MASK: [u8; 4] = [0x5a, 0x01, 0xff, 0x80];

/// First bytes of frames: FIN and opcode.
const BINARY: u8 = 0x82;
const TEXT: u8 = 0x81;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
const CLOSE: u8 = 0x88;

fn params() -> Params {
    Params {
        pings: Pings::every(Duration::from_secs(25), Instant::now()),
        dead_after: Duration::from_secs(60),
        tell_page: false,
        permissions: WHATEVER,
        idle_max: Duration::from_secs(24 * 60 * 60),
        session_max: Duration::from_secs(7 * 24 * 60 * 60),
    }
}

/// Everything that there is a permission for.
const WHATEVER: Permissions = Permissions {
    view_only: false,
    clipboard: Clipboard {
        to_machine: 1024 * 1024,
        from_machine: Clipboard::UNBOUNDED,
    },
    resize: true,
    power: true,
};

/// A relay's outcome.
struct Outcome<T> {
    reason: Reason,
    traffic: Traffic,
    /// How long it ran.
    ran: Duration,
    /// What the script of both ends returned.
    played: T,
}

/// Relays between the two ends of a script, says goodbye to the browser, and waits for the script.
async fn relayed<T>(
    browser_pipe: usize,
    host_pipe: usize,
    params: Params,
    first: FirstBytes,
    script: impl AsyncFnOnce(DuplexStream, DuplexStream) -> T,
) -> Outcome<T> {
    let (ours, browser) = duplex(browser_pipe);
    let (to_host, host) = duplex(host_pipe);
    relayed_over(ours, to_host, params, first, script(browser, host)).await
}

/// The same over any streams.
async fn relayed_over<B, H, T>(
    ours: B,
    to_host: H,
    params: Params,
    first: FirstBytes,
    script: impl Future<Output = T>,
) -> Outcome<T>
where
    B: AsyncRead + AsyncWrite + Unpin,
    H: AsyncRead + AsyncWrite + Unpin,
{
    let gate = host_gate(params.permissions);
    relayed_past(gate, ours, to_host, params, first, script).await
}

/// The same past any gate.
async fn relayed_past<B, H, T>(
    gate: Option<Box<HostGate>>,
    ours: B,
    to_host: H,
    params: Params,
    first: FirstBytes,
    script: impl Future<Output = T>,
) -> Outcome<T>
where
    B: AsyncRead + AsyncWrite + Unpin,
    H: AsyncRead + AsyncWrite + Unpin,
{
    let buffers = Buffers::default();
    let started = Instant::now();
    let gateway = async {
        let mut socket = WebSocket::new(ours, ::bytes::Bytes::new(), 1 << 20);
        let traffic = Traffic::default();
        let relay = Relay::new(&mut socket, to_host, &buffers, params, &traffic).judging(gate);
        let end = relay.run(first).await;
        let ran = started.elapsed();
        socket
            .close(end.reason.close_code(), end.reason.code())
            .await;
        (end.reason, ran, traffic)
    };
    let ((reason, ran, traffic), played) = tokio::join!(gateway, script);
    Outcome {
        reason,
        traffic,
        ran,
        played,
    }
}

/// The gate that these permissions need, for a host with a screen of 640 by 480.
fn host_gate(permissions: Permissions) -> Option<Box<HostGate>> {
    let gate = || Box::new(HostGate::new(&init(), permissions).unwrap());
    HostGate::is_needed(permissions).then(gate)
}

/// A frame as a browser sends it.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | len as u8),
        len @ 126..65536 => {
            frame.push(0x80 | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(0x80 | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    let at = frame.len();
    frame.extend(payload);
    ws::unmask(&mut frame[at..], MASK, 0);
    frame
}

/// The next frame that the browser gets; `None` at the end of the stream.
///
/// # Panics
/// When the stream ends inside a frame, or the frame is none that a server may send.
async fn next_frame(browser: &mut (impl AsyncRead + Unpin)) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    if browser.read(&mut head[..1]).await.unwrap() == 0 {
        return None;
    }
    browser.read_exact(&mut head[1..]).await.unwrap();
    let [first, len] = head;
    assert!(
        [BINARY, TEXT, PING, PONG, CLOSE].contains(&first),
        "{first:#x}"
    );
    let len = match len {
        0..126 => usize::from(len),
        126 => usize::from(browser.read_u16().await.unwrap()),
        127 => usize::try_from(browser.read_u64().await.unwrap()).unwrap(),
        128.. => panic!("a server does not mask"),
    };
    let mut payload = vec![0; len];
    browser.read_exact(&mut payload).await.unwrap();
    Some((first, payload))
}

/// Every frame up to the end of the stream.
async fn all_frames(browser: &mut (impl AsyncRead + Unpin)) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let Some(frame) = next_frame(browser).await {
        frames.push(frame);
    }
    frames
}

/// The payloads of all frames of one kind.
fn of_kind(kind: u8, frames: &[(u8, Vec<u8>)]) -> Vec<Vec<u8>> {
    let those = frames.iter().filter(|(first, _)| *first == kind);
    those.map(|(_, payload)| payload.clone()).collect()
}

/// Bytes of which no two neighbourhoods look alike.
fn noise(len: usize) -> Vec<u8> {
    (0..len as u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

/// Text for the machine's clipboard: a message as long as one likes.
fn text(bytes: &[u8]) -> Vec<u8> {
    let len = (bytes.len() as u32).to_be_bytes();
    [&[6, 0, 0, 0], &len[..], bytes].concat()
}
