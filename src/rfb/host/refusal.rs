//! What a host refuses, and the words in which it does.

use super::HostError;
use crate::rfb::peer_text::PeerText;

/// What the host refused, while its words are still missing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refusal {
    BeforeAuthentication,
    Authentication,
    TooManyAttempts,
}

impl Refusal {
    /// The error, with the words of the host if there are some.
    pub(super) fn with(self, words: &[u8]) -> HostError {
        let said = PeerText::clean(words);
        // Others say it in words where they refuse for other reasons too.
        let locked_out = said
            .as_ref()
            .is_some_and(|said| said.as_str().to_lowercase().contains("too many"));
        match self {
            Self::TooManyAttempts => HostError::TooMany(said),
            _ if locked_out => HostError::TooMany(said),
            Self::BeforeAuthentication => HostError::Refused(said),
            Self::Authentication => HostError::AuthFailed(said),
        }
    }
}
