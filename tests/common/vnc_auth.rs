//! VNC authentication as a host does it, written apart from the gateway's own: the two must agree.

use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit};

/// What a client that knows `password` answers to `challenge` (RFC 6143, 7.2.2): each half
/// encrypted by DES, under the first 8 bytes of the password with the bits of each byte mirrored.
pub fn response(password: &[u8], challenge: [u8; 16]) -> [u8; 16] {
    let mut key = [0; 8];
    for (slot, byte) in key.iter_mut().zip(password) {
        *slot = byte.reverse_bits();
    }
    let des = Des::new(&key.into());
    let mut out = challenge;
    for half in out.chunks_exact_mut(8) {
        let mut block = [0; 8];
        block.copy_from_slice(half);
        let mut block = block.into();
        des.encrypt_block(&mut block);
        half.copy_from_slice(&block);
    }
    out
}
