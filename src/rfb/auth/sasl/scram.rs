//! SCRAM: the host proves that it knows the password, and so do we, without saying it
//! ([RFC 5802], with SHA-256 [RFC 7677]).
//!
//! ```text
//! client-first ──> server-first: nonce, salt, iterations ──> client-final: proof
//!                                                 server-final: signature <──┘
//! ```
//!
//! Without channel binding, since the RFB servers that people have offer none.
//!
//! SASLprep ([RFC 4013]) leaves printable ASCII as it is, and so do we. What is not ASCII is taken
//! as it was given, in UTF-8 and without normalising it (NFKC), which is also what Cyrus SASL does,
//! the library of QEMU and libvirt. Control characters, which SASLprep prohibits, are refused.
//!
//! [RFC 4013]: https://www.rfc-editor.org/rfc/rfc4013
//! [RFC 5802]: https://www.rfc-editor.org/rfc/rfc5802
//! [RFC 7677]: https://www.rfc-editor.org/rfc/rfc7677

use std::ops::RangeInclusive;

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::rfb::auth::sasl::{Mechanism, Message};
use crate::rfb::host::HostError;
use crate::rfb::peer_text::PeerText;
use crate::secret::Secret;

/// Random bytes in our half of the nonce.
const NONCE_LEN: usize = 18;

/// How often the host may have us iterate. Fewer than [RFC 7677, 4] asks for would make our proof
/// an easy riddle for a host that does not know the password; more would cost a core of the gateway
/// long enough for others to notice, which any host could ask for.
///
/// [RFC 7677, 4]: https://www.rfc-editor.org/rfc/rfc7677#section-4
const ITERATIONS: RangeInclusive<u32> = 4096..=100_000;

/// The header that says: no channel binding, and nobody else to act for. In base64 `biws`.
const GS2_HEADER: &str = "n,,";

/// The hash function of a SCRAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
}

impl Hash {
    fn digest(self, data: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
        })
    }

    fn hmac(self, key: &[u8], data: &[u8]) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Sha1 => mac::<Hmac<Sha1>>(key, data),
            Self::Sha256 => mac::<Hmac<Sha256>>(key, data),
        }
    }

    /// `Hi`, which is PBKDF2 with one block of output.
    fn salted(self, password: &[u8], salt: &[u8], iterations: u32) -> Zeroizing<Vec<u8>> {
        let len = match self {
            Self::Sha1 => Sha1::output_size(),
            Self::Sha256 => Sha256::output_size(),
        };
        let mut salted = Zeroizing::new(vec![0; len]);
        match self {
            Self::Sha1 => pbkdf2_hmac::<Sha1>(password, salt, iterations, &mut salted),
            Self::Sha256 => pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut salted),
        }
        salted
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Zeroizing<Vec<u8>> {
    #[expect(clippy::expect_used, reason = "an HMAC's key may have any length")]
    let keyed = <M as KeyInit>::new_from_slice(key).expect("an HMAC takes every key");
    Zeroizing::new(keyed.chain_update(data).finalize().into_bytes().to_vec())
}

/// SCRAM after its first message.
#[derive(Debug)]
pub(super) struct Scram {
    hash: Hash,
    password: Secret,
    state: State,
}

#[derive(Debug)]
enum State {
    ServerFirst { nonce: String, first_bare: String },
    ServerFinal { signature: Zeroizing<Vec<u8>> },
    Satisfied,
}

impl Scram {
    /// Starts with client-first.
    pub(super) fn begin(
        hash: Hash,
        user: &str,
        password: &Secret,
        entropy: fn(&mut [u8]),
    ) -> Result<(Self, Message), HostError> {
        let control = |byte: &u8| byte.is_ascii_control();
        if user.is_empty() || user.as_bytes().iter().chain(password.expose()).any(control) {
            return Err(HostError::CredentialsUnfit);
        }
        let mut random = [0; NONCE_LEN];
        entropy(&mut random);
        Ok(Self::with_nonce(
            hash,
            user,
            password,
            BASE64.encode(&random),
        ))
    }

    fn with_nonce(hash: Hash, user: &str, password: &Secret, nonce: String) -> (Self, Message) {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let first_bare = format!("n={user},r={nonce}");
        let first = format!("{GS2_HEADER}{first_bare}").into_bytes();
        let scram = Self {
            hash,
            password: password.clone(),
            state: State::ServerFirst { nonce, first_bare },
        };
        (scram, Zeroizing::new(first))
    }

    /// From server-first to client-final, and to the signature that the host has to give.
    fn prove(
        &self,
        server: &ServerFirst<'_>,
        messages: [&str; 2],
    ) -> (Message, Zeroizing<Vec<u8>>) {
        let hash = self.hash;
        let password = self.password.expose();
        let salted = hash.salted(password, &server.salt, server.iterations);
        let binding = BASE64.encode(GS2_HEADER.as_bytes());
        let without_proof = format!("c={binding},r={}", server.nonce);
        let [first_bare, server_first] = messages;
        let all = format!("{first_bare},{server_first},{without_proof}");

        let client_key = hash.hmac(&salted, b"Client Key");
        let stored_key = hash.digest(&client_key);
        let client_signature = hash.hmac(&stored_key, all.as_bytes());
        let pairs = client_key.iter().zip(client_signature.iter());
        let proof: Zeroizing<Vec<u8>> = Zeroizing::new(pairs.map(|(a, b)| a ^ b).collect());
        let server_key = hash.hmac(&salted, b"Server Key");
        let signature = hash.hmac(&server_key, all.as_bytes());

        let last = format!("{without_proof},p={}", BASE64.encode(&proof));
        (Zeroizing::new(last.into_bytes()), signature)
    }
}

impl Mechanism for Scram {
    fn answer(&mut self, message: &[u8]) -> Result<Option<Message>, HostError> {
        let text = std::str::from_utf8(message).map_err(|_| BAD_TEXT)?;
        if let Some(error) = text.strip_prefix("e=") {
            return Err(HostError::AuthFailed(PeerText::clean(error.as_bytes())));
        }
        let (next, answer) = match &self.state {
            State::ServerFirst { nonce, first_bare } => {
                let server = ServerFirst::parse(text, nonce)?;
                let (last, signature) = self.prove(&server, [first_bare, text]);
                (State::ServerFinal { signature }, Some(last))
            }
            State::ServerFinal { signature } => {
                let given = text.split(',').next().and_then(|it| it.strip_prefix("v="));
                let given = given.and_then(|it| BASE64.decode(it.as_bytes()).ok());
                let given =
                    given.ok_or(HostError::Sasl("SCRAM's last message has no signature"))?;
                if !bool::from(given.ct_eq(signature)) {
                    return Err(HostError::Unproven);
                }
                (State::Satisfied, None)
            }
            State::Satisfied => return Err(HostError::Sasl("SCRAM goes on behind its end")),
        };
        self.state = next;
        Ok(answer)
    }

    fn is_satisfied(&self) -> bool {
        matches!(self.state, State::Satisfied)
    }
}

const BAD_TEXT: HostError = HostError::Sasl("a message of SCRAM is not UTF-8");
const BAD_FIRST: HostError = HostError::Sasl("SCRAM's first message cannot be read");

/// What the host begins with.
struct ServerFirst<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: u32,
}

impl<'a> ServerFirst<'a> {
    /// Reads `r=…,s=…,i=…` and what extensions may follow, of which none is mandatory.
    fn parse(text: &'a str, ours: &str) -> Result<Self, HostError> {
        let mut attributes = text.split(',');
        let mut next = |name: &str| {
            let attribute = attributes.next().and_then(|it| it.strip_prefix(name));
            attribute.ok_or(BAD_FIRST)
        };
        let (nonce, salt, iterations) = (next("r=")?, next("s=")?, next("i=")?);
        let theirs = nonce.strip_prefix(ours).unwrap_or_default();
        if theirs.is_empty() || !theirs.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(HostError::Sasl("SCRAM's nonce does not continue ours"));
        }
        let salt = BASE64.decode(salt.as_bytes()).map_err(|_| BAD_FIRST)?;
        let iterations = iterations.parse().map_err(|_| BAD_FIRST)?;
        if salt.is_empty() {
            return Err(BAD_FIRST);
        }
        if !ITERATIONS.contains(&iterations) {
            return Err(HostError::Sasl(
                "SCRAM's number of iterations is out of bounds",
            ));
        }
        Ok(Self {
            nonce,
            salt,
            iterations,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Example {
        hash: Hash,
        nonce: &'static str,
        first: &'static str,
        server_first: &'static str,
        last: &'static str,
        server_last: &'static str,
    }

    /// [RFC 5802, 5](https://www.rfc-editor.org/rfc/rfc5802#section-5) and
    /// [RFC 7677, 3](https://www.rfc-editor.org/rfc/rfc7677#section-3): user `user`, password
    /// `pencil`.
    const EXAMPLES: [Example; 2] = [
        Example {
            hash: Hash::Sha1,
            nonce: "fyko+d2lbbFgONRv9qkxdawL",
            first: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
            server_first: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            last: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            server_last: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        },
        Example {
            hash: Hash::Sha256,
            nonce: "rOprNGfwEbeRWgbNEkqO",
            first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
            server_first: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            last: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            server_last: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        },
    ];

    fn begun(example: &Example) -> Scram {
        let password = Secret::new("pencil");
        let nonce = example.nonce.to_owned();
        let (scram, first) = Scram::with_nonce(example.hash, "user", &password, nonce);
        assert_eq!(**first, *example.first.as_bytes());
        scram
    }

    #[test]
    fn the_examples_of_the_rfcs() {
        for example in EXAMPLES {
            let mut scram = begun(&example);
            let last = scram.answer(example.server_first.as_bytes()).unwrap();
            assert_eq!(**last.unwrap(), *example.last.as_bytes());
            assert!(!scram.is_satisfied());
            assert_eq!(scram.answer(example.server_last.as_bytes()), Ok(None));
            assert!(scram.is_satisfied());
            assert!(matches!(scram.answer(b"more"), Err(HostError::Sasl(_))));
        }
    }

    #[test]
    fn a_host_that_does_not_know_the_password_cannot_sign() {
        let [_, example] = EXAMPLES;
        for (signature, expected) in [
            ("v=AAAA", HostError::Unproven),
            ("v=", HostError::Unproven),
            (
                "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
                HostError::Unproven,
            ),
            (
                "e=invalid-proof",
                HostError::AuthFailed(PeerText::clean(b"invalid-proof")),
            ),
            (
                "x=y",
                HostError::Sasl("SCRAM's last message has no signature"),
            ),
        ] {
            let mut scram = begun(&example);
            scram.answer(example.server_first.as_bytes()).unwrap();
            assert_eq!(scram.answer(signature.as_bytes()), Err(expected));
            assert!(!scram.is_satisfied());
        }
    }

    #[test]
    fn what_a_host_may_not_begin_with() {
        let [_, example] = EXAMPLES;
        for server_first in [
            "",
            "r=somebody-else,s=W22Z,i=4096",
            "r=rOprNGfwEbeRWgbNEkqO,s=W22Z,i=4096",
            "r=rOprNGfwEbeRWgbNEkqO\u{7f},s=W22Z,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22Z",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=4095",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=100001",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=99999999999",
            "m=must,r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=4096",
        ] {
            let end = begun(&example).answer(server_first.as_bytes());
            assert!(matches!(end, Err(HostError::Sasl(_))), "{server_first}");
        }
    }

    #[test]
    fn names_are_escaped_and_control_characters_refused() {
        let begin = |user: &str, password: &str| {
            let ones = |bytes: &mut [u8]| bytes.fill(1);
            Scram::begin(Hash::Sha1, user, &Secret::new(password), ones)
        };
        let (_, first) = begin("a=b,c", "päss wörd").unwrap();
        assert_eq!(**first, *b"n,,n=a=3Db=2Cc,r=AQEBAQEBAQEBAQEBAQEBAQEB");
        for (user, password) in [("", "x"), ("a\n", "x"), ("a", "x\0"), ("a", "\x7f")] {
            let refused = begin(user, password).err();
            assert_eq!(refused, Some(HostError::CredentialsUnfit));
        }
    }
}
