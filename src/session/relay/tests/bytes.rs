//! No byte is lost, reordered or torn.

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::split;

use super::*;

/// How a browser sends a piece of its stream.
#[derive(Clone, Debug)]
enum Sending {
    /// As one message.
    Whole(Vec<u8>),
    /// As a message of fragments, with a ping between any two of them.
    Fragmented(Vec<Vec<u8>>),
}

impl Sending {
    fn payload(&self) -> Vec<u8> {
        match self {
            Self::Whole(payload) => payload.clone(),
            Self::Fragmented(parts) => parts.concat(),
        }
    }

    fn frames(&self) -> Vec<u8> {
        let parts = match self {
            Self::Whole(payload) => return masked(BINARY, payload),
            Self::Fragmented(parts) => parts,
        };
        let mut frames = masked(BINARY & 0x7f, b"");
        for part in parts {
            frames.extend(masked(0x00, part));
            frames.extend(masked(PING, b"still there?"));
        }
        frames.extend(masked(0x80, b""));
        frames
    }
}

fn sendings() -> impl Strategy<Value = Vec<Sending>> {
    let short = || vec(any::<u8>(), 0..200);
    let long = (200_usize..70_000).prop_map(noise);
    vec(
        prop_oneof![
            4 => short().prop_map(Sending::Whole),
            1 => long.prop_map(Sending::Whole),
            2 => vec(short(), 0..5).prop_map(Sending::Fragmented),
        ],
        0..8,
    )
}

fn writes() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let long = (200_usize..70_000).prop_map(noise);
    vec(prop_oneof![4 => vec(any::<u8>(), 1..200), 1 => long], 0..8)
}

fn pipe() -> impl Strategy<Value = usize> {
    prop_oneof![Just(8), 1_usize..300, Just(100_000)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_streams_arrive_whole_at_any_chunking(
        up in sendings(),
        down in writes(),
        browser_pipe in pipe(),
        host_pipe in pipe(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        // All of it is one long text.
        let len = up.iter().map(|sending| sending.payload().len()).sum::<usize>();
        let head = text(&vec![0; len])[..8].to_vec();
        let up = [vec![Sending::Whole(head)], up].concat();
        let up_bytes = up.iter().flat_map(Sending::payload).collect::<Vec<_>>();
        let down_bytes = down.concat();

        let script = async |mut browser: DuplexStream, host: DuplexStream| {
            let (mut browser_reads, mut browser_writes) = split(&mut browser);
            let (mut host_reads, mut host_writes) = split(host);
            let browser_side = async {
                let ((), received) = {
            let sends = async {
                for sending in &up {
                    browser_writes.write_all(&sending.frames()).await.unwrap();
                }
            };
            let receives = async {
                let mut received = Vec::new();
                while received.len() < down_bytes.len() {
                    let (first, payload) = next_frame(&mut browser_reads).await.unwrap();
                    if first == BINARY {
                        assert!(!payload.is_empty());
                        received.extend(payload);
                    }
                }
                received
            };
                    tokio::join!(sends, receives)
                };
                let goodbye = async {
                    let close = masked(CLOSE, &1000_u16.to_be_bytes());
                    browser_writes.write_all(&close).await.unwrap();
                };
                let (rest, ()) = tokio::join!(all_frames(&mut browser_reads), goodbye);
                (received, rest)
            };
            let host_side = async {
                let sends = async {
                    for bytes in &down {
                        host_writes.write_all(bytes).await.unwrap();
                    }
                };
                let mut received = Vec::new();
                let (sent, ()) = tokio::join!(host_reads.read_to_end(&mut received), sends);
                sent.unwrap();
                received
            };
            tokio::join!(browser_side, host_side)
        };
        let relay = relayed(browser_pipe, host_pipe, params(), FirstBytes::default(), script);
        let outcome = runtime.block_on(relay);

        let ((browser_got, rest), host_got) = outcome.played;
        prop_assert_eq!(outcome.reason, Reason::BrowserClosed);
        prop_assert!(browser_got == down_bytes, "the browser got something else");
        prop_assert!(host_got == up_bytes, "the host got something else");
        prop_assert_eq!(
            (outcome.traffic.up(), outcome.traffic.down()),
            (up_bytes.len() as u64, down_bytes.len() as u64)
        );
        prop_assert!(of_kind(BINARY, &rest).is_empty());
        prop_assert_eq!(rest.last().map(|(first, _)| *first), Some(CLOSE));
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_handshakes_read_ahead_goes_first() {
    let first = FirstBytes {
        up: text(b"the first, and more")[..17].to_vec(),
        down: b"FramebufferUpdate ".to_vec(),
    };
    let outcome = relayed(8, 8, params(), first, async |mut browser, mut host| {
        let browser_side = async {
            let got = loop {
                let (first, payload) = next_frame(&mut browser).await.unwrap();
                if first == BINARY {
                    break payload;
                }
            };
            browser
                .write_all(&masked(BINARY, b", and more"))
                .await
                .unwrap();
            browser.write_all(&masked(CLOSE, b"")).await.unwrap();
            got
        };
        let host_side = async {
            let mut got = Vec::new();
            host.read_to_end(&mut got).await.unwrap();
            got
        };
        tokio::join!(browser_side, host_side)
    })
    .await;
    let (browser_got, host_got) = outcome.played;
    assert_eq!(host_got, text(b"the first, and more"));
    assert_eq!(browser_got, b"FramebufferUpdate ");
    assert_eq!((outcome.traffic.up(), outcome.traffic.down()), (27, 18));
}
