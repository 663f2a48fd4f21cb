//! What a status means that is not the one hoped for.

use std::fmt;

use crate::reason::Reason;
use crate::rfb::peer_text::PeerText;

/// An HTTP server on the way to a host did not let us through.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Refusal {
    /// What it answered: 101, or 200 to 599.
    pub status: u16,
    words: PeerText,
}

impl Refusal {
    /// What it means that a CONNECT is answered so. A VM host says 200 or why not; its other words
    /// are as XAPI means them.
    #[must_use]
    pub fn of_tunnel(status: u16) -> Self {
        Self::new(
            status,
            match status {
                401 => "the session with the machine's host is missing or over",
                403 => "the session with the machine's host does not allow this console",
                404 => "the machine's host knows no address of this console",
                408 | 431 => "the machine's host did not take the request for the console",
                500 => {
                    "the machine does not run on this host; it may be switched off or have moved"
                }
                501 => "the machine's host opens no tunnels",
                503 => "the machine's host allows no more consoles of this machine at a time",
                _ => any(status),
            },
        )
    }

    /// What it means that the opening of a WebSocket is answered so.
    #[must_use]
    pub fn of_websocket(status: u16) -> Self {
        Self::new(
            status,
            match status {
                401 => "the machine's host did not accept the login or ticket",
                403 => "the login or ticket does not allow this console",
                404 | 410 => {
                    "the machine's host does not know this console, or its ticket is used up"
                }
                426 => "the machine's host wants another version of WebSocket",
                500..=599 => "the machine's host cannot open this console now",
                _ => any(status),
            },
        )
    }

    fn new(status: u16, words: &'static str) -> Self {
        Self {
            status,
            words: PeerText::ours(words),
        }
    }

    /// The words for the person.
    #[must_use]
    pub const fn words(&self) -> &PeerText {
        &self.words
    }
}

/// What can be said of any status.
const fn any(status: u16) -> &'static str {
    match status {
        300..=399 => "the machine's host points to another address, which is not followed",
        _ => "the machine's host answered something else than a console",
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (status {})", self.words, self.status)
    }
}

impl From<&Refusal> for Reason {
    fn from(refusal: &Refusal) -> Self {
        match refusal.status {
            401 => Self::HostAuthFailed,
            _ => Self::HostRefused,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_answer_of_a_host_has_its_own_words() {
        let statuses = [302, 401, 403, 404, 418, 500, 501, 503];
        let words: BTreeSet<_> = statuses
            .iter()
            .map(|status| Refusal::of_tunnel(*status).words().to_string())
            .collect();
        assert_eq!(words.len(), statuses.len());
        let over = Refusal::of_tunnel(503);
        assert_eq!(
            over.to_string(),
            "the machine's host allows no more consoles of this machine at a time (status 503)"
        );
        assert_eq!(Reason::from(&over), Reason::HostRefused);
        assert_eq!(
            Reason::from(&Refusal::of_tunnel(401)),
            Reason::HostAuthFailed
        );
        assert_eq!(
            Reason::from(&Refusal::of_websocket(401)),
            Reason::HostAuthFailed
        );
    }
}
