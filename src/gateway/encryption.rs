//! TLS of the listeners: which certificates, and what happens when their files change.

use std::sync::Arc;
use std::time::SystemTime;

use tracing::{info, warn};

use super::listening::Listening;
use super::reload::{Part, Stamps};
use crate::clock::UnixTime;
use crate::config::Config;
use crate::http::api::reload::Kept;
use crate::tls::TlsError;
use crate::tls::certificates::Certificates;
use crate::tls::self_signed::self_signed;

/// What a gateway shows that listens there; nothing where it speaks plain HTTP everywhere.
pub(super) fn certificates(
    config: &Config,
    listening: &[Listening],
) -> Result<Option<Arc<Certificates>>, TlsError> {
    if !listening.iter().any(|it| it.tls) {
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
    let ips = listening.iter().filter_map(|it| Some(it.address?.ip()));
    names.extend(
        ips.filter(|ip| !ip.is_unspecified())
            .map(|ip| ip.to_string()),
    );
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

impl Part for Certificates {
    fn stamps(&self) -> Stamps {
        Self::stamps(self)
    }

    fn take_up(&self) -> Result<(), Kept> {
        match self.reload() {
            Ok(()) => {
                let end = self.first_end().map(|it| it.to_string());
                info!(end, "the certificates were read again");
                Ok(())
            }
            Err(error) => {
                warn!(%error, "the certificates stay as they were");
                Err(Kept::new("certificates", &error))
            }
        }
    }
}
