//! What is permitted of each message.

use super::provide;
use super::{Fate, Gate};
use crate::rfb::client_message::{Head, Kind, Misuse};
use crate::rfb::extended_clipboard::{Flags, longest_body};

/// The longest list of sizes in what a viewer says about its extended clipboard, in bytes.
const MAX_CAPS: u32 = 16 * 4;

impl Gate {
    /// What happens to the message whose head, and as much of its body as there is, lies in `rest`.
    pub(super) fn verdict(&self, head: Head, rest: &[u8]) -> Result<Fate, Misuse> {
        let permissions = self.permissions;
        let acts = !permissions.view_only;
        let passes = match head.kind {
            Kind::SetEncodings => return Ok(Fate::Hide),
            Kind::SetPixelFormat
            | Kind::FramebufferUpdateRequest
            | Kind::EnableContinuousUpdates
            | Kind::Fence
            | Kind::QemuAudio => true,
            Kind::KeyEvent
            | Kind::PointerEvent
            | Kind::QemuKey
            | Kind::SetScale
            | Kind::SetSingleWindow
            | Kind::FixColourMapEntries => acts,
            Kind::CutText => {
                let most = permissions.clipboard.to_machine;
                most > 0 && head.body <= most
            }
            Kind::ExtendedClipboard(flags) => return self.clipboard(flags, head, rest),
            Kind::Xvp => permissions.power,
            Kind::SetDesktopSize => permissions.resize,
            // Chat goes past everybody who watches; the others act on the host itself, or are
            // input that nobody keeps account of.
            Kind::TextChat | Kind::SetServerInput | Kind::Gii => false,
        };
        Ok(if passes { Fate::Pass } else { Fate::Drop })
    }

    fn clipboard(&self, flags: Flags, head: Head, rest: &[u8]) -> Result<Fate, Misuse> {
        let clipboard = self.permissions.clipboard;
        let (to, from) = (clipboard.to_machine > 0, clipboard.from_machine > 0);
        let known = self.encodings.know_clipboard() && (to || from);
        let passes = if flags.is_caps() {
            head.body <= MAX_CAPS
        } else if flags.is_provide() {
            if !known || !to || head.body > longest_body(clipboard.to_machine) {
                return Ok(Fate::Drop);
            }
            let body = usize::try_from(head.body).unwrap_or(usize::MAX);
            let Some(whole) = rest.get(head.len..).and_then(|rest| rest.get(..body)) else {
                return Ok(Fate::Gather);
            };
            provide::fits(whole, clipboard.to_machine)?
        } else {
            let brings = flags.brings_text();
            let takes = flags.takes_text();
            // Each of them is flags alone.
            head.body == 0 && brings != takes && (to || !brings) && (from || !takes)
        };
        Ok(if known && passes {
            Fate::Pass
        } else {
            Fate::Drop
        })
    }
}
