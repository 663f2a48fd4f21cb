//! Where one client message ends and the next begins.

use super::{Head, Misuse};

/// A place in the stream of a viewer: a number of bytes that is left of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Splitter {
    body: u32,
}

/// A part of the stream, at the front of what was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A message begins, and its head is there whole.
    Head(Head),
    /// So many bytes, at least one, of the body of the message that began last.
    Body(usize),
    /// Less than a head, or nothing. It is to be shown again together with what comes next.
    NotWhole,
}

impl Splitter {
    /// What is at the front of `bytes`. The stream has moved behind it then, except for
    /// [`Part::NotWhole`].
    ///
    /// # Errors
    /// [`Misuse`]; nothing behind it can be understood.
    pub fn next(&mut self, bytes: &[u8]) -> Result<Part, Misuse> {
        if self.body > 0 && !bytes.is_empty() {
            let left = usize::try_from(self.body).unwrap_or(usize::MAX);
            let here = left.min(bytes.len());
            self.body -= u32::try_from(here).unwrap_or(u32::MAX);
            return Ok(Part::Body(here));
        }
        Ok(match Head::read(bytes)? {
            Some(head) => {
                self.body = head.body;
                Part::Head(head)
            }
            None => Part::NotWhole,
        })
    }

    /// Takes back `bytes` of the body part that came last: they will be shown again.
    pub const fn put_back(&mut self, bytes: u32) {
        self.body += bytes;
    }

    /// How many bytes of a body are to come before the next message can begin.
    #[must_use]
    pub const fn body_left(&self) -> u32 {
        self.body
    }
}
