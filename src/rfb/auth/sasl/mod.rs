//! SASL: a list of mechanisms of the host, one of which we go through ([rfbproto, SASL]).
//!
//! ```text
//! Mechanisms ──> name and first message ──> Reply ── complete ──> SecurityResult
//!                                            ^ │
//!                                            └─┘ goes on: our next message
//! ```
//!
//! Every length is a u32 and counts a final NUL, of which the mechanisms know nothing; 0 says that
//! there is no message, which is not the same as an empty one. No mechanism here brings a security
//! layer of its own, so that what follows SASL is as it was before: GSSAPI and DIGEST-MD5, which a
//! QEMU without TLS insists upon, are not spoken.
//!
//! [rfbproto, SASL]: https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst#sasl

mod plain;
mod scram;

use std::fmt;

use bytes::BufMut;
use zeroize::Zeroizing;

use crate::rfb::auth::{Context, Conversation, Stop, Turn};
use crate::rfb::host::{HostError, HostParams};
use crate::rfb::peer_text::PeerText;
use crate::wire::{Reader, Short};

/// The longest list of mechanisms, in bytes.
const MAX_LIST: u32 = 4096;

/// The longest message of a mechanism, in bytes, its NUL included: SCRAM's have about 100.
const MAX_MESSAGE: u32 = 4096;

/// The most replies of a host: SCRAM has two, and a third where the host says apart that all is
/// well.
const MAX_REPLIES: u8 = 3;

/// A message of ours. It is wiped, since PLAIN's is the password.
type Message = Zeroizing<Vec<u8>>;

/// What a mechanism does with the messages of a host.
trait Mechanism: fmt::Debug + Send {
    /// The answer to a message: none when there is nothing more to say.
    fn answer(&mut self, message: &[u8]) -> Result<Option<Message>, HostError>;

    /// Whether the host has said all that we need from it.
    fn is_satisfied(&self) -> bool;
}

/// The mechanisms that are spoken, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Scram(scram::Hash),
    Plain,
}

impl Kind {
    const ALL: [Self; 3] = [
        Self::Scram(scram::Hash::Sha256),
        Self::Scram(scram::Hash::Sha1),
        Self::Plain,
    ];

    /// The name as it is registered.
    const fn name(self) -> &'static str {
        match self {
            Self::Scram(scram::Hash::Sha256) => "SCRAM-SHA-256",
            Self::Scram(scram::Hash::Sha1) => "SCRAM-SHA-1",
            Self::Plain => "PLAIN",
        }
    }

    /// The strongest of a list that is divided by commas, blanks or both.
    fn choose(list: &[u8]) -> Option<Self> {
        let offers = |name: &str| {
            let mut names = list.split(|byte| matches!(byte, b',' | b' '));
            names.any(|offered| offered.eq_ignore_ascii_case(name.as_bytes()))
        };
        Self::ALL.into_iter().find(|kind| offers(kind.name()))
    }

    /// The mechanism and its first message, which is ours in each of them.
    fn begin(self, params: &HostParams) -> Result<(Box<dyn Mechanism>, Message), HostError> {
        let (Some(user), Some(password)) = (&params.login.username, &params.login.password) else {
            return Err(HostError::CredentialsMissing);
        };
        Ok(match self {
            Self::Scram(hash) => {
                let (scram, first) = scram::Scram::begin(hash, user, password, params.entropy)?;
                (Box::new(scram), first)
            }
            Self::Plain => (
                Box::new(plain::Plain),
                plain::message(user, password.expose())?,
            ),
        })
    }
}

/// SASL, from the host's list of mechanisms to where its SecurityResult follows.
#[derive(Debug, Default)]
pub(super) struct Sasl {
    mechanism: Option<Box<dyn Mechanism>>,
    replies: u8,
}

impl Conversation for Sasl {
    fn step(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Turn, Stop> {
        let Some(mechanism) = &mut self.mechanism else {
            let list = bounded(input, MAX_LIST, "SASL mechanisms")?;
            let kind = Kind::choose(list)
                .ok_or_else(|| HostError::NoCommonMechanism(PeerText::clean(list)))?;
            let (mechanism, first) = kind.begin(cx.params)?;
            put_name(kind.name(), out);
            put_message(&first, out)?;
            self.mechanism = Some(mechanism);
            return Ok(Turn::Again);
        };
        let message = bounded(input, MAX_MESSAGE, "SASL message")?;
        let complete = input.u8("SASL completion")?;
        self.replies += 1;
        if self.replies > MAX_REPLIES {
            return Err(HostError::Sasl("it goes on for too long").into());
        }
        let answer = match message {
            [] => None,
            [message @ .., 0] => mechanism.answer(message)?,
            _ => return Err(HostError::Sasl("a message does not end in NUL").into()),
        };
        match complete {
            0 => match answer {
                Some(answer) => put_message(&answer, out)?,
                None => out.put_u32(0),
            },
            // A host that calls itself content before it has proved anything proves nothing.
            1 if !mechanism.is_satisfied() => return Err(HostError::Unproven.into()),
            1 => return Ok(Turn::Result),
            _ => return Err(HostError::Sasl("a completion is neither yes nor no").into()),
        }
        Ok(Turn::Again)
    }

    /// QEMU closes without a word when a mechanism refuses the login.
    fn closed(&self) -> Option<HostError> {
        self.mechanism.is_some().then_some(HostError::LoginDropped)
    }
}

/// Bytes behind their length, which has a limit.
fn bounded<'a>(input: &mut Reader<'a>, limit: u32, field: &'static str) -> Result<&'a [u8], Stop> {
    let len = input.u32(field)?;
    if len > limit {
        return Err(HostError::Sasl("a length is over its limit").into());
    }
    let len = usize::try_from(len).map_err(|_| Short { field })?;
    Ok(input.bytes(len, field)?)
}

/// The name of a mechanism: the one string without a NUL.
fn put_name(name: &'static str, out: &mut Vec<u8>) {
    // Names are at most 20 bytes long.
    out.put_u32(name.len() as u32);
    out.put_slice(name.as_bytes());
}

/// A message of a mechanism, with its NUL.
fn put_message(message: &[u8], out: &mut Vec<u8>) -> Result<(), HostError> {
    let len = u32::try_from(message.len() + 1).map_err(|_| HostError::CredentialsUnfit)?;
    out.put_u32(len);
    out.put_slice(message);
    out.put_u8(0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_mechanism_is_chosen_and_no_part_of_a_name_counts() {
        for (list, chosen) in [
            (
                &b"PLAIN,SCRAM-SHA-1,SCRAM-SHA-256"[..],
                Some("SCRAM-SHA-256"),
            ),
            (b"DIGEST-MD5,PLAIN,SCRAM-SHA-1", Some("SCRAM-SHA-1")),
            (b"gssapi, plain", Some("PLAIN")),
            (b"SCRAM-SHA-256-PLUS,SCRAM-SHA-512", None),
            (b"DIGEST-MD5", None),
            (b"", None),
        ] {
            assert_eq!(Kind::choose(list).map(Kind::name), chosen);
        }
    }
}
