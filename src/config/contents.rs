//! Whether what is in the files that settings name can be used.

use std::fmt::Display;
use std::path::Path;

use super::problem::{Problem, Problems};
use super::reader::in_profile;
#[cfg(feature = "otel")]
use super::setting::TRACES_HEADERS_FILE;
use super::setting::{
    AUDIT_TO, LISTENERS, PROFILE_CA_FILE, PROFILE_CERTIFICATE_FILE, PROFILE_KEY_FILE, STORE_URL,
    TLS_CERTIFICATE_FILE, WEBHOOK_SECRET_FILE,
};
use super::sources::Resolved;
use super::{Config, ListenAddress};
use crate::audit::Destination;
#[cfg(feature = "otel")]
use crate::otlp;
use crate::store;
use crate::tls::TlsError;
use crate::tls::certificates::Certificates;
use crate::tls::clients::ClientAuthorities;
use crate::tls::connect::Connector;
use crate::webhook;

/// Reads them as a start does. What `running` names as well in settings that need a restart is passed
/// over: that is in use, and says by itself when it is no good any more.
pub(super) fn check(resolved: &Resolved, running: Option<&Config>) -> Result<(), Problems> {
    let config = &resolved.config;
    let mut problems = Vec::new();
    let mut note = |setting: &str, message: &dyn Display| {
        let place = resolved.origins.place(setting);
        problems.push(Problem::with(place, setting, message.to_string()));
    };
    let certificates = &config.tls.certificates;
    let known = running.is_some_and(|it| it.tls.certificates == *certificates);
    if !known
        && !certificates.is_empty()
        && let Err(error) = Certificates::read(certificates.clone())
    {
        note(TLS_CERTIFICATE_FILE.path, &error);
    }
    let in_use = |files: &_| {
        let mut listeners = running.iter().flat_map(|it| &it.listeners);
        listeners.any(|it| it.clients.as_ref() == Some(files))
    };
    for listener in &config.listeners {
        if let Some(files) = listener.clients.as_ref().filter(|it| !in_use(it))
            && let Err(error) = ClientAuthorities::read(files.clone())
        {
            note(LISTENERS.path, &format!("{}: {error}", listener.address));
        }
    }
    let root = config.host.unix_root.as_ref();
    if let Some(root) = root.and_then(|it| it.canonicalize().ok()) {
        for listener in &config.listeners {
            // By its name it lies elsewhere: that was looked at before.
            if let ListenAddress::Unix(path) = &listener.address
                && let Some(real) = path.parent().and_then(|it| it.canonicalize().ok())
                && real.starts_with(&root)
            {
                let message = format!("{} lies in host.unix_root, where hosts are", real.display());
                note(listener.setting, &message);
            }
        }
    }
    for (name, profile) in &config.profiles {
        if let Err(error) = Connector::new(&profile.trust) {
            let client = profile.trust.client.as_ref();
            let is = |file: Option<&Path>| file.is_some() && file == error.path();
            let setting = match client {
                _ if is(profile.trust.ca_file.as_deref()) => &PROFILE_CA_FILE,
                Some(client) if is(Some(&client.key_file)) => &PROFILE_KEY_FILE,
                _ => &PROFILE_CERTIFICATE_FILE,
            };
            note(&in_profile(name, setting), &error);
        }
    }
    if running.is_none_or(|it| it.store != config.store) {
        let params = config.store.params("").map_err(|error| error.to_string());
        let checked = params.and_then(|it| store::check(&it).map_err(|error| error.to_string()));
        if let Err(error) = checked {
            note(STORE_URL.path, &error);
        }
    }
    if let Some(to) = &config.webhook
        && running.is_none_or(|it| it.webhook != config.webhook)
        && let Err(error) = webhook::read_secret(&to.secret_file)
    {
        note(WEBHOOK_SECRET_FILE.path, &error);
    }
    #[cfg(feature = "otel")]
    if let Some(to) = &config.traces
        && running.is_none_or(|it| it.traces != config.traces)
        && let Some(file) = &to.headers_file
        && let Err(error) = otlp::read_headers(file)
    {
        note(TRACES_HEADERS_FILE.path, &error);
    }
    let audit = &config.audit.to;
    if let Some(Destination::File(path)) = audit
        && running.is_none_or(|it| it.audit.to != *audit)
        && let Some(directory) = path.parent().filter(|it| !it.as_os_str().is_empty())
        && !directory.is_dir()
    {
        note(
            AUDIT_TO.path,
            &format!("{} is no directory", directory.display()),
        );
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Problems(problems))
    }
}

impl TlsError {
    /// The file that it is about, or the first of two.
    fn path(&self) -> Option<&Path> {
        match self {
            Self::Certificate { path, .. }
            | Self::Key { path, .. }
            | Self::RevocationList { path, .. }
            | Self::Authority { path, .. }
            | Self::NoAuthority { path }
            | Self::NoRevocationList(path)
            | Self::Empty(path)
            | Self::Mismatch {
                certificate: path, ..
            } => Some(path),
            Self::SelfSigned(_) | Self::Library(_) => None,
        }
    }
}
