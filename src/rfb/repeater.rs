//! What an UltraVNC repeater wants to hear before it connects us to a server ([UltraVNC, repeater]).
//!
//! It announces itself as version 0.0, takes one block, and from then on is the server behind it.
//!
//! [UltraVNC, repeater]: https://uvnc.com/docs/uvnc-repeater.html

/// Length of the block in bytes.
pub const BLOCK_LEN: usize = 250;

/// The block that names a server: `ID:1234` for one that has called the repeater under this number
/// (mode II), or `host:port` for one that the repeater calls itself (mode I). Behind it is NUL, at
/// least once, and so there is none for an id of more than 249 bytes or with a NUL of its own.
#[must_use]
pub fn block(id: &str) -> Option<[u8; BLOCK_LEN]> {
    let mut block = [0; BLOCK_LEN];
    let text = block.get_mut(..id.len())?;
    text.copy_from_slice(id.as_bytes());
    (id.len() < BLOCK_LEN && !id.contains('\0')).then_some(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_the_id_and_nul() {
        let longest = "x".repeat(BLOCK_LEN - 1);
        for id in ["ID:1234", "192.0.2.7:5901", "[2001:db8::7]:5900", &longest] {
            let block = block(id).unwrap();
            assert!(block.starts_with(id.as_bytes()));
            assert!(block[id.len()..].iter().all(|byte| *byte == 0));
        }
        for id in ["ID:1\0", &"x".repeat(BLOCK_LEN), &"x".repeat(BLOCK_LEN + 1)] {
            assert_eq!(block(id), None);
        }
    }
}
