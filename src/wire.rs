//! Reading big-endian bytes that somebody else wrote.
//!
//! Writing needs nothing of our own: `bytes::BufMut` puts big-endian integers into a `Vec<u8>`.

/// A cursor over bytes that cannot read past their end.
///
/// What it hands out it has consumed; on [`Short`] it has consumed nothing of that field.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

/// The bytes ended inside a field.
///
/// For a whole message that is an error; for a stream it says that more has to arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is cut short")]
pub struct Short {
    /// The field that was being read, in the words of its specification.
    pub field: &'static str,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything has been read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// [`Short`] when fewer are there.
    pub fn bytes(&mut self, len: usize, field: &'static str) -> Result<&'a [u8], Short> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Short { field })?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`Short`] when fewer are there.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Short> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Short { field })?;
        self.rest = rest;
        Ok(*taken)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`Short`] at the end.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, Short> {
        self.array(field).map(u8::from_be_bytes)
    }

    /// Two bytes, big-endian.
    ///
    /// # Errors
    /// [`Short`] when fewer are there.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, Short> {
        self.array(field).map(u16::from_be_bytes)
    }

    /// Four bytes, big-endian.
    ///
    /// # Errors
    /// [`Short`] when fewer are there.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, Short> {
        self.array(field).map(u32::from_be_bytes)
    }

    /// Eight bytes, big-endian.
    ///
    /// # Errors
    /// [`Short`] when fewer are there.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, Short> {
        self.array(field).map(u64::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_in_order_and_names_the_field_it_stopped_at() {
        let mut reader = Reader::new(&[1, 0, 2, 0, 0, 0, 3, 9]);
        assert_eq!(reader.u8("one"), Ok(1));
        assert_eq!(reader.u16("two"), Ok(2));
        assert_eq!(reader.u32("three"), Ok(3));
        assert_eq!(reader.u16("four"), Err(Short { field: "four" }));
        assert_eq!(reader.rest(), [9], "a short read consumes nothing");
        assert_eq!(reader.bytes(1, "five"), Ok(&[9][..]));
        assert!(reader.is_empty());
        assert_eq!(
            reader.bytes(usize::MAX, "six").unwrap_err().to_string(),
            "six is cut short"
        );
    }
}
