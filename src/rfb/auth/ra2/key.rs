//! RSA keys as both sides of RA2 show them, and what is encrypted to them: PKCS#1 v1.5
//! ([RFC 8017, 7.2]).
//!
//! [RFC 8017, 7.2]: https://www.rfc-editor.org/rfc/rfc8017#section-7.2

use std::fmt;
use std::ops::RangeInclusive;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use bytes::BufMut;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Integer, Odd};
use sha1::Sha1;
use sha2::Digest;
use zeroize::Zeroizing;

use crate::rfb::auth::Stop;
use crate::rfb::host::HostError;
use crate::rfb::identity::{Fingerprint, Mismatch};
use crate::wire::Reader;

/// How long a host's modulus may be, in bits. RA2 allows 1024 too, which is broken with effort.
pub const HOST_KEY_BITS: RangeInclusive<u32> = 2048..=8192;

/// Length of our own modulus, in bits: as long as it takes, and no longer to calculate with.
const OUR_BITS: u32 = 2048;

/// The longest public exponent that is calculated with, in bits. All keys in use have 65537; a
/// host with a longer one would keep us busy.
const EXPONENT_BITS: u32 = 33;

/// What PKCS#1 v1.5 puts around a message, in bytes: two in front, one behind, eight of padding.
const MIN_PADDING: usize = 11;

/// A public key as it is on the wire: a u32 with the length of the modulus in bits, then modulus
/// and exponent, each in as many bytes as the modulus needs, big-endian.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    wire: Box<[u8]>,
    /// Length of the modulus in bytes.
    len: usize,
}

impl PublicKey {
    /// Reads a host's key.
    pub(super) fn decode(input: &mut Reader<'_>) -> Result<Self, Stop> {
        let bits = input.u32("RSA key length")?;
        if !HOST_KEY_BITS.contains(&bits) {
            return Err(HostError::Ra2KeySize(bits).into());
        }
        let len = usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX);
        let modulus = input.bytes(len, "RSA modulus")?;
        let exponent = input.bytes(len, "RSA exponent")?;
        if modulus.first() == Some(&0) {
            return Err(HostError::Ra2("the RSA key is shorter than it says").into());
        }
        Ok(Self::new(bits, modulus, exponent))
    }

    fn new(bits: u32, modulus: &[u8], exponent: &[u8]) -> Self {
        let mut wire = Vec::with_capacity(4 + 2 * modulus.len());
        wire.put_u32(bits);
        wire.put_slice(modulus);
        wire.put_bytes(0, modulus.len().saturating_sub(exponent.len()));
        wire.put_slice(exponent);
        Self {
            wire: wire.into(),
            len: modulus.len(),
        }
    }

    /// The bytes on the wire, which both sides hash.
    #[must_use]
    pub fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// What people compare and pin.
    #[must_use]
    pub fn fingerprint(&self) -> KeyFingerprint {
        fingerprint(&self.wire)
    }

    /// Encrypts `message` to this key, in as many bytes as its modulus has.
    ///
    /// # Errors
    /// [`HostError::Ra2`] when no such key can exist.
    pub(super) fn encrypt(
        &self,
        message: &[u8],
        entropy: fn(&mut [u8]),
    ) -> Result<Vec<u8>, HostError> {
        self.try_encrypt(message, entropy)
            .ok_or(HostError::Ra2("the RSA key is none"))
    }

    fn try_encrypt(&self, message: &[u8], entropy: fn(&mut [u8])) -> Option<Vec<u8>> {
        let numbers = self.wire.get(4..)?;
        let (modulus, exponent) = numbers.split_at_checked(self.len)?;
        let bits = u32::try_from(8 * self.len).ok()?;
        let number = |bytes: &[u8]| BoxedUint::from_be_slice(bytes, bits).ok();

        let modulus = Option::<Odd<_>>::from(Odd::new(number(modulus)?))?;
        let exponent = number(exponent)?;
        if exponent.bits() > EXPONENT_BITS || exponent.bits() < 2 || exponent.is_even().into() {
            return None;
        }
        let padded = Zeroizing::new(padded(message, self.len, entropy)?);
        let params = BoxedMontyParams::new_vartime(modulus);
        let base = Zeroizing::new(BoxedMontyForm::new(number(&padded)?, &params));
        let power = base.pow_bounded_exp(&exponent, EXPONENT_BITS);
        // Whole machine words come out: what is more than the modulus is zeros.
        let bytes = power.retrieve().to_be_bytes();
        let more = bytes.len().checked_sub(self.len)?;
        bytes.get(more..).map(<[u8]>::to_vec)
    }
}

/// `00 02`, random bytes that are not zero, `00`, the message: `len` bytes in all.
fn padded(message: &[u8], len: usize, entropy: fn(&mut [u8])) -> Option<Vec<u8>> {
    let padding = len.checked_sub(message.len())?;
    if padding < MIN_PADDING {
        return None;
    }
    // Two random bytes make one of 1 to 255, the bias of which is one in 65536.
    let mut random = Zeroizing::new(vec![[0_u8; 2]; padding - 3]);
    entropy(random.as_flattened_mut());
    let mut bytes = Vec::with_capacity(len);
    bytes.put_slice(&[0, 2]);
    let nonzero = |pair: &[u8; 2]| u8::try_from(u16::from_be_bytes(*pair) % 255 + 1).ok();
    bytes.extend(random.iter().filter_map(nonzero));
    bytes.put_u8(0);
    bytes.put_slice(message);
    Some(bytes)
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}

/// What people know an RSA key by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyFingerprint {
    /// SHA-256, which is pinned.
    pub sha256: Fingerprint,
    /// The first 8 bytes of SHA-1, which viewers show.
    pub sha1: [u8; 8],
}

/// The fingerprint of a key by its bytes on the wire: its length, modulus and exponent.
#[must_use]
pub fn fingerprint(wire: &[u8]) -> KeyFingerprint {
    let sha1: [u8; 20] = Sha1::digest(wire).into();
    let mut short = [0; 8];
    short.iter_mut().zip(sha1).for_each(|(to, from)| *to = from);
    KeyFingerprint {
        sha256: Fingerprint::of(wire),
        sha1: short,
    }
}

impl KeyFingerprint {
    /// Holds the key against the pinned one, where there is one.
    ///
    /// # Errors
    /// [`Mismatch::Ra2Key`] when it is another key.
    pub fn check(&self, pin: Option<Fingerprint>) -> Result<(), Mismatch> {
        if pin.is_none_or(|pin| pin == self.sha256) {
            Ok(())
        } else {
            Err(Mismatch::Ra2Key(self.sha256))
        }
    }
}

/// `sha256:` and 64 hexadecimal digits, then what viewers show: 8 pairs of digits with dashes.
impl fmt::Display for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (", self.sha256)?;
        for (index, byte) in self.sha1.iter().enumerate() {
            let dash = if index == 0 { "" } else { "-" };
            write!(f, "{dash}{byte:02x}")?;
        }
        f.write_str(" in viewers)")
    }
}

/// Our own RSA key, of 2048 bits and with the exponent 65537.
pub struct ClientKey {
    private: Pkcs1PrivateDecryptingKey,
    public: PublicKey,
}

/// The key is not one of 2048 bits with the exponent 65537.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RSA key of 2048 bits with the exponent 65537")]
pub struct UnfitKey;

impl ClientKey {
    /// Takes a key over.
    ///
    /// # Errors
    /// [`UnfitKey`].
    pub fn new(private: PrivateDecryptingKey) -> Result<Self, UnfitKey> {
        let der: PublicKeyX509Der<'_> = private.public_key().as_der().map_err(|_| UnfitKey)?;
        let modulus = modulus(der.as_ref()).ok_or(UnfitKey)?;
        let public = PublicKey::new(OUR_BITS, modulus, &[1, 0, 1]);
        let private = Pkcs1PrivateDecryptingKey::new(private).map_err(|_| UnfitKey)?;
        Ok(Self { private, public })
    }

    /// What we show to hosts.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Length of what is encrypted to it, in bytes.
    pub(super) const fn encrypted_len(&self) -> usize {
        self.public.len
    }

    /// Opens what was encrypted to it, which should have the length of `fallback`.
    ///
    /// Where it cannot be opened, or is longer or shorter, it is taken to be `fallback`, which has
    /// to be random: the handshake then fails where it would with a wrong secret, and a host
    /// that plays with the padding of what others were sent learns nothing.
    pub(super) fn decrypt(
        &self,
        encrypted: &[u8],
        fallback: Zeroizing<Vec<u8>>,
    ) -> Zeroizing<Vec<u8>> {
        let mut space = Zeroizing::new(vec![0; self.private.min_output_size()]);
        match self.private.decrypt(encrypted, &mut space) {
            Ok(message) if message.len() == fallback.len() => Zeroizing::new(message.to_vec()),
            _ => fallback,
        }
    }
}

/// The modulus inside a SubjectPublicKeyInfo ([RFC 3279, 2.3.1]) that is as long as our keys
/// are: behind it is the exponent 65537, before it are its tag, its length and a zero for the sign.
///
/// [RFC 3279, 2.3.1]: https://www.rfc-editor.org/rfc/rfc3279#section-2.3.1
fn modulus(der: &[u8]) -> Option<&[u8]> {
    let front = der.strip_suffix(&[2, 3, 1, 0, 1])?;
    let (head, modulus) = front.split_last_chunk::<256>()?;
    head.ends_with(&[2, 0x82, 1, 1, 0])
        .then_some(modulus.as_slice())
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientKey").field(&self.public).finish()
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::{KeySize, Pkcs1PublicEncryptingKey, PublicEncryptingKey};

    use super::*;

    fn key() -> (ClientKey, PublicEncryptingKey) {
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let public = private.public_key();
        (ClientKey::new(private).unwrap(), public)
    }

    fn random(bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }

    #[test]
    fn what_is_encrypted_here_is_opened_by_another_implementation_and_back() {
        let (key, public) = key();
        let fallback = || Zeroizing::new(vec![0xee; 16]);
        for entropy in [
            random as fn(&mut [u8]),
            |bytes| bytes.fill(0),
            |bytes| {
                bytes.fill(0xff);
            },
        ] {
            let encrypted = key.public().encrypt(b"sixteen octets..", entropy).unwrap();
            assert_eq!(encrypted.len(), key.encrypted_len());
            assert_eq!(&**key.decrypt(&encrypted, fallback()), b"sixteen octets..");
        }
        let theirs = Pkcs1PublicEncryptingKey::new(public).unwrap();
        let mut encrypted = vec![0; theirs.ciphertext_size()];
        theirs.encrypt(b"sixteen octets..", &mut encrypted).unwrap();
        assert_eq!(&**key.decrypt(&encrypted, fallback()), b"sixteen octets..");
    }

    #[test]
    fn what_cannot_be_opened_is_taken_to_be_the_fallback() {
        let (key, _) = key();
        let fallback = || Zeroizing::new(vec![0xee; 16]);
        let short = key.public().encrypt(b"short", random).unwrap();
        for encrypted in [vec![0; 256], vec![0xff; 256], vec![1; 3], Vec::new(), short] {
            assert_eq!(key.decrypt(&encrypted, fallback()), fallback());
        }
    }

    #[test]
    fn our_own_key_is_of_one_length() {
        let long = PrivateDecryptingKey::generate(KeySize::Rsa3072).unwrap();
        assert_eq!(ClientKey::new(long).unwrap_err(), UnfitKey);
    }

    fn decode(bits: u32, modulus: &[u8], exponent: &[u8]) -> Result<PublicKey, HostError> {
        let bytes = [&bits.to_be_bytes(), modulus, exponent].concat();
        match PublicKey::decode(&mut Reader::new(&bytes)) {
            Ok(key) => Ok(key),
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::NeedMore) => panic!("{bits} bits are not whole"),
        }
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        let (odd, mut exponent) = (vec![0xff; 256], vec![0; 256]);
        for bits in [0, 1024, 2047, 8193, u32::MAX] {
            assert_eq!(decode(bits, &odd, &odd), Err(HostError::Ra2KeySize(bits)));
        }
        let leading_zero = [&[0], &odd[1..]].concat();
        assert!(matches!(
            decode(2048, &leading_zero, &odd),
            Err(HostError::Ra2(_))
        ));

        let none = Err(HostError::Ra2("the RSA key is none"));
        let mut even = odd.clone();
        even[255] = 0xfe;
        exponent[255] = 3;
        let encrypt = |modulus: &[u8], exponent: &[u8]| {
            decode(2048, modulus, exponent)
                .unwrap()
                .encrypt(&[7; 32], random)
        };
        assert!(encrypt(&odd, &exponent).is_ok());
        assert_eq!(encrypt(&even, &exponent), none);
        for last in [0, 1, 2] {
            exponent[255] = last;
            assert_eq!(encrypt(&odd, &exponent), none, "the exponent {last}");
        }
        assert_eq!(encrypt(&odd, &odd), none, "an exponent of 2048 bits");
    }

    #[test]
    fn the_largest_key_is_taken() {
        let mut exponent = vec![0; 1024];
        exponent[1023] = 3;
        let key = decode(8192, &[0xff; 1024], &exponent).unwrap();
        assert_eq!(key.encrypt(&[7; 16], random).unwrap().len(), 1024);
    }

    #[test]
    fn a_fingerprint_is_shown_as_viewers_show_it_and_held_against_a_pin() {
        // printf abc | sha256sum; printf abc | sha1sum
        let abc = fingerprint(b"abc");
        assert_eq!(
            abc.to_string(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad \
             (a9-99-3e-36-47-06-81-6a in viewers)"
        );
        assert_eq!(abc.check(None), Ok(()));
        assert_eq!(abc.check(Some(abc.sha256)), Ok(()));
        assert_eq!(
            abc.check(Some(Fingerprint::from_bytes([0; 32]))),
            Err(Mismatch::Ra2Key(abc.sha256))
        );
    }
}
