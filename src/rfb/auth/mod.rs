//! Ways to prove to a host that one may come in, one file each.
//!
//! Each is a [`Conversation`]: what happens between the choice of a security type and the host's
//! SecurityResult. [`begin`] says which conversation belongs to a choice.

mod ard;
mod field;
mod ms_logon;
mod plain;
pub mod ra2;
mod sasl;
pub mod tight;
mod vencrypt;
pub mod vnc;
mod xvp;

use std::fmt;

use crate::rfb::auth::vnc::Challenge;
use crate::rfb::host::{HostError, HostParams, HostSwap, Seen};
use crate::rfb::identity::Mismatch;
use crate::rfb::policy::SecurityMethod;
use crate::rfb::security::SecurityType;
use crate::rfb::version::Dialect;
use crate::wire::{Reader, Short};

/// The part of a handshake that belongs to one security type.
pub(super) trait Conversation: fmt::Debug + Send {
    /// Consumes at most one message off the front of `input` and appends what is to be sent.
    fn step(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Turn, Stop>;

    /// What it means when the host closes now, where that means more than that it is gone.
    fn closed(&self) -> Option<HostError> {
        None
    }
}

/// What a conversation may look at.
pub(super) struct Context<'h> {
    pub(super) params: &'h HostParams,
    pub(super) seen: &'h mut Seen,
    pub(super) dialect: Dialect,
}

/// What a conversation came to with a message.
#[derive(Debug)]
pub(super) enum Turn {
    /// It goes on.
    Again,
    /// It goes on when the transport was swapped.
    Swap(HostSwap),
    /// It goes on as another.
    Become(Box<dyn Conversation>),
    /// It is over; SecurityResult follows.
    Result,
    /// It is over but for the viewer's response to the host's challenge; SecurityResult follows.
    Ask(Challenge),
    /// It is over; ClientInit follows.
    NoResult,
}

/// Why a step was not taken.
#[derive(Debug)]
pub(super) enum Stop {
    /// The message at the front is not whole yet.
    NeedMore,
    /// The handshake has failed.
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

/// A method and the security type that it is reached by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) method: SecurityMethod,
    pub(super) carrier: SecurityType,
}

/// Where a security type is offered. What a number means, and whether it may stand there at all,
/// depends on the list: a sub-type that belongs inside TLS must never be taken from outside of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// The host's own list, or what a host of version 3.3 dictates.
    Types,
    /// Tight's ways to log in, with a number of its own for what others number otherwise.
    Tight,
    /// VeNCrypt's sub-types. Wrappers in wrappers would have no end.
    VeNCrypt,
}

impl List {
    const fn may_hold(self, kind: SecurityType) -> bool {
        match self {
            Self::Types => kind.0 <= 0xff,
            Self::Tight => matches!(
                kind,
                SecurityType::NONE
                    | SecurityType::VNC_AUTHENTICATION
                    | SecurityType::VENCRYPT
                    | SecurityType::SASL
                    | SecurityType::TIGHT_LOGIN
            ),
            Self::VeNCrypt => !matches!(
                kind,
                SecurityType::VENCRYPT | SecurityType::TIGHT | SecurityType::TIGHT_LOGIN
            ),
        }
    }
}

/// Chooses from what a host offers: by our policy's order, among what the policy allows and the
/// login has credentials for. A type that means nothing to us is passed over.
pub(super) fn choose(
    list: List,
    offered: &[SecurityType],
    params: &HostParams,
) -> Result<Choice, HostError> {
    let (mut forbidden, mut missing, mut unproven) = (false, false, false);
    // What Tight holds is not known before it is opened, and mostly it is what stands beside it:
    // it is opened when nothing else will do.
    for opened in [false, true] {
        for &method in &params.policy.methods {
            let mut carriers = method.carriers().iter().copied();
            let Some(carrier) = carriers.find(|kind| {
                list.may_hold(*kind)
                    && (*kind == SecurityType::TIGHT) == opened
                    && offered.contains(kind)
            }) else {
                continue;
            };
            if method.is_ra2() && params.ra2_key.is_none() {
                continue;
            }
            if !method.is_ra2() && params.ra2_pin.is_some() {
                unproven = true;
            } else if !params.policy.allows(method) {
                forbidden = true;
            } else if !method.has_its_credentials(&params.login) {
                missing = true;
            } else {
                return Ok(Choice { method, carrier });
            }
        }
    }
    Err(if missing {
        HostError::CredentialsMissing
    } else if unproven {
        Mismatch::NoRa2Key.into()
    } else if forbidden {
        HostError::Forbidden(offered.to_vec())
    } else if offered.iter().any(|kind| kind.is_anonymous_tls()) {
        HostError::AnonymousOnly(offered.to_vec())
    } else {
        HostError::NoCommonSecurity(offered.to_vec())
    })
}

/// How the conversation of a choice begins.
pub(super) fn begin(choice: Choice, cx: &Context<'_>, out: &mut Vec<u8>) -> Result<Turn, Stop> {
    match choice.carrier {
        SecurityType::TIGHT => return Ok(Turn::Become(Box::<tight::Tight>::default())),
        SecurityType::VENCRYPT => return Ok(Turn::Become(Box::<vencrypt::VeNCrypt>::default())),
        _ => {}
    }
    match choice.method {
        SecurityMethod::Ra2_256
        | SecurityMethod::Ra2
        | SecurityMethod::Ra2ne256
        | SecurityMethod::Ra2ne => Ok(Turn::Become(Box::new(ra2::Ra2::new(choice.method)))),
        SecurityMethod::Ard => Ok(Turn::Become(Box::new(ard::Ard))),
        SecurityMethod::Xvp => {
            xvp::user_and_target(&cx.params.login, out)?;
            Ok(Turn::Become(Box::new(vnc::Challenged)))
        }
        SecurityMethod::MsLogonII => Ok(Turn::Become(Box::new(ms_logon::MsLogonII))),
        SecurityMethod::Vnc | SecurityMethod::X509Vnc => {
            Ok(Turn::Become(Box::new(vnc::Challenged)))
        }
        SecurityMethod::Sasl | SecurityMethod::X509Sasl => {
            Ok(Turn::Become(Box::<sasl::Sasl>::default()))
        }
        SecurityMethod::Plain | SecurityMethod::X509Plain | SecurityMethod::TightLogin => {
            plain::credentials(&cx.params.login, out)?;
            Ok(Turn::Result)
        }
        // None is followed by a SecurityResult only in 3.8; waiting for one earlier would be for
        // ever.
        SecurityMethod::None | SecurityMethod::X509None => Ok(if cx.dialect == Dialect::V3_8 {
            Turn::Result
        } else {
            Turn::NoResult
        }),
    }
}
