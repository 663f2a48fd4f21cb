//! RSA-AES, the security types RA2, RA2ne, RA2-256 and RA2ne-256 ([rfbproto, RSA-AES]).
//!
//! ```text
//! HostKey ──> HostRandom ──> HostHash ──> SubType ──┬─ 6, 130: in the clear ──> SecurityResult
//!                                                   └─ 5, 129: in messages ──> Inside ──> SecurityResult
//! ```
//!
//! Both sides show an RSA key and send random bytes to the other's; of these the AES keys are made.
//! Hashes of both keys, sealed, prove that nobody changed the keys on the way. Then the host says
//! whether it wants a user beside the password.
//!
//! A host's key proves who it is only to those who know it: it is put into [`Seen`] and held against
//! a pin. Without a pin whoever stands in between can be the host, and learns the password.
//!
//! [rfbproto, RSA-AES]: https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst#rsa-aes-security-type
//! [`Seen`]: crate::rfb::host::Seen

mod cipher;
mod key;

pub use cipher::{Forged, HEAD_LEN, MAC_LEN, MAX_MESSAGE, MessageCipher, SessionCiphers};
pub use key::{ClientKey, HOST_KEY_BITS, KeyFingerprint, PublicKey, UnfitKey, fingerprint};

use std::mem;

use bytes::BufMut;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::rfb::auth::{Context, Conversation, Stop, Turn};
use crate::rfb::host::{HostError, HostSwap};
use crate::rfb::login::Login;
use crate::rfb::policy::SecurityMethod;
use crate::wire::Reader;

use cipher::Strength;

/// The longest user and the longest password, in bytes: each has one byte for its length.
const MAX_PART: usize = 255;

/// RA2 from the host's key on.
#[derive(Debug)]
pub(super) struct Ra2 {
    strength: Strength,
    /// Whether everything stays in messages to the end of the session.
    to_the_end: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    HostKey,
    HostRandom(PublicKey, Random),
    HostHash(SessionCiphers, Zeroizing<Vec<u8>>),
    SubType(SessionCiphers),
    Inside,
}

/// Our random bytes.
struct Random(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Random {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Random")
    }
}

impl Ra2 {
    pub(super) const fn new(method: SecurityMethod) -> Self {
        Self {
            strength: match method {
                SecurityMethod::Ra2_256 | SecurityMethod::Ra2ne256 => Strength::Bits256,
                _ => Strength::Bits128,
            },
            to_the_end: matches!(method, SecurityMethod::Ra2_256 | SecurityMethod::Ra2),
            state: State::HostKey,
        }
    }

    /// The host shows its key; we show ours, and send our random bytes to the host's.
    fn host_key(
        strength: Strength,
        cx: &mut Context<'_>,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<State, Stop> {
        let key = PublicKey::decode(input)?;
        let fingerprint = key.fingerprint();
        cx.seen.ra2_key = Some(fingerprint);
        fingerprint
            .check(cx.params.ra2_pin)
            .map_err(HostError::from)?;

        let random = random(strength, cx);
        let encrypted = key.encrypt(&random, cx.params.entropy)?;
        out.put_slice(our_key(cx)?.public().wire());
        out.put_u16(u16::try_from(encrypted.len()).unwrap_or_default());
        out.put_slice(&encrypted);
        Ok(State::HostRandom(key, Random(random)))
    }

    /// The host's random bytes are there: the keys are made, and we prove what we were shown.
    fn host_random(
        strength: Strength,
        (host_key, ours): (&PublicKey, &Random),
        cx: &Context<'_>,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<State, Stop> {
        let our_key = our_key(cx)?;
        let len = our_key.encrypted_len();
        if usize::from(input.u16("length of the server's random")?) != len {
            return Err(HostError::Ra2("the random bytes are not encrypted to our key").into());
        }
        let encrypted = input.bytes(len, "server's random")?;
        let host = our_key.decrypt(encrypted, random(strength, cx));
        let mut ciphers = SessionCiphers::new(strength, &host, &ours.0);

        let [host_wire, our_wire] = [host_key, our_key.public()].map(PublicKey::wire);
        ciphers
            .to_host
            .seal(&strength.hash(our_wire, host_wire), out);
        let expected = strength.hash(host_wire, our_wire);
        Ok(State::HostHash(ciphers, expected))
    }

    /// The host says whether it wants a user, and gets what it wants.
    fn sub_type(
        ciphers: &mut SessionCiphers,
        login: &Login,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let wanted = ciphers.from_host.take(input, 1, "RA2 sub-type")?;
        let user = match (wanted.as_slice(), &login.username) {
            ([1], Some(user)) => user.as_bytes(),
            ([1], None) => return Err(HostError::CredentialsMissing.into()),
            ([2], _) => &[],
            _ => return Err(HostError::Ra2("the sub-type means nothing").into()),
        };
        let password = login.password.as_ref();
        let password = password.ok_or(HostError::CredentialsMissing)?.expose();
        let mut credentials = Zeroizing::new(Vec::with_capacity(2 + 2 * MAX_PART));
        for part in [user, password] {
            let len = u8::try_from(part.len()).map_err(|_| HostError::LoginUnfit(MAX_PART))?;
            credentials.put_u8(len);
            credentials.put_slice(part);
        }
        ciphers.to_host.seal(&credentials, out);
        Ok(())
    }
}

fn random(strength: Strength, cx: &Context<'_>) -> Zeroizing<Vec<u8>> {
    let mut random = Zeroizing::new(vec![0; strength.key_len()]);
    (cx.params.entropy)(&mut random);
    random
}

fn our_key<'c>(cx: &'c Context<'_>) -> Result<&'c ClientKey, HostError> {
    // It is not chosen without.
    cx.params
        .ra2_key
        .as_deref()
        .ok_or(HostError::Ra2("we have no key of our own"))
}

impl Conversation for Ra2 {
    fn step(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Turn, Stop> {
        self.state = match &mut self.state {
            State::HostKey => Self::host_key(self.strength, cx, input, out)?,
            State::HostRandom(key, ours) => {
                Self::host_random(self.strength, (key, ours), cx, input, out)?
            }
            State::HostHash(ciphers, expected) => {
                let hash = ciphers
                    .from_host
                    .take(input, expected.len(), "server's hash")?;
                if !bool::from(hash.ct_eq(expected)) {
                    let why =
                        "the host was shown another key than ours, or showed another than its own";
                    return Err(HostError::Ra2(why).into());
                }
                match mem::replace(&mut self.state, State::Inside) {
                    State::HostHash(ciphers, _) => State::SubType(ciphers),
                    other => other,
                }
            }
            State::SubType(ciphers) => {
                Self::sub_type(ciphers, &cx.params.login, input, out)?;
                return Ok(match mem::replace(&mut self.state, State::Inside) {
                    State::SubType(ciphers) if self.to_the_end => {
                        Turn::Swap(HostSwap::Ra2(ciphers))
                    }
                    _ => Turn::Result,
                });
            }
            State::Inside => return Ok(Turn::Result),
        };
        Ok(Turn::Again)
    }
}
