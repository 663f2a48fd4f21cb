//! `fanlight check-config`: what the configuration amounts to, or everything that is wrong with it.

use std::io::Write;

use super::{load_config, not_valid};
use crate::cli::ConfigArgs;
use crate::keyring_file;
use crate::store;
use crate::tls::certificates::Certificates;
use crate::tls::clients::ClientAuthorities;
use crate::tls::connect::Connector;

/// The setting of the file that has to be more than readable.
const KEYRING: &str = "tokens.keyring_file";

pub(super) fn run(args: ConfigArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let resolved = load_config(&args, Vec::new())?;
    let readable = resolved.check_files().map_err(not_valid)?;
    let certificates = resolved.config.tls.certificates.clone();
    if !certificates.is_empty() {
        Certificates::read(certificates)?;
    }
    for listener in &resolved.config.listeners {
        if let Some(files) = &listener.clients {
            ClientAuthorities::read(files.clone())?;
        }
    }
    for profile in resolved.config.profiles.values() {
        Connector::new(&profile.trust)?;
    }
    store::check(&resolved.config.store.params("")?)?;
    if readable.iter().any(|setting| setting == KEYRING) {
        keyring_file::load(&resolved.config.tokens.keyring_file)?;
    }
    write!(out, "{}", resolved.origins.to_toml())?;
    if !readable.is_empty() {
        writeln!(out, "\n# These files can be read: {}", readable.join(", "))?;
    }
    Ok(())
}
