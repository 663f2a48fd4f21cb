//! Compressed text on its way to the machine.

use flate2::{Decompress, FlushDecompress, Status};

use crate::rfb::client_message::{Head, Misuse};

/// What the text of a message carries besides: a length for each of sixteen formats, and an end.
const BESIDES: u64 = 16 * 4 + 16;

/// An extended clipboard message with text in it, while it comes in.
#[derive(Debug, Default)]
pub(super) struct Provide {
    head: usize,
    bytes: Vec<u8>,
}

impl Provide {
    /// A message whose length has been allowed.
    pub(super) fn new(head: Head) -> Self {
        let body = usize::try_from(head.body).unwrap_or(0);
        Self {
            head: head.len,
            bytes: Vec::with_capacity(head.len + body),
        }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The whole message.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether there are at most `most` bytes of text in it.
    ///
    /// # Errors
    /// [`Misuse::BadClipboard`] when it is not compressed text at all.
    pub(super) fn fits(&self, most: u32) -> Result<bool, Misuse> {
        fits(self.bytes.get(self.head..).unwrap_or_default(), most)
    }
}

/// Whether `body` inflates to at most `most` bytes of text. It stops where that is exceeded, and
/// keeps nothing of what it inflates.
///
/// # Errors
/// [`Misuse::BadClipboard`] when it is not compressed text at all.
pub(super) fn fits(mut body: &[u8], most: u32) -> Result<bool, Misuse> {
    let mut inflate = Decompress::new(true);
    let mut scratch = [0; 4096];
    while inflate.total_out() <= u64::from(most) + BESIDES {
        let (read, written) = (inflate.total_in(), inflate.total_out());
        let status = inflate
            .decompress(body, &mut scratch, FlushDecompress::None)
            .map_err(|_| Misuse::BadClipboard)?;
        let read = usize::try_from(inflate.total_in() - read).unwrap_or(usize::MAX);
        body = body.get(read..).unwrap_or_default();
        // Viewers flush the stream and do not end it.
        let over = read == 0 && inflate.total_out() == written;
        if status == Status::StreamEnd || over {
            return Ok(inflate.total_out() <= u64::from(most) + BESIDES);
        }
    }
    Ok(false)
}
