//! `fanlight serve`: the gateway, until it is told to stop.

use std::sync::Arc;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use super::{load_config, not_valid};
use crate::cli::ServeArgs;
use crate::config::Config;
use crate::gateway::Gateway;
use crate::keyring_file::{self, Loaded};
use crate::telemetry;

pub(super) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let resolved = load_config(&args.config, args.flags())?;
    resolved.check_files().map_err(not_valid)?;
    let config = resolved.config;
    telemetry::init(config.log.format, &config.log.level)?;
    super::runtime()?.block_on(serve(&config))
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let file = &config.tokens.keyring_file;
    let Loaded { ring, made } = keyring_file::load_or_make(file, super::now())?;
    if made {
        info!(file = %file.display(), "made a key ring: gateways side by side need the same one");
    }
    if config.api_keys.is_empty() {
        warn!("the API is off, because no API key is configured: `fanlight keys api` makes one");
    }
    let gateway = Gateway::start(config, Arc::new(ring)).await?;
    let signal = stop_signal().await?;
    info!(signal, "asked to stop");
    gateway.stop().await;
    Ok(())
}

/// Waits for SIGTERM or SIGINT. They are handled even as process 1 of a container, where the kernel
/// ignores a signal that nobody handles.
pub(super) async fn stop_signal() -> anyhow::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}
