//! What a client message is.

/// A client message by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 0: the format that pixels are wanted in.
    SetPixelFormat,
    /// 1: colour map entries, obsolete.
    FixColourMapEntries,
    /// 2: what the viewer understands.
    SetEncodings,
    /// 3: the next picture.
    FramebufferUpdateRequest,
    /// 4: a key by its meaning.
    KeyEvent,
    /// 5: mouse position and buttons.
    PointerEvent,
    /// 6 with a length of at least zero: text for the machine's clipboard.
    CutText,
    /// 6 with a negative length: the extended clipboard.
    ExtendedClipboard(ClipboardActions),
    /// 8 and 15: the picture, smaller.
    SetScale,
    /// 9: locks the machine's own keyboard (UltraVNC).
    SetServerInput,
    /// 10: shows one window (UltraVNC).
    SetSingleWindow,
    /// 11: chat (UltraVNC).
    TextChat,
    /// 150: pictures without being asked.
    EnableContinuousUpdates,
    /// 248: how far the stream has come.
    Fence,
    /// 250: shutdown, reboot, reset.
    Xvp,
    /// 251: another size of the screen.
    SetDesktopSize,
    /// 253: general input interface, which tablets use.
    Gii,
    /// 255/0: a key by its place on the keyboard.
    QemuKey,
    /// 255/1: sound.
    QemuAudio,
}

impl Kind {
    /// Whether a person did it. What a viewer sends by itself is not: requests for updates, and
    /// the extended clipboard, which answers whatever a machine asks.
    #[must_use]
    pub const fn is_activity(self) -> bool {
        matches!(
            self,
            Self::KeyEvent | Self::PointerEvent | Self::QemuKey | Self::CutText
        )
    }
}

/// What an extended clipboard message wants: bits of its flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClipboardActions(u8);

impl ClipboardActions {
    const CAPS: u8 = 1;
    const REQUEST: u8 = 1 << 1;
    const PEEK: u8 = 1 << 2;
    const NOTIFY: u8 = 1 << 3;
    const PROVIDE: u8 = 1 << 4;

    /// Out of the flags' highest byte.
    #[must_use]
    pub const fn from_byte(bits: u8) -> Self {
        Self(bits)
    }

    /// What the viewer can do; nothing moves.
    #[must_use]
    pub const fn is_caps(self) -> bool {
        self.0 & Self::CAPS != 0
    }

    /// The text itself, and nothing else.
    #[must_use]
    pub const fn is_provide(self) -> bool {
        self.0 == Self::PROVIDE
    }

    /// Text goes to the machine, or is offered to it.
    #[must_use]
    pub const fn brings_text(self) -> bool {
        !self.is_caps() && self.0 & (Self::NOTIFY | Self::PROVIDE) != 0
    }

    /// Text is asked of the machine.
    #[must_use]
    pub const fn takes_text(self) -> bool {
        !self.is_caps() && self.0 & (Self::REQUEST | Self::PEEK) != 0
    }
}
