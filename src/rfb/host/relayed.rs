//! A handshake that stops where the viewer has to answer the host's challenge.

use super::State;
use crate::rfb::auth::vnc::{Challenge, Response};
use crate::rfb::host::{HostError, HostHandshake, HostSwap};
use crate::rfb::init::ServerInit;
use crate::rfb::{Handshake, Interruption, Stage, Step};
use crate::wire::Reader;

impl HostHandshake {
    /// The host's challenge, while it waits for [`Self::respond`].
    #[must_use]
    pub const fn challenge(&self) -> Option<Challenge> {
        match self.state {
            State::Asked(_, challenge) => Some(challenge),
            _ => None,
        }
    }

    /// Takes the viewer's response to the challenge. Without a challenge nothing happens.
    pub fn respond(&mut self, response: Response) {
        if let State::Asked(dialect, _) = self.state {
            self.state = State::Response(dialect, response);
        }
    }
}

/// How far a handshake has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// To the challenge: it goes on, with the same bytes unread, after [`HostHandshake::respond`].
    Asked(Challenge),
    /// To its end.
    Done(ServerInit),
}

/// Runs a handshake up to the challenge that the viewer has to answer, or to its end.
#[derive(Debug)]
pub struct Relayed<'m>(pub &'m mut HostHandshake);

impl Handshake for Relayed<'_> {
    type Done = Progress;
    type Error = HostError;
    type Swap = HostSwap;

    fn step(
        &mut self,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Step<Progress, HostSwap>, HostError> {
        if let Some(challenge) = self.0.challenge() {
            return Ok(Step::Done(Progress::Asked(challenge)));
        }
        Ok(match self.0.step(input, out)? {
            Step::Done(init) => Step::Done(Progress::Done(init)),
            Step::NeedMore => Step::NeedMore,
            Step::Again => Step::Again,
            Step::Swap(swap) => Step::Swap(swap),
        })
    }

    fn stage(&self) -> Stage {
        self.0.stage()
    }

    fn interrupted(&self, by: Interruption, unread: &[u8]) -> HostError {
        self.0.interrupted(by, unread)
    }
}
