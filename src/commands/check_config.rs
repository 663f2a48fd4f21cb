//! `fanlight check-config`: what the configuration amounts to, or everything that is wrong with it.

use std::io::Write;

use super::{KEYRING, load_config, not_valid};
use crate::cli::ConfigArgs;
use crate::keyring_file;

pub(super) fn run(args: ConfigArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let resolved = load_config(&args, Vec::new())?;
    let readable = resolved.check_files().map_err(not_valid)?;
    resolved.check_contents(None).map_err(not_valid)?;
    if readable.iter().any(|setting| setting == KEYRING) {
        keyring_file::load(&resolved.config.tokens.keyring_file)?;
    }
    write!(out, "{}", resolved.origins.to_toml())?;
    if !readable.is_empty() {
        writeln!(out, "\n# These files can be read: {}", readable.join(", "))?;
    }
    Ok(())
}
