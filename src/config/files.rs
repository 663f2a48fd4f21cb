//! Whether the files that settings name are there.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::problem::{Place, Problem, Problems};
use super::setting::{Setting, TLS_CERTIFICATE_FILE, TLS_KEY_FILE, TOKENS_KEYRING_FILE};
use super::sources::Resolved;

/// Opens each and reads a byte, which finds directories as well. The key ring is looked for only
/// when it was named: at its default place the first start makes it.
pub(super) fn check(resolved: &Resolved) -> Result<Vec<&'static str>, Problems> {
    let config = &resolved.config;
    let mut named: Vec<(&'static Setting, &Path)> = Vec::new();
    if let Some(tls) = &config.tls {
        named.push((&TLS_CERTIFICATE_FILE, &tls.certificate_file));
        named.push((&TLS_KEY_FILE, &tls.key_file));
    }
    if resolved.origins.place(&TOKENS_KEYRING_FILE) != Place::Default {
        named.push((&TOKENS_KEYRING_FILE, &config.tokens.keyring_file));
    }
    let mut problems = Vec::new();
    for (setting, path) in &named {
        if let Err(error) = readable(path) {
            let message = format!("{} cannot be read: {error}", path.display());
            let place = resolved.origins.place(setting);
            problems.push(Problem::with(place, setting.path, message));
        }
    }
    if problems.is_empty() {
        Ok(named.iter().map(|(setting, _)| setting.path).collect())
    } else {
        Err(Problems(problems))
    }
}

fn readable(path: &Path) -> std::io::Result<()> {
    let mut byte = [0];
    File::open(path)?.read(&mut byte).map(drop)
}
