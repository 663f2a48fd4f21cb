//! The sealed messages of RA2, with an EAX of the tests' own (Bellare, Rogaway and Wagner, 2003),
//! made of AES on single blocks and nothing else.

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;

use super::fake_host::Line;

const MAC: usize = 16;
type Block = [u8; 16];

/// One direction.
#[derive(Clone)]
pub struct Cipher {
    aes: Aes,
    count: u128,
}

#[derive(Clone)]
enum Aes {
    Short(Aes128),
    Long(Aes256),
}

impl Cipher {
    /// With a key of 16 or 32 bytes.
    pub fn new(key: &[u8]) -> Self {
        let aes = match key.len() {
            16 => Aes::Short(Aes128::new_from_slice(key).unwrap()),
            _ => Aes::Long(Aes256::new_from_slice(key).unwrap()),
        };
        Self { aes, count: 0 }
    }

    /// The next message: length, ciphertext, MAC.
    pub fn seal(&mut self, text: &[u8]) -> Vec<u8> {
        let head = u16::try_from(text.len()).unwrap().to_be_bytes();
        let nonce = self.next_nonce();
        let sealed = self.aes.counter(nonce, text);
        let mac = self.aes.mac(nonce, &head, &sealed);
        [&head[..], &sealed, &mac].concat()
    }

    /// Opens the next message, or panics: clients under test seal well.
    pub fn open(&mut self, head: &[u8], sealed: &[u8], mac: &[u8]) -> Vec<u8> {
        let nonce = self.next_nonce();
        assert_eq!(self.aes.mac(nonce, head, sealed), mac, "the client's MAC");
        self.aes.counter(nonce, sealed)
    }

    /// Reads the next message.
    pub async fn read(&mut self, line: &mut Line) -> Option<Vec<u8>> {
        let head = line.read(2).await?;
        let len = usize::from(u16::from_be_bytes([head[0], head[1]]));
        assert!(len <= 8192, "servers expect no messages of {len} bytes");
        let sealed = line.read(len).await?;
        Some(self.open(&head, &sealed, &line.read(MAC).await?))
    }

    /// The count as a little-endian number, tweaked as EAX does it.
    fn next_nonce(&mut self) -> Block {
        let nonce = self.count.to_le_bytes();
        self.count += 1;
        self.aes.omac(0, &nonce)
    }
}

impl Aes {
    fn block(&self, block: Block) -> Block {
        let mut block = block.into();
        match self {
            Self::Short(aes) => aes.encrypt_block(&mut block),
            Self::Long(aes) => aes.encrypt_block(&mut block),
        }
        block.into()
    }

    /// OMAC1 of `text` behind a block that holds `tweak`.
    fn omac(&self, tweak: u8, text: &[u8]) -> Block {
        let mut all = vec![0; 15];
        all.push(tweak);
        all.extend_from_slice(text);
        let mut mask = double(u128::from_be_bytes(self.block([0; 16])));
        if !all.len().is_multiple_of(16) {
            mask = double(mask);
            all.push(0x80);
            all.resize(all.len().next_multiple_of(16), 0);
        }
        let blocks = all
            .chunks_exact(16)
            .map(|chunk| u128::from_be_bytes(chunk.try_into().unwrap()));
        let (mut sum, last) = (0, all.len() / 16 - 1);
        for (index, block) in blocks.enumerate() {
            let mask = if index == last { mask } else { 0 };
            sum = u128::from_be_bytes(self.block((sum ^ block ^ mask).to_be_bytes()));
        }
        sum.to_be_bytes()
    }

    /// Counter mode: the same both ways.
    fn counter(&self, start: Block, text: &[u8]) -> Vec<u8> {
        let mut count = u128::from_be_bytes(start);
        let mut out = text.to_vec();
        for chunk in out.chunks_mut(16) {
            let stream = self.block(count.to_be_bytes());
            chunk
                .iter_mut()
                .zip(stream)
                .for_each(|(to, from)| *to ^= from);
            count = count.wrapping_add(1);
        }
        out
    }

    fn mac(&self, nonce: Block, head: &[u8], sealed: &[u8]) -> Block {
        let (head, sealed) = (self.omac(1, head), self.omac(2, sealed));
        std::array::from_fn(|n| nonce[n] ^ head[n] ^ sealed[n])
    }
}

/// Twice a number in the field of 2^128 elements.
fn double(number: u128) -> u128 {
    (number << 1) ^ if number >> 127 == 1 { 0x87 } else { 0 }
}

/// Seals what comes out of `inside` into messages of many sizes, and opens what comes over the
/// connection, until either ends.
pub async fn pump(
    connection: &mut TcpStream,
    inside: &mut DuplexStream,
    mut sealer: Cipher,
    mut opener: Cipher,
) {
    let (mut from_client, mut to_client) = connection.split();
    let (mut from_inside, mut to_inside) = tokio::io::split(inside);
    let down = async {
        let mut sizes = [1, 8192, 18, 65_535, 4093].into_iter().cycle();
        let mut text = vec![0; 65_535];
        loop {
            let size = sizes.next().unwrap();
            let Ok(len @ 1..) = from_inside.read(&mut text[..size]).await else {
                return;
            };
            if to_client
                .write_all(&sealer.seal(&text[..len]))
                .await
                .is_err()
            {
                return;
            }
        }
    };
    let up = async {
        let mut head = [0; 2];
        while from_client.read_exact(&mut head).await.is_ok() {
            let len = usize::from(u16::from_be_bytes(head));
            assert!(len <= 8192, "servers expect no messages of {len} bytes");
            let mut rest = vec![0; len + MAC];
            if from_client.read_exact(&mut rest).await.is_err() {
                return;
            }
            let (sealed, mac) = rest.split_at(len);
            if to_inside
                .write_all(&opener.open(&head, sealed, mac))
                .await
                .is_err()
            {
                return;
            }
        }
    };
    tokio::select! {
        () = down => {}
        () = up => {}
    }
}
