//! What a viewer says that it understands, and what of that the host is told.

use bytes::BufMut;

use crate::rfb::encoding::Encoding;
use crate::rfb::host_gate::HostGate;
use crate::rfb::permissions::{Clipboard, Permissions};

/// What stands in the place of an encoding that the host is not to know of: a number that nobody
/// has given a meaning, as RFB wants unknown ones to be passed over.
const HIDDEN: i32 = 0x464c_0000;

/// The most encodings that are remembered.
const MAX_REMEMBERED: usize = 64;

const EXTENDED_CLIPBOARD: i32 = 0xc0a1_e5ce_u32.cast_signed();
const EXTENDED_DESKTOP_SIZE: i32 = -308;
const XVP: i32 = -309;
const GII: i32 = -305;
/// With it a PointerEvent may be longer, but only if the host took it up, which is said in the
/// other direction. A message whose length depends on that could hide another one.
const EXTENDED_MOUSE_BUTTONS: i32 = -316;

/// The encodings of one viewer.
#[derive(Debug, Default)]
pub(super) struct Encodings {
    /// The first of them, as the viewer listed them last.
    listed: Vec<i32>,
    /// Whether there were more.
    more: bool,
    clipboard: bool,
}

impl Encodings {
    /// A list begins.
    pub(super) fn begin(&mut self) {
        *self = Self::default();
    }

    /// Goes on with a list: whole encodings, of which those that are not permitted are hidden.
    /// `host` is told of the others.
    pub(super) fn hide(
        &mut self,
        body: &mut [u8],
        permissions: Permissions,
        mut host: Option<&mut HostGate>,
    ) {
        let (entries, _) = body.as_chunks_mut::<4>();
        for entry in entries {
            let encoding = i32::from_be_bytes(*entry);
            if self.listed.len() < MAX_REMEMBERED {
                self.listed.push(encoding);
            } else {
                self.more = true;
            }
            self.clipboard |= encoding == EXTENDED_CLIPBOARD;
            if is_hidden(encoding, permissions) {
                *entry = HIDDEN.to_be_bytes();
            } else if let Some(host) = &mut host {
                host.list(Encoding(encoding));
            }
        }
    }

    /// Whether the viewer has listed an encoding, hidden or not.
    pub(super) fn know(&self, encoding: Encoding) -> bool {
        self.listed.contains(&encoding.0)
    }

    /// Whether the viewer knows the extended clipboard. A host that was not told so takes such a
    /// message for a text of gigabytes.
    pub(super) const fn know_clipboard(&self) -> bool {
        self.clipboard
    }

    /// Tells the host again what the viewer understands, after the permissions have changed.
    /// `host` is told of what is not hidden.
    pub(super) fn say_again(
        &self,
        permissions: Permissions,
        out: &mut Vec<u8>,
        mut host: Option<&mut HostGate>,
    ) {
        if self.listed.is_empty() || self.more {
            return;
        }
        out.put_slice(&[2, 0]);
        out.put_u16(u16::try_from(self.listed.len()).unwrap_or(0));
        for &encoding in &self.listed {
            let hidden = is_hidden(encoding, permissions);
            out.put_i32(if hidden { HIDDEN } else { encoding });
            if let Some(host) = &mut host
                && !hidden
            {
                host.list(Encoding(encoding));
            }
        }
    }
}

fn is_hidden(encoding: i32, permissions: Permissions) -> bool {
    match encoding {
        EXTENDED_MOUSE_BUTTONS | GII => true,
        EXTENDED_CLIPBOARD => permissions.clipboard == Clipboard::NONE,
        EXTENDED_DESKTOP_SIZE => !permissions.resize,
        XVP => !permissions.power,
        _ => false,
    }
}
