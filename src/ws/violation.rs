//! How a peer can break the protocol.

use thiserror::Error;

/// What a peer did that the WebSocket protocol forbids, or that is over our limit.
///
/// The connection cannot be read any further: what the peer meant by the bytes that follow is
/// anybody's guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Violation {
    /// A reserved bit is set, and no extension was agreed on ([5.2]).
    ///
    /// [5.2]: https://www.rfc-editor.org/rfc/rfc6455#section-5.2
    #[error("a reserved bit is set")]
    ReservedBits,
    /// The opcode is one of the reserved ones, 3 to 7 and 11 to 15 ([5.2]).
    ///
    /// [5.2]: https://www.rfc-editor.org/rfc/rfc6455#section-5.2
    #[error("unknown opcode {0}")]
    UnknownOpcode(u8),
    /// The frame is not masked ([5.1]).
    ///
    /// [5.1]: https://www.rfc-editor.org/rfc/rfc6455#section-5.1
    #[error("the frame is not masked")]
    Unmasked,
    /// The frame is masked, and a server's frames are not ([5.1]).
    ///
    /// [5.1]: https://www.rfc-editor.org/rfc/rfc6455#section-5.1
    #[error("the frame is masked")]
    Masked,
    /// A close, ping or pong comes in fragments ([5.5]).
    ///
    /// [5.5]: https://www.rfc-editor.org/rfc/rfc6455#section-5.5
    #[error("a control frame is fragmented")]
    FragmentedControl,
    /// A close, ping or pong announces more than 125 bytes ([5.5]).
    ///
    /// [5.5]: https://www.rfc-editor.org/rfc/rfc6455#section-5.5
    #[error("a control frame is longer than 125 bytes")]
    LongControl,
    /// The length is written in more bytes than it needs ([5.2]).
    ///
    /// [5.2]: https://www.rfc-editor.org/rfc/rfc6455#section-5.2
    #[error("the length is not in its shortest form")]
    LongLength,
    /// The top bit of a 64-bit length is set ([5.2]).
    ///
    /// [5.2]: https://www.rfc-editor.org/rfc/rfc6455#section-5.2
    #[error("the top bit of the length is set")]
    LengthTopBit,
    /// A data frame announces more bytes than [`Decoder::new`](super::Decoder::new) allows.
    #[error("the frame announces {0} bytes, which is over the limit")]
    TooBig(u64),
    /// A continuation frame comes where no message is open ([5.4]).
    ///
    /// [5.4]: https://www.rfc-editor.org/rfc/rfc6455#section-5.4
    #[error("a continuation without a message to continue")]
    OrphanContinuation,
    /// A new message starts inside a fragmented one ([5.4]).
    ///
    /// [5.4]: https://www.rfc-editor.org/rfc/rfc6455#section-5.4
    #[error("a new message inside a fragmented one")]
    InterruptedMessage,
    /// A close payload of one byte: half a code ([5.5.1]).
    ///
    /// [5.5.1]: https://www.rfc-editor.org/rfc/rfc6455#section-5.5.1
    #[error("a close frame with half a code")]
    HalfCloseCode,
    /// A close code that must not be sent ([7.4]).
    ///
    /// [7.4]: https://www.rfc-editor.org/rfc/rfc6455#section-7.4
    #[error("close code {0} must not be sent")]
    CloseCode(u16),
    /// The reason in a close frame is not UTF-8 ([5.5.1]).
    ///
    /// [5.5.1]: https://www.rfc-editor.org/rfc/rfc6455#section-5.5.1
    #[error("the close reason is not UTF-8")]
    CloseReasonUtf8,
    /// Bytes after the close frame ([5.5.1]).
    ///
    /// [5.5.1]: https://www.rfc-editor.org/rfc/rfc6455#section-5.5.1
    #[error("bytes after the close frame")]
    AfterClose,
}

/// What sort of violation it is, as far as the close code tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViolationKind {
    /// The framing is broken (close code 1002).
    Protocol,
    /// What must be UTF-8 is not (close code 1007).
    Utf8,
    /// The frame is over our limit (close code 1009).
    TooBig,
}

impl Violation {
    /// The sort of violation.
    #[must_use]
    pub fn kind(self) -> ViolationKind {
        match self {
            Self::CloseReasonUtf8 => ViolationKind::Utf8,
            Self::TooBig(_) => ViolationKind::TooBig,
            Self::ReservedBits
            | Self::UnknownOpcode(_)
            | Self::Unmasked
            | Self::Masked
            | Self::FragmentedControl
            | Self::LongControl
            | Self::LongLength
            | Self::LengthTopBit
            | Self::OrphanContinuation
            | Self::InterruptedMessage
            | Self::HalfCloseCode
            | Self::CloseCode(_)
            | Self::AfterClose => ViolationKind::Protocol,
        }
    }
}
