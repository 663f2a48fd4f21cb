//! Why a session was refused or ended: one closed list, one table.
//!
//! Whatever goes wrong anywhere becomes a [`Reason`], and only [`table`] says what a reason means
//! to the outside: the WebSocket close code, the HTTP status where there still is one, whether
//! trying again may help, how loud the log line is, and the words for a person.

mod table;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One refusal or end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A WebSocket was opened without any token.
    TokenMissing,
    /// The token is not one of ours, or somebody changed it.
    TokenInvalid,
    /// The token was good, but its time to connect is over.
    TokenExpired,
    /// The token has opened as many sessions as it may.
    TokenUsed,
    /// Somebody revoked the token, or ended what it had opened.
    TokenRevoked,
    /// The session cannot be resumed: it is over, or the secret is not its.
    ResumeExpired,
    /// Somebody else is at the machine, and one of the two shares with nobody.
    InUse,
    /// What gateways share cannot be asked right now.
    StoreUnavailable,
    /// Nothing is begun that could not be written to the audit log.
    AuditUnavailable,
    /// As many sessions run as the configuration allows.
    LimitReached,
    /// The client's address may not open this console.
    ClientRefused,
    /// The page that opened the WebSocket is not one that may.
    OriginRefused,
    /// The gateway may not connect to the host's address.
    TargetRefused,
    /// The client connects more often than the configuration allows.
    RateLimited,
    /// No address of the host took the connection.
    HostUnreachable,
    /// The host took longer over a step of the handshake than that step may take.
    HostTimeout,
    /// What answered does not speak RFB.
    HostNotRfb,
    /// The host's RFB version is older than 3.3.
    HostVersion,
    /// The host offers only security types that Fanlight does not speak.
    HostNoCommonSecurity,
    /// The host offers TLS without a certificate and nothing else.
    HostTlsAnonymousOnly,
    /// The host's TLS certificate does not prove that it is who it should be.
    HostTlsVerify,
    /// The host is not, or could not prove to be, the machine that it should be.
    HostIdentity,
    /// The host asks for a password and the grant has none.
    HostCredentialsMissing,
    /// The host refused the grant's credentials.
    HostAuthFailed,
    /// The host takes the grant's credentials no second time.
    HostCredentialsSpent,
    /// The host counts too many failed logins and refuses everybody for a while.
    HostTooManyAttempts,
    /// The host refused the connection before authentication, and said why.
    HostRefused,
    /// The host closed the connection.
    HostClosed,
    /// The host broke the RFB protocol.
    HostProtocol,
    /// The host took no byte for longer than a peer may stay silent.
    HostLost,
    /// The browser broke the RFB protocol.
    BrowserProtocol,
    /// The browser did not finish the RFB handshake in time.
    BrowserTimeout,
    /// The browser broke the WebSocket framing ([RFC 6455, 7.4.1], code 1002).
    ///
    /// [RFC 6455, 7.4.1]: https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
    BrowserFraming,
    /// The browser sent a text frame, and RFB is bytes (code 1003).
    BrowserTextFrame,
    /// The browser's close reason or text is not UTF-8 (code 1007).
    BrowserBadUtf8,
    /// The browser announced a frame over the limit (code 1009).
    BrowserFrameTooBig,
    /// The person pressed disconnect.
    BrowserClosed,
    /// The browser is gone: no byte came and none was taken for too long, or its socket broke.
    BrowserLost,
    /// The page was closed, reloaded or left for another.
    BrowserAway,
    /// The person did nothing for too long.
    Idle,
    /// The session lasted as long as it may.
    SessionLimit,
    /// Somebody else took the machine over.
    TakenOver,
    /// The session went on in another tab or window.
    ResumedElsewhere,
    /// The viewer may do something else now, which only a new connection to the host can put into
    /// practice.
    PermissionsChanged,
    /// An administrator ended the session.
    Terminated,
    /// The gateway is being stopped or replaced.
    Draining,
    /// Nobody has spoken for the session for too long: its gateway died, or is cut off.
    GatewayLost,
    /// Fanlight itself failed.
    Internal,
}

/// How loud the one log line about a reason is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// A normal end.
    Info,
    /// Somebody should look if it happens often.
    Warn,
    /// Somebody should look.
    Error,
}

impl Reason {
    /// Every reason, in the order of the enum.
    pub const ALL: [Self; 48] = [
        Self::TokenMissing,
        Self::TokenInvalid,
        Self::TokenExpired,
        Self::TokenUsed,
        Self::TokenRevoked,
        Self::ResumeExpired,
        Self::InUse,
        Self::StoreUnavailable,
        Self::AuditUnavailable,
        Self::LimitReached,
        Self::ClientRefused,
        Self::OriginRefused,
        Self::TargetRefused,
        Self::RateLimited,
        Self::HostUnreachable,
        Self::HostTimeout,
        Self::HostNotRfb,
        Self::HostVersion,
        Self::HostNoCommonSecurity,
        Self::HostTlsAnonymousOnly,
        Self::HostTlsVerify,
        Self::HostIdentity,
        Self::HostCredentialsMissing,
        Self::HostAuthFailed,
        Self::HostCredentialsSpent,
        Self::HostTooManyAttempts,
        Self::HostRefused,
        Self::HostClosed,
        Self::HostProtocol,
        Self::HostLost,
        Self::BrowserProtocol,
        Self::BrowserTimeout,
        Self::BrowserFraming,
        Self::BrowserTextFrame,
        Self::BrowserBadUtf8,
        Self::BrowserFrameTooBig,
        Self::BrowserClosed,
        Self::BrowserLost,
        Self::BrowserAway,
        Self::Idle,
        Self::SessionLimit,
        Self::TakenOver,
        Self::ResumedElsewhere,
        Self::PermissionsChanged,
        Self::Terminated,
        Self::Draining,
        Self::GatewayLost,
        Self::Internal,
    ];

    /// The stable name in logs, metrics, problem documents and the page: `snake_case`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().code
    }

    /// The reason of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The WebSocket close code: 4xxx of our own, or RFC 6455's for framing, 1000 and 1001.
    #[must_use]
    pub const fn close_code(self) -> u16 {
        self.row().close
    }

    /// The HTTP status where the reason can still be answered as HTTP.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        self.row().http
    }

    /// Whether opening the same console again may help.
    #[must_use]
    pub const fn may_retry(self) -> bool {
        self.row().retry
    }

    /// Whether a session that had its picture may come back after this end.
    #[must_use]
    pub const fn may_resume(self) -> bool {
        matches!(
            self,
            Self::HostClosed
                | Self::HostLost
                | Self::BrowserAway
                | Self::BrowserLost
                | Self::PermissionsChanged
                | Self::Draining
                | Self::Internal
        )
    }

    /// How loud the log line is.
    #[must_use]
    pub const fn severity(self) -> Severity {
        self.row().severity
    }

    /// What a person is told: one or two plain sentences.
    #[must_use]
    pub const fn words(self) -> &'static str {
        self.row().words
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code).ok_or_else(|| de::Error::custom("not the code of a reason"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_and_close_codes_are_unique_and_well_formed() {
        let codes: BTreeSet<_> = Reason::ALL.iter().map(|r| r.code()).collect();
        let closes: BTreeSet<_> = Reason::ALL.iter().map(|r| r.close_code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        assert_eq!(closes.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            assert!(
                reason
                    .code()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
            );
            assert!(matches!(reason.close_code(), 1000..=1003 | 1007 | 1009 | 4000..=4999));
            assert!((200..600).contains(&reason.http_status()));
            assert!(
                reason.words().ends_with('.'),
                "{reason}: words are sentences"
            );
        }
    }

    #[test]
    fn the_table_as_the_outside_sees_it() {
        let table: String = Reason::ALL
            .iter()
            .map(|r| {
                let (close, http) = (r.close_code(), r.http_status());
                let retry = if r.may_retry() { "retry" } else { "final" };
                format!(
                    "{} {close} {http} {retry} {:?}: {}\n",
                    r.code(),
                    r.severity(),
                    r.words()
                )
            })
            .collect();
        insta::assert_snapshot!(table);
    }
}
