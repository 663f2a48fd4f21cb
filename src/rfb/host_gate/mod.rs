//! What passes from a host to its viewer, where a permission or the pacing of updates needs that somebody
//! looks.
//!
//! The host's bytes go through here in the buffer that they were received into. Heads of messages
//! and rectangles are looked at whole: the part of one that lies at the end of a buffer is held
//! back, fewer than [`ROOM`] bytes, and put in front of what comes next. Payloads pass as they come,
//! and where nothing is dropped, nothing is moved.
//!
//! Two things are dropped. What is not permitted: text from the machine, in either form, and what
//! belongs to the power switch. And what noVNC 1.7.0 cannot take: colour maps, at whose sight it gives
//! up, answers to fences that it did not set, empty updates, behind which it forgets to ask for the
//! next, and whatever it did not ask for. A rectangle cannot be taken out of an update whose number of
//! rectangles has passed already; in its place goes one without area, which nobody sees.
//!
//! One payload is gathered: compressed text, which is inflated before it passes.
//!
//! As long as no permission has needed it and no update is paced, the gate only looks on: everything
//! passes as it is, and a host that cannot be understood is left to its viewer.

mod clipboard;
mod denied;
mod listed;
mod paced;
mod verdict;

use std::ops::Range;

use bytes::BufMut;

use crate::rfb::encoding::Encoding;
use crate::rfb::init::{PixelFormat, ServerInit};
use crate::rfb::pacing::{Pacer, Pacing};
use crate::rfb::permissions::{Clipboard, Permissions};
use crate::rfb::server_message::{Head, LatePixelFormat, Message, Piece, Violation, Walk};
use crate::wire::Reader;
use listed::Listed;

pub use denied::Denied;

/// How many bytes a buffer must have free in front of what was received.
pub const ROOM: usize = Head::MAX;

/// A Raw rectangle without area: the place that nobody sees.
const NOTHING: [u8; 12] = [0; 12];

/// The gate of one session.
#[derive(Debug)]
pub struct HostGate {
    walk: Walk,
    listed: Listed,
    permissions: Permissions,
    /// Whether the permissions have needed it at any time.
    needed: bool,
    /// What happens to the payload of what began last.
    fate: Fate,
    /// Whether an update was dropped that the viewer takes for the answer to its request.
    owes_update: bool,
    in_update: bool,
    pacer: Pacer,
    /// Whether the host has taken up QEMU's extension for keys.
    places: bool,
    /// Whether the host could not be understood, and may say what it likes.
    lost: bool,
}

/// What happens to a message or a rectangle.
#[derive(Debug)]
enum Fate {
    Pass,
    Drop,
    /// It passes if what it contains may: as much of the message as has come.
    Gather(Vec<u8>),
}

/// What the next piece is, without the bytes that it lies in.
enum Next {
    Nothing,
    Message(Message, Head),
    Rectangle(Encoding, Head),
    Payload(usize),
}

impl HostGate {
    /// A gate at the beginning of a host's stream, behind ServerInit.
    ///
    /// # Errors
    /// [`Violation`] when the host has pixels of a size that RFB does not have.
    pub fn new(init: &ServerInit, permissions: Permissions) -> Result<Self, Violation> {
        Ok(Self {
            walk: Walk::new(init)?,
            listed: Listed::default(),
            permissions: permissions.effective(),
            needed: Self::is_needed(permissions),
            fate: Fate::Pass,
            owes_update: false,
            in_update: false,
            pacer: Pacer::new(Pacing::Off),
            places: false,
            lost: false,
        })
    }

    /// The same, which paces updates.
    #[must_use]
    pub fn pacing(self, pacing: Pacing) -> Self {
        let pacer = Pacer::new(pacing);
        Self { pacer, ..self }
    }

    /// Whether somebody has to look at what a host says under these permissions.
    #[must_use]
    pub fn is_needed(permissions: Permissions) -> bool {
        permissions.effective().clipboard.from_machine != Clipboard::UNBOUNDED
    }

    /// Other permissions, from the next message on. Whether they can be put into practice: not where
    /// the host is no longer followed and has to be.
    pub fn permit(&mut self, permissions: Permissions) -> bool {
        self.permissions = permissions.effective();
        self.needed |= Self::is_needed(permissions);
        !(self.lost && self.needed)
    }

    /// Takes in that the viewer has set a pixel format.
    ///
    /// # Errors
    /// [`LatePixelFormat`].
    pub fn set_pixel_format(&mut self, format: &PixelFormat) -> Result<(), LatePixelFormat> {
        self.walk.set_pixel_format(format)
    }

    /// Takes in that the viewer has listed an encoding.
    pub fn list(&mut self, encoding: Encoding) {
        self.walk.pin_pixel_format();
        self.listed.add(encoding);
    }

    /// Takes in that the viewer asks for an update, of what has changed or of everything; whether the
    /// host is to get that.
    pub const fn note_request(&mut self, incremental: bool) -> bool {
        self.walk.pin_pixel_format();
        self.pacer.note_request(incremental)
    }

    /// Whether this gate has never been needed and will not be for pacing: then it may be left out
    /// from here on.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.lost || !self.needed && self.pacer.is_plain() && self.is_between_messages()
    }

    /// Whether nothing of what the host says may be changed.
    fn looks_on(&self) -> bool {
        !self.needed && !self.pacer.is_ours()
    }

    /// Whether the host is to be asked for an update: because one was dropped that the viewer takes for
    /// the answer to its request, or because it is time for one.
    #[must_use]
    pub fn owes_update(&self) -> bool {
        self.owes_update || self.pacer.wants_update()
    }

    /// Whether the host takes keys by their place.
    #[must_use]
    pub const fn knows_places(&self) -> bool {
        self.places
    }

    /// Whether something of our own may go to the viewer behind what has passed.
    #[must_use]
    pub const fn is_between_messages(&self) -> bool {
        self.walk.is_between_messages()
    }

    /// Writes what the viewer is told, who was denied something or is paced. It may go there
    /// [between messages](Self::is_between_messages).
    pub fn speak(&mut self, denied: Denied, out: &mut Vec<u8>) {
        let before = out.len();
        denied.encode(self.walk.screen(), out);
        self.pacer.pass(out.len() - before);
        self.pacer.speak(out);
    }

    /// Writes a request for what has changed on the screen, for the host.
    pub fn request_update(&mut self, out: &mut Vec<u8>) {
        const REQUEST: u8 = 3;
        const INCREMENTAL: u8 = 1;
        self.owes_update = false;
        self.pacer.note_request(false);
        let screen = self.walk.screen();
        out.put_slice(&[REQUEST, INCREMENTAL, 0, 0, 0, 0]);
        out.put_u16(screen.width);
        out.put_u16(screen.height);
    }

    /// Lets what was received pass: `received` bytes, [`ROOM`] behind the front of `buffer`.
    ///
    /// Returns where in the buffer that lies which goes to the viewer; what has to go before it is
    /// appended to `ahead`.
    ///
    /// # Errors
    /// [`Violation`] besides, when what follows cannot be understood any more and somebody has to look.
    pub fn pass(
        &mut self,
        buffer: &mut [u8],
        received: usize,
        ahead: &mut Vec<u8>,
    ) -> (Range<usize>, Result<(), Violation>) {
        let end = (ROOM + received).min(buffer.len());
        if self.lost {
            return (ROOM..end, Ok(()));
        }
        let start = ROOM - self.walk.held_back();
        // The stream is whole in the buffer, should it have to pass as it is.
        put(buffer, start, self.walk.held());
        let (mut at, mut kept, before) = (ROOM, start, ahead.len());
        let outcome = loop {
            let mut input = Reader::new(buffer.get(at..end).unwrap_or_default());
            let next = match self.walk.next(&mut input) {
                Ok(piece) => Next::of(piece),
                Err(violation) => break Err(violation),
            };
            let rest = input.rest();
            at = end - rest.len();
            let (head, passes) = match next {
                Next::Nothing => break Ok(()),
                Next::Message(message, head) => {
                    self.end_update();
                    self.fate = self.verdict(message, rest);
                    (head, self.begin(&head))
                }
                Next::Rectangle(encoding, head) => match self.takes(encoding) {
                    Ok(true) => {
                        self.fate = Fate::Pass;
                        (head, true)
                    }
                    Ok(false) => {
                        self.fate = Fate::Drop;
                        (Head::of_rectangle(NOTHING), true)
                    }
                    Err(violation) => break Err(violation),
                },
                Next::Payload(len) => {
                    let payload = at - len..at;
                    if self.go_on(buffer.get(payload.clone()).unwrap_or_default(), ahead) {
                        if kept != payload.start {
                            buffer.copy_within(payload, kept);
                        }
                        kept += len;
                    }
                    continue;
                }
            };
            if passes {
                put(buffer, kept, &head);
                kept += head.len();
            }
        };
        if outcome.is_err() && self.looks_on() {
            self.lost = true;
            self.pacer.give_up();
            return (start..end, Ok(()));
        }
        if self.is_between_messages() {
            self.end_update();
        }
        self.pacer.pass(kept - start + ahead.len() - before);
        (start..kept, outcome)
    }

    fn end_update(&mut self) {
        if std::mem::take(&mut self.in_update) {
            self.pacer.end_update();
        }
    }

    /// Begins what was judged; whether its head passes.
    fn begin(&mut self, head: &[u8]) -> bool {
        match &mut self.fate {
            Fate::Pass => true,
            Fate::Drop => false,
            Fate::Gather(bytes) => {
                bytes.extend_from_slice(head);
                false
            }
        }
    }

    /// Goes on with a payload; whether it passes.
    fn go_on(&mut self, payload: &[u8], ahead: &mut Vec<u8>) -> bool {
        match &mut self.fate {
            Fate::Pass => true,
            Fate::Drop => false,
            Fate::Gather(bytes) => {
                bytes.extend_from_slice(payload);
                if self.walk.is_between_messages() {
                    let most = self.permissions.clipboard.from_machine;
                    let text = bytes.get(Message::EXTENDED_CUT_TEXT_HEAD..);
                    if clipboard::fits(text.unwrap_or_default(), most) {
                        ahead.append(bytes);
                    }
                    self.fate = Fate::Drop;
                }
                false
            }
        }
    }
}

impl Next {
    fn of(piece: Option<Piece<'_>>) -> Self {
        match piece {
            None => Self::Nothing,
            Some(Piece::Message(message, head)) => Self::Message(message, head),
            Some(Piece::Rectangle(rectangle, head)) => Self::Rectangle(rectangle.encoding, head),
            Some(Piece::Payload(payload)) => Self::Payload(payload.len()),
        }
    }
}

fn put(buffer: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = buffer.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests;
