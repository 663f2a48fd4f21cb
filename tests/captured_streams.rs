//! What QEMU, TigerVNC and x11vnc say to a viewer that asks as noVNC 1.7.0 does, encoding by encoding:
//! the walk finds each rectangle, ends where the server pauses, and gives back every byte.
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

use common::capture::{Capture, Recorder};
use common::net::Family;
use common::qemu::Qemu;
use common::scrolling;
use common::x11vnc::X11vnc;
use common::xvnc::Xvnc;

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

#[tokio::test]
async fn qemu() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    for encoding in [RAW, HEXTILE, ZLIB, TIGHT, TIGHT_PNG, ZRLE] {
        let capture = captured("qemu", machine.address, &[encoding.1], encoding).await;
        assert!(capture.rectangles.contains_key(&-258), "keys by scan code");
        assert!(capture.rectangles.contains_key(&-308), "its size");
    }
}

#[tokio::test]
async fn tigervnc() {
    let server = Xvnc::start(PASSWORD).await;
    let dir = tempfile::tempdir().unwrap();
    let _window = scrolling::start(&server.display, dir.path());
    for encoding in [RAW, RRE, HEXTILE, TIGHT, ZRLE] {
        let address = server.address(Family::V4);
        let capture = captured("tigervnc", address, &[encoding.1], encoding).await;
        assert!(capture.rectangles.contains_key(&-308), "its size");
    }
    let address = server.address(Family::V4);
    captured("tigervnc", address, &[1, 16], COPY_RECT).await;
}

#[tokio::test]
async fn x11vnc() {
    let server = X11vnc::start(PASSWORD).await;
    let dir = tempfile::tempdir().unwrap();
    let _window = scrolling::start(&server.display, dir.path());
    for encoding in [RAW, RRE, HEXTILE, ZLIB, TIGHT, ZRLE] {
        let address = server.address(Family::V4);
        captured("x11vnc", address, &[encoding.1], encoding).await;
    }
}

/// Records three pictures of a server with this encoding, and walks along them at every cut.
/// `FANLIGHT_CAPTURES` names a folder in which the record is kept.
async fn captured(
    server: &str,
    address: SocketAddr,
    asked: &[i32],
    (name, encoding): (&str, i32),
) -> Capture {
    let mut recorder = Recorder::start(address, PASSWORD, asked).await;
    for _ in 0..3 {
        recorder.until(encoding).await;
    }
    let capture = recorder.finish();
    let counts = &capture.rectangles;
    println!("{server} {name}: {} bytes {counts:?}", capture.stream.len());
    if let Some(folder) = std::env::var_os("FANLIGHT_CAPTURES") {
        let path = std::path::Path::new(&folder).join(format!("{server}-{name}.rfb"));
        let mut bytes = Vec::new();
        capture.init.encode(&mut bytes);
        bytes.extend(&capture.stream);
        std::fs::write(path, bytes).unwrap();
    }
    let walked = |sizes: &mut dyn Iterator<Item = usize>| {
        let (units, violation) = walk::walked(&capture.init, &capture.stream, sizes);
        assert_eq!(violation, None, "{server} {name}");
        units
    };
    let whole = walked(&mut transcript::whole());
    let bytes: Vec<u8> = whole.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    assert!(bytes == capture.stream, "{server} {name}: byte for byte");
    for seed in 0..4 {
        let cut = walked(&mut transcript::chunked(seed));
        assert!(cut == whole, "{server} {name} cut by {seed}");
    }
    assert!(walked(&mut transcript::bytewise()) == whole);
    capture
}
