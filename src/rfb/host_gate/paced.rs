//! What the viewer says about updates that are paced, on its way to the pacer.

use std::time::Duration;

use super::HostGate;
use crate::rfb::encoding::Encoding;

impl HostGate {
    /// Takes in that the viewer enables or disables continuous updates; whether the host is to get that.
    pub fn note_enable(&mut self, enable: bool) -> bool {
        self.walk.pin_pixel_format();
        self.pacer.note_enable(enable)
    }

    /// Takes in the head of a fence from the viewer; whether the host is to get that. If not, its
    /// payload is for [`HostGate::go_on_fence`].
    pub fn begin_fence(&mut self, head: &[u8]) -> bool {
        self.pacer.begin_fence(head, self.walk.screen_len())
    }

    /// Goes on with a fence that the host is not to get.
    pub fn go_on_fence(&mut self, payload: &[u8]) {
        self.pacer.go_on_fence(payload, self.walk.screen_len());
    }

    /// Takes in how far away the viewer is.
    pub fn note_round_trip(&mut self, trip: Duration) {
        let fits = self.fits();
        self.pacer.note_round_trip(trip, fits);
    }

    /// Whether updates are paced right now.
    #[must_use]
    pub const fn is_paced(&self) -> bool {
        self.pacer.is_running()
    }

    /// What follows happens at this time, counted from any one moment.
    pub const fn set_time(&mut self, now: Duration) {
        self.pacer.set_time(now);
    }

    /// Whether the viewer knows what pacing needs.
    pub(super) const fn fits(&self) -> bool {
        self.listed.has(Encoding::FENCE) && self.listed.has(Encoding::CONTINUOUS_UPDATES)
    }

    /// How many more bytes of the host may go to the viewer now.
    #[must_use]
    pub fn budget(&self) -> usize {
        let budget = self.pacer.budget(self.walk.screen_len());
        usize::try_from(budget).unwrap_or(usize::MAX)
    }
}
