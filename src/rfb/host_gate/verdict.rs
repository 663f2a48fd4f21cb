//! What happens to a message or a rectangle.

use std::ops::RangeInclusive;

use super::{Fate, HostGate, clipboard};
use crate::rfb::encoding::Encoding;
use crate::rfb::extended_clipboard::Flags;
use crate::rfb::server_message::{Message, Violation};

/// xvp's codes: something failed, and it can be asked for. noVNC gives up at others.
const XVP_CODES: RangeInclusive<u8> = 0..=1;

/// A fence that wants an answer.
const FENCE_REQUEST: u32 = 1 << 31;

impl HostGate {
    /// What happens to a message of which `there` follows its head.
    pub(super) fn verdict(&mut self, message: Message, there: &[u8]) -> Fate {
        let permitted = self.permissions.clipboard;
        let looks_on = self.looks_on();
        let passes = match message {
            Message::Update { rectangles } => {
                self.in_update = true;
                let fits = self.fits();
                self.pacer.note_update(fits);
                self.owes_update |= rectangles == 0 && !looks_on;
                rectangles > 0
            }
            Message::Bell => true,
            Message::CutText { len } => permitted.from_machine > 0 && len <= permitted.from_machine,
            Message::ExtendedCutText { .. } if looks_on => true,
            Message::ExtendedCutText { flags, len } => {
                if !self.listed.has(Encoding::EXTENDED_CLIPBOARD) {
                    return Fate::Drop;
                }
                return clipboard::verdict(permitted, Flags(flags), len, there);
            }
            Message::EndOfContinuousUpdates => {
                self.pacer.note_own_pacing() && self.listed.has(Encoding::CONTINUOUS_UPDATES)
            }
            Message::Fence { flags, .. } => {
                self.pacer.note_own_pacing()
                    && flags & FENCE_REQUEST != 0
                    && self.listed.has(Encoding::FENCE)
            }
            Message::Xvp { code } => {
                self.permissions.power
                    && self.listed.has(Encoding::XVP)
                    && XVP_CODES.contains(&code)
            }
            Message::ColourMap | Message::Audio | Message::Gii => false,
        };
        if passes || looks_on {
            Fate::Pass
        } else {
            Fate::Drop
        }
    }

    /// Whether a rectangle passes.
    pub(super) fn takes(&mut self, encoding: Encoding) -> Result<bool, Violation> {
        let listed = self.listed.has(encoding);
        self.places |= listed && encoding == Encoding::QEMU_EXTENDED_KEY_EVENT;
        match encoding {
            // Raw needs no leave; the others tell where things are, and noVNC always knows them.
            Encoding::RAW | Encoding::LAST_RECT | Encoding::DESKTOP_SIZE => Ok(true),
            // Nothing is lost with these.
            Encoding::CURSOR
            | Encoding::VMWARE_CURSOR
            | Encoding::QEMU_EXTENDED_KEY_EVENT
            | Encoding::QEMU_LED_STATE
            | Encoding::DESKTOP_NAME
            | Encoding::EXTENDED_MOUSE_BUTTONS
            | Encoding::POINTER_POSITION
            | Encoding::QEMU_POINTER_MOTION
            | Encoding::QEMU_AUDIO
            | Encoding::GII => Ok(listed || self.looks_on()),
            _ if listed => Ok(true),
            _ if self.looks_on() => Ok(true),
            other => Err(Violation::Unrequested(other)),
        }
    }
}
