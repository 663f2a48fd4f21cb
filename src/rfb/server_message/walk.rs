//! Where in the host's stream one is.

use super::body::{Body, skip};
use super::field::{Field, Head};
use super::message::{self, Message};
use super::pixel::PixelSize;
use super::rectangle::{Rectangle, Screen};
use super::violation::Violation;
use crate::rfb::encoding::Encoding;
use crate::rfb::init::{PixelFormat, ServerInit};
use crate::wire::Reader;

/// A walk along the host's stream.
#[derive(Debug)]
pub struct Walk {
    screen: Screen,
    pixel: PixelSize,
    pinned: bool,
    field: Field,
    at: At,
    /// Rectangles of the update that have not begun.
    rectangles: u16,
}

/// What comes next.
#[derive(Debug)]
enum At {
    Message,
    Payload(u64),
    Rectangle,
    Body(Body),
}

/// A part of the stream. One after the other they are the stream, byte for byte, but for a head
/// that is not whole yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'i> {
    /// A message begins.
    Message(Message, Head),
    /// A rectangle of the update begins.
    Rectangle(Rectangle, Head),
    /// More of what began last; never empty.
    Payload(&'i [u8]),
}

/// A pixel format came so late that it cannot be known from where on it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pixels of another size are asked for after the first encodings or updates were")]
pub struct LatePixelFormat;

impl Walk {
    /// Starts behind ServerInit.
    ///
    /// # Errors
    /// [`Violation::PixelSize`].
    pub fn new(init: &ServerInit) -> Result<Self, Violation> {
        Ok(Self {
            screen: Screen {
                width: init.width,
                height: init.height,
            },
            pixel: PixelSize::of(&init.format)?,
            pinned: false,
            field: Field::default(),
            at: At::Message,
            rectangles: 0,
        })
    }

    /// Takes in that the browser has set a pixel format.
    ///
    /// # Errors
    /// [`LatePixelFormat`], also for a format that RFB does not have.
    pub fn set_pixel_format(&mut self, format: &PixelFormat) -> Result<(), LatePixelFormat> {
        let pixel = PixelSize::of(format).map_err(|_| LatePixelFormat)?;
        if self.pinned && pixel != self.pixel {
            return Err(LatePixelFormat);
        }
        self.pixel = pixel;
        Ok(())
    }

    /// Takes in that the browser has named encodings or asked for an update: from now on pixels
    /// may come.
    pub const fn pin_pixel_format(&mut self) {
        self.pinned = true;
    }

    /// The framebuffer's size where the walk is.
    #[must_use]
    pub const fn screen(&self) -> Screen {
        self.screen
    }

    /// How many bytes all pixels of the screen have.
    #[must_use]
    pub const fn screen_len(&self) -> u64 {
        self.screen.width as u64 * self.screen.height as u64 * self.pixel.whole
    }

    /// Whether the last message is over and no byte of the next was there.
    #[must_use]
    pub const fn is_between_messages(&self) -> bool {
        matches!(self.at, At::Message) && self.field.is_empty()
    }

    /// How many bytes of a head have come and were not handed out: fewer than [`Head::MAX`].
    #[must_use]
    pub fn held_back(&self) -> usize {
        self.held().len()
    }

    /// Those bytes.
    #[must_use]
    pub fn held(&self) -> &[u8] {
        match self.at {
            At::Message | At::Rectangle => self.field.held(),
            // Parts of a body are handed out as they come.
            At::Payload(_) | At::Body(_) => &[],
        }
    }

    /// The next piece; `None` when all of `input` is consumed and more has to arrive.
    ///
    /// # Errors
    /// [`Violation`], after which the stream cannot be read any more.
    #[inline]
    pub fn next<'i>(&mut self, input: &mut Reader<'i>) -> Result<Option<Piece<'i>>, Violation> {
        loop {
            match &mut self.at {
                At::Message => {
                    let Some(head) = self.field.take_head(input, message::head_len)? else {
                        return Ok(None);
                    };
                    return self.begin_message(head).map(Some);
                }
                At::Rectangle => {
                    let Some(head) = self.field.take(input) else {
                        return Ok(None);
                    };
                    return self.begin_rectangle(head).map(Some);
                }
                At::Payload(left) => {
                    let before = input.rest();
                    if skip(left, input) {
                        self.at = At::Message;
                    }
                    if let Some(piece) = passed(before, input) {
                        return Ok(Some(piece));
                    }
                    if !matches!(self.at, At::Message) {
                        return Ok(None);
                    }
                }
                At::Body(body) => {
                    let before = input.rest();
                    let over = body.walk(input, &mut self.field, self.pixel)?;
                    if over {
                        self.at = self.behind_rectangle();
                    }
                    if let Some(piece) = passed(before, input) {
                        return Ok(Some(piece));
                    }
                    if !over {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn begin_message<'i>(&mut self, head: Head) -> Result<Piece<'i>, Violation> {
        let (message, follows) = Message::read(&head)?;
        if let Message::Update { rectangles } = message {
            self.pinned = true;
            self.rectangles = rectangles;
            self.at = self.behind_rectangle();
        } else if follows > 0 {
            self.at = At::Payload(follows);
        }
        Ok(Piece::Message(message, head))
    }

    #[inline]
    fn begin_rectangle<'i>(&mut self, head: [u8; 12]) -> Result<Piece<'i>, Violation> {
        let rectangle = Rectangle::decode(head);
        let body = Body::of(&rectangle, self.pixel, &mut self.screen)?;
        self.rectangles = match rectangle.encoding {
            Encoding::LAST_RECT => 0,
            _ => self.rectangles.saturating_sub(1),
        };
        self.at = if body.is_empty() {
            self.behind_rectangle()
        } else {
            At::Body(body)
        };
        Ok(Piece::Rectangle(rectangle, Head::of_rectangle(head)))
    }

    const fn behind_rectangle(&self) -> At {
        match self.rectangles {
            0 => At::Message,
            _ => At::Rectangle,
        }
    }
}

/// What was consumed of `before`.
#[inline]
fn passed<'i>(before: &'i [u8], input: &Reader<'i>) -> Option<Piece<'i>> {
    let len = before.len() - input.rest().len();
    let piece = before.get(..len).filter(|piece| !piece.is_empty());
    piece.map(Piece::Payload)
}
