//! Something short that arrives in pieces.

use std::ops::{Deref, DerefMut};

/// The bytes that are there of something at most `N` bytes long; as a slice by `Deref`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Partial<const N: usize> {
    /// Zero beyond `len`.
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Partial<N> {
    pub(super) const EMPTY: Self = Self {
        bytes: [0; N],
        len: 0,
    };

    /// Takes bytes from `buf[*at..]` until `whole` of them are here, or none are left there. Says
    /// how many it took.
    pub(super) fn fill(&mut self, whole: usize, buf: &[u8], at: &mut usize) -> usize {
        let room = self.bytes.get_mut(self.len..whole).unwrap_or_default();
        let there = buf.get(*at..).unwrap_or_default();
        let mut taken = 0;
        for (to, from) in room.iter_mut().zip(there) {
            *to = *from;
            taken += 1;
        }
        self.len += taken;
        *at += taken;
        taken
    }
}

impl<const N: usize> Deref for Partial<N> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl<const N: usize> DerefMut for Partial<N> {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_what_is_there_and_no_more_than_it_is_told() {
        let (mut partial, mut at) = (Partial::<4>::EMPTY, 1);
        assert_eq!(partial.fill(2, b"_a", &mut at), 1);
        assert_eq!((&*partial, at), (&b"a"[..], 2));
        at = 0;
        assert_eq!(partial.fill(3, b"bcde", &mut at), 2);
        assert_eq!((&*partial, at), (&b"abc"[..], 2));
        assert_eq!(partial.fill(3, b"bcde", &mut at), 0);
    }

    #[test]
    fn beyond_its_size_or_the_buffer_it_takes_nothing() {
        let (mut partial, mut at) = (Partial::<2>::EMPTY, 5);
        assert_eq!(partial.fill(2, b"abc", &mut at), 0);
        at = 0;
        assert_eq!(partial.fill(3, b"abc", &mut at), 0);
        assert_eq!((partial.len(), at), (0, 0));
    }
}
