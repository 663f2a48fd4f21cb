//! Flags for how often a console may be opened, for how long, and beside whom.

use std::num::NonZeroU16;
use std::time::Duration;

use clap::Args;

use super::{duration, number};
use crate::token::{Role, Sharing};

/// The limits of a console, and who else may be at the machine.
#[derive(Clone, Copy, Debug, Args)]
pub struct LimitsArgs {
    /// How many sessions the URL may open. Without it: one.
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    pub uses: Option<NonZeroU16>,
    /// How long a session may last, such as 8h. Without it: tokens.session_max.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub session_max: Option<Duration>,
    /// How long the person may do nothing, such as 15m. Without it: tokens.idle_max.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub idle_max: Option<Duration>,
    /// shared: others may be at the machine; exclusive: nobody else; take_over: others are out.
    #[arg(long, value_name = "WORD", default_value = "shared")]
    pub sharing: Sharing,
    /// driver, or watcher, who moves nothing.
    #[arg(long, value_name = "WORD", default_value = "driver")]
    pub role: Role,
}
