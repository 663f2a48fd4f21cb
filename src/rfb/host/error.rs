//! What can go wrong in a host's handshake, and which reason that is.

use std::fmt;

use crate::reason::Reason;
use crate::rfb::Stage;
use crate::rfb::identity::Mismatch;
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
    /// What is offered is TLS without a certificate.
    #[error("offers only TLS without a certificate: {}", Listed(.0))]
    AnonymousOnly(Vec<SecurityType>),
    /// What is offered and could be spoken is not allowed.
    #[error("offers only what the policy does not allow: {}", Listed(.0))]
    Forbidden(Vec<SecurityType>),
    /// VeNCrypt is older than 0.2.
    #[error("speaks VeNCrypt {}.{}, and 0.2 is needed", .0[0], .0[1])]
    VeNCryptVersion([u8; 2]),
    /// The host takes back what it offered.
    #[error("refused a VeNCrypt version or sub-type that it had offered")]
    VeNCryptRefused,
    /// A list of Tight is longer than any real one.
    #[error("announces {0} Tight capabilities")]
    TightCapabilities(u32),
    /// Tight insists on a tunnel.
    #[error("insists on a Tight tunnel")]
    TightTunnel,
    /// The host's part of a key exchange hides nothing.
    #[error("offers a key exchange that hides nothing")]
    WeakKeyExchange,
    /// The host's RSA key is so short that it protects nothing, or so long that it keeps us busy.
    #[error("has an RSA key of {0} bits, and 2048 to 8192 are taken")]
    Ra2KeySize(u32),
    /// What is said in RA2 cannot be taken.
    #[error("broke RA2: {0}")]
    Ra2(&'static str),
    /// A part of the login has a NUL in it or more bytes than there is room for.
    #[error("takes no part of a login with a NUL or more than {0} bytes")]
    LoginUnfit(usize),
    /// No offered SASL mechanism is one that we speak.
    #[error("offers only the SASL mechanisms {}", Mechanisms(.0))]
    NoCommonMechanism(Option<PeerText>),
    /// What is said inside SASL cannot be taken.
    #[error("broke SASL: {0}")]
    Sasl(&'static str),
    /// The host let us in without the proof that it knows the password too.
    #[error("did not prove that it knows the password too")]
    Unproven,
    /// A login is asked for, and the grant lacks a part of it.
    #[error("asks for a login that the grant does not have")]
    CredentialsMissing,
    /// The grant's login has characters that this way of logging in cannot carry.
    #[error("the login has characters that this way of logging in cannot carry")]
    CredentialsUnfit,
    /// The host closed on our login, which is how some refuse it.
    #[error("closed instead of answering the login, which is how some hosts refuse it")]
    LoginDropped,
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
    /// The certificate does not prove that the host is who it should be.
    #[error("the certificate is not accepted: {0}")]
    Certificate(String),
    /// The host is another machine than the one that is pinned.
    #[error(transparent)]
    Identity(#[from] Mismatch),
    /// TLS failed in another way.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// Bytes from before the encryption were left to be read inside.
    #[error("bytes from outside the encryption were left to be read inside")]
    EarlyBytes,
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
            HostError::NoCommonSecurity(_)
            | HostError::Forbidden(_)
            | HostError::TightTunnel
            | HostError::NoCommonMechanism(_)
            | HostError::VeNCryptVersion(_)
            | HostError::Ra2KeySize(_) => Self::HostNoCommonSecurity,
            HostError::AnonymousOnly(_) => Self::HostTlsAnonymousOnly,
            HostError::CredentialsMissing => Self::HostCredentialsMissing,
            HostError::LoginUnfit(_) | HostError::CredentialsUnfit => Self::HostAuthFailed,
            HostError::AuthFailed(_) | HostError::LoginDropped => Self::HostAuthFailed,
            HostError::Unproven => Self::HostIdentity,
            HostError::TooMany(_) => Self::HostTooManyAttempts,
            HostError::Certificate(_) => Self::HostTlsVerify,
            HostError::Identity(_) => Self::HostIdentity,
            HostError::BadResult(_)
            | HostError::BadServerInit(_)
            | HostError::Tls(_)
            | HostError::VeNCryptRefused
            | HostError::TightCapabilities(_)
            | HostError::WeakKeyExchange
            | HostError::Sasl(_)
            | HostError::Ra2(_)
            | HostError::EarlyBytes => Self::HostProtocol,
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

/// The host's own list, or that there is nothing in it.
struct Mechanisms<'a>(&'a Option<PeerText>);

impl fmt::Display for Mechanisms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(list) => write!(f, "\"{list}\""),
            None => f.write_str("of an empty list"),
        }
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
