//! Messages told apart, at any chunking.

use proptest::prelude::*;

use super::*;
use crate::rfb::extended_clipboard::Flags;

/// The messages of every kind, with what they are.
pub(crate) fn samples() -> Vec<(Kind, Vec<u8>)> {
    let fixed = |kind, first: &[u8], len: usize| {
        let rest = vec![7; len - first.len()];
        (kind, [first, &rest].concat())
    };
    let with = |kind, head: &[u8], body: usize| (kind, [head, &vec![9; body]].concat());
    let clipboard = |action| Kind::ExtendedClipboard(Flags(action | Flags::TEXT));
    vec![
        fixed(Kind::SetPixelFormat, &[0], 20),
        with(Kind::FixColourMapEntries, &[1, 0, 0, 0, 0, 2], 12),
        with(Kind::SetEncodings, &[2, 0, 0, 3], 12),
        with(Kind::SetEncodings, &[2, 0, 0, 0], 0),
        fixed(Kind::FramebufferUpdateRequest, &[3], 10),
        fixed(Kind::KeyEvent, &[4, 1], 8),
        fixed(Kind::PointerEvent, &[5, 0x80], 6),
        with(Kind::CutText, &[6, 0, 0, 0, 0, 0, 0, 5], 5),
        with(Kind::CutText, &[6, 0, 0, 0, 0, 0, 0, 0], 0),
        with(
            clipboard(Flags::CAPS),
            &[6, 0, 0, 0, 255, 255, 255, 248, 1, 0, 0, 1],
            4,
        ),
        with(
            clipboard(Flags::NOTIFY),
            &[6, 0, 0, 0, 255, 255, 255, 252, 8, 0, 0, 1],
            0,
        ),
        fixed(Kind::SetScale, &[8], 4),
        fixed(Kind::SetServerInput, &[9], 4),
        fixed(Kind::SetSingleWindow, &[10], 6),
        with(Kind::TextChat, &[11, 0, 0, 0, 0, 0, 0, 3], 3),
        with(Kind::TextChat, &[11, 0, 0, 0, 255, 255, 255, 253], 0),
        fixed(Kind::SetScale, &[15], 4),
        fixed(Kind::EnableContinuousUpdates, &[150], 10),
        with(Kind::Fence, &[248, 0, 0, 0, 0, 0, 0, 3, 64], 64),
        fixed(Kind::Xvp, &[250], 4),
        with(Kind::SetDesktopSize, &[251, 0, 1, 0, 1, 0, 2, 0], 32),
        with(Kind::Gii, &[253, 0x81, 0, 3], 3),
        with(Kind::Gii, &[253, 0x01, 3, 0], 3),
        fixed(Kind::QemuKey, &[255, 0], 12),
        fixed(Kind::QemuAudio, &[255, 1, 0, 0], 4),
        fixed(Kind::QemuAudio, &[255, 1, 0, 1], 4),
        fixed(Kind::QemuAudio, &[255, 1, 0, 2], 10),
    ]
}

/// The kinds and whole lengths of the messages of a stream that comes in chunks, how long the last
/// one is so far, and how it was misused.
fn split(
    stream: &[u8],
    sizes: impl Iterator<Item = usize>,
) -> (Vec<(Kind, usize)>, Option<Misuse>) {
    let mut splitter = Splitter::default();
    let (mut messages, mut unread, mut coming) = (Vec::new(), Vec::new(), stream);
    for size in sizes {
        let (chunk, later) = coming.split_at(size.min(coming.len()));
        coming = later;
        unread.extend_from_slice(chunk);
        loop {
            let len = match splitter.next(&unread) {
                Err(misuse) => return (messages, Some(misuse)),
                Ok(Part::NotWhole) => break,
                Ok(Part::Head(head)) => {
                    messages.push((head.kind, head.len));
                    head.len
                }
                Ok(Part::Body(len)) => {
                    messages.last_mut().unwrap().1 += len;
                    len
                }
            };
            unread.drain(..len);
        }
        assert!(unread.len() < MAX_HEAD, "a head is no longer than that");
        if coming.is_empty() {
            break;
        }
    }
    (messages, None)
}

fn whole() -> impl Iterator<Item = usize> {
    std::iter::repeat(usize::MAX)
}

#[test]
fn every_message_is_told_from_the_next() {
    let samples = samples();
    let stream: Vec<u8> = samples
        .iter()
        .flat_map(|(_, bytes)| bytes.clone())
        .collect();
    let expected: Vec<_> = samples
        .iter()
        .map(|(kind, bytes)| (*kind, bytes.len()))
        .collect();
    assert_eq!(split(&stream, whole()), (expected.clone(), None));
    assert_eq!(split(&stream, std::iter::repeat(1)), (expected, None));
}

#[test]
fn every_cut_of_a_head_waits_for_more() {
    for (kind, bytes) in samples() {
        let head = Head::read(&bytes).unwrap().unwrap();
        assert_eq!(head.kind, kind);
        assert!(head.len <= MAX_HEAD);
        assert_eq!(head.len + head.body as usize, bytes.len());
        for len in 0..head.len {
            assert_eq!(Head::read(&bytes[..len]), Ok(None), "{kind:?} cut at {len}");
        }
    }
}

#[test]
fn what_has_no_known_length_is_misuse() {
    for unknown in [7, 12, 13, 14, 16, 127, 149, 151, 247, 249, 252, 254] {
        assert_eq!(Head::read(&[unknown]), Err(Misuse::Type(unknown)));
    }
    assert_eq!(Head::read(&[255, 2]), Err(Misuse::Subtype(255, 2)));
    assert_eq!(
        Head::read(&[255, 1, 0, 3]),
        Err(Misuse::Subtype(255, 0x103))
    );
}

#[test]
fn lengths_end_at_their_bounds() {
    let cut_text = |len: u32| [&[6, 0, 0, 0][..], &len.to_be_bytes()].concat();
    let body = |bytes: &[u8]| Head::read(bytes).map(|head| head.map(|head| head.body));
    assert_eq!(body(&cut_text(MAX_CUT_TEXT)), Ok(Some(MAX_CUT_TEXT)));
    // 16 MiB and a byte, 2 GiB less one, and 3 GiB, which as a signed number is -1 GiB.
    for (len, size) in [
        (MAX_CUT_TEXT + 1, MAX_CUT_TEXT + 1),
        (0x7fff_ffff, 0x7fff_ffff),
        (0xc000_0000, 0x4000_0000),
        (0x8000_0000, 0x8000_0000),
    ] {
        let too_long = Misuse::TooLong {
            field: "cut text length",
            announced: size,
            most: MAX_CUT_TEXT,
        };
        assert_eq!(body(&cut_text(len)), Err(too_long));
    }
    for short in 1..4_u32 {
        assert_eq!(
            body(&cut_text(short.wrapping_neg())),
            Err(Misuse::NoFlags(short))
        );
    }
    let flags = [cut_text(4_u32.wrapping_neg()), vec![16, 0, 0, 1]].concat();
    assert_eq!(body(&flags), Ok(Some(0)));

    assert_eq!(body(&[2, 0, 4, 0]), Ok(Some(4096)));
    assert!(body(&[2, 0, 4, 1]).is_err());
    assert!(body(&[2, 0, 255, 255]).is_err());
    assert!(body(&[248, 0, 0, 0, 0, 0, 0, 0, 65]).is_err());
    assert!(body(&[11, 0, 0, 0, 0, 0, 16, 1]).is_err());
    assert!(body(&[11, 0, 0, 0, 255, 255, 255, 252]).is_err());
    assert_eq!(body(&[1, 0, 0, 0, 255, 255]), Ok(Some(6 * 65_535)));
    assert_eq!(body(&[251, 0, 0, 0, 0, 0, 255, 0]), Ok(Some(16 * 255)));
    assert_eq!(body(&[253, 0, 255, 255]), Ok(Some(65_535)));
}

proptest! {
    #[test]
    fn cuts_make_no_difference(
        picks in prop::collection::vec(0..samples().len(), 0..40),
        rest in prop::collection::vec(any::<u8>(), 0..40),
        sizes in prop::collection::vec(1..30_usize, 1..20),
    ) {
        let samples = samples();
        let mut stream: Vec<u8> = picks.iter().flat_map(|pick| samples[*pick].1.clone()).collect();
        stream.extend(rest);
        let expected = split(&stream, whole());
        prop_assert!(split(&stream, std::iter::repeat(1)) == expected);
        prop_assert!(split(&stream, sizes.into_iter().cycle()) == expected);
    }
}
