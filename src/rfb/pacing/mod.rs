//! Updates that come without being asked for one by one, to a viewer that is far away.
//!
//! Most hosts answer each FramebufferUpdateRequest with one update, so that a viewer 100 ms away sees
//! at most ten a second. We stand next to the host: where it has no continuous updates of its own, we
//! [announce] some to the viewer and ask the host in its name.
//!
//! ```text
//!   host ── update ──────────> gateway ── update, fence ──────> viewer
//!   host <── request, at once ── gateway <── fence, a trip later ── viewer
//! ```
//!
//! Behind every update goes a [fence], which a viewer answers when it has parsed everything before it.
//! So it is known how much is [under way](flight), and where that becomes too much the host is not
//! asked: it goes on painting, and what comes next is the screen as it is then. No frame is queued that
//! nobody will see.
//!
//! ```text
//!                     the host has sent an update, and the viewer is far
//!   Undecided ──────────────────────────────────────────────────────────> Offered <────────┐
//!       │                              EndOfContinuousUpdates to the viewer  │              │
//!       │ the host says EndOfContinuousUpdates or a fence            viewer  │ enables   disables
//!       │ the viewer is near, or does not list what is needed                v              │
//!       └──────────> Plain                                                Running ──────────┘
//! ```
//!
//! It is decided once, at the first update: nobody can begin to look at a stream in its middle. A host
//! that cannot be understood before is Plain as well. While it is Plain or Undecided everything passes
//! as it is; in Offered the viewer's requests do.
//!
//! [announce]: https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst#endofcontinuousupdates
//! [fence]: https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst#serverfence

mod flight;
mod pacer;
mod window;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use flight::MAX_FENCES;
pub use pacer::Pacer;

/// Behind so long a round trip a viewer is far.
pub const FAR: Duration = Duration::from_millis(20);

/// Whether updates come without being asked for one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pacing {
    /// To our page, when its first round trip is longer than [`FAR`].
    #[default]
    Auto,
    /// To every viewer that lists Fence and ContinuousUpdates.
    On,
    /// Never.
    Off,
}

/// Why a text is none of the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected one of auto, on, off")]
pub struct BadPacing;

impl Pacing {
    /// The word in the API and the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

impl FromStr for Pacing {
    type Err = BadPacing;

    fn from_str(text: &str) -> Result<Self, BadPacing> {
        [Self::Auto, Self::On, Self::Off]
            .into_iter()
            .find(|pacing| pacing.as_str() == text)
            .ok_or(BadPacing)
    }
}

impl fmt::Display for Pacing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
