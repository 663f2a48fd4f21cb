//! What has to be well for new consoles.

use std::sync::Arc;

use super::encryption;
use super::serving::Standing;
use crate::config::{Config, WhenAway};
use crate::http::health::Readiness;

/// What `/readyz` looks at.
pub(super) fn of(standing: &Standing, config: &Config) -> Readiness {
    let drain = standing.phases.drain.clone();
    let outdated = standing.outdated.clone();
    let mut readiness = Readiness::default()
        .with("drain", move || {
            let draining = drain.is_cancelled();
            refuse_if(draining, || "the gateway is being stopped".to_owned())
        })
        .with("key_ring", move || outdated.check());
    if let Some(certificates) = standing.certificates.clone() {
        readiness = readiness.with("certificate", move || encryption::expired(&certificates));
    }
    if config.audit.to.is_some() {
        let audit = standing.audit.clone();
        readiness = readiness.with("audit", move || {
            refuse_if(!audit.healthy(), || "it cannot be written".to_owned())
        });
    }
    let store = Arc::clone(&standing.store);
    // Who is let in without it meets no failure.
    let needed = config.store.when_away == WhenAway::Refuse;
    readiness.with("store", move || match store.away() {
        Some(away) if needed => Err(away.to_string()),
        _ => Ok(()),
    })
}

fn refuse_if(wrong: bool, words: impl FnOnce() -> String) -> Result<(), String> {
    if wrong { Err(words()) } else { Ok(()) }
}
