//! What it costs to look at what a host says: to walk along it, and to let it pass.
//!
//! Each stream is one update in the form that the encoding's smallest rectangles have, so that the
//! time is that of heads and counts. `payload` is the opposite: one rectangle whose length is known.
#![allow(clippy::expect_used, reason = "a bench that cannot begin stops")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fanlight::rfb::encoding::Encoding;
use fanlight::rfb::host_gate::{HostGate, ROOM};
use fanlight::rfb::init::{PixelFormat, ServerInit};
use fanlight::rfb::permissions::{Clipboard, Permissions};
use fanlight::rfb::server_message::Walk;
use fanlight::wire::Reader;

/// Rectangles of one update.
const RECTANGLES: u16 = 1000;

/// What the relay reads at once, at most.
const CHUNK: usize = 32 * 1024;

/// A screen of 1920 by 1080 with noVNC's pixel format.
fn init() -> ServerInit {
    ServerInit {
        width: 1920,
        height: 1080,
        format: PixelFormat::NOVNC,
        name: Vec::new(),
    }
}

/// An update of so many equal rectangles.
fn update(count: u16, (width, height): (u16, u16), encoding: Encoding, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend(count.to_be_bytes());
    for _ in 0..count {
        bytes.extend([0, 16, 0, 16]);
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend(encoding.0.to_be_bytes());
        bytes.extend(body);
    }
    bytes
}

fn counted(len: usize) -> Vec<u8> {
    [&(len as u32).to_be_bytes()[..], &vec![7; len]].concat()
}

/// A name, an encoding, a size on the screen, and what follows the header.
type Sample = (&'static str, Encoding, (u16, u16), Vec<u8>);

/// A rectangle of every encoding.
fn rectangles() -> [Sample; 12] {
    let tile = (64, 64);
    let palette = [&[0x40, 1, 1][..], &[7; 6], &[40], &[7; 40]].concat();
    let tiles = [2, 1, 2, 3, 4].repeat(16);
    let jpeg = [
        &[0xff, 0xd8, 0xff, 0xda, 0, 4, 1, 2][..],
        &[7; 40],
        &[0xff, 0xd9],
    ];
    let h264 = [&40_u32.to_be_bytes()[..], &[0; 4], &[7; 40]].concat();
    [
        ("Raw", Encoding::RAW, (4, 4), vec![7; 64]),
        ("CopyRect", Encoding::COPY_RECT, tile, vec![0; 4]),
        (
            "RRE",
            Encoding::RRE,
            tile,
            [&[0, 0, 0, 2][..], &[7; 28]].concat(),
        ),
        (
            "Hextile, 1 tile",
            Encoding::HEXTILE,
            (16, 16),
            vec![2, 1, 2, 3, 4],
        ),
        ("Hextile, 16 tiles", Encoding::HEXTILE, tile, tiles),
        ("Zlib", Encoding::ZLIB, tile, counted(40)),
        ("Tight, fill", Encoding::TIGHT, tile, vec![0x80, 1, 2, 3]),
        ("Tight, palette", Encoding::TIGHT, tile, palette),
        (
            "TightPNG",
            Encoding::TIGHT_PNG,
            tile,
            [&[0xa0, 40][..], &[7; 40]].concat(),
        ),
        ("ZRLE", Encoding::ZRLE, tile, counted(40)),
        ("JPEG", Encoding::JPEG, tile, jpeg.concat()),
        ("H.264", Encoding::H264, tile, h264),
    ]
}

/// Walks along a stream in chunks, from one border of messages to another.
fn walk_along(walk: &mut Walk, stream: &[u8]) {
    for chunk in stream.chunks(CHUNK) {
        let mut input = Reader::new(chunk);
        while let Ok(Some(piece)) = walk.next(&mut input) {
            black_box(piece);
        }
    }
    assert!(walk.is_between_messages());
}

/// Time for each rectangle, by encoding.
fn walking(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("walk");
    group.throughput(Throughput::Elements(RECTANGLES.into()));
    for (name, encoding, size, body) in rectangles() {
        let stream = update(RECTANGLES, size, encoding, &body);
        let mut walk = Walk::new(&init()).expect("pixels of 32 bits");
        group.bench_function(name, |bencher| {
            bencher.iter(|| walk_along(&mut walk, black_box(&stream)));
        });
    }
}

/// Time for each byte of a payload whose length is known: none, whatever the length.
fn payload(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("walk/payload");
    for len in [32 * 1024, 1 << 20, 8 << 20] {
        let stream = update(1, (1024, 1024), Encoding::ZRLE, &counted(len));
        let mut walk = Walk::new(&init()).expect("pixels of 32 bits");
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
            bencher.iter(|| walk_along(&mut walk, black_box(&stream)));
        });
    }
}

/// The same streams through the gate, where nothing is dropped.
fn passing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("host gate");
    group.throughput(Throughput::Elements(RECTANGLES.into()));
    let permissions = Permissions {
        clipboard: Clipboard::NONE,
        ..Permissions::default()
    };
    for (name, encoding, size, body) in rectangles() {
        let stream = update(RECTANGLES, size, encoding, &body);
        let mut gate = HostGate::new(&init(), permissions).expect("pixels of 32 bits");
        gate.list(encoding);
        // Where nothing is dropped the buffers stay as they are, and can be used again.
        let mut chunks: Vec<Vec<u8>> = stream
            .chunks(CHUNK)
            .map(|chunk| [&[0; ROOM][..], chunk].concat())
            .collect();
        let mut ahead = Vec::new();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for buffer in &mut chunks {
                    let received = buffer.len() - ROOM;
                    let (range, outcome) = gate.pass(black_box(buffer), received, &mut ahead);
                    black_box(range);
                    assert_eq!(outcome, Ok(()));
                }
                assert!(gate.is_between_messages());
            });
        });
    }
}

criterion_group!(benches, walking, payload, passing);
criterion_main!(benches);
