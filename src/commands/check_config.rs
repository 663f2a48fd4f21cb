//! `fanlight check-config`: what the configuration amounts to, or everything that is wrong with it.

use std::io::Write;

use super::{load_config, not_valid};
use crate::cli::ConfigArgs;

pub(super) fn run(args: ConfigArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let resolved = load_config(&args, Vec::new())?;
    let readable = resolved.check_files().map_err(not_valid)?;
    write!(out, "{}", resolved.origins.to_toml())?;
    if !readable.is_empty() {
        writeln!(out, "\n# These files can be read: {}", readable.join(", "))?;
    }
    Ok(())
}
