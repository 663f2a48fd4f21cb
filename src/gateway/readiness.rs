//! What has to be well for new consoles.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::encryption;
use crate::http::health::Readiness;
use crate::tls::certificates::Certificates;

/// What `/readyz` looks at.
pub(super) fn of(stop: &CancellationToken, certificates: Option<&Arc<Certificates>>) -> Readiness {
    let stop = stop.clone();
    let readiness = Readiness::default().with("drain", move || {
        let stopping = stop.is_cancelled();
        (!stopping)
            .then_some(())
            .ok_or_else(|| "the gateway is being stopped".to_owned())
    });
    match certificates.cloned() {
        Some(it) => readiness.with("certificate", move || encryption::expired(&it)),
        None => readiness,
    }
}
