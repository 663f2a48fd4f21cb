//! What passes, whole and in pieces.

mod chords;

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};
use proptest::prelude::*;

use super::*;
use crate::rfb::client_message::tests::samples;
use crate::rfb::host_gate;
use crate::rfb::pacing::Pacing;
use crate::rfb::permissions::Clipboard;
use crate::rfb::server_message::tests::{init, rectangle, update};

const ALL: Permissions = Permissions {
    view_only: false,
    clipboard: Clipboard {
        to_machine: 1000,
        from_machine: Clipboard::UNBOUNDED,
    },
    resize: true,
    power: true,
};
const LOOKING: Permissions = ALL.looking_on();
const CTRL: [u8; 8] = [4, 1, 0, 0, 0, 0, 0xff, 0xe3];
const CTRL_UP: [u8; 8] = [4, 0, 0, 0, 0, 0, 0xff, 0xe3];
/// A list with the extended clipboard in it.
const ENCODINGS: [u8; 8] = [2, 0, 0, 1, 0xc0, 0xa1, 0xe5, 0xce];

/// Lets one chunk pass, and says what the host gets.
fn chunk(gate: &mut Gate, chunk: &[u8]) -> (Vec<u8>, Result<(), Misuse>) {
    let mut buffer = [&[0xee; ROOM], chunk].concat();
    let mut got = Vec::new();
    let (range, outcome) = gate.pass(&mut buffer, chunk.len(), &mut got, None);
    got.extend(&buffer[range]);
    (got, outcome)
}

/// What a host gets of a stream in chunks.
fn passed(
    gate: &mut Gate,
    stream: &[u8],
    mut sizes: impl Iterator<Item = usize>,
) -> (Vec<u8>, Result<(), Misuse>) {
    let (mut got, mut coming) = (Vec::new(), stream);
    while !coming.is_empty() {
        let size = sizes.next().unwrap_or(usize::MAX).min(coming.len());
        let (now, later) = coming.split_at(size);
        coming = later;
        let (some, outcome) = chunk(gate, now);
        got.extend(some);
        if outcome.is_err() {
            return (got, outcome);
        }
    }
    (got, Ok(()))
}

fn all_of(permissions: Permissions, stream: &[u8]) -> Vec<u8> {
    let (got, outcome) = chunk(&mut Gate::new(permissions), stream);
    assert_eq!(outcome, Ok(()));
    let (bytewise, _) = passed(&mut Gate::new(permissions), stream, std::iter::repeat(1));
    assert!(bytewise == got, "the same a byte at a time");
    got
}

/// A message with `size` bytes of text, compressed as noVNC does it: flushed and not ended.
fn provide(size: usize) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(&(size as u32).to_be_bytes()).unwrap();
    zlib.write_all(&vec![b'a'; size]).unwrap();
    zlib.flush().unwrap();
    clipboard(&[16, 0, 0, 1], zlib.get_ref())
}

fn clipboard(flags: &[u8], body: &[u8]) -> Vec<u8> {
    let len = -((flags.len() + body.len()) as i32);
    [&[6, 0, 0, 0], &len.to_be_bytes()[..], flags, body].concat()
}

#[test]
fn who_may_do_everything_gets_through_as_it_is() {
    let never = [Kind::TextChat, Kind::SetServerInput, Kind::Gii];
    let samples = samples()
        .into_iter()
        .filter(|(kind, _)| !never.contains(kind));
    let messages = samples.filter(|(kind, _)| !matches!(kind, Kind::ExtendedClipboard(_)));
    let stream: Vec<u8> = messages.flat_map(|(_, bytes)| bytes).collect();
    assert_eq!(all_of(ALL, &stream), stream);
}

#[test]
fn who_looks_on_moves_nothing() {
    let stream: Vec<u8> = samples().into_iter().flat_map(|(_, bytes)| bytes).collect();
    let mut allowed = samples();
    allowed.retain(|(kind, _)| {
        matches!(
            kind,
            Kind::SetPixelFormat
                | Kind::SetEncodings
                | Kind::FramebufferUpdateRequest
                | Kind::EnableContinuousUpdates
                | Kind::Fence
                | Kind::QemuAudio
        )
    });
    let allowed: Vec<u8> = allowed.into_iter().flat_map(|(_, bytes)| bytes).collect();
    assert_eq!(all_of(LOOKING, &stream), allowed);
}

#[test]
fn power_and_size_have_permissions_of_their_own() {
    let xvp = [250, 0, 1, 4];
    let size = [&[251, 0, 4, 0, 3, 0, 1, 0][..], &[1; 16]].concat();
    let stream = [&xvp[..], &size, &CTRL].concat();
    let no_power = Permissions {
        power: false,
        ..ALL
    };
    assert_eq!(all_of(no_power, &stream), [&size[..], &CTRL].concat());
    let no_size = Permissions {
        resize: false,
        ..ALL
    };
    assert_eq!(all_of(no_size, &stream), [&xvp[..], &CTRL].concat());
}

#[test]
fn a_host_is_not_told_of_what_may_not_be() {
    let list = |encodings: &[i32]| {
        let count = (encodings.len() as u16).to_be_bytes();
        let bytes = encodings.iter().flat_map(|it| it.to_be_bytes());
        [2, 0]
            .into_iter()
            .chain(count)
            .chain(bytes)
            .collect::<Vec<u8>>()
    };
    let clipboard = 0xc0a1_e5ce_u32.cast_signed();
    let said = list(&[7, -308, -309, clipboard, -316, -305, -239]);
    let hidden = 0x464c_0000;
    let heard = list(&[7, -308, -309, clipboard, hidden, hidden, -239]);
    assert_eq!(all_of(ALL, &said), heard);
    let heard = list(&[7, hidden, hidden, hidden, hidden, hidden, -239]);
    assert_eq!(all_of(LOOKING, &said), heard);

    let mut gate = Gate::new(LOOKING);
    chunk(&mut gate, &said).1.unwrap();
    gate.permit(ALL);
    let mut again = Vec::new();
    gate.settle(&mut again, None);
    let heard = list(&[7, -308, -309, clipboard, hidden, hidden, -239]);
    assert_eq!(
        again, heard,
        "the list that was said, under other permissions"
    );
}

#[test]
fn text_goes_to_the_machine_up_to_its_bound() {
    let text = |len: u32| {
        [
            &[6, 0, 0, 0][..],
            &len.to_be_bytes(),
            &vec![b'x'; len as usize],
        ]
        .concat()
    };
    let stream = [text(1000), text(1001), CTRL.to_vec()].concat();
    assert_eq!(all_of(ALL, &stream), [&text(1000)[..], &CTRL].concat());
    let mut none = ALL;
    none.clipboard.to_machine = 0;
    assert_eq!(all_of(none, &[text(0), text(1)].concat()), b"");
}

#[test]
fn compressed_text_is_measured_by_what_it_becomes() {
    for size in [0, 10, 1000] {
        let stream = [&ENCODINGS[..], &provide(size), &CTRL].concat();
        assert_eq!(all_of(ALL, &stream), stream, "{size}");
    }
    for size in [2000, 100_000_000] {
        let bomb = provide(size);
        assert!(bomb.len() < 100_000);
        let stream = [&ENCODINGS[..], &bomb, &CTRL].concat();
        assert_eq!(all_of(ALL, &stream), [&ENCODINGS[..], &CTRL].concat());
    }
    let garbage = clipboard(&[16, 0, 0, 1], b"this is not zlib");
    for sizes in [1, usize::MAX] {
        let mut gate = Gate::new(ALL);
        let stream = [&ENCODINGS[..], &garbage].concat();
        let (got, outcome) = passed(&mut gate, &stream, std::iter::repeat(sizes));
        assert_eq!(
            (&got[..], outcome),
            (&ENCODINGS[..], Err(Misuse::BadClipboard))
        );
        assert_eq!(gate.owed(), 0);
    }
}

#[test]
fn what_is_forbidden_while_it_is_gathered_does_not_pass() {
    let message = provide(10);
    let (first, rest) = message.split_at(15);
    for (permissions, passes) in [(ALL, true), (LOOKING, false)] {
        let mut gate = Gate::new(ALL);
        chunk(&mut gate, &ENCODINGS).1.unwrap();
        assert_eq!(chunk(&mut gate, first), (vec![], Ok(())));
        gate.permit(permissions);
        let expected = if passes { message.clone() } else { vec![] };
        assert_eq!(chunk(&mut gate, rest), (expected, Ok(())));
    }
}

#[test]
fn the_extended_clipboard_goes_the_permitted_ways() {
    let caps = clipboard(&[0x1f, 0, 0, 1], &[0; 4]);
    let request = clipboard(&[2, 0, 0, 1], b"");
    let peek = clipboard(&[4, 0, 0, 0], b"");
    let notify = clipboard(&[8, 0, 0, 1], b"");
    let both = clipboard(&[10, 0, 0, 1], b"");
    let long = clipboard(&[8, 0, 0, 1], &[0; 4]);
    let said = [
        &ENCODINGS[..],
        &caps,
        &request,
        &peek,
        &notify,
        &both,
        &long,
    ]
    .concat();
    let heard = [&ENCODINGS[..], &caps, &request, &peek, &notify].concat();
    assert_eq!(all_of(ALL, &said), heard);
    let mut to = ALL;
    to.clipboard.from_machine = 0;
    assert_eq!(all_of(to, &said), [&ENCODINGS[..], &caps, &notify].concat());
    let mut from = ALL;
    from.clipboard.to_machine = 0;
    let heard = [&ENCODINGS[..], &caps, &request, &peek].concat();
    assert_eq!(all_of(from, &said), heard);
    let looking = Permissions {
        view_only: true,
        ..ALL
    };
    assert_eq!(all_of(looking, &said), heard);
    // Who did not say that it knows of it does not use it.
    assert_eq!(all_of(ALL, &said[ENCODINGS.len()..]), b"");
}

#[test]
fn only_what_a_person_does_is_activity() {
    for (kind, bytes) in samples() {
        let mut gate = Gate::new(LOOKING);
        chunk(&mut gate, &bytes).1.unwrap();
        let person = matches!(
            kind,
            Kind::KeyEvent | Kind::PointerEvent | Kind::QemuKey | Kind::CutText
        );
        assert_eq!(gate.take_activity(), person, "{kind:?}");
        assert!(!gate.take_activity());
    }
}

#[test]
fn keys_that_the_host_has_are_released_and_no_others() {
    let mut gate = Gate::new(ALL);
    chunk(&mut gate, &CTRL).1.unwrap();
    // One of which the host has nothing yet.
    let (got, _) = chunk(&mut gate, &[4, 1, 0, 0, 0, 0, 0xff]);
    assert_eq!((got.len(), gate.owed()), (0, 0));
    let mut out = Vec::new();
    gate.release(&mut out);
    assert_eq!(out, CTRL_UP);
    assert!(!gate.holds_keys());

    let mut gate = Gate::new(LOOKING);
    chunk(&mut gate, &CTRL).1.unwrap();
    assert!(!gate.holds_keys());
}

#[test]
fn inside_a_body_the_host_is_owed_the_rest() {
    let mut gate = Gate::new(ALL);
    chunk(&mut gate, &[6, 0, 0, 0, 0, 0, 0, 9, b'x']).1.unwrap();
    assert_eq!(gate.owed(), 8);
    let mut gate = Gate::new(LOOKING);
    chunk(&mut gate, &[6, 0, 0, 0, 0, 0, 0, 9, b'x']).1.unwrap();
    assert_eq!(gate.owed(), 0, "it gets nothing of this one");
}

proptest! {
    #[test]
    fn cuts_make_no_difference(
        picks in prop::collection::vec(0..samples().len() + 2, 0..40),
        rest in prop::collection::vec(any::<u8>(), 0..40),
        sizes in prop::collection::vec(1..40_usize, 1..20),
        bits in 0..8_u8,
    ) {
        let permissions = Permissions {
            view_only: bits & 1 != 0,
            resize: bits & 2 != 0,
            power: bits & 4 != 0,
            ..ALL
        };
        let mut messages: Vec<Vec<u8>> = samples().into_iter().map(|(_, bytes)| bytes).collect();
        messages.extend([provide(900), ENCODINGS.to_vec()]);
        let mut stream: Vec<u8> = picks.iter().flat_map(|pick| messages[*pick].clone()).collect();
        stream.extend(rest);
        let run = |sizes: &mut dyn Iterator<Item = usize>| {
            let mut gate = Gate::new(permissions);
            let (got, outcome) = passed(&mut gate, &stream, sizes);
            (got, outcome, gate.take_activity(), gate.owed(), gate.held_keys)
        };
        let expected = run(&mut std::iter::repeat(usize::MAX));
        prop_assert!(run(&mut std::iter::repeat(1)) == expected);
        prop_assert!(run(&mut sizes.iter().copied().cycle()) == expected);
    }
}

/// A host that has offered continuous updates of ours.
fn paced() -> HostGate {
    let mut host = HostGate::new(&init(), ALL).unwrap().pacing(Pacing::On);
    host.list(Encoding::FENCE);
    host.list(Encoding::CONTINUOUS_UPDATES);
    let first = update(&[rectangle([0, 0, 1, 1], 0, &[0; 4])]);
    let mut buffer = [&[0; host_gate::ROOM][..], &first].concat();
    let (_, outcome) = host.pass(&mut buffer, first.len(), &mut Vec::new());
    outcome.unwrap();
    host
}

proptest! {
    #[test]
    fn nothing_of_the_pacing_reaches_the_host_however_it_is_cut(
        picks in prop::collection::vec(0..samples().len() + 3, 0..40),
        sizes in prop::collection::vec(1..40_usize, 1..20),
    ) {
        let mut messages: Vec<Vec<u8>> = samples().into_iter().map(|(_, bytes)| bytes).collect();
        // A format would be late.
        messages.retain(|message| message[0] != 0);
        messages.extend([
            vec![150, 0, 0, 0, 0, 0, 0, 9, 0, 9],
            vec![248, 0, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0, 0],
            vec![248, 0, 0, 0, 0x80, 0, 0, 3, 2, 8, 9],
            vec![3, 1, 0, 0, 0, 0, 0, 9, 0, 9],
        ]);
        let stream: Vec<u8> = picks.iter().flat_map(|pick| messages[*pick].clone()).collect();
        let run = |sizes: &mut dyn Iterator<Item = usize>| {
            let (mut gate, mut host) = (Gate::new(ALL), paced());
            let (mut got, mut coming) = (Vec::new(), &stream[..]);
            while !coming.is_empty() {
                let (now, later) = coming.split_at(sizes.next().unwrap().min(coming.len()));
                coming = later;
                let mut buffer = [&[0xee; ROOM], now].concat();
                let (range, outcome) = gate.pass(&mut buffer, now.len(), &mut got, Some(&mut host));
                outcome.unwrap();
                got.extend(&buffer[range]);
            }
            let mut said = Vec::new();
            host.speak(Denied::NOTHING, &mut said);
            (got, said, gate.owed())
        };
        let whole = run(&mut std::iter::repeat(usize::MAX));
        prop_assert!(run(&mut std::iter::repeat(1)) == whole);
        prop_assert!(run(&mut sizes.into_iter().cycle()) == whole);
        let (mut splitter, mut rest) = (Splitter::default(), &whole.0[..]);
        while !rest.is_empty() {
            let len = match splitter.next(rest).unwrap() {
                Part::NotWhole => break,
                Part::Body(len) => len,
                Part::Head(head) => {
                    let ours = [Kind::Fence, Kind::EnableContinuousUpdates];
                    prop_assert!(!ours.contains(&head.kind));
                    head.len
                }
            };
            rest = &rest[len..];
        }
    }
}
