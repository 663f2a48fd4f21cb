//! What it costs to look at what a viewer says: to tell its messages apart, and to let them pass.
//!
//! Every stream is as long, so that the time a byte is what short messages cost more than long ones.
#![allow(clippy::expect_used, reason = "a bench that cannot begin stops")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fanlight::rfb::client_message::{Part, Splitter};
use fanlight::rfb::gate::{Gate, ROOM};
use fanlight::rfb::permissions::Permissions;

/// What the relay reads at once, at most.
const CHUNK: usize = 32 * 1024;

/// The bytes of a stream, about.
const STREAM: usize = 240_000;

/// What a person with a mouse and a keyboard does in noVNC: the mouse moves, a click, a key by its
/// place, and requests for updates in between.
fn person() -> Vec<u8> {
    let moves = [5, 0, 1, 0, 1, 0].repeat(16);
    let click = [[5, 1, 1, 0, 1, 0], [5, 0, 1, 0, 1, 0]].concat();
    let key = |down| [255, 0, 0, down, 0, 0, 0, 0x61, 0, 0, 0, 0x1e];
    let request = [3, 1, 0, 0, 0, 0, 7, 128, 4, 56];
    [&moves[..], &click, &request, &key(1), &key(0), &request].concat()
}

/// Streams by what they consist of.
fn streams() -> [(&'static str, Vec<u8>); 5] {
    let pointer = vec![5, 0, 1, 0, 1, 0];
    let key = [[4, 1, 0, 0, 0, 0, 0, 0x61], [4, 0, 0, 0, 0, 0, 0, 0x61]].concat();
    let request = vec![3, 1, 0, 0, 0, 0, 7, 128, 4, 56];
    let text = [&[6, 0, 0, 0, 0, 0, 0x40, 0][..], &[b'x'; 0x4000]].concat();
    let rows = [
        ("PointerEvent", pointer),
        ("KeyEvent", key),
        ("FramebufferUpdateRequest", request),
        ("ClientCutText of 16 KiB", text),
        ("a person", person()),
    ];
    rows.map(|(name, one)| (name, one.repeat((STREAM / one.len()).max(1))))
}

/// The chunks of a stream, each with room in front.
fn chunks(stream: &[u8]) -> Vec<Vec<u8>> {
    let chunks = stream.chunks(CHUNK);
    chunks
        .map(|chunk| [&[0; ROOM][..], chunk].concat())
        .collect()
}

/// Time for each byte, only to tell messages apart.
fn splitting(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("splitter");
    for (name, stream) in streams() {
        group.throughput(Throughput::Bytes(stream.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut splitter = Splitter::default();
                let mut at = 0;
                while let Some(rest) = black_box(&stream).get(at..) {
                    match splitter.next(rest).expect("a good stream") {
                        Part::NotWhole => break,
                        Part::Head(head) => at += black_box(head).len,
                        Part::Body(len) => at += black_box(len),
                    }
                }
                assert_eq!(at, stream.len());
            });
        });
    }
}

/// The same streams through the gate, where nothing is dropped.
fn passing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gate");
    for (name, stream) in streams() {
        let mut gate = Gate::new(Permissions::default());
        // Where nothing is dropped the buffers stay as they are, and can be used again.
        let mut chunks = chunks(&stream);
        let mut ahead = Vec::new();
        group.throughput(Throughput::Bytes(stream.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for buffer in &mut chunks {
                    let received = buffer.len() - ROOM;
                    let passed = gate.pass(black_box(buffer), received, &mut ahead, None);
                    black_box(&passed);
                    assert_eq!(passed.1, Ok(()));
                }
                assert_eq!(gate.owed(), 0);
            });
        });
    }
}

criterion_group!(benches, splitting, passing);
criterion_main!(benches);
