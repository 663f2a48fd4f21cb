//! The beginning of something that is not there whole.

use super::ROOM;

/// At most [`ROOM`] bytes, kept for the next buffer.
#[derive(Debug, Default)]
pub(super) struct HeldBack {
    bytes: [u8; ROOM],
    len: usize,
}

impl HeldBack {
    /// Keeps what there is, which is less than a head.
    pub(super) fn keep(&mut self, rest: &[u8]) {
        self.len = rest.len().min(ROOM);
        for (space, byte) in self.bytes.iter_mut().zip(rest) {
            *space = *byte;
        }
    }

    /// Puts it where `buffer`'s room ends, and says where it begins.
    pub(super) fn restore(&mut self, buffer: &mut [u8]) -> usize {
        let start = ROOM - std::mem::take(&mut self.len);
        let room = buffer.get_mut(start..ROOM).unwrap_or_default();
        for (space, byte) in room.iter_mut().zip(self.bytes) {
            *space = byte;
        }
        start
    }
}
