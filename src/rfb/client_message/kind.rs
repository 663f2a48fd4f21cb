//! What a client message is.

use crate::rfb::extended_clipboard::Flags;

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
    ExtendedClipboard(Flags),
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
