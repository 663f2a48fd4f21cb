//! A host that logs people in by ARD, MS-Logon II, xvp or Tight, written from the protocol's
//! descriptions and apart from the gateway's own code; it can misbehave on the way.

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, KeyInit};
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use des::Des;
use md5::{Digest, Md5};

use super::fake_host::{FakeHost, Line};
use super::net::Family;
use super::rfb_server::{CHALLENGE, server_init, text};
use super::vnc_auth;

/// Who is let in.
pub const USER: &str = "operator";
/// With which password.
pub const PASSWORD: &str = "s3cret12";
/// To which machine, by xvp.
pub const XVP_TARGET: &str = "web-01";
/// Under which name, by a repeater.
pub const REPEATER_ID: &str = "ID:1234";
/// What the desktop is called.
pub const NAME: &str = "a host with logins";

/// How the host logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Type 30.
    Ard,
    /// Type 113.
    MsLogonII,
    /// Type 22.
    Xvp,
    /// Type 16 with a tunnel to decline, and VNC authentication.
    TightVnc,
    /// Type 16 with user and password in the clear.
    TightLogin,
    /// Type 16 with an empty list.
    TightNone,
}

/// How the host misbehaves, or at least surprises.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quirks {
    /// Every byte in a segment of its own.
    pub drip: bool,
    /// Says at once whatever it can say before it hears an answer.
    pub glue: bool,
    /// Closes after so many bytes.
    pub early_eof: Option<usize>,
    /// Is behind a repeater, which has to be told [`REPEATER_ID`].
    pub repeater: bool,
    /// Speaks version 3.7.
    pub version_3_7: bool,
}

impl Way {
    /// Every way.
    pub const ALL: [Self; 6] = [
        Self::Ard,
        Self::MsLogonII,
        Self::Xvp,
        Self::TightVnc,
        Self::TightLogin,
        Self::TightNone,
    ];

    /// The security type's number.
    const fn number(self) -> u8 {
        match self {
            Self::Ard => 30,
            Self::MsLogonII => 113,
            Self::Xvp => 22,
            Self::TightVnc | Self::TightLogin | Self::TightNone => 16,
        }
    }

    /// A host that logs in this way, then keeps the connection and listens.
    pub async fn host(self, quirks: Quirks) -> FakeHost {
        FakeHost::serve(Family::V4, move |line| async move {
            let mut talk = Talk::new(line, quirks);
            if greet(self, &mut talk).await.is_some() {
                talk.line.read_to_end().await;
            }
        })
        .await
    }
}

/// One connection, with the host's quirks.
struct Talk {
    line: Line,
    quirks: Quirks,
    /// How many bytes were sent.
    sent: usize,
    /// Answers that were not waited for.
    owed: Vec<u8>,
}

impl Talk {
    fn new(line: Line, quirks: Quirks) -> Self {
        Self {
            line,
            quirks,
            sent: 0,
            owed: Vec::new(),
        }
    }

    /// Sends bytes; nothing when the connection has to end now.
    async fn say(&mut self, bytes: &[u8]) -> Option<()> {
        let most = self
            .quirks
            .early_eof
            .map_or(usize::MAX, |at| at - self.sent);
        let bytes = &bytes[..bytes.len().min(most)];
        self.sent += bytes.len();
        let size = if self.quirks.drip { 1 } else { bytes.len() };
        for piece in bytes.chunks(size.max(1)) {
            if !self.line.send(piece).await {
                return None;
            }
        }
        (self.quirks.early_eof != Some(self.sent)).then_some(())
    }

    /// Waits for an answer that can only be this one; a host in a hurry does so later.
    async fn expect(&mut self, answer: &[u8]) -> Option<()> {
        self.owed.extend_from_slice(answer);
        if !self.quirks.glue {
            self.hear(0).await?;
        }
        Some(())
    }

    /// Waits for what is owed and `count` bytes more.
    async fn hear(&mut self, count: usize) -> Option<Vec<u8>> {
        let owed = std::mem::take(&mut self.owed);
        assert_eq!(self.line.read(owed.len()).await?, owed);
        self.line.read(count).await
    }
}

/// The whole handshake; `None` when it ended before.
async fn greet(way: Way, talk: &mut Talk) -> Option<()> {
    if talk.quirks.repeater {
        talk.say(b"RFB 000.000\n").await?;
        let mut block = [0; 250];
        block[..REPEATER_ID.len()].copy_from_slice(REPEATER_ID.as_bytes());
        talk.expect(&block).await?;
    }
    let version: &[u8] = if talk.quirks.version_3_7 {
        b"RFB 003.007\n"
    } else {
        b"RFB 003.008\n"
    };
    talk.say(version).await?;
    talk.expect(version).await?;
    talk.say(&[1, way.number()]).await?;
    talk.expect(&[way.number()]).await?;
    let passed = match way {
        Way::Ard => ard(talk).await?,
        Way::MsLogonII => ms_logon(talk).await?,
        Way::Xvp => xvp(talk).await?,
        Way::TightVnc => {
            talk.say(b"\0\0\0\x01\0\0\0\0TGHTNOTUNNEL").await?;
            talk.expect(&[0; 4]).await?;
            talk.say(b"\0\0\0\x02\0\0\0\x82TGHTXTRNAUTH\0\0\0\x02STDVVNCAUTH_")
                .await?;
            talk.expect(&[0, 0, 0, 2]).await?;
            vnc(talk).await?
        }
        Way::TightLogin => {
            talk.say(b"\0\0\0\0\0\0\0\x01\0\0\0\x81TGHTULGNAUTH")
                .await?;
            talk.expect(&[0, 0, 0, 129]).await?;
            let lengths = talk.hear(8).await?;
            let login = talk.hear(usize::from(lengths[3] + lengths[7])).await?;
            let (user, password) = login.split_at(lengths[3].into());
            is_let_in(user, password)
        }
        Way::TightNone => {
            talk.say(&[0; 8]).await?;
            true
        }
    };
    if !passed {
        let words = text(b"Authentication failed");
        talk.say(&[0, 0, 0, 1]).await?;
        if !talk.quirks.version_3_7 {
            talk.say(&words).await?;
        }
        // Whoever closes with something unread resets the connection, and the words with it.
        talk.line.read_to_end().await;
        return None;
    }
    if way != Way::TightNone || !talk.quirks.version_3_7 {
        talk.say(&[0; 4]).await?;
    }
    talk.expect(&[1]).await?;
    talk.say(&server_init((64, 48), NAME)).await?;
    if way.number() == 16 {
        talk.say(b"\0\x01\0\0\0\x01\0\0\0\0\0\x82TGHTFTL_CFDT\0\0\0\x07TGHTTIGHT___")
            .await?;
    }
    talk.hear(0).await.map(drop)
}

fn is_let_in(user: &[u8], password: &[u8]) -> bool {
    user == USER.as_bytes() && password == PASSWORD.as_bytes()
}

async fn vnc(talk: &mut Talk) -> Option<bool> {
    talk.say(&CHALLENGE).await?;
    let response = talk.hear(16).await?;
    Some(response == vnc_auth::response(PASSWORD.as_bytes(), CHALLENGE))
}

async fn xvp(talk: &mut Talk) -> Option<bool> {
    let lengths = talk.hear(2).await?;
    let user = talk.hear(lengths[0].into()).await?;
    let target = talk.hear(lengths[1].into()).await?;
    let passed = vnc(talk).await?;
    Some(passed && user == USER.as_bytes() && target == XVP_TARGET.as_bytes())
}

/// The group of 1024 bits from RFC 2409, 6.2, as macOS has one.
const PRIME: &str = "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74\
                     020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437\
                     4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed\
                     ee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff";

/// The private value of this host, for both key exchanges: any will do.
const PRIVATE: u64 = 0x0123_4567_89ab_cdef;

async fn ard(talk: &mut Talk) -> Option<bool> {
    let prime: Odd<BoxedUint> = Odd::new(BoxedUint::from_be_hex(PRIME, 1024).unwrap()).unwrap();
    let group = BoxedMontyParams::new_vartime(prime);
    let power = |base: BoxedUint| {
        let exponent = BoxedUint::from_be_slice(&PRIVATE.to_be_bytes(), 64).unwrap();
        let base = BoxedMontyForm::new(base, &group);
        base.pow(&exponent).retrieve().to_be_bytes()
    };
    let public = power(BoxedUint::from_be_slice(&[2], 1024).unwrap());
    let prime = data_encoding::HEXLOWER.decode(PRIME.as_bytes()).unwrap();
    talk.say(&[&[0, 2, 0, 128][..], &prime, &public].concat())
        .await?;

    let mut fields = talk.hear(128).await?;
    let theirs = talk.hear(128).await?;
    let shared = power(BoxedUint::from_be_slice(&theirs, 1024).unwrap());
    let cipher = Aes128::new(&Md5::digest(&shared));
    for block in fields.as_chunks_mut::<16>().0 {
        cipher.decrypt_block(block.into());
    }
    let (user, password) = fields.split_at(64);
    Some(is_let_in(until_nul(user), until_nul(password)))
}

/// A prime of 31 bits and a generator, as UltraVNC has them.
const SMALL_PRIME: u64 = 2_147_483_647;
const SMALL_GENERATOR: u64 = 1_073_741_827;

async fn ms_logon(talk: &mut Talk) -> Option<bool> {
    let public = small_power(SMALL_GENERATOR);
    let said = [SMALL_GENERATOR, SMALL_PRIME, public].map(u64::to_be_bytes);
    talk.say(&said.concat()).await?;

    let theirs = talk.hear(8).await?.try_into().unwrap();
    let secret = small_power(u64::from_be_bytes(theirs)).to_be_bytes();
    let cipher = Des::new(&secret.map(u8::reverse_bits).into());
    let mut login = [Vec::new(), Vec::new()];
    for (field, length) in login.iter_mut().zip([256, 64]) {
        *field = talk.hear(length).await?;
        let mut last = secret;
        for block in field.as_chunks_mut::<8>().0 {
            let sealed = *block;
            cipher.decrypt_block(block.into());
            for (byte, last) in block.iter_mut().zip(last) {
                *byte ^= last;
            }
            last = sealed;
        }
    }
    let [user, password] = login;
    Some(is_let_in(until_nul(&user), until_nul(&password)))
}

fn small_power(base: u64) -> u64 {
    let mut power = 1;
    for bit in (0..64).rev() {
        power = power * power % SMALL_PRIME;
        if PRIVATE >> bit & 1 == 1 {
            power = power * (base % SMALL_PRIME) % SMALL_PRIME;
        }
    }
    power
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}
