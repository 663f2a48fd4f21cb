//! RFB without I/O ([RFC 6143]): the handshakes of both legs, and what passes from a viewer to its
//! host afterwards ([`gate`]) and back ([`host_gate`], [`pacing`]).
//!
//! A handshake is a machine: it is fed bytes, says what to send, and ends with what was agreed or
//! with an error that names who is to blame. Who reads, writes and looks at the clock is `drive`.
//!
//! [RFC 6143]: https://www.rfc-editor.org/rfc/rfc6143

#![warn(clippy::indexing_slicing)]

pub mod auth;
pub mod browser;
pub mod chord;
pub mod client_message;
pub mod encoding;
pub mod extended_clipboard;
pub mod gate;
pub mod held_keys;
pub mod host;
pub mod host_gate;
pub mod identity;
pub mod init;
pub mod login;
pub mod pacing;
pub mod peer_text;
pub mod permissions;
pub mod policy;
pub mod repeater;
pub mod security;
pub mod server_message;
pub mod terms;
pub mod version;

use crate::wire::Reader;

/// A handshake as a state machine without I/O.
///
/// The driver feeds it all bytes that have arrived and not been consumed, in any chunks: the
/// outcome is the same.
pub trait Handshake {
    /// What was agreed.
    type Done;
    /// Why nothing was agreed.
    type Error;
    /// How the transport may change in the middle: not at all for [`Infallible`].
    ///
    /// [`Infallible`]: std::convert::Infallible
    type Swap;

    /// Consumes at most one message off the front of `input` and appends what is to be sent.
    ///
    /// What one call appends leaves in one write of its own.
    ///
    /// # Errors
    /// When the peer broke or refused the handshake.
    fn step(
        &mut self,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Step<Self::Done, Self::Swap>, Self::Error>;

    /// Which part of the handshake this is, for deadlines and for the log.
    fn stage(&self) -> Stage;

    /// The error to report when the handshake cannot go on; `unread` is what the last step left.
    fn interrupted(&self, by: Interruption, unread: &[u8]) -> Self::Error;
}

/// What a step came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<D, S> {
    /// The message at the front is not whole yet: call again when more has arrived.
    NeedMore,
    /// A message was handled: send what was appended and call again.
    Again,
    /// Send what was appended, change the transport, and call again. Nothing that came before the
    /// change may be read after it.
    Swap(S),
    /// The handshake is over; what is left of the input belongs to what follows it.
    Done(D),
}

/// The parts of a handshake that have deadlines of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Until the peer's ProtocolVersion is there.
    Version,
    /// Security types, authentication, SecurityResult.
    Security,
    /// A refusal was received; only its words are missing.
    RefusalReason,
    /// ClientInit and ServerInit.
    Init,
}

impl Stage {
    /// The stage in the words of a log line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Security => "security",
            Self::RefusalReason => "refusal reason",
            Self::Init => "init",
        }
    }
}

/// Why the handshake cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// The peer closed the connection, or it broke.
    Closed,
    /// The stage's deadline passed.
    TimedOut,
    /// Bytes from before a change of the transport were left over: somebody may have put them
    /// there to be taken for what is said inside.
    EarlyBytes,
    /// The transport could not be changed.
    Swap(SwapError),
}

/// Why a transport could not be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SwapError {
    /// The peer's certificate does not prove that it is who it should be.
    #[error("the certificate is not accepted: {0}")]
    Certificate(String),
    /// The peer is not the machine that was pinned.
    #[error(transparent)]
    Identity(#[from] identity::Mismatch),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}
