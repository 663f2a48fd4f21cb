//! TLS of the listener: which certificates, and what happens when their files change.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::clock::UnixTime;
use crate::config::Config;
use crate::tls::TlsError;
use crate::tls::certificates::Certificates;
use crate::tls::self_signed::self_signed;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What a gateway that listens on `address` shows; nothing where it speaks plain HTTP.
pub(super) fn certificates(
    config: &Config,
    address: SocketAddr,
) -> Result<Option<Arc<Certificates>>, TlsError> {
    if !config.tls.is_on_at(address) {
        return Ok(None);
    }
    let files = config.tls.certificates.clone();
    if !files.is_empty() {
        return Certificates::read(files).map(|it| Some(Arc::new(it)));
    }
    let mut names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    if let Some(url) = &config.public_url {
        names.push(url.origin().host().to_string());
    }
    if !address.ip().is_unspecified() {
        names.push(address.ip().to_string());
    }
    names.sort();
    names.dedup();
    let (certificates, fingerprint) = self_signed(names, SystemTime::now().into())?;
    warn!(
        sha256 = fingerprint,
        "no certificate is configured: browsers warn of one of our own, made for this start"
    );
    Ok(Some(Arc::new(certificates)))
}

/// Why new consoles should not come here: a certificate that no browser takes any more.
pub(super) fn expired(certificates: &Certificates) -> Result<(), String> {
    match certificates.first_end() {
        Some(end) if end < UnixTime::from(SystemTime::now()) => Err(format!("expired at {end}")),
        _ => Ok(()),
    }
}

/// Reads the files again, and says what came of it.
pub(super) fn reload(certificates: &Certificates) {
    match certificates.reload() {
        Ok(()) => {
            let end = certificates.first_end().map(|it| it.to_string());
            info!(end, "the certificates were read again");
        }
        Err(error) => warn!(%error, "the certificates stay as they were"),
    }
}

/// Reads the files again whenever they have changed, until the gateway stops.
pub(super) async fn watch(certificates: Arc<Certificates>, stop: CancellationToken) {
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // What was seen at the last attempt: files that are no good are not read again and again.
    let mut seen = certificates.shown_stamps();
    while stop.run_until_cancelled(looks.tick()).await.is_some() {
        let certificates = Arc::clone(&certificates);
        let last = seen.clone();
        let looked = spawn_blocking(move || {
            let now = certificates.stamps();
            if now != last {
                reload(&certificates);
            }
            now
        });
        seen = looked.await.unwrap_or(seen);
    }
}
