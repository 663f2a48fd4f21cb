//! The WebSocket codec against itself, cut in every way, and against tungstenite.
//!
//! The two agree on what is taken and what is refused, with three differences, all deliberate:
//!
//! - a length that is not in its shortest form: RFC 6455, 5.2 forbids it, tungstenite takes it.
//!   Of a control frame we do not read it, since none of these is written so;
//! - a close code that must not be sent: we refuse the frame, tungstenite reports it as 1002. It
//!   also knows no 1014, which was registered later;
//! - text that is not UTF-8: tungstenite refuses it, our decoder leaves that to its user.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "websocket_codec/clients.rs"]
mod clients;
#[path = "../fuzz/transcript.rs"]
mod transcript;

use clients::{ClientFrame, conversation, hostile, payload};
use std::io::{self, Cursor, Read, Write};

use fanlight::ws::{self, CloseFrame, DataKind, Decoder, HEAD_ROOM, Opcode, Violation};
use proptest::collection::vec;
use proptest::prelude::*;
use transcript::{Said, bytewise, chunked, transcript, transcript_of, whole};
use tungstenite::error::{Error, ProtocolError};
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};

/// The frame limit on both sides, in bytes, where nothing else is said.
const MAX_FRAME: usize = 1000;

/// A socket whose peer has said all it ever will, and hears what we say.
#[derive(Default)]
struct Wire {
    input: Cursor<Vec<u8>>,
    output: Vec<u8>,
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.input.read(buf)
    }
}

impl Write for Wire {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.output.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What tungstenite in that role makes of a stream: the messages, and the error that ends them.
/// A stream that just ends is no error, nor is one that ends with a close.
fn tungstenite_reads(stream: &[u8], role: Role) -> (Vec<Message>, Option<Error>) {
    let wire = Wire {
        input: Cursor::new(stream.to_vec()),
        ..Wire::default()
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .max_message_size(None)
        .max_frame_size((role == Role::Server).then_some(MAX_FRAME));
    let mut socket = WebSocket::from_raw_socket(wire, role, Some(config));
    let mut messages = Vec::new();
    loop {
        match socket.read() {
            Ok(close @ Message::Close(_)) => {
                messages.push(close);
                return (messages, None);
            }
            Ok(message) => messages.push(message),
            Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => {
                return (messages, None);
            }
            Err(error) => return (messages, Some(error)),
        }
    }
}

/// What was said, as tungstenite tells it: messages in one piece, and none that did not end.
fn messages(said: &[Said]) -> Vec<Message> {
    let mut open = Vec::new();
    let mut messages = Vec::new();
    for said in said {
        messages.push(match said {
            Said::Data {
                kind,
                payload,
                ends,
            } => {
                open.extend_from_slice(payload);
                if !ends.1 {
                    continue;
                }
                let whole = std::mem::take(&mut open);
                match kind {
                    DataKind::Binary => Message::binary(whole),
                    // Lossy only where tungstenite refuses, and then nothing is compared to it.
                    DataKind::Text => Message::text(String::from_utf8_lossy(&whole).into_owned()),
                }
            }
            Said::Ping(payload) => Message::Ping(payload.clone().into()),
            Said::Pong(payload) => Message::Pong(payload.clone().into()),
            Said::Close(close) => Message::Close(close.as_ref().map(tungstenite_close)),
        });
    }
    messages
}

fn tungstenite_frame(first: u8, payload: Vec<u8>) -> Frame {
    let opcode = match first {
        0x89 => return Frame::ping(payload),
        0x8a => return Frame::pong(payload),
        first => match first & 0x0f {
            0 => Data::Continue,
            1 => Data::Text,
            _ => Data::Binary,
        },
    };
    Frame::message(payload, OpCode::Data(opcode), first & 0x80 != 0)
}

fn tungstenite_close(close: &CloseFrame) -> tungstenite::protocol::CloseFrame {
    let (code, reason) = match close.code {
        1014 => (1002, "Protocol violation"),
        code => (code, close.reason.as_str()),
    };
    tungstenite::protocol::CloseFrame {
        code: code.into(),
        reason: reason.into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_clients_send_is_understood_however_it_is_cut(
        (frames, said) in conversation(66_000), seed: u8
    ) {
        let stream: Vec<u8> = frames.iter().flat_map(ClientFrame::bytes).collect();
        let expected = (said, None);
        prop_assert_eq!(&transcript(&stream, whole(), 66_000), &expected);
        prop_assert_eq!(&transcript(&stream, chunked(seed), 66_000), &expected);
    }

    #[test]
    fn what_hostile_clients_send_is_the_same_however_it_is_cut(stream in hostile(), seed: u8) {
        let expected = transcript(&stream, whole(), 200);
        prop_assert_eq!(&transcript(&stream, bytewise(), 200), &expected);
        prop_assert_eq!(&transcript(&stream, chunked(seed), 200), &expected);
    }

    #[test]
    fn what_a_tungstenite_client_sends_is_understood(
        (frames, mut said) in conversation(66_000), code in 3000..5000_u16, reason in ".{0,30}"
    ) {
        let mut client = WebSocket::from_raw_socket(Wire::default(), Role::Client, None);
        for ClientFrame { first, payload, .. } in frames {
            client.write(Message::Frame(tungstenite_frame(first, payload))).unwrap();
        }
        client.close(Some(tungstenite::protocol::CloseFrame {
            code: code.into(),
            reason: reason.as_str().into(),
        })).unwrap();
        said.push(Said::Close(Some(CloseFrame { code, reason })));
        let stream = &client.get_ref().output;
        prop_assert_eq!(transcript(stream, whole(), 66_000), (said, None));
    }

    #[test]
    fn a_tungstenite_client_understands_what_we_send(
        binary in vec(payload(66_000), 0..4), text in ".{0,200}", ping in vec(any::<u8>(), 0..=125),
        code in 3000..5000_u16, reason in ".{0,200}",
    ) {
        let (mut stream, mut expected) = (Vec::new(), Vec::new());
        for payload in binary {
            let mut buf = [&[0; HEAD_ROOM], &payload[..]].concat();
            let start = ws::head(&mut buf, HEAD_ROOM, payload.len(), Opcode::Binary);
            stream.extend_from_slice(&buf[start..]);
            expected.push(Message::binary(payload));
        }
        ws::frame(Opcode::Text, text.as_bytes(), &mut stream);
        expected.push(Message::text(text));
        ws::frame(Opcode::Ping, &ping, &mut stream);
        expected.push(Message::Ping(ping.clone().into()));
        ws::frame(Opcode::Pong, &ping, &mut stream);
        expected.push(Message::Pong(ping.into()));
        ws::frame(Opcode::Close, &ws::close_payload(code, &reason), &mut stream);

        let (mut read, error) = tungstenite_reads(&stream, Role::Client);
        prop_assert!(error.is_none(), "{error:?}");
        let Some(Message::Close(Some(close))) = read.pop() else {
            panic!("no close");
        };
        prop_assert_eq!(read, expected);
        prop_assert_eq!(u16::from(close.code), code);
        prop_assert!(reason.starts_with(close.reason.as_str()));
        prop_assert!(close.reason.len() >= reason.len().min(120));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// As a client: towards hosts whose console is behind a WebSocket.
    #[test]
    fn a_tungstenite_server_understands_what_we_send_masked(
        binary in vec((payload(66_000), any::<[u8; 4]>()), 0..4),
        ping in vec(any::<u8>(), 0..=125), mask: [u8; 4], code in 3000..5000_u16, reason in ".{0,40}",
    ) {
        let (mut stream, mut expected) = (Vec::new(), Vec::new());
        for (payload, mask) in binary {
            ws::masked_frame(Opcode::Binary, &payload, mask, &mut stream);
            expected.push(Message::binary(payload));
        }
        ws::masked_frame(Opcode::Pong, &ping, mask, &mut stream);
        expected.push(Message::Pong(ping.into()));
        ws::masked_frame(Opcode::Close, &ws::close_payload(code, &reason), mask, &mut stream);
        let config = WebSocketConfig::default().max_frame_size(None).max_message_size(None);
        let wire = Wire { input: Cursor::new(stream), ..Wire::default() };
        let mut server = WebSocket::from_raw_socket(wire, Role::Server, Some(config));
        for message in expected {
            prop_assert_eq!(server.read().unwrap(), message);
        }
        let Message::Close(Some(close)) = server.read().unwrap() else {
            panic!("no close");
        };
        prop_assert_eq!((u16::from(close.code), close.reason.as_str()), (code, reason.as_str()));
    }

    #[test]
    fn what_a_tungstenite_server_sends_is_understood(
        (frames, mut said) in conversation(66_000), code in 3000..5000_u16, seed: u8,
    ) {
        let mut server = WebSocket::from_raw_socket(Wire::default(), Role::Server, None);
        for ClientFrame { first, payload, .. } in frames {
            server.write(Message::Frame(tungstenite_frame(first, payload))).unwrap();
        }
        let reason = "Grüße";
        let close = tungstenite::protocol::CloseFrame { code: code.into(), reason: reason.into() };
        server.close(Some(close)).unwrap();
        said.push(Said::Close(Some(CloseFrame { code, reason: reason.to_owned() })));
        let stream = &server.get_ref().output;
        let expected = (said, None);
        prop_assert_eq!(&transcript_of(Decoder::of_server(), stream, whole()), &expected);
        prop_assert_eq!(&transcript_of(Decoder::of_server(), stream, chunked(seed)), &expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn tungstenite_takes_and_refuses_the_same(mut stream in hostile()) {
        let (said, violation) = transcript(&stream, whole(), MAX_FRAME as u64);
        let ours = messages(&said);
        if violation.is_some() {
            // We refuse a frame at its header, tungstenite once it is whole: let it be whole.
            stream.resize(stream.len() + MAX_FRAME + 14, 0);
        }
        let (theirs, error) = tungstenite_reads(&stream, Role::Server);
        prop_assert!(
            ours.iter().zip(&theirs).all(|(ours, theirs)| ours == theirs),
            "{ours:?}\n{theirs:?}"
        );
        match (violation, error) {
            // The deliberate differences: tungstenite may read on, or have stopped before.
            (Some(Violation::LongLength | Violation::CloseCode(_)), _) => {}
            (Some(Violation::LongControl), _) if is_short_after_all(&stream) => {}
            (_, Some(Error::Utf8(_))) if said.iter().any(is_text) => {}
            // Tungstenite reads nothing more after a close, and so has nothing to refuse.
            (Some(Violation::AfterClose) | None, None) | (Some(_), Some(_)) => {
                prop_assert_eq!(ours.len(), theirs.len());
            }
            (violation, error) => {
                prop_assert!(false, "ours: {ours:?} {violation:?}\ntheirs: {theirs:?} {error:?}");
            }
        }
    }
}

/// Whether the control frame that is refused as too long has a short length, only written long.
fn is_short_after_all(stream: &[u8]) -> bool {
    let refused = |end: &usize| {
        let (_, violation) = transcript(&stream[..*end], whole(), MAX_FRAME as u64);
        violation.is_some()
    };
    let end = (2..=stream.len()).find(refused).unwrap();
    let (head, rest) = stream.split_at(end);
    let length = match head[end - 1] & 0x7f {
        126 => u64::from(u16::from_be_bytes(*rest.first_chunk().unwrap())),
        127 => u64::from_be_bytes(*rest.first_chunk().unwrap()),
        _ => return false,
    };
    length <= 125
}

#[test]
fn a_control_frame_whose_short_length_is_written_long_is_refused_by_us_alone() {
    let none = plain(0x88, 0xfe, &[0; 6]);
    let most = plain(
        0x89,
        0xff,
        &[&[0, 0, 0, 0, 0, 0, 0, 125], &[0; 129][..]].concat(),
    );
    let too_long = plain(0x89, 0xfe, &[&[0, 126], &[0; 130][..]].concat());
    for (stream, short) in [(none, true), (most, true), (too_long, false)] {
        let (_, violation) = transcript(&stream, whole(), MAX_FRAME as u64);
        assert_eq!(violation, Some(Violation::LongControl));
        assert_eq!(is_short_after_all(&stream), short);
        let (theirs, error) = tungstenite_reads(&stream, Role::Server);
        assert_eq!((theirs.len(), error.is_none()), (usize::from(short), short));
    }
}

fn is_text(said: &Said) -> bool {
    matches!(
        said,
        Said::Data {
            kind: DataKind::Text,
            ..
        }
    )
}

/// A frame of the mask 0, so that what is written is what is meant.
fn plain(first: u8, second: u8, rest: &[u8]) -> Vec<u8> {
    [&[first, second], rest].concat()
}

#[test]
fn each_violation_is_the_one_that_tungstenite_finds() {
    let no_mask = [0; 4];
    let x = [0, 0, 0, 0, b'x'];
    let start = plain(0x02, 0x81, &x);
    #[rustfmt::skip]
    let table = [
        (plain(0xc2, 0x81, &x), Violation::ReservedBits, "Reserved bits are non-zero"),
        (plain(0x83, 0x81, &x), Violation::UnknownOpcode(3), "invalid opcode: 3"),
        (plain(0x82, 0x01, b"x"), Violation::Unmasked, "unmasked frame from client"),
        (plain(0x09, 0x81, &x), Violation::FragmentedControl, "Fragmented control frame"),
        (plain(0x89, 0xfe, &[&[0, 126], &[0; 130][..]].concat()), Violation::LongControl,
            "Control frame too big"),
        (plain(0x80, 0x81, &x), Violation::OrphanContinuation, "Continue frame but nothing"),
        ([start, plain(0x82, 0x81, &x)].concat(), Violation::InterruptedMessage,
            "waiting for more fragments"),
        (plain(0x88, 0x81, &x), Violation::HalfCloseCode, "Invalid close sequence"),
        (plain(0x88, 0x83, &[0, 0, 0, 0, 3, 0xe8, 0xff]), Violation::CloseReasonUtf8, "UTF-8"),
        (plain(0x82, 0xfe, &[&[0x10, 0], &no_mask[..]].concat()), Violation::TooBig(0x1000),
            "too long"),
        (plain(0x82, 0xff, &[&[0x80, 0, 0, 0, 0, 0, 0, 0], &no_mask[..]].concat()),
            Violation::LengthTopBit, "too long"),
    ];
    for (stream, expected, theirs) in table {
        let (_, violation) = transcript(&stream, whole(), MAX_FRAME as u64);
        assert_eq!(violation, Some(expected));
        let (_, error) = tungstenite_reads(&stream, Role::Server);
        let error = error
            .unwrap_or_else(|| panic!("{expected:?} is taken"))
            .to_string();
        assert!(error.contains(theirs), "{expected:?}: {error}");
    }
}
