//! Each encoding and each message once, with all the forms that it has: what a stream of all of
//! them is made of.

use super::*;

/// Every rectangle that noVNC asks for, and what its header should be followed by.
pub(crate) fn rectangles() -> Vec<Vec<u8>> {
    let place = [16, 8, 20, 18];
    let mut all = vec![
        rectangle(place, 0, &noise(20 * 18 * 4)),
        rectangle([5, 5, 0, 9], 0, &[]),
        rectangle(place, 1, &[0, 1, 0, 2]),
        rectangle(place, 2, &[&[0, 0, 0, 2][..], &noise(4 + 2 * 12)].concat()),
        rectangle(place, 2, &[0, 0, 0, 0, 1, 2, 3, 4]),
        rectangle(place, 5, &hextile()),
        rectangle([0, 0, 0, 40], 5, &[]),
        rectangle(place, 6, &counted(&noise(70))),
        rectangle(place, 16, &counted(&noise(300))),
        rectangle(place, 16, &counted(&[])),
        rectangle(place, 21, &jpeg()),
        rectangle(place, 50, &h264(&noise(100))),
    ];
    all.extend(tight().map(|body| rectangle(place, 7, &body)));
    // Three pixels are nine bytes, and eight rows of two colours are eight: too few to compress.
    all.push(rectangle([0, 0, 3, 1], 7, &[&[0][..], &noise(9)].concat()));
    let few = [&[0x40, 1, 1][..], &noise(2 * 3 + 8)].concat();
    all.push(rectangle([0, 0, 7, 8], 7, &few));
    all.push(rectangle(place, -260, &[0x80, 1, 2, 3]));
    all.push(rectangle(
        place,
        -260,
        &[&[0xa0, 5][..], &noise(5)].concat(),
    ));
    all.push(rectangle(
        place,
        -260,
        &[&[0x90, 5][..], &noise(5)].concat(),
    ));
    all.extend(pseudo_rectangles());
    all
}

/// Two by two tiles: raw, nothing, both colours with subrectangles, and coloured subrectangles.
fn hextile() -> Vec<u8> {
    let mut body = vec![1];
    body.extend(noise(16 * 16 * 4));
    body.push(0);
    body.extend([2 | 4 | 8, 1, 2, 3, 4, 5, 6, 7, 8, 3]);
    body.extend(noise(3 * 2));
    body.extend([8 | 16, 2]);
    body.extend(noise(2 * 6));
    body
}

/// Fill, JPEG, and each filter with a length of one, two and three bytes.
fn tight() -> [Vec<u8>; 7] {
    [
        vec![0x8f, 1, 2, 3],
        [&[0x90, 0x85, 0x01][..], &noise(133)].concat(),
        [&[0x00, 0x7f][..], &noise(127)].concat(),
        [&[0x10, 0x80, 0x01][..], &noise(128)].concat(),
        [&[0x60, 2, 0x80, 0x80, 0x01][..], &noise(16384)].concat(),
        [&[0x40, 1, 1][..], &noise(6), &[20], &noise(20)].concat(),
        [&[0x70, 1, 255][..], &noise(768), &[20], &noise(20)].concat(),
    ]
}

/// A file with a table, a header, a scan with stuffing and restarts, and a second scan.
fn jpeg() -> Vec<u8> {
    let mut file = vec![0xff, 0xd8];
    file.extend([0xff, 0xdb, 0, 5, 1, 2, 3]);
    file.extend([0xff, 0xc0, 0, 2]);
    file.extend([0xff, 0xda, 0, 4, 0xff, 0xd9]);
    file.extend([1, 2, 0xff, 0, 3, 0xff, 0xd0, 4, 0xff, 0xd7, 5]);
    file.extend([0xff, 0xda, 0, 2, 9]);
    file.extend([0xff, 0xd9]);
    file
}

/// The length does not count the flags.
pub(crate) fn h264(data: &[u8]) -> Vec<u8> {
    let len = (data.len() as u32).to_be_bytes();
    [&len[..], &[0, 0, 0, 1], data].concat()
}

fn pseudo_rectangles() -> Vec<Vec<u8>> {
    let cursor = noise(9 * 3 * 4 + 2 * 3);
    let screens = [&[2, 0, 0, 0][..], &noise(32)].concat();
    let vmware = |kind: u8, len: usize| [&[kind, 0][..], &noise(len)].concat();
    vec![
        rectangle([8, 2, 9, 3], -239, &cursor),
        rectangle([0, 0, 0, 0], -239, &[]),
        rectangle([1, 1, 2, 3], 0x574d_5664, &vmware(0, 2 * 6 * 4)),
        rectangle([1, 1, 2, 3], 0x574d_5664, &vmware(1, 6 * 4)),
        rectangle([0; 4], -258, &[]),
        rectangle([0; 4], -261, &[6]),
        rectangle([0; 4], -307, &counted(b"web-02")),
        rectangle([0, 0, 800, 600], -308, &screens),
        rectangle([0; 4], -316, &[]),
        rectangle([1, 0, 0, 0], -257, &[]),
        rectangle([0, 0, 640, 480], -223, &[]),
    ]
}

/// Every message that is no update, and what it should be taken for.
pub(crate) fn messages() -> Vec<(Message, Vec<u8>)> {
    let colours = [&[1, 0, 0, 7, 0, 3][..], &noise(18)].concat();
    let text = [&[3, 0, 0, 0, 0, 0, 0, 5][..], b"hello"].concat();
    let provide = [0x10, 0, 0, 1];
    let extended = [
        &[3, 0, 0, 0][..],
        &(-14_i32).to_be_bytes(),
        &provide,
        &noise(10),
    ];
    let fence = [&[248, 0, 0, 0, 0x80, 0, 0, 3, 8][..], &noise(8)].concat();
    let sound = [&[255, 1, 0, 2][..], &counted(&noise(100))].concat();
    vec![
        (Message::ColourMap, colours),
        (Message::Bell, vec![2]),
        (Message::CutText { len: 5 }, text),
        (Message::CutText { len: 0 }, vec![3, 0, 0, 0, 0, 0, 0, 0]),
        (
            Message::ExtendedCutText {
                flags: 0x1000_0001,
                len: 10,
            },
            extended.concat(),
        ),
        (Message::EndOfContinuousUpdates, vec![150]),
        (
            Message::Fence {
                flags: 0x8000_0003,
                len: 8,
            },
            fence,
        ),
        (Message::Xvp { code: 1 }, vec![250, 0, 1, 1]),
        (Message::Audio, vec![255, 1, 0, 1]),
        (Message::Audio, sound),
        (Message::Gii, vec![253, 0x81, 0, 2, 1, 2]),
        (Message::Gii, vec![253, 0x01, 2, 0, 1, 2]),
        (Message::Update { rectangles: 0 }, vec![0, 0, 0, 0]),
    ]
}
