//! What QEMU, TigerVNC and x11vnc say to a viewer that asks as noVNC 1.7.0 does, encoding by encoding:
//! the walk finds each rectangle, ends where the server pauses, and gives back every byte.
//!
//! They are recorded then and there. `tests/captures/` keeps one small record of each, which needs no
//! server. These are made anew by `cargo test --test captured_streams -- --ignored record`: a ServerInit
//! with the server's kind for its name and noVNC's pixel format, and all that the server said behind it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;
#[allow(dead_code, unreachable_pub, reason = "the fuzz targets use the rest")]
#[path = "../fuzz/transcript.rs"]
mod transcript;
#[allow(dead_code, unreachable_pub, reason = "the fuzz targets use the rest")]
#[path = "../fuzz/walk.rs"]
mod walk;

use std::net::SocketAddr;
use std::path::PathBuf;

use common::capture::{Capture, PSEUDO, Recorder};
use common::net::Family;
use common::qemu::Qemu;
use common::scrolling;
use common::x11vnc::X11vnc;
use common::xvnc::Xvnc;
use fanlight::rfb::encoding::Encoding;
use fanlight::rfb::host_gate::{HostGate, ROOM};
use fanlight::rfb::init::ServerInit;
use fanlight::rfb::permissions::Permissions;
use fanlight::wire::Reader;

const PASSWORD: &str = "s3cret12";

/// Encodings by the names that captures have.
const RAW: (&str, i32) = ("raw", 0);
const COPY_RECT: (&str, i32) = ("copyrect", 1);
const RRE: (&str, i32) = ("rre", 2);
const HEXTILE: (&str, i32) = ("hextile", 5);
const ZLIB: (&str, i32) = ("zlib", 6);
const TIGHT: (&str, i32) = ("tight", 7);
const ZRLE: (&str, i32) = ("zrle", 16);
const TIGHT_PNG: (&str, i32) = ("tightpng", -260);

/// The servers by the names that captures have, and what each of them encodes.
const QEMU: (&str, &[(&str, i32)]) = ("qemu", &[RAW, HEXTILE, ZLIB, TIGHT, TIGHT_PNG, ZRLE]);
const TIGERVNC: (&str, &[(&str, i32)]) = ("tigervnc", &[RAW, COPY_RECT, RRE, HEXTILE, TIGHT, ZRLE]);
const X11VNC: (&str, &[(&str, i32)]) = ("x11vnc", &[RAW, RRE, HEXTILE, ZLIB, TIGHT, ZRLE]);

/// The part of the screen that a kept capture shows: columns and rows.
const KEPT_AREA: (u16, u16) = (64, 48);
/// The most bytes that a kept capture has, and the most in one of its messages.
const KEPT_MOST: (usize, usize) = (60_000, 50_000);

#[tokio::test]
async fn qemu() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let (server, encodings) = QEMU;
    for encoding in encodings {
        let capture = captured(server, machine.address, *encoding).await;
        assert!(capture.rectangles.contains_key(&-258), "keys by scan code");
        assert!(capture.rectangles.contains_key(&-308), "its size");
    }
}

#[tokio::test]
async fn tigervnc() {
    let host = Xvnc::start(PASSWORD).await;
    let dir = tempfile::tempdir().unwrap();
    let _window = scrolling::start(&host.display, dir.path());
    let (server, encodings) = TIGERVNC;
    for encoding in encodings {
        let capture = captured(server, host.address(Family::V4), *encoding).await;
        assert!(capture.rectangles.contains_key(&-308), "its size");
    }
}

#[tokio::test]
async fn x11vnc() {
    let host = X11vnc::start(PASSWORD).await;
    let dir = tempfile::tempdir().unwrap();
    let _window = scrolling::start(&host.display, dir.path());
    let (server, encodings) = X11VNC;
    for encoding in encodings {
        captured(server, host.address(Family::V4), *encoding).await;
    }
}

/// The kept captures pass the walk and the gate as they are, however they are cut.
#[test]
fn kept_captures_pass_byte_for_byte() {
    for (server, encodings) in [QEMU, TIGERVNC, X11VNC] {
        for (name, encoding) in encodings {
            let what = format!("{server}-{name}");
            let bytes = std::fs::read(kept(server, name)).expect(&what);
            assert!(bytes.len() <= KEPT_MOST.0, "{what}: {} bytes", bytes.len());
            let mut input = Reader::new(&bytes);
            let init = ServerInit::decode(&mut input).expect(&what);
            assert_eq!(init.name, server.as_bytes(), "{what}: nobody's own name");
            let stream = input.rest();
            let whole = walked(&what, &init, stream, &mut transcript::whole());
            let met = |(began, _): &(walk::Began, _)| matches!(began, walk::Began::Rectangle(it) if it.encoding == Encoding(*encoding));
            assert!(whole.iter().any(met), "{what}: its encoding");
            for size in [1, 7, usize::MAX] {
                let units = walked(&what, &init, stream, &mut std::iter::repeat(size));
                assert!(units == whole, "{what} walked along by {size}");
                let passed = through_gate(&init, &asked(*encoding), stream, size);
                assert!(passed == stream, "{what} through the gate by {size}");
            }
        }
    }
}

#[tokio::test]
#[ignore = "writes tests/captures/ anew"]
async fn record() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    keep(QEMU, machine.address).await;
    let dir = tempfile::tempdir().unwrap();
    let host = Xvnc::start(PASSWORD).await;
    let _window = scrolling::start(&host.display, dir.path());
    keep(TIGERVNC, host.address(Family::V4)).await;
    let host = X11vnc::start(PASSWORD).await;
    let _window = scrolling::start(&host.display, dir.path());
    keep(X11VNC, host.address(Family::V4)).await;
}

/// What a viewer lists that is to see this encoding. Nothing is copied without a picture to copy from.
fn asked(encoding: i32) -> Vec<i32> {
    match encoding {
        1 => vec![1, 16],
        other => vec![other],
    }
}

/// Records three pictures of a server with this encoding, and walks along them at every cut.
async fn captured(server: &str, address: SocketAddr, (name, encoding): (&str, i32)) -> Capture {
    let mut recorder = Recorder::start(address, PASSWORD, &asked(encoding)).await;
    for _ in 0..3 {
        recorder.until(encoding).await;
    }
    let capture = recorder.finish();
    let what = format!("{server} {name}");
    let counts = &capture.rectangles;
    println!("{what}: {} bytes {counts:?}", capture.stream.len());
    let (init, stream) = (&capture.init, &capture.stream);
    let whole = walked(&what, init, stream, &mut transcript::whole());
    for seed in 0..4 {
        let cut = walked(&what, init, stream, &mut transcript::chunked(seed));
        assert!(cut == whole, "{what} cut by {seed}");
    }
    assert!(walked(&what, init, stream, &mut transcript::bytewise()) == whole);
    capture
}

/// Walks along a stream, which comes out as it is.
fn walked(
    what: &str,
    init: &ServerInit,
    stream: &[u8],
    sizes: &mut dyn Iterator<Item = usize>,
) -> Vec<(walk::Began, Vec<u8>)> {
    let (units, violation) = walk::walked(init, stream, sizes);
    assert_eq!(violation, None, "{what}");
    let bytes: Vec<u8> = units.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    assert!(bytes == stream, "{what}: byte for byte");
    units
}

/// What reaches a viewer who may do everything and has listed what was asked for.
fn through_gate(init: &ServerInit, asked: &[i32], stream: &[u8], size: usize) -> Vec<u8> {
    let permissions = Permissions {
        power: true,
        ..Permissions::default()
    };
    let mut gate = HostGate::new(init, permissions).unwrap();
    for encoding in asked.iter().chain(&PSEUDO) {
        gate.list(Encoding(*encoding));
    }
    let mut passed = Vec::new();
    for chunk in stream.chunks(size) {
        let mut buffer = [&[0; ROOM][..], chunk].concat();
        let (range, outcome) = gate.pass(&mut buffer, chunk.len(), &mut passed);
        assert_eq!(outcome, Ok(()));
        passed.extend(&buffer[range]);
    }
    passed
}

/// Where a capture is kept.
fn kept(server: &str, name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/captures/{server}-{name}.rfb"))
}

/// Keeps two pictures of a server in each of its encodings.
async fn keep((server, encodings): (&str, &[(&str, i32)]), address: SocketAddr) {
    for (name, encoding) in encodings {
        let asked = asked(*encoding);
        let mut recorder =
            Recorder::start_small(address, PASSWORD, &asked, KEPT_AREA, KEPT_MOST.1).await;
        for _ in 0..2 {
            recorder.until(*encoding).await;
        }
        let mut capture = recorder.finish();
        // A server calls itself after its machine and its user, which nobody has to know.
        capture.init.name = server.into();
        let mut bytes = Vec::new();
        capture.init.encode(&mut bytes);
        bytes.extend(&capture.stream);
        let path = kept(server, name);
        println!("{}: {} bytes", path.display(), bytes.len());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}
