//! Logins whose password only the viewer has.

use super::courtesy::{Outcome, Place};
use super::under_way::{Stop, UnderWay};
use super::{Failed, HostLeg, Params};
use crate::rfb::auth::vnc::{Challenge, Response};

/// A host that was reached.
#[derive(Debug)]
pub enum Reached {
    /// It let us in.
    LetIn(Box<HostLeg>),
    /// It asks what only the viewer knows.
    Asked(Box<Asked>),
}

/// A host that waits for the response to its challenge. Its own deadline runs.
#[derive(Debug)]
pub struct Asked {
    challenge: Challenge,
    under_way: UnderWay,
    place: Place,
}

impl Reached {
    /// The leg to a host that asks nobody.
    ///
    /// # Errors
    /// [`HostError::CredentialsMissing`](crate::rfb::host::HostError::CredentialsMissing) for one that
    /// does.
    pub fn let_in(self) -> Result<HostLeg, Box<Failed>> {
        match self {
            Self::LetIn(leg) => Ok(*leg),
            Self::Asked(asked) => Err(Box::new(asked.under_way.unanswered())),
        }
    }
}

impl Asked {
    /// What the viewer has to encrypt with the password.
    #[must_use]
    pub const fn challenge(&self) -> Challenge {
        self.challenge
    }

    /// Passes the viewer's answer on and goes on to ServerInit.
    ///
    /// # Errors
    /// [`Failed`], in the handshake.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection.
    pub async fn respond(
        mut self,
        response: Response,
        params: &Params,
    ) -> Result<HostLeg, Box<Failed>> {
        self.under_way.respond(response);
        decided(self.under_way.go_on(params).await, self.place)?.let_in()
    }
}

/// Gives the place at the host back when the login is decided.
pub(super) fn decided(stop: Result<Stop, Failed>, place: Place) -> Result<Reached, Box<Failed>> {
    match stop {
        Ok(Stop::LetIn(leg)) => {
            place.end(Outcome::LetIn);
            Ok(Reached::LetIn(leg))
        }
        Ok(Stop::Asked(challenge, under_way)) => Ok(Reached::Asked(Box::new(Asked {
            challenge,
            under_way: *under_way,
            place,
        }))),
        Err(failed) => {
            place.end(failed.error.outcome());
            Err(Box::new(failed))
        }
    }
}
