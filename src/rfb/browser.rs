//! The handshake with the browser, in which Fanlight is a server of version 3.8 that offers the
//! security type None and nothing else.
//!
//! It comes in two parts. The [`Greeting`] goes as far as it can without knowing whether there will
//! be a picture; meanwhile the host is reached. Then the viewer is either admitted ([`Admission`])
//! or told why not ([`refusal`]). The witness [`Greeted`] keeps the two in order.
//!
//! ```text
//! Greeting   -> RFB 003.008    <- RFB 003.008    -> 1 type: None    <- None
//! Admission  -> SecurityResult OK    <- ClientInit    -> ServerInit
//! refusal    -> SecurityResult failed, reason
//! ```

use std::convert::Infallible;

use bytes::BufMut;

use crate::reason::Reason;
use crate::rfb::init::ServerInit;
use crate::rfb::peer_text::PeerText;
use crate::rfb::security::{SecurityResult, SecurityType};
use crate::rfb::version::{self, LINE_3_8};
use crate::rfb::{Handshake, Interruption, Stage, Step};
use crate::wire::Reader;

/// The list of security types that is offered: one, and that is None.
const OFFER: [u8; 2] = [1, SecurityType::NONE.0 as u8];

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

/// Proof that a viewer has been greeted and waits for SecurityResult.
#[derive(Debug)]
pub struct Greeted(());

/// Version and security type.
#[derive(Debug, Default)]
pub struct Greeting {
    state: GreetingState,
}

#[derive(Debug, Default)]
enum GreetingState {
    /// Nothing was sent yet.
    #[default]
    Start,
    Version,
    Choice,
}

impl Handshake for Greeting {
    type Done = Greeted;
    type Error = BrowserError;
    type Swap = Infallible;

    fn step(
        &mut self,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Step<Greeted, Infallible>, BrowserError> {
        match self.state {
            // The version line leaves alone: noVNC 1.7.0 does not look at what follows it in the
            // same frame until another frame arrives.
            GreetingState::Start => {
                out.put_slice(LINE_3_8);
                self.state = GreetingState::Version;
                Ok(Step::Again)
            }
            GreetingState::Version => {
                let Ok(line) = input.array::<{ version::LINE_LEN }>("ProtocolVersion") else {
                    return Ok(Step::NeedMore);
                };
                if line != *LINE_3_8 {
                    return Err(BrowserError::Version(PeerText::escape(&line)));
                }
                out.put_slice(&OFFER);
                self.state = GreetingState::Choice;
                Ok(Step::Again)
            }
            GreetingState::Choice => match input.u8("security-type") {
                Ok(chosen) if u32::from(chosen) == SecurityType::NONE.0 => {
                    Ok(Step::Done(Greeted(())))
                }
                Ok(chosen) => Err(BrowserError::SecurityType(chosen)),
                Err(_) => Ok(Step::NeedMore),
            },
        }
    }

    fn stage(&self) -> Stage {
        match self.state {
            GreetingState::Start | GreetingState::Version => Stage::Version,
            GreetingState::Choice => Stage::Security,
        }
    }

    fn interrupted(&self, by: Interruption, _unread: &[u8]) -> BrowserError {
        interrupted(self.stage(), &by)
    }
}

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
    type Conversation<M> = (
        Vec<Vec<u8>>,
        Option<Result<<M as Handshake>::Done, <M as Handshake>::Error>>,
    );

    /// Feeds a machine one piece after the other.
    fn run<M: Handshake<Swap = Infallible>>(machine: &mut M, pieces: &[&[u8]]) -> Conversation<M> {
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
    fn the_version_line_leaves_alone_and_only_none_is_offered() {
        let whole: &[u8] = b"RFB 003.008\n\x01";
        let bytes: Vec<&[u8]> = whole.chunks(1).collect();
        for pieces in [vec![whole], bytes] {
            let (sent, end) = run(&mut Greeting::default(), &pieces);
            assert_eq!(sent, [LINE_3_8.to_vec(), vec![1, 1]]);
            assert!(matches!(end, Some(Ok(Greeted(())))));
        }
    }

    #[test]
    fn another_version_or_choice_is_the_viewers_fault() {
        let (_, end) = run(&mut Greeting::default(), &[b"RFB 003.003\n"]);
        let error = end.unwrap().unwrap_err();
        assert!(matches!(error, BrowserError::Version(_)));
        assert_eq!(Reason::from(&error), Reason::BrowserProtocol);
        let (_, end) = run(&mut Greeting::default(), &[b"RFB 003.008\n\x02"]);
        assert_eq!(end.unwrap().unwrap_err(), BrowserError::SecurityType(2));
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
