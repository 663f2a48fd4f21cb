//! Lengths at their extremes, places outside the screen, and what does not exist.

use super::*;
use crate::rfb::encoding::Encoding;

/// Something behind a length that lies.
fn of_length(len: u32) -> Vec<u8> {
    len.to_be_bytes().to_vec()
}

fn cut_text(len: u32) -> Vec<u8> {
    [&[3, 0, 0, 0][..], &of_length(len), &[0; 4]].concat()
}

#[test]
fn lengths_have_limits() {
    let place = [0, 0, 20, 20];
    let just = u32::try_from(MAX_PART).unwrap();
    for encoding in [6, 16, 50] {
        let body = |len| [of_length(len), vec![0; 4]].concat();
        let stream = |len| update(&[rectangle(place, encoding, &body(len))]);
        assert_eq!(walk(&stream(just)).violation, None, "{encoding}");
        for len in [just + 1, u32::MAX] {
            let violation = violation_of(&stream(len));
            assert!(matches!(violation, Violation::TooLong { .. }));
        }
    }
    let name = |len| update(&[rectangle(place, -307, &of_length(len))]);
    assert_eq!(walk(&name(65536)).violation, None);
    assert!(matches!(
        violation_of(&name(u32::MAX)),
        Violation::TooLong { .. }
    ));
    let sound = [&[255, 1, 0, 2][..], &of_length(u32::MAX)].concat();
    assert!(matches!(violation_of(&sound), Violation::TooLong { .. }));
    for (len, allowed) in [(64, true), (65, false), (255, false)] {
        let fence = [248, 0, 0, 0, 0x80, 0, 0, 0, len];
        assert_eq!(walk(&fence).violation.is_none(), allowed, "{len}");
    }
}

#[test]
fn cut_texts_have_limits_in_both_signs() {
    let most = u32::try_from(MAX_PART).unwrap();
    for len in [0, most, most.wrapping_neg(), 4_u32.wrapping_neg()] {
        assert_eq!(walk(&cut_text(len)).violation, None, "{len:#x}");
    }
    // The last two are 3 GiB read as unsigned, and the number that has no positive.
    for len in [most + 1, i32::MAX as u32, 3 << 30, 1 << 31] {
        let violation = violation_of(&cut_text(len));
        assert!(matches!(violation, Violation::TooLong { .. }), "{len:#x}");
    }
    for len in 1..4_u32 {
        let violation = violation_of(&cut_text(len.wrapping_neg()));
        assert_eq!(violation, Violation::ClipboardLength(len));
    }
}

#[test]
fn cursors_are_not_endless() {
    let cursor = |encoding, size: [u16; 2]| {
        let [width, height] = size;
        update(&[rectangle([0, 0, width, height], encoding, &[])])
    };
    for encoding in [-239, 0x574d_5664] {
        assert_eq!(walk(&cursor(encoding, [512, 512])).violation, None);
        for size in [[513, 1], [1, 513], [0xffff, 0xffff]] {
            let violation = violation_of(&cursor(encoding, size));
            assert_eq!(violation, Violation::Cursor(size[0], size[1]));
        }
    }
    let kind = update(&[rectangle([0, 0, 1, 1], 0x574d_5664, &[2, 0])]);
    assert_eq!(violation_of(&kind), Violation::CursorKind(2));
}

#[test]
fn rectangles_are_inside_the_screen() {
    for encoding in [0, 1, 2, 5, 6, 7, -260, 16, 21, 50] {
        let outside = Violation::Outside(Encoding(encoding));
        for place in [
            [640, 0, 1, 1],
            [0, 480, 1, 1],
            [0, 0, 641, 1],
            [0, 0, 1, 481],
            [0xffff, 0xffff, 0xffff, 0xffff],
        ] {
            let stream = update(&[rectangle(place, encoding, &[])]);
            assert_eq!(violation_of(&stream), outside, "{place:?}");
        }
        let inside = update(&[rectangle([639, 479, 1, 1], encoding, &[])]);
        assert_eq!(walk(&inside).violation, None);
    }
    for source in [[639, 0], [0, 479], [0xffff, 0xffff]] {
        let source = source.map(u16::to_be_bytes).concat();
        let stream = update(&[rectangle([0, 0, 2, 2], 1, &source)]);
        let outside = Violation::Outside(Encoding::COPY_RECT);
        assert_eq!(violation_of(&stream), outside);
    }
}

#[test]
fn subrectangles_are_no_more_than_pixels() {
    let rre = |number| update(&[rectangle([0, 0, 20, 20], 2, &of_length(number))]);
    assert_eq!(walk(&rre(400)).violation, None);
    for number in [401, u32::MAX] {
        let violation = violation_of(&rre(number));
        assert_eq!(violation, Violation::Subrectangles(number));
    }
}

#[test]
fn what_does_not_exist_is_refused() {
    let one = |encoding, body: &[u8]| update(&[rectangle([0, 0, 20, 20], encoding, body)]);
    for (stream, violation) in [
        (vec![4], Violation::MessageType(4)),
        (vec![254], Violation::MessageType(254)),
        (vec![255, 0], Violation::MessageType(255)),
        (one(4, &[]), Violation::UnknownEncoding(Encoding(4))),
        (one(15, &[]), Violation::UnknownEncoding(Encoding(15))),
        (one(-314, &[]), Violation::UnknownEncoding(Encoding(-314))),
        (one(5, &[31]), Violation::HextileMask(31)),
        (one(5, &[0, 0x40]), Violation::HextileMask(0x40)),
        (one(7, &[0xa0]), Violation::TightControl(0xa0)),
        (one(7, &[0xf0]), Violation::TightControl(0xf0)),
        (one(-260, &[0x00]), Violation::TightControl(0x00)),
        (one(-260, &[0x40]), Violation::TightControl(0x40)),
        (one(7, &[0x40, 3]), Violation::TightFilter(3)),
        (one(21, &[0xff, 0xd8, 0]), Violation::Jpeg),
        (one(21, &[0xff, 0xdb, 0, 1]), Violation::Jpeg),
    ] {
        let stream = [stream, vec![0; 4]].concat();
        assert_eq!(violation_of(&stream), violation);
    }
}

#[test]
fn empty_rectangles_that_novnc_reads_otherwise_are_refused() {
    for encoding in [6, 7, -260] {
        for place in [[0, 0, 0, 9], [0, 0, 9, 0]] {
            let stream = update(&[rectangle(place, encoding, &[0; 8])]);
            let empty = Violation::Empty(Encoding(encoding));
            assert_eq!(violation_of(&stream), empty);
        }
    }
}

#[test]
fn a_jpeg_file_is_not_endless() {
    let mut file = vec![0xff, 0xd8];
    let segment = [&[0xff, 0xfe, 0xff, 0xff][..], &[0; 0xffff - 2]].concat();
    while file.len() as u64 <= MAX_PART {
        file.extend(&segment);
    }
    file.extend([0xff, 0xd9]);
    let stream = update(&[rectangle([0, 0, 20, 20], 21, &file)]);
    let walked = walk_in(&stream, std::iter::repeat(1 << 16));
    assert!(matches!(walked.violation, Some(Violation::TooLong { .. })));
}

/// A screen of 65535 by 65535 has 16 GiB in Raw: they are counted, not waited for in memory.
#[test]
fn the_largest_rectangle_is_counted() {
    let mut stream = update(&[rectangle([0, 0, 0xffff, 0xffff], -223, &[])]);
    stream.extend(update(&[rectangle([0, 0, 0xffff, 0xffff], 0, &[7; 9])]));
    let walked = walk(&stream);
    assert_eq!(walked.violation, None);
    assert!(!walked.between);
    assert_eq!(bytes_of(&walked), stream);
}
