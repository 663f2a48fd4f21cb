//! MS-Logon II of UltraVNC, security type 113: Diffie-Hellman with 64 bits, then user and password
//! under DES ([rfbproto, MSLogonII Authentication]).
//!
//! Whoever records it reads the password a little later (CVE-2026-7830), so it counts as showing it.
//!
//! [rfbproto, MSLogonII Authentication]: https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst#mslogonii-authentication

use bytes::BufMut;
use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit};
use zeroize::Zeroizing;

use crate::rfb::auth::field::{self, padded};
use crate::rfb::auth::{Context, Conversation, Stop, Turn};
use crate::rfb::host::HostError;
use crate::wire::Reader;

/// Length of the user's field in bytes, with its final NUL.
const USER_LEN: usize = 256;

/// Length of the password's field in bytes, with its final NUL.
const PASSWORD_LEN: usize = 64;

/// The host sends its parameters, we answer with our public value and the credentials.
#[derive(Debug)]
pub(super) struct MsLogonII;

impl Conversation for MsLogonII {
    fn step(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Turn, Stop> {
        let mut parameters = Reader::new(input.bytes(24, "MS-Logon II parameters")?);
        let generator = parameters.u64("generator")?;
        let modulus = parameters.u64("modulus")?;
        let public = parameters.u64("server public key")?;
        let lively = |number: u64| number > 1 && number < modulus.saturating_sub(1);
        // UltraVNC's moduli have 31 bits: how short one is says nothing here.
        if modulus.is_multiple_of(2) || !lively(generator) || !lively(public) {
            return Err(HostError::WeakKeyExchange.into());
        }

        let mut private = Zeroizing::new([0; 8]);
        (cx.params.entropy)(&mut *private);
        let private = Zeroizing::new(u64::from_be_bytes(*private));
        let secret = Zeroizing::new(power(public, *private, modulus).to_be_bytes());

        let (user, password) = field::user_and_password(&cx.params.login)?;
        let mut user_field = Zeroizing::new([0; USER_LEN]);
        let mut password_field = Zeroizing::new([0; PASSWORD_LEN]);
        (cx.params.entropy)(&mut *user_field);
        (cx.params.entropy)(&mut *password_field);
        padded(&mut *user_field, user)?;
        padded(&mut *password_field, password)?;
        encrypt(&secret, &mut *user_field);
        encrypt(&secret, &mut *password_field);

        out.put_u64(power(generator, *private, modulus));
        out.put_slice(&*user_field);
        out.put_slice(&*password_field);
        Ok(Turn::Result)
    }
}

/// `base` to the power of `exponent`, less all multiples of `modulus`.
fn power(base: u64, mut exponent: u64, modulus: u64) -> u64 {
    let modulus = u128::from(modulus);
    let (mut power, mut square) = (1, u128::from(base) % modulus);
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = power * square % modulus;
        }
        square = square * square % modulus;
        exponent >>= 1;
    }
    u64::try_from(power).unwrap_or_default()
}

/// DES in CBC mode: the secret is the first block to chain with, and with the bits of each byte
/// reversed it is the key.
fn encrypt(secret: &[u8; 8], field: &mut [u8]) {
    let key = Zeroizing::new(secret.map(u8::reverse_bits));
    let cipher = Des::new((&*key).into());
    let mut chained = Zeroizing::new(*secret);
    let (blocks, _) = field.as_chunks_mut::<8>();
    for block in blocks {
        for (byte, chained) in block.iter_mut().zip(*chained) {
            *byte ^= chained;
        }
        cipher.encrypt_block(block.into());
        *chained = *block;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_those_of_arithmetic() {
        let mersenne_61 = (1 << 61) - 1;
        // By Fermat's little theorem.
        assert_eq!(power(3, mersenne_61 - 1, mersenne_61), 1);
        assert_eq!(power(5, mersenne_61, mersenne_61), 5);
        assert_eq!(power(7, 0, 13), 1);
        assert_eq!(power(7, 2, 13), 10);
        let largest_prime = 0xffff_ffff_ffff_ffc5;
        assert_eq!(power(2, largest_prime - 1, largest_prime), 1);
    }

    #[test]
    fn agrees_with_an_independent_des() {
        // openssl enc -des-cbc -nopad -K <bit-reversed secret> -iv <secret>.
        let mut field: [u8; 16] = std::array::from_fn(|n| n as u8);
        encrypt(b"\x01\x23\x45\x67\x89\xab\xcd\xef", &mut field);
        assert_eq!(
            data_encoding::HEXLOWER.encode(&field),
            "acaae6446c2dc80484ea4753040fe409"
        );
    }
}
