//! What is asked of a relay while it runs.

use crate::rfb::chord::Chord;
use crate::rfb::permissions::Permissions;

/// How many orders may wait for one relay.
pub const MAX_WAITING: usize = 8;

/// An order to a running relay. It is carried out at the next border of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// From now on the viewer may do this and nothing else.
    Permit(Permissions),
    /// Press and release these keys, whatever the viewer may do itself.
    Press(Chord),
}
