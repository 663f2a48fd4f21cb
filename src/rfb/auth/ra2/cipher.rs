//! The messages of RA2 after both sides know each other's random bytes: AES-EAX.
//!
//! ```text
//! u16 length | that many bytes of ciphertext | 16 bytes of MAC
//! ```
//!
//! The length is authenticated as well. The nonce counts the messages of a direction, as a
//! little-endian number of 16 bytes from 0.

use std::fmt;

use aes::{Aes128, Aes256};
use eax::aead::inout::InOutBuf;
use eax::{AeadInOut, Eax, KeyInit};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::rfb::auth::Stop;
use crate::rfb::host::HostError;
use crate::wire::Reader;

/// Length of what is in front of a message's ciphertext, in bytes.
pub const HEAD_LEN: usize = 2;

/// Length of the MAC behind it, in bytes.
pub const MAC_LEN: usize = 16;

/// The longest message that is sealed, in bytes. Others may send up to 65535, and servers in use
/// expect no more than this.
pub const MAX_MESSAGE: usize = 8192;

/// How long keys, random bytes and hashes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strength {
    /// AES-128, SHA-1.
    Bits128,
    /// AES-256, SHA-256.
    Bits256,
}

impl Strength {
    /// Length of the random bytes of each side, and of the keys made of them.
    pub(super) const fn key_len(self) -> usize {
        match self {
            Self::Bits128 => 16,
            Self::Bits256 => 32,
        }
    }

    /// Hashes two texts as one.
    pub(super) fn hash(self, first: &[u8], second: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Self::Bits128 => Sha1::new()
                .chain_update(first)
                .chain_update(second)
                .finalize()
                .to_vec(),
            Self::Bits256 => Sha256::new()
                .chain_update(first)
                .chain_update(second)
                .finalize()
                .to_vec(),
        })
    }
}

/// Both directions of a session.
#[derive(Debug)]
pub struct SessionCiphers {
    /// What we send.
    pub(super) to_host: MessageCipher,
    /// What we receive.
    pub(super) from_host: MessageCipher,
}

impl SessionCiphers {
    /// The keys from the random bytes of both sides.
    pub(super) fn new(strength: Strength, host: &[u8], ours: &[u8]) -> Self {
        Self {
            to_host: MessageCipher::new(strength, host, ours),
            from_host: MessageCipher::new(strength, ours, host),
        }
    }

    /// What seals, and what opens.
    #[must_use]
    pub fn into_parts(self) -> (MessageCipher, MessageCipher) {
        (self.to_host, self.from_host)
    }
}

/// One direction of a session.
pub struct MessageCipher {
    key: Key,
    count: u128,
}

enum Key {
    Aes128(Zeroizing<[u8; 16]>),
    Aes256(Zeroizing<[u8; 32]>),
}

/// A message is not what was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message of RA2 is not what was sealed")]
pub struct Forged;

impl MessageCipher {
    fn new(strength: Strength, first: &[u8], second: &[u8]) -> Self {
        let hash = strength.hash(first, second);
        Self {
            key: match strength {
                Strength::Bits128 => Key::Aes128(front(&hash)),
                Strength::Bits256 => Key::Aes256(front(&hash)),
            },
            count: 0,
        }
    }

    /// Appends the front of `text` as a message, as much as we put into one, and gives its length:
    /// all of a text of at most [`MAX_MESSAGE`].
    pub fn seal(&mut self, text: &[u8], out: &mut Vec<u8>) -> usize {
        let message = text.get(..MAX_MESSAGE).unwrap_or(text);
        self.seal_message(message, out);
        message.len()
    }

    /// Appends `text` as one message, of which it has to be short enough to be one.
    pub(crate) fn seal_message(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let head = u16::try_from(text.len()).unwrap_or_default().to_be_bytes();
        out.reserve(HEAD_LEN + text.len() + MAC_LEN);
        out.extend_from_slice(&head);
        out.extend_from_slice(text);
        let nonce = self.next_nonce();
        let start = out.len() - text.len();
        let body = InOutBuf::from(out.get_mut(start..).unwrap_or_default());
        let mac = match &self.key {
            Key::Aes128(key) => Eax::<Aes128>::new((&**key).into()).encrypt_inout_detached(
                &nonce.into(),
                &head,
                body,
            ),
            Key::Aes256(key) => Eax::<Aes256>::new((&**key).into()).encrypt_inout_detached(
                &nonce.into(),
                &head,
                body,
            ),
        };
        #[expect(
            clippy::expect_used,
            reason = "without it the text would be sent as it is"
        )]
        out.extend_from_slice(&mac.expect("EAX seals everything up to 64 GiB"));
    }

    /// Opens a message without its MAC in place; `head` is its length as it came.
    ///
    /// # Errors
    /// [`Forged`]; the bytes are then as they were, and nothing further can be opened.
    pub fn open(
        &mut self,
        head: [u8; HEAD_LEN],
        body: &mut [u8],
        mac: &[u8; MAC_LEN],
    ) -> Result<(), Forged> {
        let nonce = self.next_nonce();
        let (body, mac) = (InOutBuf::from(body), mac.into());
        let opened = match &self.key {
            Key::Aes128(key) => Eax::<Aes128>::new((&**key).into()).decrypt_inout_detached(
                &nonce.into(),
                &head,
                body,
                mac,
            ),
            Key::Aes256(key) => Eax::<Aes256>::new((&**key).into()).decrypt_inout_detached(
                &nonce.into(),
                &head,
                body,
                mac,
            ),
        };
        opened.map_err(|_| Forged)
    }

    /// Opens the message at the front, which has to be of `len` bytes.
    pub(super) fn take(
        &mut self,
        input: &mut Reader<'_>,
        len: usize,
        field: &'static str,
    ) -> Result<Zeroizing<Vec<u8>>, Stop> {
        let head = input.array::<HEAD_LEN>(field)?;
        if usize::from(u16::from_be_bytes(head)) != len {
            return Err(HostError::Ra2("a message has another length than it must").into());
        }
        let mut text = Zeroizing::new(input.bytes(len, field)?.to_vec());
        let mac = input.array(field)?;
        self.open(head, &mut text, &mac)
            .map_err(|_| HostError::Ra2("a message is not what was sealed"))?;
        Ok(text)
    }

    const fn next_nonce(&mut self) -> [u8; 16] {
        let nonce = self.count.to_le_bytes();
        self.count = self.count.wrapping_add(1);
        nonce
    }
}

/// The front of a hash, which is at least as long.
fn front<const N: usize>(hash: &[u8]) -> Zeroizing<[u8; N]> {
    let mut key = Zeroizing::new([0; N]);
    key.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
    key
}

impl fmt::Debug for MessageCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageCipher")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl SessionCiphers {
        /// Our side and the host's of one session.
        pub(crate) fn both_sides() -> [Self; 2] {
            let host = Self::new(Strength::Bits128, b"the host's", b"our");
            let ours = Self::new(Strength::Bits128, b"the host's", b"our");
            let of_host = Self {
                to_host: host.from_host,
                from_host: host.to_host,
            };
            [ours, of_host]
        }
    }

    fn pair(strength: Strength) -> [SessionCiphers; 2] {
        let (host, ours) = (vec![1; strength.key_len()], vec![2; strength.key_len()]);
        [(); 2].map(|()| SessionCiphers::new(strength, &host, &ours))
    }

    #[test]
    fn what_one_seals_the_other_opens_in_order_and_unchanged() {
        for strength in [Strength::Bits128, Strength::Bits256] {
            let [mut one, mut other] = pair(strength);
            let mut sealed = Vec::new();
            for text in [&b"first"[..], b"", b"third"] {
                assert_eq!(one.to_host.seal(text, &mut sealed), text.len());
            }
            let mut input = Reader::new(&sealed);
            for text in [&b"first"[..], b"", b"third"] {
                let opened = other.to_host.take(&mut input, text.len(), "text").unwrap();
                assert_eq!(&**opened, text);
            }
            assert!(input.is_empty());
        }
    }

    #[test]
    fn a_changed_repeated_or_turned_message_is_not_opened() {
        let strength = Strength::Bits128;
        let mut sealed = Vec::new();
        pair(strength)[0].to_host.seal(b"text", &mut sealed);
        let opens = |cipher: &mut MessageCipher, bytes: &[u8]| {
            cipher.take(&mut Reader::new(bytes), 4, "text").is_ok()
        };
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(!opens(&mut pair(strength)[0].to_host, &changed), "{index}");
        }
        let [mut one, _] = pair(strength);
        assert!(!opens(&mut one.from_host, &sealed), "the other direction");
        assert!(opens(&mut one.to_host, &sealed));
        assert!(!opens(&mut one.to_host, &sealed), "again");
    }

    #[test]
    fn a_long_text_takes_several_messages() {
        let [mut one, _] = pair(Strength::Bits256);
        let mut sealed = Vec::new();
        assert_eq!(
            one.to_host.seal(&[7; MAX_MESSAGE + 1], &mut sealed),
            MAX_MESSAGE
        );
        assert_eq!(sealed.len(), HEAD_LEN + MAX_MESSAGE + MAC_LEN);
    }
}
