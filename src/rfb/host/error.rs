//! What can go wrong in a host's handshake, and which reason that is.

use std::fmt;

use crate::reason::Reason;
use crate::rfb::Stage;
use crate::rfb::init::BadServerInit;
use crate::rfb::peer_text::PeerText;
use crate::rfb::security::SecurityType;
use crate::rfb::version::ProtocolVersion;

/// Why a host's handshake came to nothing. Texts of the host are cleaned.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// What was received cannot begin a version line.
    #[error("not an RFB server: it began with \"{0}\"")]
    NotRfb(PeerText),
    /// The version is before 3.3, or a repeater's 0.0.
    #[error("RFB version {0} is not supported")]
    Version(ProtocolVersion),
    /// The host refused before authentication.
    #[error("refused before authentication{}", Said(.0))]
    Refused(Option<PeerText>),
    /// No offered security type is one that we speak.
    #[error("offers only the security types {}", Listed(.0))]
    NoCommonSecurity(Vec<SecurityType>),
    /// VNC authentication is asked for, and the grant has no password.
    #[error("asks for VNC authentication, and the grant has no password")]
    CredentialsMissing,
    /// SecurityResult says that authentication failed.
    #[error("authentication failed{}", Said(.0))]
    AuthFailed(Option<PeerText>),
    /// The host is counting failed attempts and has had enough.
    #[error("too many attempts{}", Said(.0))]
    TooMany(Option<PeerText>),
    /// SecurityResult has a value that means nothing.
    #[error("a SecurityResult of {0} means nothing")]
    BadResult(u32),
    /// ServerInit cannot be taken.
    #[error("bad ServerInit: {0}")]
    BadServerInit(BadServerInit),
    /// The host closed before the handshake was over.
    #[error("closed at stage {}", .0.name())]
    Closed(Stage),
    /// A stage took too long.
    #[error("timed out at stage {}", .0.name())]
    TimedOut(Stage),
}

impl From<&HostError> for Reason {
    fn from(error: &HostError) -> Self {
        match error {
            HostError::NotRfb(_) => Self::HostNotRfb,
            HostError::Version(_) => Self::HostVersion,
            HostError::Refused(_) => Self::HostRefused,
            HostError::NoCommonSecurity(_) => Self::HostNoCommonSecurity,
            HostError::CredentialsMissing => Self::HostCredentialsMissing,
            HostError::AuthFailed(_) => Self::HostAuthFailed,
            HostError::TooMany(_) => Self::HostTooManyAttempts,
            HostError::BadResult(_) | HostError::BadServerInit(_) => Self::HostProtocol,
            HostError::Closed(_) => Self::HostClosed,
            HostError::TimedOut(_) => Self::HostTimeout,
        }
    }
}

impl HostError {
    /// What the host itself said, for the person.
    #[must_use]
    pub const fn said(&self) -> Option<&PeerText> {
        match self {
            Self::Refused(said) | Self::AuthFailed(said) | Self::TooMany(said) => said.as_ref(),
            _ => None,
        }
    }
}

/// `: "words"`, or nothing.
struct Said<'a>(&'a Option<PeerText>);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .as_ref()
            .map_or(Ok(()), |words| write!(f, ": \"{words}\""))
    }
}

/// `18 (TLS), 30 (Apple Remote Desktop)`.
struct Listed<'a>(&'a [SecurityType]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, kind) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{kind}")?;
        }
        Ok(())
    }
}
