//! VNC authentication with the browser, with the host's own challenge: the password is the
//! viewer's, and never known here.

use std::convert::Infallible;

use bytes::BufMut;

use super::greeting::{chosen, only};
use super::{BrowserError, Greeted, Versed, interrupted};
use crate::rfb::auth::vnc::{CHALLENGE_LEN, Challenge, Response};
use crate::rfb::security::SecurityType;
use crate::rfb::{Handshake, Interruption, Stage, Step};
use crate::wire::Reader;

/// The host's challenge, put to a viewer.
#[derive(Debug)]
pub struct Question {
    challenge: Challenge,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The list of types was not sent yet.
    Start,
    Choice,
    Response,
}

impl Question {
    /// For a viewer that speaks our version and was not offered anything yet.
    #[must_use]
    pub const fn new(_: Versed, challenge: Challenge) -> Self {
        Self {
            challenge,
            state: State::Start,
        }
    }
}

impl Handshake for Question {
    type Done = (Greeted, Response);
    type Error = BrowserError;
    type Swap = Infallible;

    fn step(
        &mut self,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Step<Self::Done, Infallible>, BrowserError> {
        self.state = match self.state {
            State::Start => {
                out.put_slice(&only(SecurityType::VNC_AUTHENTICATION));
                State::Choice
            }
            State::Choice => {
                if chosen(SecurityType::VNC_AUTHENTICATION, input)?.is_none() {
                    return Ok(Step::NeedMore);
                }
                out.put_slice(&self.challenge.0);
                State::Response
            }
            State::Response => {
                return Ok(match input.array::<CHALLENGE_LEN>("response") {
                    Ok(response) => Step::Done((Greeted(()), Response(response))),
                    Err(_) => Step::NeedMore,
                });
            }
        };
        Ok(Step::Again)
    }

    fn stage(&self) -> Stage {
        Stage::Security
    }

    fn interrupted(&self, by: Interruption, _unread: &[u8]) -> BrowserError {
        interrupted(self.stage(), &by)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::run;
    use super::*;

    #[test]
    fn the_viewer_answers_the_hosts_own_challenge() {
        let challenge = Challenge(*b"0123456789abcdef");
        let whole: &[u8] = b"\x02fedcba9876543210";
        let bytes: Vec<&[u8]> = whole.chunks(1).collect();
        for pieces in [vec![whole], bytes] {
            let mut question = Question::new(Versed(()), challenge);
            let (sent, end) = run(&mut question, &pieces);
            assert_eq!(sent, [vec![1, 2], challenge.0.to_vec()]);
            let (_, response) = end.unwrap().unwrap();
            assert_eq!(response, Response(*b"fedcba9876543210"));
            assert_eq!(format!("{response:?}"), "***");
        }
    }

    #[test]
    fn none_is_no_answer_to_it() {
        let mut question = Question::new(Versed(()), Challenge([0; 16]));
        let (_, end) = run(&mut question, &[b"\x01"]);
        assert_eq!(end.unwrap().unwrap_err(), BrowserError::SecurityType(1));
    }
}
