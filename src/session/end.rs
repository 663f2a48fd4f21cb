//! How a session ends.

use std::io;

use crate::reason::Reason;
use crate::rfb::peer_text::PeerText;
use crate::rfb::security::SecurityType;
use crate::store::Sentence;

/// How a session ended.
#[derive(Clone, Debug)]
pub struct End {
    /// Why, as everybody is told.
    pub reason: Reason,
    /// What the host said about it, as the person is told.
    pub said: Option<PeerText>,
    /// What the gateway says beside the reason's words, as the person is told.
    pub note: Option<String>,
    /// What exactly happened, as the log is told.
    pub detail: String,
    /// The security type that was chosen at the host, where the way there ended behind that.
    pub security: Option<SecurityType>,
    /// Whether opening the same console again may help.
    pub retry: bool,
}

impl End {
    /// An end that has nothing more to say than its reason.
    pub(super) const fn plain(reason: Reason) -> Self {
        Self {
            reason,
            said: None,
            note: None,
            detail: String::new(),
            security: None,
            retry: reason.may_retry(),
        }
    }

    /// An end out of an error, whose words become the detail.
    pub(super) fn because<E>(error: &E) -> Self
    where
        E: std::error::Error,
        Reason: for<'e> From<&'e E>,
    {
        Self {
            detail: error.to_string(),
            ..Self::plain(error.into())
        }
    }

    /// An end with an error's words for the log alone.
    pub(super) fn detailed(reason: Reason, error: &dyn std::error::Error) -> Self {
        Self {
            detail: error.to_string(),
            ..Self::plain(reason)
        }
    }

    /// The end that somebody else decided on.
    pub(super) fn sentenced(sentence: Sentence) -> Self {
        Self {
            note: sentence.note,
            ..Self::plain(sentence.reason)
        }
    }

    /// The end of a host's connection. One that the kernel gave up is lost; any other error is a
    /// host's way of closing.
    pub(super) fn of_host(error: &io::Error) -> Self {
        let reason = match error.kind() {
            io::ErrorKind::TimedOut
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable => Reason::HostLost,
            _ => Reason::HostClosed,
        };
        Self {
            detail: error.to_string(),
            ..Self::plain(reason)
        }
    }
}
