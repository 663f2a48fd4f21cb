//! Flags for what a viewer may do.

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::rfb::permissions::{Clipboard, Permissions};

/// What the viewer of a console may do.
#[derive(Clone, Copy, Debug, Args)]
pub struct PermissionsArgs {
    /// Nothing that the viewer does reaches the machine.
    #[arg(long)]
    pub view_only: bool,
    /// The ways that text may go. Without it: both, or none with --view-only.
    #[arg(long, value_name = "WAYS")]
    pub clipboard: Option<Ways>,
    /// The size of the machine's screen stays as it is.
    #[arg(long)]
    pub no_resize: bool,
    /// The machine may be shut down, rebooted and reset, where its host offers that (xvp).
    #[arg(long)]
    pub power: bool,
}

/// The ways that text may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[value(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Ways {
    /// No text.
    None,
    /// What the person pastes.
    ToMachine,
    /// What is copied in the machine.
    FromMachine,
    /// Either way.
    Both,
}

impl From<PermissionsArgs> for Permissions {
    fn from(args: PermissionsArgs) -> Self {
        let usual = Self::default();
        let Clipboard {
            to_machine,
            from_machine,
        } = usual.clipboard;
        let ways = args.clipboard.unwrap_or(match args.view_only {
            true => Ways::None,
            false => Ways::Both,
        });
        let clipboard = match ways {
            Ways::None => Clipboard::NONE,
            Ways::ToMachine => Clipboard {
                to_machine,
                ..Clipboard::NONE
            },
            Ways::FromMachine => Clipboard {
                from_machine,
                ..Clipboard::NONE
            },
            Ways::Both => usual.clipboard,
        };
        Self {
            view_only: args.view_only,
            clipboard,
            resize: !args.no_resize,
            power: args.power,
        }
    }
}
