//! The walk over streams made by hand: whole, byte by byte, cut off, and with lengths that lie.

mod bounds;
pub(crate) mod layouts;
mod stream;

use super::*;
use crate::rfb::init::{PixelFormat, ServerInit};
use crate::wire::Reader;

/// A screen of 640 by 480 with noVNC's pixel format.
pub(crate) fn init() -> ServerInit {
    ServerInit {
        width: 640,
        height: 480,
        format: PixelFormat::NOVNC,
        name: b"web-01".to_vec(),
    }
}

/// Something that began, and all bytes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unit {
    is: Is,
    bytes: Vec<u8>,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Message(Message),
    Rectangle(Rectangle),
}

/// What a walk came to.
#[derive(Debug, PartialEq, Eq)]
struct Walked {
    units: Vec<Unit>,
    violation: Option<Violation>,
    /// Whether it stood between two messages at the end.
    between: bool,
    screen: Screen,
}

/// Walks along a stream in chunks of the given sizes.
fn walk_in(stream: &[u8], mut sizes: impl Iterator<Item = usize>) -> Walked {
    let mut walk = Walk::new(&init()).unwrap();
    let (mut rest, mut units, mut violation) = (stream, Vec::<Unit>::new(), None);
    'chunks: while !rest.is_empty() {
        let size = sizes.next().unwrap().min(rest.len());
        let (chunk, behind) = rest.split_at(size);
        rest = behind;
        let mut input = Reader::new(chunk);
        loop {
            let (is, head) = match walk.next(&mut input) {
                Ok(Some(Piece::Message(message, head))) => (Is::Message(message), head),
                Ok(Some(Piece::Rectangle(rectangle, head))) => (Is::Rectangle(rectangle), head),
                Ok(Some(Piece::Payload(payload))) => {
                    assert!(!payload.is_empty());
                    units.last_mut().unwrap().bytes.extend(payload);
                    continue;
                }
                Ok(None) => break,
                Err(error) => {
                    violation = Some(error);
                    break 'chunks;
                }
            };
            let bytes = head.to_vec();
            units.push(Unit { is, bytes });
        }
        assert!(input.is_empty(), "the walk takes in all it is given");
    }
    if violation.is_some() {
        // How much of it is handed out before it proves wrong depends on the cut.
        units.pop();
    }
    Walked {
        units,
        between: violation.is_none() && walk.is_between_messages(),
        screen: walk.screen(),
        violation,
    }
}

/// Walks along a stream at once, and sees that no cut makes a difference.
fn walk(stream: &[u8]) -> Walked {
    let whole = walk_in(stream, std::iter::repeat(usize::MAX));
    assert_eq!(walk_in(stream, std::iter::repeat(1)), whole, "byte by byte");
    for seed in 0..16_u32 {
        let mut state = seed;
        let sizes = std::iter::repeat_with(move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 27) as usize + 1
        });
        assert_eq!(walk_in(stream, sizes), whole, "cut by {seed}");
    }
    whole
}

/// Everything that the walk handed out.
fn bytes_of(walked: &Walked) -> Vec<u8> {
    let units = walked.units.iter();
    units.flat_map(|unit| unit.bytes.clone()).collect()
}

/// The violation at the end of a stream.
fn violation_of(stream: &[u8]) -> Violation {
    walk(stream).violation.expect("a violation")
}

/// An update with these rectangles, each with its header.
pub(crate) fn update(rectangles: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend((rectangles.len() as u16).to_be_bytes());
    bytes.extend(rectangles.concat());
    bytes
}

/// A rectangle at a place, of a size, with what follows its header.
pub(crate) fn rectangle(place: [u16; 4], encoding: i32, body: &[u8]) -> Vec<u8> {
    let mut bytes = place.map(u16::to_be_bytes).concat();
    bytes.extend(encoding.to_be_bytes());
    bytes.extend(body);
    bytes
}

/// Something behind its length of four bytes.
pub(crate) fn counted(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

/// Bytes that are not all alike.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let spread = |n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8;
    (0..len as u32).map(spread).collect()
}
