//! Why a session was refused or ended: one closed list, one table.
//!
//! Whatever goes wrong anywhere becomes a [`Reason`], and only this file says what a reason means
//! to the outside: the WebSocket close code, the HTTP status where there still is one, whether
//! trying again may help, how loud the log line is, and the words for a person.

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
    /// An administrator ended the session.
    Terminated,
    /// The gateway is being stopped or replaced.
    Draining,
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

/// What the outside is told of one reason.
struct Row {
    code: &'static str,
    close: u16,
    http: u16,
    retry: bool,
    severity: Severity,
    words: &'static str,
}

/// A row of the table, short enough to stand on two lines.
const fn row(
    (code, close, http): (&'static str, u16, u16),
    retry: bool,
    severity: Severity,
    words: &'static str,
) -> Row {
    Row {
        code,
        close,
        http,
        retry,
        severity,
        words,
    }
}

impl Reason {
    /// Every reason, in the order of the enum.
    pub const ALL: [Self; 44] = [
        Self::TokenMissing,
        Self::TokenInvalid,
        Self::TokenExpired,
        Self::TokenUsed,
        Self::TokenRevoked,
        Self::ResumeExpired,
        Self::InUse,
        Self::StoreUnavailable,
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
        Self::Terminated,
        Self::Draining,
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

    /// The table. Adding a reason means adding a variant, a line in [`Self::ALL`] and a row here.
    #[rustfmt::skip] // a table reads as a table
    const fn row(self) -> Row {
        use Severity::{Error, Info, Warn};
        match self {
            Self::TokenMissing => row(("token_missing", 4000, 401), false, Info,
                "This address names no console. Open one from your cloud's management page."),
            Self::TokenInvalid => row(("token_invalid", 4001, 403), false, Warn,
                "This console link is not valid. Open the console again from your cloud's management page."),
            Self::TokenExpired => row(("token_expired", 4002, 410), false, Info,
                "This console link has expired. Open the console again from your cloud's management page."),
            Self::TokenUsed => row(("token_used", 4003, 410), false, Info,
                "This console link has been used already. Open the console again from your cloud's management page."),
            Self::TokenRevoked => row(("token_revoked", 4004, 410), false, Info,
                "This console was closed by its management. Open it again from there, if you may."),
            Self::ResumeExpired => row(("resume_expired", 4005, 410), false, Info,
                "This console cannot be continued any more. Open it again from your cloud's management page."),
            Self::InUse => row(("in_use", 4011, 409), true, Info,
                "Somebody else is using this console."),
            Self::StoreUnavailable => row(("store_unavailable", 4012, 503), true, Error,
                "The console gateway cannot check this console right now. Try again in a moment."),
            Self::LimitReached => row(("limit_reached", 4010, 503), true, Warn,
                "Too many consoles are open right now. Try again in a moment."),
            Self::ClientRefused => row(("client_refused", 4020, 403), false, Warn,
                "This console link is meant for another network than yours. Open the console again from your cloud's management page."),
            Self::OriginRefused => row(("origin_refused", 4021, 403), false, Warn,
                "The page that you are on may not open consoles of this gateway. Open the console from your cloud's management page."),
            Self::TargetRefused => row(("target_refused", 4022, 403), false, Warn,
                "This gateway is not allowed to connect to the machine's address (setting targets.allow)."),
            Self::RateLimited => row(("rate_limited", 4023, 429), true, Warn,
                "Consoles are being opened too quickly from your network. Try again in a moment."),
            Self::HostUnreachable => row(("host_unreachable", 4100, 502), true, Warn,
                "The machine's console cannot be reached. The machine may be switched off or moving to another host."),
            Self::HostTimeout => row(("host_timeout", 4101, 504), true, Warn,
                "The machine's console did not answer in time."),
            Self::HostNotRfb => row(("host_not_rfb", 4102, 502), false, Warn,
                "What answered at the machine's address is not a VNC console."),
            Self::HostVersion => row(("host_version", 4103, 502), false, Warn,
                "The machine's console speaks a version of the protocol that is too old."),
            Self::HostNoCommonSecurity => row(("host_no_common_security", 4104, 502), false, Warn,
                "The machine's console asks for a kind of login that this gateway does not support."),
            Self::HostTlsAnonymousOnly => row(("host_tls_anonymous_only", 4113, 502), false, Warn,
                "The machine's console offers only encryption that proves nobody's identity. Its host needs an x509 certificate for VNC."),
            Self::HostTlsVerify => row(("host_tls_verify", 4112, 502), false, Warn,
                "The machine's console could not prove its identity, so the connection was not trusted."),
            Self::HostIdentity => row(("host_identity", 4114, 502), false, Warn,
                "What answered could not prove that it is the machine of this console link, so the connection was not trusted."),
            Self::HostCredentialsMissing => row(("host_credentials_missing", 4105, 502), false, Warn,
                "The machine's console asks for a password and this console link carries none."),
            Self::HostAuthFailed => row(("host_auth_failed", 4106, 502), false, Warn,
                "The machine's console refused the password."),
            Self::HostTooManyAttempts => row(("host_too_many_attempts", 4107, 502), true, Warn,
                "The machine's console has seen too many failed logins and refuses new ones for a while."),
            Self::HostRefused => row(("host_refused", 4108, 502), true, Warn,
                "The machine's console refused the connection."),
            Self::HostClosed => row(("host_closed", 4109, 502), true, Info,
                "The machine closed its console. It may have been switched off or restarted."),
            Self::HostProtocol => row(("host_protocol", 4110, 502), false, Warn,
                "The machine's console sent something that does not belong there."),
            Self::HostLost => row(("host_lost", 4111, 504), true, Warn,
                "The connection to the machine's console was lost."),
            Self::BrowserProtocol => row(("browser_protocol", 4200, 400), false, Warn,
                "The viewer sent something that does not belong there."),
            Self::BrowserTimeout => row(("browser_timeout", 4201, 408), true, Info,
                "The viewer did not answer in time."),
            Self::BrowserFraming => row(("browser_framing", 1002, 400), false, Warn,
                "The viewer broke the WebSocket protocol."),
            Self::BrowserTextFrame => row(("browser_text_frame", 1003, 400), false, Warn,
                "The viewer sent text where only bytes belong."),
            Self::BrowserBadUtf8 => row(("browser_bad_utf8", 1007, 400), false, Warn,
                "The viewer sent text that is not UTF-8."),
            Self::BrowserFrameTooBig => row(("browser_frame_too_big", 1009, 413), false, Warn,
                "The viewer sent more at once than is allowed."),
            Self::BrowserClosed => row(("browser_closed", 1000, 200), true, Info,
                "The console was closed."),
            Self::BrowserLost => row(("browser_lost", 4202, 408), true, Info,
                "The connection to your browser was lost."),
            Self::BrowserAway => row(("browser_away", 4203, 200), true, Info,
                "The page was closed or reloaded."),
            Self::Idle => row(("idle", 4300, 408), false, Info,
                "The console was closed because nobody used it for a while. Open it again from your cloud's management page."),
            Self::SessionLimit => row(("session_limit", 4301, 410), false, Info,
                "The time for this console is over. Open it again from your cloud's management page."),
            Self::TakenOver => row(("taken_over", 4302, 409), false, Info,
                "Somebody else took over this console."),
            Self::ResumedElsewhere => row(("resumed_elsewhere", 4303, 409), false, Info,
                "This console was continued in another tab or window."),
            Self::Terminated => row(("terminated", 4304, 410), false, Info,
                "This console was closed by an administrator."),
            Self::Draining => row(("draining", 1001, 503), true, Info,
                "The console gateway is restarting. Try again in a moment."),
            Self::Internal => row(("internal", 4500, 500), true, Error,
                "The console gateway had a problem of its own. Its log says more."),
        }
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
