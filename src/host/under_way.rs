//! The RFB handshake with a connected host, on its way.

use tracing::debug;

use super::profile::UnknownProfile;
use super::stream::HostStream;
use super::visit::Visit;
use super::way::Peer;
use super::{Failed, HostLeg, Params, ReachError};
use crate::drive::drive;
use crate::rfb::auth::vnc::{Challenge, Response};
use crate::rfb::host::{HostError, HostHandshake, HostParams, Progress, Relayed};
use crate::rfb::identity::Identity;
use crate::target::Way;

/// A handshake that is not over.
#[derive(Debug)]
pub(super) struct UnderWay {
    stream: HostStream,
    pub(super) address: Peer,
    way: Way,
    machine: HostHandshake,
    identity: Identity,
    unread: Vec<u8>,
}

/// Where a handshake has stopped.
pub(super) enum Stop {
    /// At its end.
    LetIn(Box<HostLeg>),
    /// At a challenge that the viewer has to answer.
    Asked(Challenge, Box<UnderWay>),
}

impl UnderWay {
    /// Begins a handshake.
    pub(super) async fn begin(
        (stream, address): (HostStream, Peer),
        visit: Visit,
        params: &Params,
    ) -> Result<Self, UnknownProfile> {
        let profile = params.profiles.get(visit.target.profile.as_ref())?;
        let policy = visit.policy(&profile.policy, stream.shown().is_some());
        let login = visit.credentials.login;
        let ra2_key = params.ra2_key.for_login(&login, &policy).await;
        Ok(Self {
            stream,
            address,
            way: visit.target.way,
            machine: HostHandshake::new(HostParams {
                login,
                policy,
                entropy: crate::entropy::fill,
                ra2_key,
                ra2_pin: visit.identity.ra2_key,
            }),
            identity: visit.identity,
            unread: Vec::new(),
        })
    }

    /// Takes the viewer's answer.
    pub(super) fn respond(&mut self, response: Response) {
        self.machine.respond(response);
    }

    /// Gives up at a challenge that nobody is there to answer.
    pub(super) fn unanswered(self) -> Failed {
        Failed {
            error: HostError::CredentialsMissing.into(),
            seen: self.machine.seen().clone(),
            dead_end: None,
        }
    }

    /// Goes on until the handshake is over or the viewer has to be asked.
    pub(super) async fn go_on(mut self, params: &Params) -> Result<Stop, Failed> {
        let mut machine = Relayed(&mut self.machine);
        let deadlines = &params.handshake;
        let end = drive(&mut machine, &mut self.stream, &mut self.unread, deadlines).await;
        let end = match end {
            Ok(Progress::Asked(challenge)) => {
                debug!(address = %self.address, "the viewer is asked");
                return Ok(Stop::Asked(challenge, Box::new(self)));
            }
            Ok(Progress::Done(init)) => Ok(init),
            Err(error) => Err(error),
        };
        let seen = self.machine.seen().clone();
        let certificate = self.stream.shown().map(|it| it.key);
        let ra2_key = seen.ra2_key.map(|it| it.sha256);
        let end = self.identity.judge(end, certificate, ra2_key);
        debug!(
            address = %self.address,
            version = seen.version.map(display),
            offered = ?seen.offered,
            chosen = seen.chosen.map(display),
            tls = self.stream.shown().map(|shown| display(shown.proof)),
            certificate = self.stream.shown().map(|shown| display(shown.key)),
            ra2_key = seen.ra2_key.map(display),
            passed = end.is_ok(),
            "host handshake"
        );
        match end {
            Ok(init) => Ok(Stop::LetIn(Box::new(HostLeg {
                stream: self.stream,
                address: self.address,
                init,
                unread: self.unread,
                seen,
            }))),
            Err(error) => Err(Failed {
                dead_end: self.machine.dead_end(&error),
                error: ReachError::of_handshake(error, &self.way),
                seen,
            }),
        }
    }
}
