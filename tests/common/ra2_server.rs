//! An RFB server with RSA-AES, security types 5, 6, 129 and 130, written from the protocol's
//! description (rfbproto, RSA-AES) and apart from the gateway's own: the two must agree.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    KeySize, Pkcs1PrivateDecryptingKey, Pkcs1PublicEncryptingKey, PrivateDecryptingKey,
    PublicEncryptingKey, PublicKeyComponents,
};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use tokio::io::duplex;

use super::fake_host::{FakeHost, Line};
use super::net::{Family, Stream};
use super::ra2_message::{Cipher, pump};
use super::rfb_server::{CHALLENGE, server_init, text};
use super::vnc_auth;

/// What the server is like.
#[derive(Clone, Copy, Debug)]
pub struct Ra2Manners {
    /// The security type: 5, 6, 129 or 130.
    pub kind: u8,
    /// The user that it asks for; without one it asks for the password alone.
    pub user: Option<&'static str>,
    /// The password that it asks for.
    pub password: &'static str,
    /// What it does otherwise than it should.
    pub quirk: Quirk,
}

/// What a server does otherwise than most, or than any should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// Nothing.
    None,
    /// Every byte of the handshake is a segment of its own.
    Drip,
    /// Random bytes, hash and sub-type leave in one segment, before the client's hash is there.
    Glue,
    /// It closes after so many bytes of its part of RA2.
    EarlyEof(usize),
    /// It hashes another client's key.
    WrongHash,
    /// Its key has 1024 bits.
    ShortKey,
    /// It asks for a sub-type that means nothing.
    SubType(u8),
    /// A bit of its hash's MAC is wrong.
    Forged,
    /// It takes the password by VNC authentication as well.
    BesideVnc,
}

/// The desktop's name and size.
pub const NAME: &str = "behind RSA";
const SIZE: (u16, u16) = (64, 48);

/// How many bytes lie between the ends of a session and the connection below.
const PIPE: usize = 64 * 1024;

static KEY: LazyLock<PrivateDecryptingKey> =
    LazyLock::new(|| PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap());

impl Ra2Manners {
    /// A server that does everything right.
    pub fn new(kind: u8, user: Option<&'static str>, password: &'static str) -> Self {
        Self {
            kind,
            user,
            password,
            quirk: Quirk::None,
        }
    }

    /// The same server with a quirk.
    pub fn with(self, quirk: Quirk) -> Self {
        Self { quirk, ..self }
    }

    /// SHA-256 of the key that it shows.
    pub fn fingerprint(self) -> [u8; 32] {
        Sha256::digest(public_wire(&KEY)).into()
    }

    /// A host that greets, then keeps the connection and listens.
    pub async fn host(self) -> FakeHost {
        self.host_then(|mut stream| async move {
            let mut sink = tokio::io::sink();
            let _ = tokio::io::copy(&mut stream, &mut sink).await;
        })
        .await
    }

    /// A host that greets, then does `then` with what is said inside.
    pub async fn host_then<F, Served>(self, then: F) -> FakeHost
    where
        F: Fn(Box<dyn Stream>) -> Served + Clone + Send + 'static,
        Served: Future<Output = ()> + Send + 'static,
    {
        FakeHost::serve(Family::V4, move |mut line| {
            let then = then.clone();
            async move {
                let Some(ciphers) = self.greet(&mut line).await else {
                    return;
                };
                let (inside, mut outside) = duplex(PIPE);
                let below = async {
                    match ciphers {
                        Some([sealer, opener]) => {
                            pump(line.stream(), &mut outside, sealer, opener).await;
                        }
                        None => {
                            let _ =
                                tokio::io::copy_bidirectional(line.stream(), &mut outside).await;
                        }
                    }
                    drop(outside);
                };
                tokio::join!(below, then(Box::new(inside)));
                line.read_to_end().await;
            }
        })
        .await
    }

    /// The whole handshake. It ends with the ciphers of both directions (sealing, opening) where
    /// they are still in force, and with `None` when the client leaves or is refused.
    async fn greet(self, line: &mut Line) -> Option<Option<[Cipher; 2]>> {
        self.send(line, b"RFB 003.008\n").await?;
        assert_eq!(line.read(12).await?, b"RFB 003.008\n");
        if self.quirk == Quirk::BesideVnc {
            self.send(line, &[2, self.kind, 2]).await?;
            if line.read(1).await? == [2] {
                return self.greet_by_vnc(line).await;
            }
        } else {
            self.send(line, &[1, self.kind]).await?;
            assert_eq!(line.read(1).await?, [self.kind]);
        }

        let [mut sealer, mut opener] = self.exchange(line).await?;
        let credentials = opener.read(line).await?;
        let good = credentials == self.credentials();
        let stays = matches!(self.kind, 5 | 129);

        let mut result = if good { vec![0; 4] } else { vec![0, 0, 0, 1] };
        if !good {
            result.extend_from_slice(&text(b"Authentication failed"));
        }
        let result = if stays { sealer.seal(&result) } else { result };
        self.send(line, &result).await?;
        if !good {
            return None;
        }
        let init = server_init(SIZE, NAME);
        let (client_init, init) = if stays {
            (opener.read(line).await?, sealer.seal(&init))
        } else {
            (line.read(1).await?, init)
        };
        assert_eq!(client_init, [1], "always shared");
        self.send(line, &init).await?;
        Some(stays.then_some([sealer, opener]))
    }

    /// The handshake from the challenge of VNC authentication on.
    async fn greet_by_vnc(self, line: &mut Line) -> Option<Option<[Cipher; 2]>> {
        self.send(line, &CHALLENGE).await?;
        let response = line.read(16).await?;
        let expected = vnc_auth::response(self.password.as_bytes(), CHALLENGE);
        assert_eq!(response, expected);
        self.send(line, &[0; 4]).await?;
        assert_eq!(line.read(1).await?, [1], "always shared");
        self.send(line, &server_init(SIZE, NAME)).await?;
        Some(None)
    }

    /// Keys, random bytes, hashes and the sub-type.
    async fn exchange(self, line: &mut Line) -> Option<[Cipher; 2]> {
        let ours = if self.quirk == Quirk::ShortKey {
            [&1024_u32.to_be_bytes()[..], &[0xff; 256]].concat()
        } else {
            public_wire(&KEY)
        };
        let mut said = 0;
        self.say(line, &mut said, &ours).await?;

        let theirs = read_key(line).await?;
        let random_len = if self.is_long() { 32 } else { 16 };
        let mut random = vec![0; random_len];
        aws_lc_rs::rand::fill(&mut random).unwrap();
        let client_random = read_random(line, random_len).await?;

        // The client seals with the hash of our random bytes and its own, we with the contrary.
        let mut sealer = Cipher::new(&self.hash(&client_random, &random)[..random_len]);
        let mut opener = Cipher::new(&self.hash(&random, &client_random)[..random_len]);

        let hashed = if self.quirk == Quirk::WrongHash {
            [&theirs[..8], &[0; 508]].concat()
        } else {
            theirs.clone()
        };
        let random = random_message(&theirs, &random);
        let mut hash = sealer.seal(&self.hash(&ours, &hashed));
        if self.quirk == Quirk::Forged {
            *hash.last_mut().unwrap() ^= 1;
        }
        let sub_type = sealer.seal(&[match (self.quirk, self.user) {
            (Quirk::SubType(number), _) => number,
            (_, Some(_)) => 1,
            (_, None) => 2,
        }]);

        let expected = self.hash(&theirs, &ours);
        if self.quirk == Quirk::Glue {
            let all = [random, hash, sub_type].concat();
            self.say(line, &mut said, &all).await?;
            assert_eq!(opener.read(line).await?, expected);
        } else {
            self.say(line, &mut said, &random).await?;
            self.say(line, &mut said, &hash).await?;
            assert_eq!(opener.read(line).await?, expected);
            self.say(line, &mut said, &sub_type).await?;
        }
        Some([sealer, opener])
    }

    /// Says something within RA2, up to where the server may close.
    async fn say(self, line: &mut Line, said: &mut usize, bytes: &[u8]) -> Option<()> {
        let start = *said;
        *said += bytes.len();
        match self.quirk {
            Quirk::EarlyEof(end) if *said >= end => {
                self.send(line, &bytes[..end - start]).await?;
                None
            }
            _ => self.send(line, bytes).await,
        }
    }

    async fn send(self, line: &mut Line, bytes: &[u8]) -> Option<()> {
        if self.quirk != Quirk::Drip {
            return line.send(bytes).await.then_some(());
        }
        for byte in bytes {
            line.send(&[*byte]).await.then_some(())?;
        }
        Some(())
    }

    fn credentials(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in [self.user.unwrap_or_default(), self.password] {
            bytes.push(part.len() as u8);
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }

    fn is_long(self) -> bool {
        self.kind > 6
    }

    fn hash(self, first: &[u8], second: &[u8]) -> Vec<u8> {
        let both = [first, second].concat();
        if self.is_long() {
            Sha256::digest(both).to_vec()
        } else {
            Sha1::digest(both).to_vec()
        }
    }
}

/// The public half as RA2 has it: bits, modulus, exponent, the last two of 256 bytes.
fn public_wire(key: &PrivateDecryptingKey) -> Vec<u8> {
    let der: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    // The DER ends with the modulus and, behind two bytes of head, the exponent 65537.
    let (front, exponent) = der.as_ref().split_last_chunk::<3>().unwrap();
    assert_eq!(*exponent, [1, 0, 1]);
    let (_, modulus) = front[..front.len() - 2].split_last_chunk::<256>().unwrap();
    let bits = 2048_u32.to_be_bytes();
    [&bits[..], modulus, &[0; 253], exponent].concat()
}

/// The client's key as it came.
async fn read_key(line: &mut Line) -> Option<Vec<u8>> {
    let bits = line.read(4).await?;
    assert_eq!(bits, 2048_u32.to_be_bytes(), "the client's key");
    let numbers = line.read(512).await?;
    Some([bits, numbers].concat())
}

/// The client's random bytes, encrypted to our key.
async fn read_random(line: &mut Line, len: usize) -> Option<Vec<u8>> {
    assert_eq!(line.read(2).await?, 256_u16.to_be_bytes());
    let encrypted = line.read(256).await?;
    let key = Pkcs1PrivateDecryptingKey::new(KEY.clone()).unwrap();
    let mut space = vec![0; key.min_output_size()];
    let random = key.decrypt(&encrypted, &mut space).unwrap();
    assert_eq!(random.len(), len);
    Some(random.to_vec())
}

/// Our random bytes, encrypted to the client's key, behind their length.
fn random_message(client_key: &[u8], random: &[u8]) -> Vec<u8> {
    let (n, e) = client_key[4..].split_at(256);
    let first = e.iter().position(|byte| *byte != 0).unwrap();
    let key = PublicKeyComponents { n, e: &e[first..] };
    let key: PublicEncryptingKey = key.try_into().unwrap();
    let key = Pkcs1PublicEncryptingKey::new(key).unwrap();
    let mut encrypted = vec![0; key.ciphertext_size()];
    key.encrypt(random, &mut encrypted).unwrap();
    [&256_u16.to_be_bytes()[..], &encrypted].concat()
}
