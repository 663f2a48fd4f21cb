//! The masking of client frames ([RFC 6455, 5.3]).
//!
//! [RFC 6455, 5.3]: https://www.rfc-editor.org/rfc/rfc6455#section-5.3

/// Takes the mask off (or puts it on: it is an XOR) in place.
///
/// `offset` is where in the frame's payload this piece starts, in bytes; it decides which byte of
/// the mask meets the first byte of the piece.
pub fn unmask(payload: &mut [u8], mask: [u8; 4], offset: usize) {
    let mut mask = mask;
    mask.rotate_left(offset % 4);
    // Thirty-two bytes at a time is what the compiler turns into vector instructions by itself.
    let mut wide = [0; 32];
    wide.iter_mut()
        .zip(mask.iter().cycle())
        .for_each(|(wide, mask)| *wide = *mask);
    let (chunks, rest) = payload.as_chunks_mut::<32>();
    for chunk in chunks {
        xor(chunk, &wide);
    }
    xor(rest, &wide);
}

/// `bytes ^= mask`, as far as the shorter of the two goes.
#[inline]
fn xor(bytes: &mut [u8], mask: &[u8; 32]) {
    bytes
        .iter_mut()
        .zip(mask)
        .for_each(|(byte, mask)| *byte ^= mask);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_and_offset_agrees_with_the_definition() {
        let mask = [0x11, 0x22, 0x44, 0x88];
        for offset in 0..9 {
            for len in 0..100_usize {
                let plain: Vec<u8> = (0..len).map(|at| at as u8).collect();
                let expected: Vec<u8> = plain
                    .iter()
                    .enumerate()
                    .map(|(at, byte)| byte ^ mask[(at + offset) % 4])
                    .collect();
                let mut masked = plain;
                unmask(&mut masked, mask, offset);
                assert_eq!(masked, expected, "length {len}, offset {offset}");
            }
        }
    }

    #[test]
    fn the_largest_offset_is_an_offset_too() {
        let mut bytes = [0; 2];
        unmask(&mut bytes, [1, 2, 3, 4], usize::MAX);
        assert_eq!(bytes, [4, 1]);
    }
}
