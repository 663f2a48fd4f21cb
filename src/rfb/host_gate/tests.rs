use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use proptest::prelude::*;

use super::*;
use crate::rfb::server_message::tests::layouts::{messages, rectangles};
use crate::rfb::server_message::tests::{init, rectangle, update};

mod looking_on;

const BELL: [u8; 1] = [2];

/// All that there is, and text of at most 1000 bytes.
const ALL: Permissions = Permissions {
    view_only: false,
    clipboard: Clipboard {
        to_machine: 1000,
        from_machine: 1000,
    },
    resize: true,
    power: true,
};

/// Only looking.
const LOOKING: Permissions = ALL.looking_on();

/// What noVNC lists, and one that makes no difference.
const NOVNC: [i32; 24] = [
    1,
    50,
    7,
    -260,
    16,
    21,
    5,
    2,
    6,
    0,
    -26,
    -223,
    -224,
    -258,
    -261,
    -308,
    -309,
    -312,
    -313,
    -307,
    0xc0a1_e5ce_u32 as i32,
    -316,
    0x574d_5664,
    -239,
];

fn gate(permissions: Permissions, listed: &[i32]) -> HostGate {
    let mut gate = HostGate::new(&init(), permissions).unwrap();
    listed.iter().for_each(|it| gate.list(Encoding(*it)));
    gate
}

/// What passes of a stream in chunks of the given sizes, and how it ends.
fn pass_in(
    gate: &mut HostGate,
    mut stream: &[u8],
    sizes: &mut dyn Iterator<Item = usize>,
) -> (Vec<u8>, Result<(), Violation>) {
    let mut out = Vec::new();
    while !stream.is_empty() {
        let (chunk, rest) = stream.split_at(sizes.next().unwrap().min(stream.len()));
        stream = rest;
        let mut buffer = [&[0xee; ROOM][..], chunk].concat();
        let (range, outcome) = gate.pass(&mut buffer, chunk.len(), &mut out);
        out.extend(&buffer[range]);
        if outcome.is_err() {
            return (out, outcome);
        }
    }
    (out, Ok(()))
}

/// What passes of a stream, the same at once and a byte at a time.
fn passed(permissions: Permissions, listed: &[i32], stream: &[u8]) -> Vec<u8> {
    let run = |size| {
        let mut gate = gate(permissions, listed);
        pass_in(&mut gate, stream, &mut std::iter::repeat(size))
    };
    let (out, outcome) = run(usize::MAX);
    assert_eq!(outcome, Ok(()));
    assert!(run(1).0 == out, "the same a byte at a time");
    assert!(run(3).0 == out, "the same three bytes at a time");
    out
}

/// Everything that noVNC asks for and may get.
fn pictures() -> Vec<u8> {
    let mut all = rectangles();
    // Not asked for: whether the pointer is relative.
    all.retain(|bytes| bytes[8..12] != (-257_i32).to_be_bytes());
    update(&all)
}

fn text(len: u32) -> Vec<u8> {
    let head = [&[3, 0, 0, 0][..], &len.to_be_bytes()].concat();
    [head, vec![b'x'; len as usize]].concat()
}

fn clipboard_message(flags: u32, body: &[u8]) -> Vec<u8> {
    let len = -(body.len() as i32 + 4);
    let head = [[3, 0, 0, 0], len.to_be_bytes(), flags.to_be_bytes()].concat();
    [&head, body].concat()
}

/// Compressed text that announces one length and has another, flushed as servers do it.
fn provide(announced: u32, len: usize) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(&announced.to_be_bytes()).unwrap();
    zlib.write_all(&vec![b'a'; len]).unwrap();
    zlib.flush().unwrap();
    clipboard_message(0x1000_0001, zlib.get_ref())
}

#[test]
fn what_may_pass_passes_byte_for_byte() {
    let fence = [248, 0, 0, 0, 0x80, 0, 0, 1, 2, 7, 7];
    let stream = [
        pictures(),
        BELL.to_vec(),
        text(1000),
        provide(1000, 1000),
        vec![150],
        fence.to_vec(),
        vec![250, 0, 1, 1],
        pictures(),
    ]
    .concat();
    assert!(passed(ALL, &NOVNC, &stream) == stream);
}

#[test]
fn what_novnc_cannot_take_is_dropped() {
    let answer = [248, 0, 0, 0, 0, 0, 0, 1, 2, 7, 7];
    let xvp = [250, 0, 1, 2];
    let dropped =
        |message: &Message| matches!(message, Message::ColourMap | Message::Audio | Message::Gii);
    let mut stream = Vec::new();
    for (_, bytes) in messages().iter().filter(|(message, _)| dropped(message)) {
        stream.extend(bytes);
        stream.extend(BELL);
    }
    let bells = stream.iter().filter(|byte| **byte == 2).count();
    assert!(bells >= 5);
    stream.extend(answer);
    stream.extend(xvp);
    assert_eq!(passed(ALL, &NOVNC, &stream), BELL.repeat(5));
}

#[test]
fn what_was_not_listed_is_dropped() {
    let fence = [248, 0, 0, 0, 0x80, 0, 0, 1, 2, 7, 7];
    let caps = clipboard_message(0x1f00_0001, &[0, 1, 0, 0]);
    let stream = [&[150][..], &fence, &[250, 0, 1, 1], &caps, &BELL].concat();
    assert_eq!(passed(ALL, &[], &stream), BELL);
    assert_eq!(passed(ALL, &NOVNC, &stream), stream);
}

#[test]
fn an_empty_update_is_dropped_and_owed() {
    let mut gate = gate(ALL, &NOVNC);
    let stream = [&update(&[])[..], &BELL].concat();
    let (out, _) = pass_in(&mut gate, &stream, &mut std::iter::repeat(1));
    assert_eq!(out, BELL);
    assert!(gate.owes_update());
    gate.request_update(&mut Vec::new());
    assert!(!gate.owes_update());
    pass_in(&mut gate, &pictures(), &mut std::iter::repeat(9))
        .1
        .unwrap();
    assert!(!gate.owes_update());
    assert!(gate.is_between_messages());
}

#[test]
fn an_unasked_rectangle_without_pixels_becomes_one_without_area() {
    let nothing = rectangle([0; 4], 0, &[]);
    let raw = rectangle([1, 1, 1, 1], 0, &[1, 2, 3, 4]);
    for unasked in [
        rectangle([1, 1, 2, 1], -239, &[7; 2 * 4 + 1]),
        rectangle([0; 4], -261, &[6]),
        rectangle([1, 0, 0, 0], -257, &[]),
        rectangle([0; 4], -307, &[0, 0, 0, 2, b'a', b'b']),
    ] {
        let stream = update(&[raw.clone(), unasked, raw.clone()]);
        let expected = update(&[raw.clone(), nothing.clone(), raw.clone()]);
        assert_eq!(passed(ALL, &[0], &stream), expected);
    }
}

#[test]
fn an_unasked_rectangle_with_pixels_is_a_violation() {
    for encoding in [1, 2, 5, 6, 7, 16, 21, 50, -260, -308] {
        let mut gate = gate(ALL, &[0]);
        let stream = update(&[rectangle([0, 0, 4, 4], encoding, &[])]);
        let (out, outcome) = pass_in(&mut gate, &stream, &mut std::iter::repeat(5));
        let unrequested = Violation::Unrequested(Encoding(encoding));
        assert_eq!(outcome, Err(unrequested));
        assert_eq!(out, stream[..4], "not even its header");
    }
}

#[test]
fn text_passes_up_to_its_bound() {
    let stream = [text(1000), text(1001), text(0), BELL.to_vec()].concat();
    let expected = [text(1000), text(0), BELL.to_vec()].concat();
    assert_eq!(passed(ALL, &NOVNC, &stream), expected);
    assert_eq!(passed(LOOKING, &NOVNC, &stream), BELL);
    let mut none = ALL;
    none.clipboard.from_machine = 0;
    assert_eq!(passed(none, &NOVNC, &stream), BELL);
}

#[test]
fn compressed_text_is_measured_by_what_it_becomes() {
    for len in [0, 1, 1000, 1001] {
        let stream = [provide(len, len as usize), BELL.to_vec()].concat();
        assert_eq!(passed(ALL, &NOVNC, &stream), stream, "{len}");
    }
    // A NUL ends it, and no more.
    for (announced, len) in [
        (1002, 1002),
        (100_000_000, 100_000_000),
        // Lengths that lie: noVNC would ask for as much memory as they say.
        (u32::MAX, 10),
        (11, 10),
    ] {
        let bomb = provide(announced, len);
        let stream = [&bomb[..], &BELL].concat();
        assert_eq!(passed(ALL, &NOVNC, &stream), BELL, "{announced}");
    }
    for garbage in [&b"this is not zlib"[..], &[], &[0x78], &[0; 4000]] {
        let message = clipboard_message(0x1000_0001, garbage);
        let stream = [&message[..], &BELL].concat();
        assert_eq!(passed(ALL, &NOVNC, &stream), BELL);
    }
}

#[test]
fn without_a_bound_compressed_text_is_not_looked_at() {
    let mut unbounded = ALL;
    unbounded.clipboard.from_machine = Clipboard::UNBOUNDED;
    let stream = provide(5_000_000, 5_000_000);
    assert!(passed(unbounded, &NOVNC, &stream) == stream);
    assert!(!HostGate::is_needed(unbounded));
    assert!(HostGate::is_needed(ALL));
    let looking = Permissions {
        view_only: true,
        ..unbounded
    };
    assert!(!HostGate::is_needed(looking));
    assert!(HostGate::is_needed(unbounded.looking_on()));
}

#[test]
fn the_extended_clipboard_goes_the_permitted_ways() {
    let caps = clipboard_message(0x1f00_0001, &[0, 1, 0, 0]);
    let request = clipboard_message(0x0200_0001, &[]);
    let peek = clipboard_message(0x0400_0000, &[]);
    let notify = clipboard_message(0x0800_0001, &[]);
    // What noVNC stumbles over.
    let two_actions = clipboard_message(0x0a00_0001, &[]);
    let longer = clipboard_message(0x0800_0001, &[0; 4]);
    let short_caps = clipboard_message(0x1f00_0003, &[0; 4]);
    let picture = clipboard_message(0x1000_0008, &[0; 9]);
    let said = [
        &caps,
        &request,
        &peek,
        &notify,
        &two_actions,
        &longer,
        &short_caps,
        &picture,
    ]
    .map(Vec::as_slice)
    .concat();
    let all = [&caps[..], &request, &peek, &notify].concat();
    assert_eq!(passed(ALL, &NOVNC, &said), all);
    let mut to = ALL;
    to.clipboard.from_machine = 0;
    let expected = [&caps[..], &request, &peek].concat();
    assert_eq!(passed(to, &NOVNC, &said), expected);
    let mut from = ALL;
    from.clipboard.to_machine = 0;
    let expected = [&caps[..], &notify].concat();
    assert_eq!(passed(from, &NOVNC, &said), expected);
    assert_eq!(passed(LOOKING, &NOVNC, &said), b"");
}

#[test]
fn other_permissions_hold_from_the_next_message_on() {
    let mut gate = gate(ALL, &NOVNC);
    let once = |gate: &mut HostGate, bytes: &[u8]| {
        let (out, outcome) = pass_in(gate, bytes, &mut std::iter::repeat(usize::MAX));
        outcome.unwrap();
        out
    };
    let message = text(10);
    let (first, rest) = message.split_at(9);
    assert_eq!(once(&mut gate, first), first);
    gate.permit(LOOKING);
    assert_eq!(once(&mut gate, rest), rest, "this one had begun");
    assert_eq!(once(&mut gate, &message), b"");
    gate.permit(ALL);
    assert_eq!(once(&mut gate, &message), message);
}

#[test]
fn next_to_nothing_is_held_back_and_nothing_of_it_is_lost() {
    let stream = pictures();
    let mut gate = gate(ALL, &NOVNC);
    let mut out = Vec::new();
    for (at, byte) in stream.iter().enumerate() {
        let (more, _) = pass_in(&mut gate, &[*byte], &mut std::iter::repeat(1));
        out.extend(more);
        assert!(at + 1 - out.len() < ROOM);
    }
    assert_eq!(out, stream);
}

proptest! {
    #[test]
    fn cuts_make_no_difference(
        picks in prop::collection::vec(0..20_usize, 0..12),
        rest in prop::collection::vec(any::<u8>(), 0..40),
        sizes in prop::collection::vec(1..200_usize, 1..20),
        looking: bool,
        all_listed: bool,
    ) {
        let mut parts: Vec<Vec<u8>> = messages().into_iter().map(|(_, bytes)| bytes).collect();
        parts.extend([pictures(), provide(900, 900), provide(9, 8), text(1000), text(1001)]);
        let mut stream = Vec::new();
        for pick in picks {
            stream.extend(&parts[pick % parts.len()]);
        }
        stream.extend(rest);
        let permissions = if looking { LOOKING } else { ALL };
        let listed = if all_listed { &NOVNC[..] } else { &[0] };
        let run = |sizes: &mut dyn Iterator<Item = usize>| {
            let mut gate = gate(permissions, listed);
            let (out, outcome) = pass_in(&mut gate, &stream, sizes);
            (out, outcome, gate.owes_update())
        };
        let whole = run(&mut std::iter::repeat(usize::MAX));
        for cut in [run(&mut std::iter::repeat(1)), run(&mut sizes.into_iter().cycle())] {
            prop_assert_eq!(cut.1, whole.1);
            if whole.1.is_ok() {
                prop_assert!(cut == whole);
            } else {
                // How much goes before a violation shows depends on the cut.
                prop_assert!(cut.0.starts_with(&whole.0) || whole.0.starts_with(&cut.0));
            }
        }
    }
}
