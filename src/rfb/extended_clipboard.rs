//! What both directions need to know of the extended clipboard ([rfbproto]).
//!
//! [rfbproto]: https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst#extended-clipboard-pseudo-encoding

/// The longest body, in bytes, that can have `most` bytes of text in it, compressed as badly as
/// zlib compresses.
#[must_use]
pub const fn longest_body(most: u32) -> u32 {
    most.saturating_add(most / 256).saturating_add(256)
}

/// The flags of a message: what is to be done, and with which formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(pub u32);

impl Flags {
    /// The format that we let pass: text in UTF-8.
    pub const TEXT: u32 = 1;
    /// What the sender can do; nothing moves.
    pub const CAPS: u32 = 1 << 24;
    /// Text is asked for.
    pub const REQUEST: u32 = 1 << 25;
    /// It is asked which formats there are.
    pub const PEEK: u32 = 1 << 26;
    /// It is told which formats there are.
    pub const NOTIFY: u32 = 1 << 27;
    /// The text itself.
    pub const PROVIDE: u32 = 1 << 28;

    /// The bits that say what is to be done.
    #[must_use]
    pub const fn actions(self) -> u32 {
        self.0 & 0xff00_0000
    }

    /// The bits that say with which formats.
    #[must_use]
    pub const fn formats(self) -> u32 {
        self.0 & 0xffff
    }

    /// Whether the sender says what it can do, whatever else is set.
    #[must_use]
    pub const fn is_caps(self) -> bool {
        self.0 & Self::CAPS != 0
    }

    /// Whether it is the text itself, and nothing else.
    #[must_use]
    pub const fn is_provide(self) -> bool {
        self.actions() == Self::PROVIDE
    }

    /// Whether text goes to the other side, or is offered to it.
    #[must_use]
    pub const fn brings_text(self) -> bool {
        !self.is_caps() && self.0 & (Self::NOTIFY | Self::PROVIDE) != 0
    }

    /// Whether text is asked of the other side.
    #[must_use]
    pub const fn takes_text(self) -> bool {
        !self.is_caps() && self.0 & (Self::REQUEST | Self::PEEK) != 0
    }
}
