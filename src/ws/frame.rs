//! The frame header, as peers write it and as we write it ([RFC 6455, 5.2]).
//!
//! [RFC 6455, 5.2]: https://www.rfc-editor.org/rfc/rfc6455#section-5.2

use super::mask::unmask;
use super::violation::Violation;

/// Bytes that must be free in front of a payload for [`head`] to write into: 2 for the flags and
/// the short length, 8 for a 64-bit length.
pub const HEAD_ROOM: usize = 10;

/// The longest header a client writes, in bytes: ours and 4 for the mask.
pub(super) const MAX_CLIENT_HEAD: usize = HEAD_ROOM + 4;

/// The longest payload of a close, ping or pong, in bytes ([5.5]).
///
/// [5.5]: https://www.rfc-editor.org/rfc/rfc6455#section-5.5
pub(super) const MAX_CONTROL: usize = 125;

/// First byte: this frame ends its message.
const FIN: u8 = 0x80;
/// First byte: bits that only extensions give a meaning to.
const RESERVED: u8 = 0x70;
/// First byte: the opcode.
const OPCODE: u8 = 0x0f;
/// Second byte: the payload is masked.
const MASKED: u8 = 0x80;
/// Second byte: the length up to 125, or how many bytes of length follow.
const LENGTH: u8 = 0x7f;
/// In place of a length: it follows in 2 bytes.
const LENGTH_16: u8 = 126;
/// In place of a length: it follows in 8 bytes.
const LENGTH_64: u8 = 127;

/// What a frame carries ([11.8]).
///
/// [11.8]: https://www.rfc-editor.org/rfc/rfc6455#section-11.8
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// More of the message that an earlier frame began.
    Continuation = 0,
    /// The first or only frame of a text message.
    Text = 1,
    /// The first or only frame of a binary message.
    Binary = 2,
    /// The sender's last frame.
    Close = 8,
    /// A question that a pong answers.
    Ping = 9,
    /// The answer to a ping, or a sign of life unasked.
    Pong = 10,
}

impl Opcode {
    /// The opcode of that number, unless it is a reserved one.
    fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// Who writes the frames: clients mask theirs, servers do not ([5.1]).
///
/// [5.1]: https://www.rfc-editor.org/rfc/rfc6455#section-5.1
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    Client,
    Server,
}

/// What the header of a peer's frame says, found to be lawful as far as it can be judged alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) fin: bool,
    pub(super) opcode: Opcode,
    /// Zero for a frame that is not masked.
    pub(super) mask: [u8; 4],
    /// Bytes of payload that follow.
    pub(super) len: u64,
}

/// What [`Header::parse`] made of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// The header goes on: nothing more can be said before so many bytes of it are there.
    Need(usize),
    /// The bytes are this header.
    Whole(Header),
}

impl Header {
    /// Reads a peer's header from exactly the bytes that earlier answers asked for.
    ///
    /// Each part is judged as soon as it is there, so that a refusal never waits for bytes that a
    /// hostile peer holds back. `max_frame` is the limit for data frames, in bytes of payload.
    pub(super) fn parse(bytes: &[u8], sender: Sender, max_frame: u64) -> Result<Parsed, Violation> {
        let [first, second, rest @ ..] = bytes else {
            return Ok(Parsed::Need(2));
        };
        if first & RESERVED != 0 {
            return Err(Violation::ReservedBits);
        }
        let number = first & OPCODE;
        let opcode = Opcode::from_number(number).ok_or(Violation::UnknownOpcode(number))?;
        let fin = first & FIN != 0;
        match (sender, second & MASKED != 0) {
            (Sender::Client, false) => return Err(Violation::Unmasked),
            (Sender::Server, true) => return Err(Violation::Masked),
            (Sender::Client, true) | (Sender::Server, false) => {}
        }
        let short = second & LENGTH;
        if opcode.is_control() {
            if !fin {
                return Err(Violation::FragmentedControl);
            }
            if usize::from(short) > MAX_CONTROL {
                return Err(Violation::LongControl);
            }
        }
        let (len, rest, whole) = match short {
            LENGTH_16 => {
                let Some((len, rest)) = rest.split_first_chunk() else {
                    return Ok(Parsed::Need(4));
                };
                let len = u64::from(u16::from_be_bytes(*len));
                if len < u64::from(LENGTH_16) {
                    return Err(Violation::LongLength);
                }
                (len, rest, 8)
            }
            LENGTH_64 => {
                let Some((len, rest)) = rest.split_first_chunk() else {
                    return Ok(Parsed::Need(HEAD_ROOM));
                };
                let len = u64::from_be_bytes(*len);
                if len >> 63 != 0 {
                    return Err(Violation::LengthTopBit);
                }
                if len <= u64::from(u16::MAX) {
                    return Err(Violation::LongLength);
                }
                (len, rest, MAX_CLIENT_HEAD)
            }
            _ => (u64::from(short), rest, 6),
        };
        if len > max_frame && !opcode.is_control() {
            return Err(Violation::TooBig(len));
        }
        let mask = match (sender, rest.first_chunk()) {
            (Sender::Server, _) => [0; 4],
            (Sender::Client, Some(&mask)) => mask,
            (Sender::Client, None) => return Ok(Parsed::Need(whole)),
        };
        Ok(Parsed::Whole(Self {
            fin,
            opcode,
            mask,
            len,
        }))
    }
}

/// Writes a server's frame header right in front of a payload that is already in `buf`, and
/// returns where the frame now starts: `buf[start..payload_start + payload_len]` is the whole
/// frame, ready for one write. The frame is final, unmasked, and its length in the shortest form.
///
/// `payload_start` must be at least [`HEAD_ROOM`] and within `buf`. Where the header does not fit
/// there, the caller has a bug (which debug builds say aloud), and the answer is the end of the
/// payload: rather no frame than bytes on the wire that no header explains.
pub fn head(buf: &mut [u8], payload_start: usize, payload_len: usize, opcode: Opcode) -> usize {
    let (bytes, unused) = encode(opcode, payload_len);
    let header = bytes.get(unused..).unwrap_or_default();
    let room = payload_start
        .checked_sub(header.len())
        .and_then(|start| Some((start, buf.get_mut(start..payload_start)?)));
    debug_assert!(room.is_some(), "no room for a header at {payload_start}");
    match room {
        Some((start, room)) => {
            room.copy_from_slice(header);
            start
        }
        None => payload_start.saturating_add(payload_len),
    }
}

/// Appends a whole server frame to `out`: for the small ones (close, ping, pong, a line of text),
/// whose payload is not already lying in a buffer.
///
/// A close, ping or pong carries at most 125 bytes; seeing to that is the caller's part.
pub fn frame(opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) {
    debug_assert!(!opcode.is_control() || payload.len() <= MAX_CONTROL);
    let (bytes, unused) = encode(opcode, payload.len());
    out.extend(bytes.iter().skip(unused));
    out.extend_from_slice(payload);
}

/// Appends a whole client frame to `out`. `mask` has to be one that nobody can foresee, and another
/// for every frame ([10.3]).
///
/// A close, ping or pong carries at most 125 bytes; seeing to that is the caller's part.
///
/// [10.3]: https://www.rfc-editor.org/rfc/rfc6455#section-10.3
pub fn masked_frame(opcode: Opcode, payload: &[u8], mask: [u8; 4], out: &mut Vec<u8>) {
    debug_assert!(!opcode.is_control() || payload.len() <= MAX_CONTROL);
    let (mut bytes, unused) = encode(opcode, payload.len());
    if let Some(length) = bytes.get_mut(unused + 1) {
        *length |= MASKED;
    }
    out.extend(bytes.iter().skip(unused));
    out.extend(mask);
    let start = out.len();
    out.extend_from_slice(payload);
    unmask(out.get_mut(start..).unwrap_or_default(), mask, 0);
}

/// The header of a final, unmasked frame, at the right end of the array, and how many bytes on
/// the left of it are unused.
fn encode(opcode: Opcode, len: usize) -> ([u8; HEAD_ROOM], usize) {
    let first = FIN | opcode as u8;
    let [a, b, c, d, e, f, g, h] = (len as u64).to_be_bytes();
    match len {
        0..=125 => ([0, 0, 0, 0, 0, 0, 0, 0, first, h], 8),
        126..=0xffff => ([0, 0, 0, 0, 0, 0, first, LENGTH_16, g, h], 6),
        _ => ([first, LENGTH_64, a, b, c, d, e, f, g, h], 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASK: [u8; 4] = [1, 2, 3, 4];

    /// Parses the first two bytes, then a length if there is one, then the mask.
    fn parse(first: u8, second: u8, length: &[u8], max_frame: u64) -> Result<Parsed, Violation> {
        let bytes = [&[first, second], length, &MASK].concat();
        Header::parse(&bytes, Sender::Client, max_frame)
    }

    #[test]
    fn a_length_is_written_in_its_shortest_form_and_read_again() {
        for (len, size) in [
            (0, 2),
            (125, 2),
            (126, 4),
            (0xffff, 4),
            (0x1_0000, 10),
            (0x7fff_ffff, 10),
        ] {
            let (bytes, unused) = encode(Opcode::Binary, len);
            assert_eq!(HEAD_ROOM - unused, size, "{len}");
            // A client's header is the same with the mask bit and the mask.
            let mut client = bytes[unused..].to_vec();
            client[1] |= MASKED;
            client.extend(MASK);
            let expected = Header {
                fin: true,
                opcode: Opcode::Binary,
                mask: MASK,
                len: len as u64,
            };
            let mut written = Vec::new();
            masked_frame(Opcode::Binary, &vec![0; len], MASK, &mut written);
            assert_eq!(written[..client.len()], client, "{len}");
            assert_eq!(
                Header::parse(&client, Sender::Client, u64::MAX),
                Ok(Parsed::Whole(expected)),
                "{len}"
            );
            let unmasked = Header {
                mask: [0; 4],
                ..expected
            };
            assert_eq!(
                Header::parse(&bytes[unused..], Sender::Server, u64::MAX),
                Ok(Parsed::Whole(unmasked)),
                "{len}"
            );
        }
    }

    #[test]
    fn the_header_goes_right_in_front_of_the_payload() {
        for len in [0, 125, 126, 0xffff, 0x1_0000] {
            let mut buf = vec![b'p'; HEAD_ROOM + len];
            let start = head(&mut buf, HEAD_ROOM, len, Opcode::Binary);
            let mut expected = Vec::new();
            frame(Opcode::Binary, &vec![b'p'; len], &mut expected);
            assert_eq!(&buf[start..], expected, "{len}");
        }
    }

    #[test]
    fn a_short_header_needs_less_than_the_full_room() {
        assert_eq!(head(&mut [0; 7], 2, 5, Opcode::Text), 0);
    }

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "no room for a header"))]
    fn without_room_there_is_no_frame() {
        assert_eq!(head(&mut [0; 7], 1, 6, Opcode::Text), 7);
    }

    #[test]
    fn bytes_that_no_peer_may_send_are_refused_at_once() {
        for bit in [0x40, 0x20, 0x10] {
            assert_eq!(
                Header::parse(&[0x82 | bit, 0x80], Sender::Client, 9),
                Err(Violation::ReservedBits)
            );
        }
        for number in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
            assert_eq!(
                Header::parse(&[0x80 | number, 0x80], Sender::Client, 9),
                Err(Violation::UnknownOpcode(number))
            );
        }
        assert_eq!(
            Header::parse(&[0x82, 0x01], Sender::Client, 9),
            Err(Violation::Unmasked)
        );
        assert_eq!(
            Header::parse(&[0x82, 0x81], Sender::Server, 9),
            Err(Violation::Masked)
        );
        for control in [8, 9, 10] {
            assert_eq!(
                Header::parse(&[control, 0x80], Sender::Client, 9),
                Err(Violation::FragmentedControl)
            );
            assert_eq!(
                Header::parse(&[0x80 | control, 0xfe], Sender::Client, 9),
                Err(Violation::LongControl)
            );
        }
    }

    #[test]
    fn a_length_is_refused_before_the_mask_is_there() {
        let long = [&[0x82, 0xff][..], &[0x80, 0, 0, 0, 0, 0, 0, 0]].concat();
        assert_eq!(
            Header::parse(&long, Sender::Client, 9),
            Err(Violation::LengthTopBit)
        );
        assert_eq!(
            Header::parse(&[0x82, 0xfe, 1, 0], Sender::Client, 255),
            Err(Violation::TooBig(256))
        );
        assert_eq!(
            Header::parse(&[0x82, 0x8a], Sender::Client, 9),
            Err(Violation::TooBig(10))
        );
    }

    #[test]
    fn a_length_must_be_in_its_shortest_form() {
        assert_eq!(
            parse(0x82, 0xfe, &[0, 125], 999),
            Err(Violation::LongLength)
        );
        assert_eq!(
            parse(0x82, 0xff, &[0, 0, 0, 0, 0, 0, 0xff, 0xff], u64::MAX),
            Err(Violation::LongLength)
        );
    }

    #[test]
    fn the_limit_itself_is_within_the_limit_and_control_frames_have_their_own() {
        for (first, second) in [(0x82, 0x89), (0x89, 0x80 | 125)] {
            assert!(matches!(parse(first, second, &[], 9), Ok(Parsed::Whole(_))));
        }
    }
}
