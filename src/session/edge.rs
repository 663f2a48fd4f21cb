//! What is asked of whoever arrives before their token is looked at.

use tokio::sync::SemaphorePermit;

use crate::origin::OriginRefused;
use crate::reason::Reason;
use crate::session::end::End;
use crate::session::{Arrival, Sessions};

impl From<&OriginRefused> for Reason {
    fn from(_: &OriginRefused) -> Self {
        Self::OriginRefused
    }
}

impl Sessions {
    /// Whether this arrival may try its token: not too often, not too many at once, and not from
    /// somebody else's page. The place is for the way to the picture.
    pub(super) fn at_the_edge(&self, arrival: &Arrival) -> Result<SemaphorePermit<'_>, End> {
        if let Some(too_often) = arrival.too_often {
            return Err(End {
                detail: format!("limits.handshakes_per_client: {too_often}"),
                ..End::plain(Reason::RateLimited)
            });
        }
        let origins = &self.params.origins;
        origins
            .check(&arrival.origin)
            .map_err(|refused| End::because(&refused))?;
        self.handshakes.try_acquire().map_err(|_| End {
            detail: "limits.handshakes".to_owned(),
            ..End::plain(Reason::LimitReached)
        })
    }
}
