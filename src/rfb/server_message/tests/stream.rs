//! Streams of everything: each unit is found where it is, however the stream is cut.

use super::layouts::{messages, rectangles};
use super::*;
use crate::rfb::encoding::Encoding;

#[test]
fn every_rectangle_is_as_long_as_its_encoding_says() {
    for bytes in rectangles() {
        // The bell shows where the walk thinks that the rectangle ends.
        let mut stream = update(std::slice::from_ref(&bytes));
        stream.push(2);
        let walked = walk(&stream);
        let header = *bytes.first_chunk().unwrap();
        let is = Is::Rectangle(Rectangle::decode(header));
        assert_eq!(walked.violation, None, "{is:?}");
        assert_eq!(walked.units.len(), 3, "{is:?}: {walked:?}");
        assert_eq!(walked.units[1], Unit { is, bytes });
        assert_eq!(walked.units[2].is, Is::Message(Message::Bell));
        assert!(walked.between);
        assert_eq!(bytes_of(&walked), stream);
    }
}

#[test]
fn every_message_is_as_long_as_its_head_says() {
    for (message, bytes) in messages() {
        let mut stream = bytes.clone();
        stream.push(2);
        let walked = walk(&stream);
        let is = Is::Message(message);
        assert_eq!(walked.violation, None, "{message:?}");
        assert_eq!(walked.units[0], Unit { is, bytes });
        assert_eq!(walked.units[1].is, Is::Message(Message::Bell));
        assert_eq!(walked.units.len(), 2);
    }
}

#[test]
fn a_stream_of_everything_is_handed_out_byte_for_byte() {
    let mut stream = update(&rectangles());
    for (_, bytes) in messages() {
        stream.extend(bytes);
        stream.extend(update(&rectangles()));
    }
    let walked = walk(&stream);
    assert_eq!(walked.violation, None);
    assert!(walked.between);
    assert_eq!(bytes_of(&walked), stream);
}

#[test]
fn wherever_a_stream_stops_the_walk_waits() {
    let mut stream = update(&rectangles());
    for (_, bytes) in messages() {
        stream.extend(bytes);
    }
    let whole = walk_in(&stream, std::iter::repeat(usize::MAX));
    for len in 0..stream.len() {
        let cut = walk_in(&stream[..len], std::iter::repeat(usize::MAX));
        assert_eq!(cut.violation, None, "cut at {len}");
        let out = bytes_of(&cut);
        assert!(stream.starts_with(&out), "cut at {len}");
        let kept = len - out.len();
        assert!(kept < 12, "cut at {len}, {kept} bytes are kept back");
        assert!(whole.units.len() >= cut.units.len());
    }
}

#[test]
fn a_last_rectangle_ends_an_update_whatever_was_announced() {
    let last = rectangle([0; 4], -224, &[]);
    let mut stream = vec![0, 0, 0xff, 0xff];
    stream.extend(rectangle([0, 0, 1, 1], 0, &[1, 2, 3, 4]));
    stream.extend(&last);
    stream.push(2);
    let walked = walk(&stream);
    assert_eq!(walked.violation, None);
    assert_eq!(walked.units[3].is, Is::Message(Message::Bell));
    assert!(walked.between);
}

#[test]
fn the_screen_has_the_size_that_was_last_told() {
    let outside = [600, 400, 200, 200];
    let pixels = noise(200 * 200 * 4);
    let big = rectangle([0, 0, 800, 600], -223, &[]);
    let raw = rectangle(outside, 0, &pixels);
    let walked = walk(&update(&[big.clone(), raw.clone()]));
    assert_eq!(walked.violation, None);
    assert_eq!((walked.screen.width, walked.screen.height), (800, 600));

    let no_screens = [0, 0, 0, 0];
    let big = rectangle([0, 0, 800, 600], -308, &no_screens);
    assert_eq!(walk(&update(&[big, raw.clone()])).violation, None);

    // Refused, for this viewer: then nothing has changed. For another it has.
    let refused = rectangle([1, 3, 800, 600], -308, &no_screens);
    let walked = walk(&update(&[refused, raw.clone()]));
    assert_eq!(walked.violation, Some(Violation::Outside(Encoding::RAW)));
    let other = rectangle([2, 0, 800, 600], -308, &no_screens);
    assert_eq!(walk(&update(&[other, raw.clone()])).violation, None);

    let small = rectangle([0, 0, 100, 100], -223, &[]);
    let outside = rectangle([99, 0, 2, 1], 0, &noise(8));
    let walked = walk(&update(&[small, outside]));
    assert_eq!(walked.violation, Some(Violation::Outside(Encoding::RAW)));
}

#[test]
fn a_pixel_format_counts_until_something_was_asked_for() {
    let format = |bits_per_pixel| PixelFormat {
        bits_per_pixel,
        depth: 8,
        ..PixelFormat::NOVNC
    };
    let mut walk = Walk::new(&init()).unwrap();
    assert_eq!(walk.set_pixel_format(&format(8)), Ok(()));
    walk.pin_pixel_format();
    assert_eq!(walk.set_pixel_format(&format(8)), Ok(()), "the same");
    assert_eq!(
        walk.set_pixel_format(&PixelFormat::NOVNC),
        Err(LatePixelFormat)
    );
    assert_eq!(walk.set_pixel_format(&format(7)), Err(LatePixelFormat));

    let stream = update(&[rectangle([0, 0, 2, 1], 0, &[1, 2])]);
    let mut input = Reader::new(&stream);
    while walk.next(&mut input).unwrap().is_some() {}
    assert!(walk.is_between_messages(), "two pixels of a byte each");

    let init = ServerInit {
        format: format(24),
        ..init()
    };
    assert_eq!(Walk::new(&init).unwrap_err(), Violation::PixelSize(24));
}

#[test]
fn an_update_pins_the_pixel_format() {
    let mut walk = Walk::new(&init()).unwrap();
    walk.next(&mut Reader::new(&[0, 0, 0, 0])).unwrap();
    let format = PixelFormat {
        bits_per_pixel: 16,
        ..PixelFormat::NOVNC
    };
    assert_eq!(walk.set_pixel_format(&format), Err(LatePixelFormat));
}

#[test]
fn pixels_of_tight_have_three_bytes_only_where_the_fourth_has_no_colour() {
    for (format, fill) in [
        (PixelFormat::NOVNC, 3),
        (
            PixelFormat {
                depth: 32,
                ..PixelFormat::NOVNC
            },
            4,
        ),
        (
            PixelFormat {
                max: [255, 1023, 255],
                ..PixelFormat::NOVNC
            },
            4,
        ),
        (
            PixelFormat {
                bits_per_pixel: 16,
                ..PixelFormat::NOVNC
            },
            2,
        ),
    ] {
        let mut walk = Walk::new(&init()).unwrap();
        walk.set_pixel_format(&format).unwrap();
        let stream = update(&[rectangle([0, 0, 9, 9], 7, &vec![0x80; fill + 1])]);
        let mut input = Reader::new(&stream);
        while walk.next(&mut input).unwrap().is_some() {}
        assert!(walk.is_between_messages(), "{format:?}");
        assert!(input.is_empty());
    }
}
