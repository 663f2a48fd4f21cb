//! Encodings and pseudo-encodings by their numbers ([RFC 6143, 7.7 and 7.8], [rfbproto]).
//!
//! [RFC 6143, 7.7 and 7.8]: https://www.rfc-editor.org/rfc/rfc6143#section-7.7
//! [rfbproto]: https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst#encodings

use std::fmt;

/// An encoding's number; one that has no name here is data like any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Encoding(pub i32);

impl Encoding {
    /// Pixels as they are.
    pub const RAW: Self = Self(0);
    /// From another place of the screen.
    pub const COPY_RECT: Self = Self(1);
    /// A background and rectangles on it.
    pub const RRE: Self = Self(2);
    /// Tiles of 16 by 16.
    pub const HEXTILE: Self = Self(5);
    /// Pixels through one zlib stream.
    pub const ZLIB: Self = Self(6);
    /// Four zlib streams, filters, JPEG.
    pub const TIGHT: Self = Self(7);
    /// Tiles and run lengths through one zlib stream.
    pub const ZRLE: Self = Self(16);
    /// A JPEG file.
    pub const JPEG: Self = Self(21);
    /// A part of an H.264 stream.
    pub const H264: Self = Self(50);
    /// Tight with PNG in place of zlib streams.
    pub const TIGHT_PNG: Self = Self(-260);

    /// The screen has another size.
    pub const DESKTOP_SIZE: Self = Self(-223);
    /// The update ends here, whatever was announced.
    pub const LAST_RECT: Self = Self(-224);
    /// The pointer's shape is told.
    pub const CURSOR: Self = Self(-239);
    /// Keys may be sent as scan codes.
    pub const QEMU_EXTENDED_KEY_EVENT: Self = Self(-258);
    /// The keyboard's lights.
    pub const QEMU_LED_STATE: Self = Self(-261);
    /// The desktop has another name.
    pub const DESKTOP_NAME: Self = Self(-307);
    /// The screen has another size or layout, or did not get one.
    pub const EXTENDED_DESKTOP_SIZE: Self = Self(-308);
    /// The machine can be shut down, rebooted and reset.
    pub const XVP: Self = Self(-309);
    /// Fences are answered.
    pub const FENCE: Self = Self(-312);
    /// Updates come without being asked for one by one.
    pub const CONTINUOUS_UPDATES: Self = Self(-313);
    /// There may be more mouse buttons than eight.
    pub const EXTENDED_MOUSE_BUTTONS: Self = Self(-316);
    /// The pointer's shape as VMware tells it.
    pub const VMWARE_CURSOR: Self = Self(0x574d_5664);
    /// A clipboard with formats, in UTF-8.
    pub const EXTENDED_CLIPBOARD: Self = Self(0xc0a1_e5ce_u32.cast_signed());

    /// The pointer's position (rfbproto). noVNC does not ask for it.
    pub const POINTER_POSITION: Self = Self(-232);
    /// Whether the pointer moves relative to itself. noVNC does not ask for it.
    pub const QEMU_POINTER_MOTION: Self = Self(-257);
    /// Sound can be had. noVNC does not ask for it.
    pub const QEMU_AUDIO: Self = Self(-259);
    /// Other input devices. noVNC does not ask for them.
    pub const GII: Self = Self(-305);
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
