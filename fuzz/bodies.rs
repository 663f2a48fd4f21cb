//! What each fuzz target does with its input.
//!
//! The targets in `fuzz_targets/` call these under libFuzzer; `tests/fuzz_corpus.rs` calls them on
//! stable with every file of the corpus of the same name.

mod transcript;

use transcript::{bytewise, chunked, transcript, whole};

/// The WebSocket decoder: it never panics, takes in whatever it is given, and says the same
/// however the stream is cut. The first byte of the input cuts, the rest is the stream.
pub fn websocket(data: &[u8]) {
    /// Small, so that an input of the fuzzer's usual size can exceed it.
    const MAX_FRAME: u64 = 300;

    let Some((seed, stream)) = data.split_first() else {
        return;
    };
    let expected = transcript(stream, whole(), MAX_FRAME);
    assert_eq!(transcript(stream, bytewise(), MAX_FRAME), expected);
    assert_eq!(transcript(stream, chunked(*seed), MAX_FRAME), expected);
}
