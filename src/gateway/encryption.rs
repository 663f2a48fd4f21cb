//! TLS of the listeners: which certificates, and what happens when their files change.

use std::sync::Arc;
use std::time::SystemTime;

use tracing::{info, warn};

use super::listening::Listening;
use super::reload::{Part, Read, Stamps};
use crate::clock::UnixTime;
use crate::config::Config;
use crate::tls::TlsError;
use crate::tls::certificates::Certificates;
use crate::tls::clients::ClientAuthorities;
use crate::tls::listen::Acceptor;
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

/// What accepts TLS at each listener that speaks it, and the files about clients that are to be watched.
pub(super) fn acceptors(
    listening: &[Listening],
    certificates: Option<&Arc<Certificates>>,
) -> Result<(Vec<Option<Acceptor>>, Vec<Read>), TlsError> {
    let (mut acceptors, mut parts) = (Vec::new(), Vec::new());
    for Listening { listener, tls, .. } in listening {
        let Some(certificates) = certificates.filter(|_| *tls) else {
            acceptors.push(None);
            continue;
        };
        let clients = match &listener.clients {
            None => None,
            Some(files) => {
                let stamps = files.stamps();
                let clients = Arc::new(ClientAuthorities::read(files.clone())?);
                parts.push((Arc::clone(&clients) as Arc<dyn Part>, stamps));
                Some(clients)
            }
        };
        acceptors.push(Some(Acceptor::new(Arc::clone(certificates), clients)?));
    }
    Ok((acceptors, parts))
}

/// Why new consoles should not come here: a certificate that no browser takes any more.
pub(super) fn expired(certificates: &Certificates) -> Result<(), String> {
    match certificates.first_end() {
        Some(end) if end < UnixTime::from(SystemTime::now()) => Err(format!("expired at {end}")),
        _ => Ok(()),
    }
}

impl Part for Certificates {
    fn name(&self) -> &'static str {
        "certificates"
    }

    fn stamps(&self) -> Stamps {
        Self::stamps(self)
    }

    fn take_up(&self) -> Result<(), String> {
        match self.reload() {
            Ok(()) => {
                let end = self.first_end().map(|it| it.to_string());
                info!(end, "the certificates were read again");
                Ok(())
            }
            Err(error) => {
                warn!(%error, "the certificates stay as they were");
                Err(error.to_string())
            }
        }
    }
}

impl Part for ClientAuthorities {
    fn name(&self) -> &'static str {
        "client_authorities"
    }

    fn stamps(&self) -> Stamps {
        self.files().stamps()
    }

    fn take_up(&self) -> Result<(), String> {
        match self.reload() {
            Ok(()) => {
                info!("the authorities about clients were read again");
                Ok(())
            }
            Err(error) => {
                warn!(%error, "the authorities about clients stay as they were");
                Err(error.to_string())
            }
        }
    }
}
