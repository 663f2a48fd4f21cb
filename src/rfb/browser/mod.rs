//! The handshake with the browser, in which Fanlight is a server of version 3.8 that offers the
//! security type None and nothing else; or VNC authentication, where the viewer alone has the
//! password ([`Question`]).
//!
//! It comes in two parts. The [`Greeting`] goes as far as it can without knowing whether there will
//! be a picture; meanwhile the host is reached. Then the viewer is either admitted ([`Admission`])
//! or told why not ([`refusal`]). The witnesses [`Versed`] and [`Greeted`] keep all in order.
//!
//! ```text
//! Greeting   Hello, then Offer
//!   Hello    -> RFB 003.008    <- RFB 003.008
//!   Offer    -> 1 type: None    <- None
//!   Question -> 1 type: VNC authentication    <- VNC authentication    -> challenge    <- response
//! Admission  -> SecurityResult OK    <- ClientInit    -> ServerInit
//! refusal    -> SecurityResult failed, reason
//! ```

mod greeting;
mod question;

pub use greeting::{Greeting, Hello, Offer};
pub use question::Question;

use std::convert::Infallible;

use bytes::BufMut;

use crate::reason::Reason;
use crate::rfb::init::ServerInit;
use crate::rfb::peer_text::PeerText;
use crate::rfb::security::SecurityResult;
use crate::rfb::{Handshake, Interruption, Stage, Step};
use crate::wire::Reader;

/// Why a browser's handshake came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrowserError {
    /// The answer to our version is not `RFB 003.008`.
    #[error("the viewer answered \"{0}\" to version 3.8")]
    Version(PeerText),
    /// A security type was chosen that was not offered.
    #[error("the viewer chose security type {0}, which was not offered")]
    SecurityType(u8),
    /// The viewer left before the handshake was over.
    #[error("the viewer left at stage {}", .0.name())]
    Closed(Stage),
    /// The viewer took too long.
    #[error("the viewer timed out at stage {}", .0.name())]
    TimedOut(Stage),
}

impl From<&BrowserError> for Reason {
    fn from(error: &BrowserError) -> Self {
        match error {
            BrowserError::Version(_) | BrowserError::SecurityType(_) => Self::BrowserProtocol,
            BrowserError::Closed(_) => Self::BrowserLost,
            BrowserError::TimedOut(_) => Self::BrowserTimeout,
        }
    }
}

/// Proof that a viewer speaks our version and waits for the security types.
#[derive(Debug)]
pub struct Versed(());

/// Proof that a viewer has been greeted and waits for SecurityResult.
#[derive(Debug)]
pub struct Greeted(());

/// SecurityResult, ClientInit and ServerInit, for a viewer that gets its picture.
///
/// Whether the viewer wants to be alone (ClientInit's shared flag) is not passed on: the host was
/// told to share before.
#[derive(Debug)]
pub struct Admission {
    init: ServerInit,
    welcomed: bool,
}

impl Admission {
    /// Admits a greeted viewer to a desktop.
    #[must_use]
    pub const fn new(_: Greeted, init: ServerInit) -> Self {
        Self {
            init,
            welcomed: false,
        }
    }
}

impl Handshake for Admission {
    type Done = ();
    type Error = BrowserError;
    type Swap = Infallible;

    fn step(
        &mut self,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Step<(), Infallible>, BrowserError> {
        if !self.welcomed {
            out.put_u32(SecurityResult::OK.0);
            self.welcomed = true;
            return Ok(Step::Again);
        }
        if input.u8("shared-flag").is_err() {
            return Ok(Step::NeedMore);
        }
        self.init.encode(out);
        Ok(Step::Done(()))
    }

    fn stage(&self) -> Stage {
        Stage::Init
    }

    fn interrupted(&self, by: Interruption, _unread: &[u8]) -> BrowserError {
        interrupted(self.stage(), &by)
    }
}

/// What a greeted viewer is sent instead of a picture: a failed SecurityResult with the reason's
/// words, what the host said, and the stable code.
#[must_use]
pub fn refusal(_: Greeted, reason: Reason, said: Option<&PeerText>) -> Vec<u8> {
    let said = said
        .map(|said| format!(" (\"{said}\")"))
        .unwrap_or_default();
    let words = format!("{}{said} [{reason}]", reason.words());
    let mut out = Vec::with_capacity(8 + words.len());
    out.put_u32(SecurityResult::FAILED.0);
    out.put_u32(u32::try_from(words.len()).unwrap_or(u32::MAX));
    out.put_slice(words.as_bytes());
    out
}

const fn interrupted(stage: Stage, by: &Interruption) -> BrowserError {
    match by {
        Interruption::TimedOut => BrowserError::TimedOut(stage),
        // The browser's transport never changes.
        Interruption::Closed | Interruption::EarlyBytes | Interruption::Swap(_) => {
            BrowserError::Closed(stage)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rfb::init::tests::qemu;

    /// What was sent, call by call, and how it ended, if it did.
    pub(super) type Conversation<M> = (
        Vec<Vec<u8>>,
        Option<Result<<M as Handshake>::Done, <M as Handshake>::Error>>,
    );

    /// Feeds a machine one piece after the other.
    pub(super) fn run<M: Handshake<Swap = Infallible>>(
        machine: &mut M,
        pieces: &[&[u8]],
    ) -> Conversation<M> {
        let (mut sent, mut unread) = (Vec::new(), Vec::new());
        for piece in pieces {
            unread.extend_from_slice(piece);
            loop {
                let mut out = Vec::new();
                let mut reader = Reader::new(&unread);
                let step = machine.step(&mut reader, &mut out);
                unread = reader.rest().to_vec();
                if !out.is_empty() {
                    sent.push(out);
                }
                match step {
                    Ok(Step::Again) => {}
                    Ok(Step::NeedMore) => break,
                    Ok(Step::Swap(never)) => match never {},
                    Ok(Step::Done(done)) => return (sent, Some(Ok(done))),
                    Err(error) => return (sent, Some(Err(error))),
                }
            }
        }
        (sent, None)
    }

    #[test]
    fn an_admitted_viewer_gets_the_desktop_after_its_client_init() {
        let mut admission = Admission::new(Greeted(()), qemu());
        let (sent, end) = run(&mut admission, &[b"", b"\x00"]);
        assert_eq!(end, Some(Ok(())));
        let mut init = Vec::new();
        qemu().encode(&mut init);
        assert_eq!(sent, [vec![0; 4], init]);
    }

    #[test]
    fn a_refusal_says_why_in_words_and_code() {
        let said = PeerText::clean(b"Authentication failed\0");
        let bytes = refusal(Greeted(()), Reason::HostAuthFailed, said.as_ref());
        let (head, words) = bytes.split_at(8);
        assert_eq!(head[..4], [0, 0, 0, 1]);
        assert_eq!(head[7] as usize, words.len());
        let words = std::str::from_utf8(words).unwrap();
        assert!(
            words.ends_with("(\"Authentication failed\") [host_auth_failed]"),
            "{words}"
        );
    }
}
