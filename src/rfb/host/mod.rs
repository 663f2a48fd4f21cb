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
//! Between the choice and Result, each security type has a conversation of its own
//! ([`auth`](crate::rfb::auth)). Ahead of all this there may be a repeater: it announces itself as
//! version 0.0, is told whom we want, and the real host's version follows.
//!
//! The host's list is read whole and the choice is ours, never the host's order: authentication
//! before None where the grant has a password. After a refusal ([`Stage::RefusalReason`]) the words
//! are waited for only a moment, since many hosts close without them, and a missing reason never
//! hides the refusal itself.

mod dead_end;
mod error;
mod refusal;
mod relayed;

pub use error::HostError;
pub use relayed::{Progress, Relayed};

use std::sync::Arc;

use refusal::Refusal;

use crate::rfb::auth::ra2::{ClientKey, KeyFingerprint, SessionCiphers};
use crate::rfb::auth::vnc::{Challenge, Response};
use crate::rfb::auth::{self, Choice, Context, Conversation, List, Stop, Turn, tight};
use crate::rfb::identity::Fingerprint;
use crate::rfb::init::{self, BadServerInit, ServerInit};
use crate::rfb::login::Login;
use crate::rfb::peer_text::PeerText;
use crate::rfb::policy::Policy;
use crate::rfb::security::{SecurityResult, SecurityType};
use crate::rfb::version::{self, Dialect, ProtocolVersion};
use crate::rfb::{Handshake, Interruption, Stage, Step, SwapError, repeater};
use crate::wire::Reader;

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
    /// The RSA key that it showed, in RA2.
    pub ra2_key: Option<KeyFingerprint>,
}

/// What a handshake with a host is given.
#[derive(Clone, Debug)]
pub struct HostParams {
    /// What the grant has to log in with.
    pub login: Login,
    /// What may be used.
    pub policy: Policy,
    /// Fills bytes with fresh randomness, for private keys and padding.
    pub entropy: fn(&mut [u8]),
    /// Our RSA key; without one RA2 is not spoken.
    pub ra2_key: Option<Arc<ClientKey>>,
    /// The RSA key that the host has to show. With it nothing but RA2 is spoken, since nothing else
    /// shows the key.
    pub ra2_pin: Option<Fingerprint>,
}

/// How a host's transport changes in the middle of the handshake.
#[derive(Debug)]
pub enum HostSwap {
    /// From here on inside TLS, in which we are the client.
    Tls(StartTls),
    /// From here on in the frames of RA2.
    Ra2(SessionCiphers),
}

/// Proof that the host is ready for our ClientHello.
#[derive(Debug)]
pub struct StartTls(());

impl StartTls {
    /// For the conversation that has just been told so.
    pub(super) const fn ready() -> Self {
        Self(())
    }
}

/// The client's side of a handshake with an RFB server.
#[derive(Debug)]
pub struct HostHandshake {
    state: State,
    params: HostParams,
    seen: Seen,
    /// How many of the offered types stand in the host's own list, ahead of those in others.
    listed: usize,
    /// Whether ServerInit goes on behind the name, as it does after Tight.
    extended: bool,
}

/// What is expected next, with what is known by then.
#[derive(Debug)]
enum State {
    Version,
    SecurityTypes(Dialect),
    SecurityType33,
    Conversation(Dialect, Box<dyn Conversation>),
    /// The viewer's response is missing.
    Asked(Dialect, Challenge),
    Response(Dialect, Response),
    Result(Dialect),
    Reason(Refusal),
    ServerInit,
}

impl HostHandshake {
    /// Starts a handshake.
    #[must_use]
    pub fn new(params: HostParams) -> Self {
        Self {
            state: State::Version,
            params,
            seen: Seen::default(),
            listed: 0,
            extended: false,
        }
    }

    /// What has been seen of the host so far.
    #[must_use]
    pub const fn seen(&self) -> &Seen {
        &self.seen
    }

    fn version(&mut self, input: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<Next, Stop> {
        // Whether this is RFB at all shows before the line is whole.
        if !ProtocolVersion::may_begin(input.rest()) {
            return Err(not_rfb(input.rest()).into());
        }
        let line = input.array::<{ version::LINE_LEN }>("ProtocolVersion")?;
        let version = ProtocolVersion::parse(&line).ok_or_else(|| not_rfb(&line))?;
        let repeated = self.seen.version.replace(version);
        let id = &self.params.login.repeater_id;
        if let (true, None, Some(id)) = (version.is_repeater(), repeated, id) {
            let most = repeater::BLOCK_LEN - 1;
            let block = repeater::block(id).ok_or(HostError::LoginUnfit(most))?;
            out.extend_from_slice(&block);
            return Ok(Next::state(State::Version));
        }
        let dialect = version.dialect().ok_or(HostError::Version(version))?;
        out.extend_from_slice(dialect.line());
        Ok(Next::state(match dialect {
            Dialect::V3_3 => State::SecurityType33,
            Dialect::V3_7 | Dialect::V3_8 => State::SecurityTypes(dialect),
        }))
    }

    fn security_types(
        &mut self,
        dialect: Dialect,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Next, Stop> {
        let count = input.u8("number-of-security-types")?;
        if count == 0 {
            return Ok(Next::state(State::Reason(Refusal::BeforeAuthentication)));
        }
        let types = input.bytes(count.into(), "security-types")?;
        let offered = types
            .iter()
            .map(|&number| SecurityType(number.into()))
            .collect();
        let choice = self.choose(offered)?;
        // It was offered in a byte.
        out.push(u8::try_from(choice.carrier.0).unwrap_or_default());
        self.begin(choice, dialect, out)
    }

    fn security_type_3_3(
        &mut self,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Next, Stop> {
        let dictated = SecurityType(input.u32("security-type")?);
        if dictated == SecurityType::INVALID {
            // TigerVNC is a server of 3.8: it announces 3.3 only to those that it has locked out,
            // whatever the words that follow.
            let refusal = match self.seen.version {
                Some(ProtocolVersion { minor: 3, .. }) => Refusal::TooManyAttempts,
                _ => Refusal::BeforeAuthentication,
            };
            return Ok(Next::state(State::Reason(refusal)));
        }
        let choice = self.choose(vec![dictated])?;
        self.begin(choice, Dialect::V3_3, out)
    }

    fn choose(&mut self, offered: Vec<SecurityType>) -> Result<Choice, HostError> {
        self.listed = offered.len();
        self.seen.offered = offered;
        let choice = auth::choose(List::Types, &self.seen.offered, &self.params)?;
        self.seen.chosen = Some(choice.carrier);
        Ok(choice)
    }

    fn begin(&mut self, choice: Choice, dialect: Dialect, out: &mut Vec<u8>) -> Result<Next, Stop> {
        self.extended = choice.carrier == SecurityType::TIGHT;
        let cx = Context {
            params: &self.params,
            seen: &mut self.seen,
            dialect,
        };
        let turn = auth::begin(choice, &cx, out)?;
        Ok(Next::after(turn, dialect, out))
    }

    fn converse(&mut self, input: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<Next, Stop> {
        let State::Conversation(dialect, conversation) = &mut self.state else {
            return Err(Stop::NeedMore);
        };
        let dialect = *dialect;
        let mut cx = Context {
            params: &self.params,
            seen: &mut self.seen,
            dialect,
        };
        let turn = conversation.step(&mut cx, input, out)?;
        Ok(Next::after(turn, dialect, out))
    }
}

/// Where a message leads: to another state or none, after a change of the transport or none.
struct Next {
    state: Option<State>,
    swap: Option<HostSwap>,
}

impl Next {
    const fn state(state: State) -> Self {
        Self {
            state: Some(state),
            swap: None,
        }
    }

    /// What follows a turn of a conversation.
    fn after(turn: Turn, dialect: Dialect, out: &mut Vec<u8>) -> Self {
        match turn {
            Turn::Again => Self {
                state: None,
                swap: None,
            },
            Turn::Swap(swap) => Self {
                state: None,
                swap: Some(swap),
            },
            Turn::Become(next) => Self::state(State::Conversation(dialect, next)),
            Turn::Result => Self::state(State::Result(dialect)),
            Turn::Ask(challenge) => Self::state(State::Asked(dialect, challenge)),
            Turn::NoResult => {
                out.push(init::SHARED);
                Self::state(State::ServerInit)
            }
        }
    }
}

impl Handshake for HostHandshake {
    type Done = ServerInit;
    type Error = HostError;
    type Swap = HostSwap;

    fn step(
        &mut self,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Step<ServerInit, HostSwap>, HostError> {
        let mut ahead = input.clone();
        let next = match &self.state {
            State::Version => self.version(&mut ahead, out),
            State::SecurityTypes(dialect) => self.security_types(*dialect, &mut ahead, out),
            State::SecurityType33 => self.security_type_3_3(&mut ahead, out),
            State::Conversation(..) => self.converse(&mut ahead, out),
            // Nobody is there to answer: `Relayed` would have stopped before.
            State::Asked(..) => Err(HostError::CredentialsMissing.into()),
            State::Response(dialect, Response(response)) => {
                out.extend_from_slice(response);
                Ok(Next::state(State::Result(*dialect)))
            }
            State::Result(dialect) => result(*dialect, &mut ahead, out),
            State::Reason(refusal) => reason(*refusal, &mut ahead),
            State::ServerInit => match server_init(self.extended, &mut ahead) {
                Ok(init) => {
                    *input = ahead;
                    return Ok(Step::Done(init));
                }
                Err(stop) => Err(stop),
            },
        };
        match next {
            Ok(Next { state, swap }) => {
                *input = ahead;
                if let Some(state) = state {
                    self.state = state;
                }
                Ok(swap.map_or(Step::Again, Step::Swap))
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
            | State::Conversation(..)
            | State::Asked(..)
            | State::Response(..)
            | State::Result(_) => Stage::Security,
            State::Reason(_) => Stage::RefusalReason,
            State::ServerInit => Stage::Init,
        }
    }

    fn interrupted(&self, by: Interruption, unread: &[u8]) -> HostError {
        match (&self.state, by) {
            (State::Reason(refusal), _) => refusal.with(unread.get(4..).unwrap_or_default()),
            (State::Conversation(_, conversation), Interruption::Closed) => conversation
                .closed()
                .unwrap_or(HostError::Closed(Stage::Security)),
            (_, Interruption::Closed) => HostError::Closed(self.stage()),
            (_, Interruption::TimedOut) => HostError::TimedOut(self.stage()),
            (_, Interruption::EarlyBytes) => HostError::EarlyBytes,
            (_, Interruption::Swap(SwapError::Certificate(why))) => HostError::Certificate(why),
            (_, Interruption::Swap(SwapError::Identity(why))) => HostError::Identity(why),
            (_, Interruption::Swap(SwapError::Failed(why))) => HostError::Tls(why),
        }
    }
}

fn not_rfb(bytes: &[u8]) -> HostError {
    let start = bytes.get(..version::LINE_LEN).unwrap_or(bytes);
    HostError::NotRfb(PeerText::escape(start))
}

fn server_init(extended: bool, input: &mut Reader<'_>) -> Result<ServerInit, Stop> {
    let init = ServerInit::decode(input).map_err(|bad| match bad {
        BadServerInit::Short(short) => short.into(),
        bad => Stop::Failed(HostError::BadServerInit(bad)),
    })?;
    if extended {
        tight::skip_interactions(input)?;
    }
    Ok(init)
}

fn result(dialect: Dialect, input: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<Next, Stop> {
    let result = SecurityResult(input.u32("SecurityResult")?);
    let refusal = match result {
        SecurityResult::OK => {
            out.push(init::SHARED);
            return Ok(Next::state(State::ServerInit));
        }
        SecurityResult::FAILED => Refusal::Authentication,
        SecurityResult::TOO_MANY => Refusal::TooManyAttempts,
        SecurityResult(other) => return Err(HostError::BadResult(other).into()),
    };
    // Only 3.8 follows a failure with words.
    if dialect == Dialect::V3_8 {
        Ok(Next::state(State::Reason(refusal)))
    } else {
        Err(refusal.with(&[]).into())
    }
}

fn reason(refusal: Refusal, input: &mut Reader<'_>) -> Result<Next, Stop> {
    let len = input.u32("reason-length")?.min(MAX_REASON);
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    Err(refusal.with(input.bytes(len, "reason-string")?).into())
}

#[cfg(test)]
mod tests;
