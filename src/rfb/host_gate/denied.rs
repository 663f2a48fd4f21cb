//! What a viewer asked for and may not do, and how it is told.

use bytes::BufMut;

use crate::rfb::encoding::Encoding;
use crate::rfb::server_message::Screen;

/// Messages of a viewer that were dropped and have an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Denied {
    /// SetDesktopSize.
    pub resize: bool,
    /// xvp.
    pub power: bool,
}

impl Denied {
    /// Nothing was denied.
    pub const NOTHING: Self = Self {
        resize: false,
        power: false,
    };

    /// Writes the answers.
    pub(super) fn encode(self, screen: Screen, out: &mut Vec<u8>) {
        if self.resize {
            refuse_resize(screen, out);
        }
        if self.power {
            /// Type, padding, version, code: it failed.
            const XVP_FAIL: [u8; 4] = [250, 0, 1, 0];
            out.put_slice(&XVP_FAIL);
        }
    }
}

/// An update with an ExtendedDesktopSize that says: prohibited. The screen is as it was.
fn refuse_resize(screen: Screen, out: &mut Vec<u8>) {
    /// The change was asked for by this viewer.
    const ASKED: u16 = 1;
    const PROHIBITED: u16 = 1;
    // An update of one rectangle.
    out.put_slice(&[0, 0, 0, 1]);
    for field in [ASKED, PROHIBITED, screen.width, screen.height] {
        out.put_u16(field);
    }
    out.put_i32(Encoding::EXTENDED_DESKTOP_SIZE.0);
    // One screen, whose number is 0: all of it, without flags.
    out.put_slice(&[1, 0, 0, 0]);
    out.put_slice(&[0; 4 + 2 + 2]);
    out.put_u16(screen.width);
    out.put_u16(screen.height);
    out.put_u32(0);
}
