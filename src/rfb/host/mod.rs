//! The handshake with the host, in which Fanlight is the client.
//!
//! ```text
//!            Version ──────────── 3.3: the host dictates ───────────┐
//!               │ 3.7, 3.8: the host offers                         │
//!               v                                                   v
//!         SecurityTypes ───────── none offered ──> Reason <── SecurityType33
//!               │                                     ^             │
//!               ├── VNC authentication ── Challenge ──│── Result    │
//!               │                                     │     │       │
//!               ├── None, 3.8 ────────────────────────┴─ Result     │
//!               └── None, 3.3 and 3.7 ──────────────> ServerInit <──┘
//! ```
//!
//! The host's list is read whole and the choice is ours, never the host's order: authentication
//! before None where the grant has a password. After a refusal ([`Stage::RefusalReason`]) the words
//! are waited for only a moment, since many hosts close without them, and a missing reason never
//! hides the refusal itself.

mod error;

pub use error::HostError;

use crate::rfb::auth::vnc;
use crate::rfb::init::{self, BadServerInit, ServerInit};
use crate::rfb::peer_text::PeerText;
use crate::rfb::security::{SecurityResult, SecurityType};
use crate::rfb::version::{self, Dialect, ProtocolVersion};
use crate::rfb::{Handshake, Interruption, Stage, Step};
use crate::secret::Secret;
use crate::wire::{Reader, Short};

/// How many bytes of a refusal's reason are read; what is announced beyond is not waited for.
pub const MAX_REASON: u32 = 4096;

/// What has been seen of a host so far, for the log and for a dry run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The version that it announced.
    pub version: Option<ProtocolVersion>,
    /// The security types that it offered, in its order.
    pub offered: Vec<SecurityType>,
    /// The one that was chosen.
    pub chosen: Option<SecurityType>,
}

/// The client's side of a handshake with an RFB server.
#[derive(Debug)]
pub struct HostHandshake {
    state: State,
    password: Option<Secret>,
    seen: Seen,
}

/// What is expected next, with what is known by then.
#[derive(Clone, Copy, Debug)]
enum State {
    Version,
    SecurityTypes(Dialect),
    SecurityType33,
    Challenge(Dialect),
    Result(Dialect),
    Reason(Refusal),
    ServerInit,
}

/// What the host refused, while its words are still missing.
#[derive(Clone, Copy, Debug)]
enum Refusal {
    BeforeAuthentication,
    Authentication,
    TooManyAttempts,
}

impl HostHandshake {
    /// Starts a handshake with the grant's password, if it has one.
    #[must_use]
    pub fn new(password: Option<Secret>) -> Self {
        Self {
            state: State::Version,
            password,
            seen: Seen::default(),
        }
    }

    /// What has been seen of the host so far.
    #[must_use]
    pub const fn seen(&self) -> &Seen {
        &self.seen
    }

    fn version(&mut self, input: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<State, Stop> {
        // Whether this is RFB at all shows before the line is whole.
        if !ProtocolVersion::may_begin(input.rest()) {
            return Err(not_rfb(input.rest()).into());
        }
        let line = input.array::<{ version::LINE_LEN }>("ProtocolVersion")?;
        let version = ProtocolVersion::parse(&line).ok_or_else(|| not_rfb(&line))?;
        self.seen.version = Some(version);
        let dialect = version.dialect().ok_or(HostError::Version(version))?;
        out.extend_from_slice(dialect.line());
        Ok(match dialect {
            Dialect::V3_3 => State::SecurityType33,
            Dialect::V3_7 | Dialect::V3_8 => State::SecurityTypes(dialect),
        })
    }

    fn security_types(
        &mut self,
        dialect: Dialect,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<State, Stop> {
        let count = input.u8("number-of-security-types")?;
        if count == 0 {
            return Ok(State::Reason(Refusal::BeforeAuthentication));
        }
        let types = input.bytes(count.into(), "security-types")?;
        self.seen.offered = types
            .iter()
            .map(|&number| SecurityType(number.into()))
            .collect();
        let chosen = self.choose()?;
        // VNC authentication and None are 2 and 1; larger numbers are never chosen here.
        out.push(u8::try_from(chosen.0).unwrap_or_default());
        Ok(after_choice(chosen, dialect, out))
    }

    fn security_type_3_3(
        &mut self,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<State, Stop> {
        let dictated = SecurityType(input.u32("security-type")?);
        if dictated == SecurityType::INVALID {
            return Ok(State::Reason(Refusal::BeforeAuthentication));
        }
        self.seen.offered = vec![dictated];
        let chosen = self.choose()?;
        Ok(after_choice(chosen, Dialect::V3_3, out))
    }

    /// Strongest first: authentication where there is a password for it, then None.
    fn choose(&mut self) -> Result<SecurityType, HostError> {
        let offers = |kind| self.seen.offered.contains(&kind);
        let asks_for_password = offers(SecurityType::VNC_AUTHENTICATION);
        let chosen = if asks_for_password && self.password.is_some() {
            SecurityType::VNC_AUTHENTICATION
        } else if offers(SecurityType::NONE) {
            SecurityType::NONE
        } else if asks_for_password {
            return Err(HostError::CredentialsMissing);
        } else {
            return Err(HostError::NoCommonSecurity(self.seen.offered.clone()));
        };
        self.seen.chosen = Some(chosen);
        Ok(chosen)
    }

    fn challenge(
        &self,
        dialect: Dialect,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<State, Stop> {
        let challenge = input.array("challenge")?;
        let password = self
            .password
            .as_ref()
            .ok_or(HostError::CredentialsMissing)?;
        out.extend_from_slice(&vnc::response(password.expose(), &challenge));
        Ok(State::Result(dialect))
    }
}

impl Handshake for HostHandshake {
    type Done = ServerInit;
    type Error = HostError;

    fn step(
        &mut self,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Step<ServerInit>, HostError> {
        let mut ahead = input.clone();
        let next = match self.state {
            State::Version => self.version(&mut ahead, out),
            State::SecurityTypes(dialect) => self.security_types(dialect, &mut ahead, out),
            State::SecurityType33 => self.security_type_3_3(&mut ahead, out),
            State::Challenge(dialect) => self.challenge(dialect, &mut ahead, out),
            State::Result(dialect) => result(dialect, &mut ahead, out),
            State::Reason(refusal) => reason(refusal, &mut ahead),
            State::ServerInit => match ServerInit::decode(&mut ahead) {
                Ok(init) => {
                    *input = ahead;
                    return Ok(Step::Done(init));
                }
                Err(BadServerInit::Short(short)) => Err(short.into()),
                Err(bad) => Err(HostError::BadServerInit(bad).into()),
            },
        };
        match next {
            Ok(state) => {
                self.state = state;
                *input = ahead;
                Ok(Step::Again)
            }
            Err(Stop::NeedMore) => Ok(Step::NeedMore),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    fn stage(&self) -> Stage {
        match self.state {
            State::Version => Stage::Version,
            State::SecurityTypes(_)
            | State::SecurityType33
            | State::Challenge(_)
            | State::Result(_) => Stage::Security,
            State::Reason(_) => Stage::RefusalReason,
            State::ServerInit => Stage::Init,
        }
    }

    fn interrupted(&self, by: Interruption, unread: &[u8]) -> HostError {
        match (self.state, by) {
            (State::Reason(refusal), _) => refusal.with(unread.get(4..).unwrap_or_default()),
            (_, Interruption::Closed) => HostError::Closed(self.stage()),
            (_, Interruption::TimedOut) => HostError::TimedOut(self.stage()),
        }
    }
}

/// Why a state could not pass.
enum Stop {
    NeedMore,
    Failed(HostError),
}

impl From<Short> for Stop {
    fn from(_: Short) -> Self {
        Self::NeedMore
    }
}

impl From<HostError> for Stop {
    fn from(error: HostError) -> Self {
        Self::Failed(error)
    }
}

fn not_rfb(bytes: &[u8]) -> HostError {
    let start = bytes.get(..version::LINE_LEN).unwrap_or(bytes);
    HostError::NotRfb(PeerText::escape(start))
}

/// None is followed by a SecurityResult only in 3.8; reading one earlier would wait for ever.
fn after_choice(chosen: SecurityType, dialect: Dialect, out: &mut Vec<u8>) -> State {
    if chosen == SecurityType::VNC_AUTHENTICATION {
        State::Challenge(dialect)
    } else if dialect == Dialect::V3_8 {
        State::Result(dialect)
    } else {
        out.push(init::SHARED);
        State::ServerInit
    }
}

fn result(dialect: Dialect, input: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<State, Stop> {
    let result = SecurityResult(input.u32("SecurityResult")?);
    let refusal = match result {
        SecurityResult::OK => {
            out.push(init::SHARED);
            return Ok(State::ServerInit);
        }
        SecurityResult::FAILED => Refusal::Authentication,
        SecurityResult::TOO_MANY => Refusal::TooManyAttempts,
        SecurityResult(other) => return Err(HostError::BadResult(other).into()),
    };
    // Only 3.8 follows a failure with words.
    if dialect == Dialect::V3_8 {
        Ok(State::Reason(refusal))
    } else {
        Err(refusal.with(&[]).into())
    }
}

fn reason(refusal: Refusal, input: &mut Reader<'_>) -> Result<State, Stop> {
    let len = input.u32("reason-length")?.min(MAX_REASON);
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    Err(refusal.with(input.bytes(len, "reason-string")?).into())
}

impl Refusal {
    fn with(self, words: &[u8]) -> HostError {
        let said = PeerText::clean(words);
        // TigerVNC locks an address out with a refusal before authentication, in these words.
        let locked_out = said
            .as_ref()
            .is_some_and(|said| said.as_str().to_lowercase().contains("too many"));
        match self {
            Self::TooManyAttempts => HostError::TooMany(said),
            _ if locked_out => HostError::TooMany(said),
            Self::BeforeAuthentication => HostError::Refused(said),
            Self::Authentication => HostError::AuthFailed(said),
        }
    }
}

#[cfg(test)]
mod tests;
