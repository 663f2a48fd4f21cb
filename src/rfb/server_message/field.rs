//! A field that may come in pieces.

use crate::wire::Reader;

/// The bytes of a field that are there while the rest of it is not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Field {
    bytes: [u8; Self::MAX],
    have: usize,
}

impl Field {
    /// The longest field.
    const MAX: usize = Head::MAX;

    /// Whether nothing of a field has come.
    pub(super) const fn is_empty(&self) -> bool {
        self.have == 0
    }

    /// The field of `N` bytes, at most [`Self::MAX`], once it is whole.
    #[inline]
    pub(super) fn take<const N: usize>(&mut self, input: &mut Reader<'_>) -> Option<[u8; N]> {
        const { assert!(N <= Self::MAX) };
        if self.have == 0
            && let Ok(whole) = input.array("field")
        {
            return Some(whole);
        }
        self.gather(N, input);
        let whole = *self.bytes.first_chunk()?;
        (self.have == N).then(|| {
            self.have = 0;
            whole
        })
    }

    /// A message's first bytes: as many as `len` asks for, given those that are there.
    #[inline]
    pub(super) fn take_head<E>(
        &mut self,
        input: &mut Reader<'_>,
        len: impl Fn(&[u8]) -> Result<usize, E>,
    ) -> Result<Option<Head>, E> {
        loop {
            let wanted = len(self.held())?.min(Self::MAX);
            if wanted == self.have {
                self.have = 0;
                return Ok(Some(Head {
                    bytes: self.bytes,
                    len: wanted,
                }));
            }
            self.gather(wanted, input);
            if self.have < wanted {
                return Ok(None);
            }
        }
    }

    /// The bytes of a field that have come.
    #[inline]
    pub(super) fn held(&self) -> &[u8] {
        self.bytes.get(..self.have).unwrap_or_default()
    }

    fn gather(&mut self, len: usize, input: &mut Reader<'_>) {
        let missing = len.saturating_sub(self.have).min(input.rest().len());
        let places = self.bytes.iter_mut().skip(self.have);
        if let Ok(more) = input.bytes(missing, "field") {
            places.zip(more).for_each(|(place, byte)| *place = *byte);
            self.have += missing;
        }
    }
}

/// The first bytes of a message or of a rectangle: enough to know what it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Head {
    bytes: [u8; Self::MAX],
    len: usize,
}

impl Head {
    /// The longest head, in bytes.
    pub const MAX: usize = 12;

    /// A rectangle's header.
    #[inline]
    #[must_use]
    pub const fn of_rectangle(bytes: [u8; 12]) -> Self {
        Self { bytes, len: 12 }
    }
}

impl std::ops::Deref for Head {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl std::fmt::Debug for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&**self, f)
    }
}
