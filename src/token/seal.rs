//! Sealing a grant into a token and opening it again: AES-256-GCM.
//!
//! ```text
//! fl1.<kid>.<base64url(nonce 12 | ciphertext | tag 16)>
//! ```
//!
//! The additional data is the text before the second dot, a NUL and the purpose, so that neither
//! the version, nor the key, nor what the token is for can be exchanged.

use std::fmt;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use crate::clock::UnixTime;
use crate::id::KeyId;
use crate::reason::Reason;
use crate::token::grant::{BadGrant, Grant};
use crate::token::keyring::{Key, KeyRing};

/// The longest token, in bytes: it has to fit into a header line and a URL everywhere.
pub const MAX_TOKEN: usize = 4096;

/// Length of the nonce in bytes.
pub const NONCE_LEN: usize = 12;

/// What every token of this format starts with.
const VERSION: &str = "fl1";

/// What a sealed grant is for. One that was sealed for one purpose opens for no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A token: whoever presents it opens the console.
    Console,
    /// A grant that the store keeps while its session may come back.
    Resume,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Resume => "resume",
        }
    }
}

/// A sealed grant. Whoever has it can open the console, so it prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token's text, for a URL or a header; never for a log.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Why a token does not open. The words are for the log and never repeat the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is longer than [`MAX_TOKEN`].
    #[error("the token is longer than {MAX_TOKEN} bytes")]
    TooLong,
    /// It does not start with the version of our tokens.
    #[error("the token has not the prefix of a Fanlight token")]
    Prefix,
    /// It is cut short or has characters that no token has.
    #[error("the token is truncated or malformed")]
    Malformed,
    /// It was sealed with a key that is not, or no longer, in the ring.
    #[error("the token names key {0}, which is not in the key ring")]
    UnknownKey(KeyId),
    /// A bit of it was changed, or another ring has a key of the same name.
    #[error("the token was altered or sealed with another key")]
    Tampered,
    /// Another version of Fanlight made it.
    #[error("the token opened into something unreadable: {0}")]
    Grant(#[from] BadGrant),
    /// Its time to connect is over.
    #[error("the token expired at {0}")]
    Expired(UnixTime),
}

impl From<&OpenError> for Reason {
    /// "Expired" is only ever said of an expired token; the rest is for the log to tell apart.
    fn from(error: &OpenError) -> Self {
        match error {
            OpenError::Expired(_) => Self::TokenExpired,
            OpenError::TooLong
            | OpenError::Prefix
            | OpenError::Malformed
            | OpenError::UnknownKey(_)
            | OpenError::Tampered
            | OpenError::Grant(_) => Self::TokenInvalid,
        }
    }
}

/// Seals a grant with the ring's first key. `nonce` is fresh random bytes, never used twice.
///
/// # Errors
/// [`BadGrant`] when a part of the grant is over its limit.
pub fn seal(grant: &Grant, ring: &KeyRing, nonce: [u8; NONCE_LEN]) -> Result<Token, BadGrant> {
    seal_for(Purpose::Console, grant, ring, nonce)
}

/// Seals a grant for a purpose: [`seal`].
///
/// # Errors
/// [`BadGrant`] when a part of the grant is over its limit.
pub fn seal_for(
    purpose: Purpose,
    grant: &Grant,
    ring: &KeyRing,
    nonce: [u8; NONCE_LEN],
) -> Result<Token, BadGrant> {
    let key = ring.sealing_key();
    let header = format!("{VERSION}.{}", key.id);
    let mut sealed = grant.encode()?;
    // An error means more than 64 GiB of plaintext; a grant is under 5 KiB.
    cipher(key)
        .encrypt_in_place(
            &Nonce::from(nonce),
            &additional_data(&header, purpose),
            &mut *sealed,
        )
        .map_err(|_| BadGrant::Bad("length"))?;
    let mut bytes = nonce.to_vec();
    bytes.extend_from_slice(&sealed);
    let token = format!("{header}.{}", BASE64URL_NOPAD.encode(&bytes));
    if token.len() > MAX_TOKEN {
        return Err(BadGrant::Bad("length"));
    }
    Ok(Token(token))
}

/// Opens a token for somebody who wants to connect `now`.
///
/// # Errors
/// [`OpenError`]: from the look of it to its expiry, the first thing that is wrong.
pub fn open(token: &str, ring: &KeyRing, now: UnixTime) -> Result<Grant, OpenError> {
    let grant = read(token, ring)?;
    if now > grant.connect_by {
        return Err(OpenError::Expired(grant.connect_by));
    }
    Ok(grant)
}

/// Opens a token only to look at it: an expired one too.
///
/// # Errors
/// [`OpenError`], except [`OpenError::Expired`].
pub fn read(token: &str, ring: &KeyRing) -> Result<Grant, OpenError> {
    read_for(Purpose::Console, token, ring)
}

/// Opens what [`seal_for`] sealed for the same purpose.
///
/// # Errors
/// [`OpenError`], except [`OpenError::Expired`].
pub fn read_for(purpose: Purpose, token: &str, ring: &KeyRing) -> Result<Grant, OpenError> {
    if token.len() > MAX_TOKEN {
        return Err(OpenError::TooLong);
    }
    let (version, rest) = token.split_once('.').ok_or(OpenError::Prefix)?;
    if version != VERSION {
        return Err(OpenError::Prefix);
    }
    let (kid, body) = rest.split_once('.').ok_or(OpenError::Malformed)?;
    let kid: KeyId = kid.parse().map_err(|_| OpenError::Malformed)?;
    let body = BASE64URL_NOPAD
        .decode(body.as_bytes())
        .map_err(|_| OpenError::Malformed)?;
    let (nonce, sealed) = body
        .split_first_chunk::<NONCE_LEN>()
        .ok_or(OpenError::Malformed)?;
    let key = ring.find(kid).ok_or(OpenError::UnknownKey(kid))?;

    let mut plain = Zeroizing::new(sealed.to_vec());
    cipher(key)
        .decrypt_in_place(
            &Nonce::from(*nonce),
            &additional_data(&format!("{version}.{kid}"), purpose),
            &mut *plain,
        )
        .map_err(|_| OpenError::Tampered)?;
    Ok(Grant::decode(&plain)?)
}

fn cipher(key: &Key) -> Aes256Gcm {
    Aes256Gcm::new((&**key.secret()).into())
}

fn additional_data(header: &str, purpose: Purpose) -> Vec<u8> {
    [header.as_bytes(), &[0], purpose.as_str().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::token::grant::tests::usual;

    fn ring(n: u8) -> KeyRing {
        KeyRing::new(Key::new(
            KeyId::from_random([1, 2, 3, n]),
            UnixTime::from_secs(0),
            [n; 32],
        ))
    }

    fn sealed() -> String {
        seal(&usual(), &ring(1), [9; NONCE_LEN])
            .unwrap()
            .as_str()
            .to_owned()
    }

    #[test]
    fn a_grant_that_is_kept_is_no_token() {
        let kept = seal_for(Purpose::Resume, &usual(), &ring(1), [9; NONCE_LEN]).unwrap();
        assert!(read_for(Purpose::Resume, kept.as_str(), &ring(1)).is_ok());
        let opened = read(kept.as_str(), &ring(1));
        assert_eq!(opened.unwrap_err(), OpenError::Tampered);
        let token = read_for(Purpose::Resume, &sealed(), &ring(1));
        assert_eq!(token.unwrap_err(), OpenError::Tampered);
    }

    #[test]
    fn a_sealed_grant_opens_until_it_expires() {
        let grant = usual();
        let token = sealed();
        assert!(token.starts_with("fl1.01020301."));
        let opened = open(&token, &ring(1), grant.connect_by).unwrap();
        assert_eq!(format!("{opened:?}"), format!("{grant:?}"));
        assert_eq!(
            opened.credentials.login.password.unwrap().expose(),
            b"s3cret12"
        );

        let late = grant.connect_by.plus(Duration::from_secs(1));
        let error = open(&token, &ring(1), late).unwrap_err();
        assert_eq!(error, OpenError::Expired(grant.connect_by));
        assert_eq!(Reason::from(&error), Reason::TokenExpired);
        assert!(read(&token, &ring(1)).is_ok());
    }

    #[test]
    fn old_keys_open_and_the_new_key_seals() {
        let rotated = ring(1).rotated(ring(2).sealing_key().clone());
        assert!(open(&sealed(), &rotated, usual().minted_at).is_ok());
        let new = seal(&usual(), &rotated, [9; NONCE_LEN]).unwrap();
        assert!(new.as_str().starts_with("fl1.01020302."));
        let kid = KeyId::from_random([1, 2, 3, 2]);
        assert_eq!(
            read(new.as_str(), &ring(1)).unwrap_err(),
            OpenError::UnknownKey(kid)
        );
    }

    #[test]
    fn each_way_of_being_wrong_is_told_apart() {
        let token = sealed();
        let same_id = KeyRing::new(Key::new(
            ring(1).sealing_key().id,
            UnixTime::from_secs(0),
            [0x55; 32],
        ));
        assert_eq!(read(&token, &same_id).unwrap_err(), OpenError::Tampered);
        assert_eq!(
            read(&"x".repeat(MAX_TOKEN + 1), &ring(1)).unwrap_err(),
            OpenError::TooLong
        );
        for text in [
            "",
            "hello",
            "fl2.01020301.AAAA",
            &token.replace("fl1", "FL1"),
        ] {
            assert_eq!(
                read(text, &ring(1)).unwrap_err(),
                OpenError::Prefix,
                "{text}"
            );
        }
        for text in [
            "fl1.",
            "fl1.01020301",
            "fl1.01020301.AAAA",
            "fl1.0102030G.AAAA",
            "fl1..AAAA",
        ] {
            assert_eq!(
                read(text, &ring(1)).unwrap_err(),
                OpenError::Malformed,
                "{text}"
            );
        }
        assert_eq!(Reason::from(&OpenError::Tampered), Reason::TokenInvalid);
    }

    #[test]
    fn any_flipped_bit_and_any_cut_is_refused() {
        let token = sealed();
        for at in 0..token.len() {
            assert!(read(&token[..at], &ring(1)).is_err(), "cut at {at}");
            for bit in 0..7 {
                let mut bytes = token.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let flipped = String::from_utf8(bytes).unwrap();
                assert!(read(&flipped, &ring(1)).is_err(), "bit {bit} of byte {at}");
            }
        }
        assert!(read(&format!("{token}A"), &ring(1)).is_err());
        assert!(read(&format!("{token}="), &ring(1)).is_err());
    }

    #[test]
    fn a_token_does_not_show_itself() {
        let token = seal(&usual(), &ring(1), [9; NONCE_LEN]).unwrap();
        assert_eq!(format!("{token:?}"), "***");
    }
}
