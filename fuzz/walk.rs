//! What a walk along a host's stream hands out, in a form that does not depend on how it was cut.

use fanlight::rfb::init::{PixelFormat, ServerInit};
use fanlight::rfb::server_message::{Message, Piece, Rectangle, Violation, Walk};
use fanlight::wire::Reader;

/// What began.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Began {
    /// A message.
    Message(Message),
    /// A rectangle.
    Rectangle(Rectangle),
}

/// What began and the bytes of each, and how the host broke the protocol if it did.
pub(crate) type Walked = (Vec<(Began, Vec<u8>)>, Option<Violation>);

/// The ServerInit of a small screen, with pixels of one, two or four bytes.
pub(crate) fn init(seed: u8) -> ServerInit {
    let (bits_per_pixel, depth) = match seed % 4 {
        0 => (8, 8),
        1 => (16, 16),
        2 => (32, 32),
        _ => (32, 24),
    };
    ServerInit {
        width: 64,
        height: 48,
        format: PixelFormat {
            bits_per_pixel,
            depth,
            big_endian: false,
            true_colour: true,
            max: [255; 3],
            shift: [0, 8, 16],
        },
        name: Vec::new(),
    }
}

/// Walks along a stream in chunks of the given sizes, none of them zero.
pub(crate) fn walked(
    init: &ServerInit,
    stream: &[u8],
    sizes: &mut dyn Iterator<Item = usize>,
) -> Walked {
    let Ok(mut walk) = Walk::new(init) else {
        return (Vec::new(), None);
    };
    let (mut rest, mut units, mut out) = (stream, Vec::<(Began, Vec<u8>)>::new(), 0);
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(usize::MAX).min(rest.len());
        let (chunk, behind) = rest.split_at(size);
        rest = behind;
        let mut input = Reader::new(chunk);
        loop {
            let (began, head) = match walk.next(&mut input) {
                Ok(Some(Piece::Message(message, head))) => (Began::Message(message), head),
                Ok(Some(Piece::Rectangle(rectangle, head))) => (Began::Rectangle(rectangle), head),
                Ok(Some(Piece::Payload(payload))) => {
                    assert!(!payload.is_empty(), "an empty piece says nothing");
                    assert!(stream[out..].starts_with(payload));
                    out += payload.len();
                    let Some((_, bytes)) = units.last_mut() else {
                        panic!("a payload of nothing");
                    };
                    bytes.extend_from_slice(payload);
                    continue;
                }
                Ok(None) => break,
                Err(violation) => {
                    // How much of the last is handed out depends on the cut.
                    units.pop();
                    return (units, Some(violation));
                }
            };
            assert!(stream[out..].starts_with(&head));
            out += head.len();
            units.push((began, head.to_vec()));
        }
        assert!(input.is_empty(), "the walk takes in all it is given");
        let kept = stream.len() - rest.len() - out;
        assert!(kept < 12, "{kept} bytes are kept back");
        assert!(!walk.is_between_messages() || kept == 0);
    }
    (units, None)
}
