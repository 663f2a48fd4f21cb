//! What a viewer has said that it understands.

use crate::rfb::encoding::Encoding;

/// Encodings that were listed at any time: a host may still be answering the list before the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Listed(u32);

impl Listed {
    pub(super) fn add(&mut self, encoding: Encoding) {
        self.0 |= bit(encoding);
    }

    pub(super) const fn has(self, encoding: Encoding) -> bool {
        self.0 & bit(encoding) != 0
    }
}

/// A place for each encoding that makes a difference, and none for the others.
const fn bit(encoding: Encoding) -> u32 {
    let place = match encoding {
        Encoding::RAW => 0,
        Encoding::COPY_RECT => 1,
        Encoding::RRE => 2,
        Encoding::HEXTILE => 3,
        Encoding::ZLIB => 4,
        Encoding::TIGHT => 5,
        Encoding::ZRLE => 6,
        Encoding::JPEG => 7,
        Encoding::H264 => 8,
        Encoding::TIGHT_PNG => 9,
        Encoding::CURSOR => 10,
        Encoding::QEMU_EXTENDED_KEY_EVENT => 11,
        Encoding::QEMU_LED_STATE => 12,
        Encoding::DESKTOP_NAME => 13,
        Encoding::EXTENDED_DESKTOP_SIZE => 14,
        Encoding::XVP => 15,
        Encoding::FENCE => 16,
        Encoding::CONTINUOUS_UPDATES => 17,
        Encoding::EXTENDED_MOUSE_BUTTONS => 18,
        Encoding::VMWARE_CURSOR => 19,
        Encoding::EXTENDED_CLIPBOARD => 20,
        Encoding::POINTER_POSITION => 21,
        Encoding::QEMU_POINTER_MOTION => 22,
        Encoding::QEMU_AUDIO => 23,
        Encoding::GII => 24,
        _ => return 0,
    };
    1 << place
}
