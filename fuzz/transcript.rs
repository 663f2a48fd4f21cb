//! What a WebSocket decoder made of a stream, in a form that does not depend on how it was cut.

use fanlight::ws::{CloseFrame, DataKind, Decoder, Event, Violation};

/// One thing the client said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A data frame, or as much of the last one as was there.
    Data {
        /// The kind of its message.
        kind: DataKind,
        /// Its payload.
        payload: Vec<u8>,
        /// Whether it was there to its end, and whether its message ended with it.
        ends: (bool, bool),
    },
    /// A ping and its payload.
    Ping(Vec<u8>),
    /// A pong and its payload.
    Pong(Vec<u8>),
    /// The close.
    Close(Option<CloseFrame>),
}

/// Everything the client said, and how it broke the protocol if it did.
pub(crate) type Transcript = (Vec<Said>, Option<Violation>);

/// Decodes what a client sends in chunks of the given sizes, none of them zero; what they leave
/// comes at once.
pub(crate) fn transcript(
    stream: &[u8],
    sizes: impl Iterator<Item = usize>,
    max_frame: u64,
) -> Transcript {
    transcript_of(Decoder::new(max_frame), stream, sizes)
}

/// The same with a decoder of either side.
pub(crate) fn transcript_of(
    mut decoder: Decoder,
    mut stream: &[u8],
    mut sizes: impl Iterator<Item = usize>,
) -> Transcript {
    let mut said = Vec::new();
    while !stream.is_empty() {
        let size = sizes.next().unwrap_or(usize::MAX);
        let (chunk, rest) = stream.split_at(size.min(stream.len()));
        stream = rest;
        let mut buf = chunk.to_vec();
        let mut at = 0;
        loop {
            let before = at;
            match decoder.next(&mut buf, &mut at) {
                Ok(Some(event)) => note(&mut said, event, &buf, before..at),
                Ok(None) => break,
                Err(violation) => {
                    assert_eq!(decoder.next(&mut buf, &mut at), Err(violation));
                    return (said, Some(violation));
                }
            }
        }
        assert_eq!(at, buf.len(), "the decoder takes in all it is given");
    }
    (said, None)
}

/// Adds an event to the transcript: a piece of a frame joins the piece before it.
fn note(said: &mut Vec<Said>, event: Event, buf: &[u8], read: std::ops::Range<usize>) {
    let (kind, range, new_ends) = match event {
        Event::Data {
            kind,
            payload,
            end_of_frame,
            end_of_message,
        } => (kind, payload, (end_of_frame, end_of_message)),
        Event::Ping(payload) => return said.push(Said::Ping(payload.to_vec())),
        Event::Pong(payload) => return said.push(Said::Pong(payload.to_vec())),
        Event::Close(close) => return said.push(Said::Close(close)),
    };
    assert!(read.start <= range.start && range.end == read.end);
    assert!(
        new_ends.0 || !range.is_empty(),
        "an empty piece says nothing"
    );
    assert!(new_ends.0 || !new_ends.1, "a message ends with a frame");
    let piece = &buf[range];
    if let Some(Said::Data {
        kind: open,
        payload,
        ends: ends @ (false, _),
    }) = said.last_mut()
    {
        assert_eq!(*open, kind);
        assert!(!piece.is_empty(), "the frame promised more");
        payload.extend_from_slice(piece);
        *ends = new_ends;
    } else {
        said.push(Said::Data {
            kind,
            payload: piece.to_vec(),
            ends: new_ends,
        });
    }
}

/// Everything at once.
pub(crate) fn whole() -> impl Iterator<Item = usize> {
    std::iter::repeat(usize::MAX)
}

/// A byte at a time.
pub(crate) fn bytewise() -> impl Iterator<Item = usize> {
    std::iter::repeat(1)
}

/// Chunks of 1 to 32 bytes, irregular, the same for the same seed.
pub(crate) fn chunked(seed: u8) -> impl Iterator<Item = usize> {
    let mut state = u32::from(seed);
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 27) as usize + 1
    })
}
