//! Buffers that are borrowed while bytes are there and given back when none are.
//!
//! A session at rest holds none of them, so their number follows the traffic and not the sessions.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Length of a buffer in bytes, room for a WebSocket header included: twice as many system calls
/// with half of it, and it is what TLS takes in one write, as four whole records.
pub const BUFFER_LEN: usize = 64 * 1024;

/// How many buffers are kept for the next borrower: 2 MiB of them.
const MAX_FREE: usize = 32;

/// A pool of buffers of [`BUFFER_LEN`] bytes.
#[derive(Debug, Default)]
pub struct Buffers(Mutex<Pool>);

#[derive(Debug, Default)]
struct Pool {
    free: Vec<Box<[u8]>>,
    lent: usize,
}

/// How many buffers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Those that somebody has.
    pub lent: usize,
    /// Those that wait for the next.
    pub free: usize,
}

/// A borrowed buffer, which goes back to its pool when dropped. What it holds is left from others.
#[derive(Debug)]
pub struct Buffer<'p> {
    bytes: Box<[u8]>,
    pool: &'p Buffers,
}

impl Buffers {
    /// Borrows a buffer; makes one when none is free.
    #[must_use]
    pub fn take(&self) -> Buffer<'_> {
        let free = {
            let mut pool = self.pool();
            pool.lent += 1;
            pool.free.pop()
        };
        let bytes = free.unwrap_or_else(|| vec![0; BUFFER_LEN].into_boxed_slice());
        Buffer { bytes, pool: self }
    }

    /// How many there are right now.
    #[must_use]
    pub fn count(&self) -> Count {
        let pool = self.pool();
        Count {
            lent: pool.lent,
            free: pool.free.len(),
        }
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Buffer<'_> {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut pool = self.pool.pool();
        pool.lent -= 1;
        if pool.free.len() < MAX_FREE {
            pool.free.push(bytes);
        }
    }
}

impl Deref for Buffer<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Buffer<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_and_only_so_many_are_kept() {
        let pool = Buffers::default();
        let mut first = pool.take();
        assert_eq!(first.len(), BUFFER_LEN);
        first[0] = 7;
        drop(first);
        assert_eq!(pool.take()[0], 7, "the same buffer again");
        let many: Vec<_> = (0..MAX_FREE + 5).map(|_| pool.take()).collect();
        let lent = many.len();
        assert_eq!(pool.count(), Count { lent, free: 0 });
        drop(many);
        let (lent, free) = (0, MAX_FREE);
        assert_eq!(pool.count(), Count { lent, free });
    }
}
