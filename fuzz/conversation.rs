//! What a handshake machine made of a peer's bytes, in a form that does not depend on how they
//! were cut.

use std::fmt::Debug;

use fanlight::rfb::auth::tight::MAX_INTERACTIONS;
use fanlight::rfb::init::MAX_NAME;
use fanlight::rfb::{Handshake, Interruption, Step};
use fanlight::wire::Reader;

/// The longest message of a handshake, in bytes: a ServerInit that goes on as Tight's does.
const LONGEST: usize = 24 + MAX_NAME as usize + 8 + 16 * MAX_INTERACTIONS as usize;

/// A handshake from its first byte to its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Conversation {
    /// What the machine said.
    sent: Vec<u8>,
    /// What was agreed, or why nothing was.
    end: String,
    /// How many of the peer's bytes belong to what follows.
    left: usize,
}

/// Runs a machine over `stream`, in chunks of the given sizes, none of them zero; then the peer
/// closes. `in_words` says of an error what does not depend on the cut.
pub(crate) fn conversation<M>(
    mut machine: M,
    stream: &[u8],
    sizes: &mut dyn Iterator<Item = usize>,
    in_words: impl Fn(&M::Error) -> String,
) -> Conversation
where
    M: Handshake<Done: Debug>,
{
    let (mut sent, mut unread, mut coming) = (Vec::new(), Vec::new(), stream);
    let end = loop {
        let mut reader = Reader::new(&unread);
        let step = machine.step(&mut reader, &mut sent);
        let rest = reader.rest().len();
        unread.drain(..unread.len() - rest);
        match step {
            Err(error) => {
                // After an error nothing follows, and how much was read of it means nothing.
                let end = in_words(&error);
                return Conversation { sent, end, left: 0 };
            }
            Ok(Step::Done(done)) => break format!("{done:?}"),
            // What is said inside of TLS is fuzzed as if there were none.
            Ok(Step::Again | Step::Swap(_)) => {}
            Ok(Step::NeedMore) if coming.is_empty() => {
                break in_words(&machine.interrupted(Interruption::Closed, &unread));
            }
            Ok(Step::NeedMore) => {
                assert!(unread.len() < LONGEST, "it waits for more than a message");
                let size = sizes.next().unwrap_or(usize::MAX).min(coming.len());
                let (chunk, later) = coming.split_at(size);
                unread.extend_from_slice(chunk);
                coming = later;
            }
        }
    };
    let left = unread.len() + coming.len();
    Conversation { sent, end, left }
}
