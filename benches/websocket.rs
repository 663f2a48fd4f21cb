//! What a frame costs before the kernel is asked: masks and heads.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fanlight::ws::{Decoder, HEAD_ROOM, Opcode, head, masked_frame, unmask};

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// The message that noVNC sends at most.
const MESSAGE: usize = 10 * 1024;

fn unmasking(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("unmask");
    for len in [8, 1024, MESSAGE, 64 * 1024] {
        let mut payload = vec![7; len];
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(format!("{len} bytes"), |bencher| {
            bencher.iter(|| unmask(black_box(&mut payload), black_box(MASK), 0));
        });
    }
}

fn heads(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("head");
    for len in [20, 1024, 64 * 1024] {
        let mut buffer = vec![0; HEAD_ROOM + len];
        group.bench_function(format!("before {len} bytes"), |bencher| {
            bencher.iter(|| head(black_box(&mut buffer), HEAD_ROOM, len, Opcode::Binary));
        });
    }
}

/// Frames as the relay finds them: several in one read, each decoded and unmasked where it lies.
fn decoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for (name, payload, count) in [("keys", 8, 64), ("clipboard", MESSAGE, 6)] {
        let mut frames = Vec::new();
        for _ in 0..count {
            masked_frame(Opcode::Binary, &vec![7; payload], MASK, &mut frames);
        }
        group.throughput(Throughput::Bytes(frames.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || (Decoder::new(1 << 20), frames.clone()),
                |(decoder, frames)| {
                    let mut at = 0;
                    while let Ok(Some(event)) = decoder.next(frames, &mut at) {
                        black_box(event);
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
}

criterion_group!(benches, unmasking, heads, decoding);
criterion_main!(benches);
