//! The secret with which a page gets back into its session.
//!
//! ```text
//! <session id, hexadecimal>.<base64url of 32 random bytes>
//! ```
//!
//! The store knows its SHA-256 alone. The page holds it in memory and in `sessionStorage`; it
//! stands in no URL and no cookie.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::id::SessionId;

/// A resume secret. Whoever has it can continue the session, so it prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct ResumeSecret {
    session: SessionId,
    secret: Zeroizing<[u8; 32]>,
}

/// Why a text is no resume secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a resume secret")]
pub struct BadSecret;

impl ResumeSecret {
    /// A new one for a session, out of fresh random bytes.
    #[must_use]
    pub fn new(session: SessionId, random: [u8; 32]) -> Self {
        Self {
            session,
            secret: Zeroizing::new(random),
        }
    }

    /// Reads what [`ResumeSecret::to_text`] wrote.
    ///
    /// # Errors
    /// [`BadSecret`].
    pub fn parse(text: &str) -> Result<Self, BadSecret> {
        let (session, secret) = text.split_once('.').ok_or(BadSecret)?;
        let session = session.parse().map_err(|_| BadSecret)?;
        let decoded = BASE64URL_NOPAD.decode(secret.as_bytes());
        let decoded = Zeroizing::new(decoded.map_err(|_| BadSecret)?);
        let secret = decoded.as_slice().try_into().map_err(|_| BadSecret)?;
        Ok(Self::new(session, secret))
    }

    /// The session that it is for.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// What the store knows of it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(*self.secret).into()
    }

    /// The text for the page, and for nobody else.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let secret = Zeroizing::new(BASE64URL_NOPAD.encode(&*self.secret));
        Zeroizing::new(format!("{}.{}", self.session, *secret))
    }
}

impl fmt::Debug for ResumeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_back_and_shows_itself_to_nobody_else() {
        let secret = ResumeSecret::new(SessionId::from_random([7; 16]), [9; 32]);
        let text = secret.to_text();
        assert_eq!(ResumeSecret::parse(&text), Ok(secret.clone()));
        assert_eq!(format!("{secret:?}"), "***");
        let hash: [u8; 32] = Sha256::digest([9; 32]).into();
        assert_eq!(secret.hash(), hash);
    }

    #[test]
    fn anything_else_is_none() {
        let good = ResumeSecret::new(SessionId::from_random([7; 16]), [9; 32]).to_text();
        for bad in [
            "",
            ".",
            "07.CQ",
            &good[1..],
            &good[..good.len() - 1],
            &format!("{}A", *good),
            &good.replace('.', ":"),
        ] {
            assert_eq!(ResumeSecret::parse(bad), Err(BadSecret), "{bad}");
        }
    }
}
