//! Whether the files that settings name are there.

use std::io::{ErrorKind, Read as _};
use std::path::Path;

use super::problem::{Place, Problem, Problems};
use super::reader::in_profile;
use super::setting::{
    LISTENERS, PROFILE_CA_FILE, PROFILE_CERTIFICATE_FILE, PROFILE_KEY_FILE, STORE_CA_FILE,
    STORE_PASSWORD_FILE, TLS_CERTIFICATE_FILE, TLS_KEY_FILE, TLS_MORE_CERTIFICATES,
    TOKENS_KEYRING_FILE, TRACES_HEADERS_FILE, WEBHOOK_SECRET_FILE,
};
use super::sources::Resolved;
use crate::regular_file;
use crate::tls::clients::ClientFiles;

/// Opens each, which finds what is no file, and reads a byte. The key ring is looked for only
/// when it was named: at its default place the first start makes it.
pub(super) fn check(resolved: &Resolved) -> Result<Vec<String>, Problems> {
    let config = &resolved.config;
    let mut named: Vec<(String, &Path)> = Vec::new();
    for (index, files) in config.tls.certificates.iter().enumerate() {
        let [certificate, key] = match index {
            0 => [TLS_CERTIFICATE_FILE.path, TLS_KEY_FILE.path],
            _ => [TLS_MORE_CERTIFICATES.path; 2],
        };
        named.push((certificate.to_owned(), &files.certificate_file));
        named.push((key.to_owned(), &files.key_file));
    }
    for listener in &config.listeners {
        if let Some(ClientFiles { ca_file, crl_file }) = &listener.clients {
            let files = std::iter::once(ca_file).chain(crl_file);
            named.extend(files.map(|it| (LISTENERS.path.to_owned(), it.as_path())));
        }
    }
    if resolved.origins.place(TOKENS_KEYRING_FILE.path) != Place::Default {
        let path = TOKENS_KEYRING_FILE.path.to_owned();
        named.push((path, &config.tokens.keyring_file));
    }
    if let Some(redis) = &config.store.redis {
        let files = [
            (&STORE_PASSWORD_FILE, &redis.password_file),
            (&STORE_CA_FILE, &redis.ca_file),
        ];
        for (setting, file) in files {
            named.extend(file.as_deref().map(|file| (setting.path.to_owned(), file)));
        }
    }
    if let Some(webhook) = &config.webhook {
        let secret = WEBHOOK_SECRET_FILE.path.to_owned();
        named.push((secret, &webhook.secret_file));
    }
    if let Some(file) = config
        .traces
        .as_ref()
        .and_then(|it| it.headers_file.as_deref())
    {
        named.push((TRACES_HEADERS_FILE.path.to_owned(), file));
    }
    for (name, profile) in &config.profiles {
        if let Some(file) = &profile.trust.ca_file {
            named.push((in_profile(name, &PROFILE_CA_FILE), file));
        }
        if let Some(client) = &profile.trust.client {
            let certificate = in_profile(name, &PROFILE_CERTIFICATE_FILE);
            named.push((certificate, &client.certificate_file));
            named.push((in_profile(name, &PROFILE_KEY_FILE), &client.key_file));
        }
    }
    let mut problems = Vec::new();
    for (setting, path) in &named {
        if let Err(error) = readable(path) {
            let mut message = match shown(setting, path) {
                Some(path) => format!("{path} cannot be read: {error}"),
                None => format!("the file cannot be read: {error}"),
            };
            if setting == TOKENS_KEYRING_FILE.path && error.kind() == ErrorKind::NotFound {
                message += "; `fanlight keys new` makes it";
            }
            let place = resolved.origins.place(setting);
            problems.push(Problem::with(place, setting, message));
        }
    }
    if problems.is_empty() {
        Ok(named.into_iter().map(|(setting, _)| setting).collect())
    } else {
        Err(Problems(problems))
    }
}

/// A path as it may be shown: not where somebody may have put a secret in the place of its file.
fn shown(setting: &str, path: &Path) -> Option<String> {
    let of_words = ["password_file", "secret_file", "headers_file"];
    let text = path.to_str()?;
    let is_secret = of_words.iter().any(|it| setting.ends_with(it)) || text.contains("-----BEGIN");
    (!is_secret).then(|| text.to_owned())
}

fn readable(path: &Path) -> std::io::Result<()> {
    let mut byte = [0];
    regular_file::open(path)?.read(&mut byte).map(drop)
}
