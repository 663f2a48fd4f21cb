//! What a viewer may do with a machine.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much text may go to a machine at once where nothing else is said, in bytes.
pub const DEFAULT_TO_MACHINE: u32 = 256 * 1024;

/// The most text that anybody may be allowed to send to a machine at once, in bytes: 1 MiB, behind
/// which QEMU ends the connection.
pub const MAX_TO_MACHINE: u32 = 1024 * 1024;

/// Permissions of one session. They hold for the stream, whatever the viewer thinks of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permissions {
    /// Nothing reaches the machine, whatever else is permitted.
    pub view_only: bool,
    /// Text, in either direction.
    pub clipboard: Clipboard,
    /// Changing the size of the machine's screen.
    pub resize: bool,
    /// Shutting the machine down, rebooting and resetting it, where the host offers that (xvp).
    pub power: bool,
}

/// How many bytes of text may pass at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clipboard {
    /// To the machine, at most [`MAX_TO_MACHINE`]; zero: none may.
    pub to_machine: u32,
    /// From the machine; zero: none may, [`Clipboard::UNBOUNDED`]: as much as it likes.
    pub from_machine: u32,
}

impl Clipboard {
    /// No bound.
    pub const UNBOUNDED: u32 = u32::MAX;

    /// Nothing passes.
    pub const NONE: Self = Self {
        to_machine: 0,
        from_machine: 0,
    };
}

impl Default for Permissions {
    /// All that a keyboard, a mouse and a clipboard can do; not the power switch.
    fn default() -> Self {
        Self {
            view_only: false,
            clipboard: Clipboard {
                to_machine: DEFAULT_TO_MACHINE,
                from_machine: Clipboard::UNBOUNDED,
            },
            resize: true,
            power: false,
        }
    }
}

impl Permissions {
    /// The same for somebody who is there to watch: only looking, and no text.
    #[must_use]
    pub const fn looking_on(self) -> Self {
        Self {
            view_only: true,
            clipboard: Clipboard::NONE,
            ..self
        }
    }

    /// What is left when it is put into practice: nothing goes to the machine from who may only look.
    /// What comes from it, text like the picture, is a permission of its own.
    #[must_use]
    pub const fn effective(self) -> Self {
        if self.view_only {
            Self {
                view_only: true,
                clipboard: Clipboard {
                    to_machine: 0,
                    ..self.clipboard
                },
                resize: false,
                power: false,
            }
        } else {
            self
        }
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            view_only,
            clipboard: Clipboard { to_machine, .. },
            resize,
            power,
        } = self;
        write!(
            f,
            "view_only={view_only} clipboard_to_machine={to_machine} clipboard_from_machine="
        )?;
        match self.clipboard.from_machine {
            Clipboard::UNBOUNDED => f.write_str("unbounded")?,
            bound => write!(f, "{bound}")?,
        }
        write!(f, " resize={resize} power={power}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_who_may_only_look_nothing_goes_to_the_machine() {
        let all = Permissions {
            power: true,
            ..Permissions::default()
        };
        assert_eq!(all.effective(), all);
        let looking = Permissions {
            view_only: true,
            ..all
        };
        let left = looking.effective();
        assert_eq!(left.clipboard.to_machine, 0);
        assert_eq!(left.clipboard.from_machine, Clipboard::UNBOUNDED);
        assert!(left.view_only && !left.resize && !left.power);
        let watching = all.looking_on();
        assert_eq!(watching.effective().clipboard, Clipboard::NONE);
        assert_eq!(
            watching.to_string(),
            "view_only=true clipboard_to_machine=0 clipboard_from_machine=0 resize=true power=true"
        );
    }
}
