//! VNC authentication ([RFC 6143, 7.2.2](https://www.rfc-editor.org/rfc/rfc6143#section-7.2.2)).

use std::fmt;

use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit};
use zeroize::Zeroizing;

use crate::rfb::auth::{Context, Conversation, Stop, Turn};
use crate::rfb::host::HostError;
use crate::wire::Reader;

/// Length of the challenge and of the response, in bytes.
pub const CHALLENGE_LEN: usize = 16;

/// How many bytes of a password count; what follows is silently ignored, by every server.
pub const PASSWORD_LEN: usize = 8;

/// What a host wants to have encrypted with the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge(pub [u8; CHALLENGE_LEN]);

/// A challenge encrypted with the password. With both, anybody can try passwords out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Response(pub [u8; CHALLENGE_LEN]);

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The response to a challenge: both of its 8-byte blocks encrypted with DES.
///
/// The key is the first 8 bytes of the password, padded with NUL, each byte with its bits reversed:
/// so did the first implementation, and so do all since.
#[must_use]
pub fn response(password: &[u8], challenge: &[u8; CHALLENGE_LEN]) -> [u8; CHALLENGE_LEN] {
    let mut key = Zeroizing::new([0; PASSWORD_LEN]);
    for (key, byte) in key.iter_mut().zip(password) {
        *key = byte.reverse_bits();
    }
    let cipher = Des::new((&*key).into());
    let mut response = *challenge;
    let (blocks, _) = response.as_chunks_mut::<8>();
    for block in blocks {
        cipher.encrypt_block(block.into());
    }
    response
}

/// The host sends its challenge; we answer, or the viewer does.
#[derive(Debug)]
pub(super) struct Challenged;

impl Conversation for Challenged {
    fn step(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Turn, Stop> {
        let challenge = input.array("challenge")?;
        let login = &cx.params.login;
        match &login.password {
            Some(password) => {
                out.extend_from_slice(&response(password.expose(), &challenge));
                Ok(Turn::Result)
            }
            None if login.relay => Ok(Turn::Ask(Challenge(challenge))),
            None => Err(HostError::CredentialsMissing.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_an_independent_des() {
        // openssl enc -des-ecb -nopad -K <bit-reversed password>, challenge 00 01 … 0f.
        let challenge: [u8; 16] = std::array::from_fn(|n| n as u8);
        let response = response(b"s3cret12", &challenge);
        assert_eq!(
            data_encoding::HEXLOWER.encode(&response),
            "2dbb9e7a1501bfa3c4005539adc58be6"
        );
    }

    #[test]
    fn only_eight_bytes_count_and_short_passwords_are_padded() {
        let challenge = [0x5a; 16];
        assert_eq!(
            response(b"password", &challenge),
            response(b"password-and-more", &challenge)
        );
        assert_eq!(
            response(b"abc", &challenge),
            response(b"abc\0\0\0\0\0", &challenge)
        );
        assert_ne!(
            response(b"", &challenge),
            challenge,
            "an empty password is the zero key"
        );
    }
}
