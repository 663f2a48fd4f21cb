//! What WebSocket clients send, good and bad, for proptest.

use fanlight::ws::DataKind;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::transcript::Said;

/// A client's frame, written here once more, naively.
#[derive(Clone, Debug)]
pub(crate) struct ClientFrame {
    pub(crate) first: u8,
    pub(crate) mask: [u8; 4],
    pub(crate) payload: Vec<u8>,
}

impl ClientFrame {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.first];
        match u16::try_from(self.payload.len()) {
            Ok(len @ 0..=125) => bytes.push(0x80 | len as u8),
            Ok(len) => {
                bytes.push(0x80 | 126);
                bytes.extend(len.to_be_bytes());
            }
            Err(_) => {
                bytes.push(0x80 | 127);
                bytes.extend((self.payload.len() as u64).to_be_bytes());
            }
        }
        bytes.extend(self.mask);
        let masked = self.payload.iter().enumerate();
        bytes.extend(masked.map(|(at, byte)| byte ^ self.mask[at % 4]));
        bytes
    }

    pub(crate) fn said(&self, kind: DataKind) -> Said {
        let payload = self.payload.clone();
        match self.first {
            0x89 => Said::Ping(payload),
            0x8a => Said::Pong(payload),
            first => Said::Data {
                kind,
                payload,
                ends: (true, first & 0x80 != 0),
            },
        }
    }
}

pub(crate) fn payload(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => vec(any::<u8>(), 0..40),
        1 => vec(any::<u8>(), 120..130),
        1 => vec(any::<u8>(), longest - 10..=longest),
    ]
}

fn client_frame(
    first: impl Strategy<Value = u8>,
    payload: impl Strategy<Value = Vec<u8>>,
) -> impl Strategy<Value = ClientFrame> {
    (first, any::<[u8; 4]>(), payload).prop_map(|(first, mask, payload)| ClientFrame {
        first,
        mask,
        payload,
    })
}

/// One message in one or more frames, with pings and pongs in between. Text is ASCII.
fn message(longest: usize) -> impl Strategy<Value = (DataKind, Vec<ClientFrame>)> {
    let ping_or_pong = prop_oneof![Just(0x89), Just(0x8a)];
    let control = client_frame(ping_or_pong, vec(any::<u8>(), 0..=125));
    let fragment = client_frame(Just(0x00), payload(longest));
    let fragments = vec((vec(control, 0..2), fragment), 1..4);
    let kind = prop_oneof![Just(DataKind::Binary), Just(DataKind::Text)];
    (kind, fragments).prop_map(|(kind, mut fragments)| {
        fragments[0].1.first = match kind {
            DataKind::Binary => 0x02,
            DataKind::Text => 0x01,
        };
        fragments.last_mut().unwrap().1.first |= 0x80;
        if kind == DataKind::Text {
            let payloads = fragments.iter_mut().map(|(_, data)| &mut data.payload);
            payloads.flatten().for_each(|byte| *byte &= 0x7f);
        }
        let frames = fragments
            .into_iter()
            .flat_map(|(controls, data)| controls.into_iter().chain([data]))
            .collect();
        (kind, frames)
    })
}

/// The bytes of a few messages, and what they say.
pub(crate) fn conversation(longest: usize) -> impl Strategy<Value = (Vec<ClientFrame>, Vec<Said>)> {
    vec(message(longest), 0..5).prop_map(|messages| {
        let (mut frames, mut said) = (Vec::new(), Vec::new());
        for (kind, message) in messages {
            said.extend(message.iter().map(|frame| frame.said(kind)));
            frames.extend(message);
        }
        (frames, said)
    })
}

/// A stream as a broken or hostile client sends it: mostly right, or not at all.
pub(crate) fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let close = client_frame(Just(0x88), vec(any::<u8>(), 0..8));
    let mostly_right = (
        conversation(300),
        proptest::option::of(close),
        vec((any::<Index>(), any::<u8>(), 0..4_u8), 0..4),
    )
        .prop_map(|((frames, _), close, edits)| {
            let frames = frames.iter().chain(&close);
            let mut bytes: Vec<u8> = frames.flat_map(ClientFrame::bytes).collect();
            for (place, byte, edit) in edits {
                if bytes.is_empty() {
                    break;
                }
                let at = place.index(bytes.len());
                match edit {
                    0 => bytes[at] = byte,
                    1 => bytes[at] ^= 1 << (byte % 8),
                    2 => bytes.insert(at, byte),
                    _ => bytes.truncate(at),
                }
            }
            bytes
        });
    // A masked header with anything else in it, so that not every second stream ends at once.
    let anything = (any::<u8>(), 0x80_u8.., vec(any::<u8>(), 0..50))
        .prop_map(|(first, second, rest)| [&[first, second], &rest[..]].concat());
    prop_oneof![4 => mostly_right, 1 => anything]
}
