//! The stream of a peer's frames as events.
//!
//! ```text
//!            2 to 14 bytes of header                   nothing left of the payload
//!   Head ─────────────────────────────> Data ────────────────────────────────────────> Head
//!    │                                   └─ as many bytes as are there: Event::Data, stay
//!    │
//!    └────────────────────────────────> Control ── ping, pong: the event ────────────> Head
//!                                          └────── close: the event ─────────────────> Closed
//!   any of them ── a violation ───────> Failed
//! ```
//!
//! **Head.** The header is collected in the decoder until it is whole, and judged part by part.
//! **Data.** The payload stays where it was read. Whatever is there is unmasked in place and handed
//! out, so a frame of a megabyte passes through a buffer of a kilobyte.
//! **Control.** Its payload, at most 125 bytes, is collected in the decoder: whoever answers a ping
//! needs it whole. It may come between the fragments of a message, never inside a frame.
//! **Closed, Failed.** Whatever follows is refused.

use super::close::CloseFrame;
use super::event::{Control, DataKind, Event};
use super::frame::{Header, MAX_CLIENT_HEAD, MAX_CONTROL, Opcode, Parsed, Sender};
use super::mask::unmask;
use super::partial::Partial;
use super::violation::Violation;

/// Decodes what one peer sends, from its first byte after the handshake to its close frame.
pub struct Decoder {
    sender: Sender,
    max_frame: u64,
    /// The fragmented message that is going on, if any.
    open: Option<DataKind>,
    state: State,
}

enum State {
    Head(Partial<MAX_CLIENT_HEAD>),
    Data(DataFrame),
    Control(ControlFrame),
    Closed,
    Failed(Violation),
}

impl State {
    /// Before the first byte of a frame.
    const HEAD: Self = Self::Head(Partial::EMPTY);
}

impl Decoder {
    /// A decoder of what a client sends, with data frames of up to `max_frame` bytes of payload.
    #[must_use]
    pub const fn new(max_frame: u64) -> Self {
        Self::of(Sender::Client, max_frame)
    }

    /// A decoder of what a server sends, with data frames of any length: they are not held.
    #[must_use]
    pub const fn of_server() -> Self {
        Self::of(Sender::Server, u64::MAX)
    }

    const fn of(sender: Sender, max_frame: u64) -> Self {
        Self {
            sender,
            max_frame,
            open: None,
            state: State::HEAD,
        }
    }

    /// The next event in `buf[*at..]`, with `*at` moved behind what was read of it.
    ///
    /// `Ok(None)` says that the peer has to send more first. All of `buf` was taken in then, and
    /// the next call wants new bytes only. Call again after any event: more may lie behind it. The
    /// payload of a [`Event::Data`] is in `buf`; forward it before `buf` is used again.
    ///
    /// # Errors
    ///
    /// What the peer did wrong. The events before it stand. Every later call says the same, and
    /// where `*at` is then means nothing. After a close event any further byte is
    /// [`Violation::AfterClose`].
    pub fn next(&mut self, buf: &mut [u8], at: &mut usize) -> Result<Option<Event>, Violation> {
        let step = self.step(buf, at);
        if let Err(violation) = step {
            self.state = State::Failed(violation);
        }
        step
    }

    fn step(&mut self, buf: &mut [u8], at: &mut usize) -> Result<Option<Event>, Violation> {
        loop {
            match &mut self.state {
                State::Head(head) => match Header::parse(head, self.sender, self.max_frame)? {
                    Parsed::Whole(header) => self.state = self.enter(header)?,
                    Parsed::Need(whole) => {
                        if head.fill(whole, buf, at) == 0 {
                            return Ok(None);
                        }
                    }
                },
                State::Data(frame) => {
                    let Some(event) = frame.piece(buf, at) else {
                        return Ok(None);
                    };
                    if frame.remaining == 0 {
                        self.state = State::HEAD;
                    }
                    return Ok(Some(event));
                }
                State::Control(frame) => {
                    let Some(payload) = frame.collect(buf, at) else {
                        return Ok(None);
                    };
                    let (event, next) = match frame.kind {
                        ControlKind::Ping => (Event::Ping(payload), State::HEAD),
                        ControlKind::Pong => (Event::Pong(payload), State::HEAD),
                        ControlKind::Close => {
                            (Event::Close(CloseFrame::parse(&payload)?), State::Closed)
                        }
                    };
                    self.state = next;
                    return Ok(Some(event));
                }
                State::Closed if rest(buf, *at).is_empty() => return Ok(None),
                State::Closed => return Err(Violation::AfterClose),
                State::Failed(violation) => return Err(*violation),
            }
        }
    }

    /// What a header leads to, given the frames before it.
    fn enter(&mut self, header: Header) -> Result<State, Violation> {
        let kind = match (header.opcode, self.open) {
            (Opcode::Ping, _) => return Ok(ControlFrame::state(ControlKind::Ping, header)),
            (Opcode::Pong, _) => return Ok(ControlFrame::state(ControlKind::Pong, header)),
            (Opcode::Close, _) => return Ok(ControlFrame::state(ControlKind::Close, header)),
            (Opcode::Continuation, Some(kind)) => kind,
            (Opcode::Continuation, None) => return Err(Violation::OrphanContinuation),
            (Opcode::Text | Opcode::Binary, Some(_)) => return Err(Violation::InterruptedMessage),
            (Opcode::Text, None) => DataKind::Text,
            (Opcode::Binary, None) => DataKind::Binary,
        };
        self.open = (!header.fin).then_some(kind);
        Ok(State::Data(DataFrame {
            kind,
            fin: header.fin,
            mask: header.mask,
            remaining: header.len,
        }))
    }
}

/// A data frame whose payload is passing.
struct DataFrame {
    kind: DataKind,
    fin: bool,
    /// Turned so that its first byte meets the next byte of payload.
    mask: [u8; 4],
    /// Bytes of payload that have not been handed out yet.
    remaining: u64,
}

impl DataFrame {
    /// What is there of the payload; `None` when nothing is, though some is to come.
    fn piece(&mut self, buf: &mut [u8], at: &mut usize) -> Option<Event> {
        let there = rest(buf, *at).len();
        let len = usize::try_from(self.remaining).map_or(there, |remaining| remaining.min(there));
        if len == 0 && self.remaining > 0 {
            return None;
        }
        let payload = *at..*at + len;
        if self.mask != [0; 4] {
            unmask(
                buf.get_mut(payload.clone()).unwrap_or_default(),
                self.mask,
                0,
            );
        }
        self.mask.rotate_left(len % 4);
        self.remaining -= len as u64;
        *at = payload.end;
        let end_of_frame = self.remaining == 0;
        Some(Event::Data {
            kind: self.kind,
            payload,
            end_of_frame,
            end_of_message: end_of_frame && self.fin,
        })
    }
}

#[derive(Clone, Copy)]
enum ControlKind {
    Ping,
    Pong,
    Close,
}

/// A control frame whose payload is being collected.
struct ControlFrame {
    kind: ControlKind,
    mask: [u8; 4],
    /// The length of the whole payload, at most 125 bytes.
    whole: usize,
    payload: Partial<MAX_CONTROL>,
}

impl ControlFrame {
    fn state(kind: ControlKind, header: Header) -> State {
        State::Control(Self {
            kind,
            mask: header.mask,
            whole: usize::try_from(header.len).map_or(MAX_CONTROL, |len| len.min(MAX_CONTROL)),
            payload: Partial::EMPTY,
        })
    }

    /// The payload, unmasked, once it is whole.
    fn collect(&mut self, buf: &[u8], at: &mut usize) -> Option<Control> {
        self.payload.fill(self.whole, buf, at);
        if self.payload.len() < self.whole {
            return None;
        }
        let mut payload = self.payload;
        unmask(&mut payload, self.mask, 0);
        Some(Control(payload))
    }
}

/// What is left of `buf`.
fn rest(buf: &[u8], at: usize) -> &[u8] {
    buf.get(at..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;

    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

    /// A client's frame with up to 125 bytes of payload.
    fn client(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut masked = payload.to_vec();
        unmask(&mut masked, MASK, 0);
        [&[first, 0x80 | payload.len() as u8], &MASK[..], &masked].concat()
    }

    fn data(payload: Range<usize>, end_of_frame: bool, end_of_message: bool) -> Event {
        Event::Data {
            kind: DataKind::Binary,
            payload,
            end_of_frame,
            end_of_message,
        }
    }

    /// Feeds everything at once: the events up to the end or the violation.
    fn decode(mut bytes: Vec<u8>) -> (Vec<Event>, Option<Violation>) {
        let (mut decoder, mut at, mut events) = (Decoder::new(1024), 0, Vec::new());
        loop {
            match decoder.next(&mut bytes, &mut at) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => {
                    assert_eq!(at, bytes.len());
                    return (events, None);
                }
                Err(violation) => {
                    assert_eq!(decoder.next(&mut [], &mut 0), Err(violation));
                    return (events, Some(violation));
                }
            }
        }
    }

    #[test]
    fn the_example_of_the_rfc() {
        // RFC 6455, 5.7: a single-frame masked text message.
        let mut bytes = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
        let (mut decoder, mut at) = (Decoder::new(5), 0);
        let event = Event::Data {
            kind: DataKind::Text,
            payload: 6..11,
            end_of_frame: true,
            end_of_message: true,
        };
        assert_eq!(decoder.next(&mut bytes, &mut at), Ok(Some(event)));
        assert_eq!(&bytes[6..], b"Hello");
        assert_eq!(decoder.next(&mut bytes, &mut at), Ok(None));
    }

    #[test]
    fn a_payload_is_handed_out_as_far_as_it_is_there() {
        let mut bytes = client(0x82, b"abcdefg");
        let (mut decoder, mut at) = (Decoder::new(7), 0);
        let (head, tail) = bytes.split_at_mut(9);
        assert_eq!(
            decoder.next(head, &mut at),
            Ok(Some(data(6..9, false, false)))
        );
        assert_eq!(decoder.next(head, &mut at), Ok(None));
        assert_eq!(at, 9);
        at = 0;
        assert_eq!(
            decoder.next(tail, &mut at),
            Ok(Some(data(0..4, true, true)))
        );
        assert_eq!((&head[6..], &tail[..]), (&b"abc"[..], &b"defg"[..]));
    }

    #[test]
    fn a_frame_without_payload_is_an_event_too() {
        let bytes = [client(0x02, b""), client(0x80, b"")].concat();
        let expected = vec![data(6..6, true, false), data(12..12, true, true)];
        assert_eq!(decode(bytes), (expected, None));
    }

    #[test]
    fn a_servers_frames_are_read_as_they_are() {
        let mut bytes = *b"\x82\x03abc\x89\x01?\x88\x02\x03\xe8\x82\x81";
        let (mut decoder, mut at) = (Decoder::of_server(), 0);
        let mut next = || decoder.next(&mut bytes, &mut at);
        assert_eq!(next(), Ok(Some(data(2..5, true, true))));
        assert!(matches!(next(), Ok(Some(Event::Ping(ping))) if *ping == *b"?"));
        assert!(matches!(next(), Ok(Some(Event::Close(Some(close)))) if close.code == 1000));
        assert_eq!(next(), Err(Violation::AfterClose));
        let masked = Decoder::of_server().next(&mut [0x82, 0x81], &mut 0);
        assert_eq!(masked, Err(Violation::Masked));
    }

    #[test]
    fn control_frames_come_between_fragments() {
        let bytes = [
            client(0x02, b"a"),
            client(0x89, b"there?"),
            client(0x8a, b""),
            client(0x80, b"b"),
        ]
        .concat();
        let (events, violation) = decode(bytes);
        assert_eq!(violation, None);
        let [first, Event::Ping(ping), Event::Pong(pong), last] = &events[..] else {
            panic!("{events:?}");
        };
        assert_eq!(first, &data(6..7, true, false));
        assert_eq!((&**ping, &**pong), (&b"there?"[..], &b""[..]));
        assert_eq!(last, &data(31..32, true, true));
    }

    #[test]
    fn messages_do_not_interleave() {
        let (events, violation) = decode([client(0x02, b"a"), client(0x81, b"b")].concat());
        assert_eq!(
            (events.len(), violation),
            (1, Some(Violation::InterruptedMessage))
        );
        let (events, violation) = decode([client(0x82, b"a"), client(0x80, b"b")].concat());
        assert_eq!(
            (events.len(), violation),
            (1, Some(Violation::OrphanContinuation))
        );
    }

    #[test]
    fn a_close_is_the_last_word() {
        let close = Event::Close(Some(CloseFrame {
            code: 1001,
            reason: "bye".to_owned(),
        }));
        let bytes = client(0x88, b"\x03\xe9bye");
        assert_eq!(decode(bytes.clone()), (vec![close.clone()], None));
        let more = [bytes, client(0x82, b"x")].concat();
        assert_eq!(decode(more), (vec![close], Some(Violation::AfterClose)));
    }

    #[test]
    fn a_bad_close_is_a_violation_and_not_a_close() {
        let (events, violation) = decode(client(0x88, b"\x03\xed"));
        assert_eq!(
            (events, violation),
            (vec![], Some(Violation::CloseCode(1005)))
        );
    }

    #[test]
    fn a_decoder_at_rest_is_small() {
        assert!(size_of::<Decoder>() <= 192, "{}", size_of::<Decoder>());
    }
}
