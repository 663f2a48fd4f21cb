//! Apple Remote Desktop's way, security type 30: Diffie-Hellman, then user and password under AES
//! ([rfbproto, Diffie-Hellman Authentication]).
//!
//! It keeps the password from whoever listens, and from nobody who can stand in between: the host
//! proves nothing.
//!
//! [rfbproto, Diffie-Hellman Authentication]: https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst#diffie-hellman-authentication

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use bytes::BufMut;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use crate::rfb::auth::field::{self, padded};
use crate::rfb::auth::{Context, Conversation, Stop, Turn};
use crate::rfb::host::HostError;
use crate::wire::Reader;

/// Lengths of a modulus that are taken, in bytes. Shorter ones are broken at leisure, and longer
/// ones are a way to keep us busy: macOS uses the shortest.
const MODULUS_LEN: std::ops::RangeInclusive<usize> = 128..=512;

/// Length of each field of the credentials in bytes, with its final NUL.
const FIELD_LEN: usize = 64;

/// The host sends its parameters, we answer with credentials and our public value.
#[derive(Debug)]
pub(super) struct Ard;

impl Conversation for Ard {
    fn step(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Turn, Stop> {
        let generator = input.array::<2>("generator")?;
        let len = usize::from(input.u16("key length")?);
        if !MODULUS_LEN.contains(&len) {
            return Err(HostError::WeakKeyExchange.into());
        }
        let modulus = input.bytes(len, "prime modulus")?;
        let public = input.bytes(len, "server public key")?;

        let group = Group::new(&generator, modulus).ok_or(HostError::WeakKeyExchange)?;
        let mut private = Zeroizing::new(vec![0; len]);
        (cx.params.entropy)(&mut private);
        let shared = group
            .shared(public, &private)
            .ok_or(HostError::WeakKeyExchange)?;

        let (user, password) = field::user_and_password(&cx.params.login)?;
        let mut fields = Zeroizing::new([0; 2 * FIELD_LEN]);
        (cx.params.entropy)(&mut *fields);
        let (user_field, password_field) = fields.split_at_mut(FIELD_LEN);
        padded(user_field, user)?;
        padded(password_field, password)?;
        encrypt(&shared, &mut *fields);

        out.put_slice(&*fields);
        out.put_slice(&group.public(&private));
        Ok(Turn::Result)
    }
}

/// The numbers that both sides calculate with.
struct Group {
    generator: BoxedUint,
    modulus: BoxedMontyParams,
    /// The modulus less one.
    last: BoxedUint,
    /// Length of the modulus in bytes, as announced.
    len: usize,
}

impl Group {
    /// Nothing for a modulus that is even or has leading zeros, and for a generator of no group.
    fn new(generator: &[u8], modulus: &[u8]) -> Option<Self> {
        if modulus.first() == Some(&0) {
            return None;
        }
        let len = modulus.len();
        let modulus = Option::<Odd<_>>::from(Odd::new(number(modulus, len)?))?;
        let last = modulus.as_ref().wrapping_sub(&number(&[1], len)?);
        let group = Self {
            generator: number(generator, len)?,
            modulus: BoxedMontyParams::new_vartime(modulus),
            last,
            len,
        };
        group.is_lively(&group.generator).then_some(group)
    }

    /// Whether a number is none of those whose powers are all the same, or nearly so.
    fn is_lively(&self, number: &BoxedUint) -> bool {
        let one = BoxedUint::one_with_precision(number.bits_precision());
        *number > one && *number < self.last
    }

    fn public(&self, private: &[u8]) -> Zeroizing<Vec<u8>> {
        self.power(&self.generator, private)
    }

    fn shared(&self, public: &[u8], private: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let public = number(public, self.len)?;
        self.is_lively(&public)
            .then(|| self.power(&public, private))
    }

    /// In constant time, as long as the modulus.
    fn power(&self, base: &BoxedUint, exponent: &[u8]) -> Zeroizing<Vec<u8>> {
        let bits = base.bits_precision();
        let exponent = Zeroizing::new(BoxedUint::from_be_slice_truncated(exponent, bits));
        let base = BoxedMontyForm::new(base.clone(), &self.modulus);
        let power = Zeroizing::new(Zeroizing::new(base.pow(&exponent)).retrieve());
        let bytes = Zeroizing::new(power.to_be_bytes());
        // Whole machine words come out: what is more than the modulus is zeros.
        let more = bytes.len().saturating_sub(self.len);
        Zeroizing::new(bytes.get(more..).unwrap_or_default().to_vec())
    }
}

/// A number of as many bytes as the modulus has.
fn number(bytes: &[u8], len: usize) -> Option<BoxedUint> {
    let bits = u32::try_from(8 * len).ok()?;
    BoxedUint::from_be_slice(bytes, bits).ok()
}

/// AES-128 block by block, under the MD5 of the shared secret.
fn encrypt(shared: &[u8], fields: &mut [u8]) {
    let key = Zeroizing::new(<[u8; 16]>::from(Md5::digest(shared)));
    let cipher = Aes128::new((&*key).into());
    let (blocks, _) = fields.as_chunks_mut::<16>();
    for block in blocks {
        cipher.encrypt_block(block.into());
    }
}
