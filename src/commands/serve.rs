//! `fanlight serve`: the gateway, until it is told to stop.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::block_in_place;
use tracing::{error, info, warn};

use super::{load_config, not_valid};
use crate::cli::ServeArgs;
use crate::config::{Change, Resolved};
use crate::descriptors;
use crate::gateway::{Gateway, Keys};
use crate::systemd;
use crate::telemetry::{self, Level};

pub(super) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let resolved = load_config(&args.config, args.flags())?;
    resolved.check_files().map_err(not_valid)?;
    let log = &resolved.config.log;
    let level = telemetry::init(log.format, &log.level)?;
    descriptors::raise();
    super::runtime()?.block_on(serve(args, resolved, &level))
}

async fn serve(args: &ServeArgs, mut running: Resolved, level: &Level) -> anyhow::Result<()> {
    let config = &running.config;
    let keys = Keys::of_file(&config.tokens.keyring_file, super::now())?;
    if config.api_keys.is_empty() {
        warn!("the API is off, because no API key is configured: `fanlight keys api` makes one");
    }
    // Before it listens, so that no signal falls between.
    let mut signals = StopSignals::new()?;
    let mut reload = signal(SignalKind::hangup()).context("cannot wait for signals")?;
    let handed_over =
        systemd::listener().context("the socket that was handed over is of no use")?;
    let gateway = match handed_over {
        Some(listener) => Gateway::start_on(listener, config, keys).await?,
        None => Gateway::start(config, keys).await?,
    };
    let alive = systemd::keep_alive(gateway.stopping().clone());
    gateway.tasks().spawn(alive);
    systemd::ready();
    let signal = loop {
        tokio::select! {
            signal = signals.wait() => break signal,
            _ = reload.recv() => {
                let read_again = block_in_place(|| reconfigure(args, &gateway, &running, level));
                match read_again {
                    Ok(now) => {
                        running = now;
                        gateway.reload().await;
                    }
                    Err(error) => {
                        let error = format!("{error:#}").replace('\n', "; ");
                        error!(error, "nothing was reloaded: everything stays as it was");
                    }
                }
            }
        }
    };
    info!(signal, "asked to stop");
    systemd::stopping();
    tokio::select! {
        () = gateway.stop() => {}
        signal = signals.wait() => {
            info!(signal, "asked again: ending now");
            gateway.end().await;
        }
    }
    Ok(())
}

/// Reads the configuration again, and lets the gateway go on with it; says what takes effect. Waits
/// for a disk.
fn reconfigure(
    args: &ServeArgs,
    gateway: &Gateway,
    running: &Resolved,
    level: &Level,
) -> anyhow::Result<Resolved> {
    let read = load_config(&args.config, args.flags())?;
    read.check_files().map_err(not_valid)?;
    let Change {
        resolved,
        taken_up,
        need_restart,
    } = Change::new(running, read).map_err(not_valid)?;
    gateway.reconfigure(&resolved.config)?;
    level.set(&resolved.config.log.level)?;
    info!(
        changed = taken_up.join(", "),
        "the configuration was read again"
    );
    if !need_restart.is_empty() {
        let settings = need_restart.join(", ");
        warn!(settings, "these need a restart, and stay as they were");
    }
    Ok(resolved)
}

/// SIGTERM and SIGINT. They are handled even as process 1 of a container, where the kernel ignores a
/// signal that nobody handles.
pub(super) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// From here on the signals no longer end the process by themselves.
    pub(super) fn new() -> anyhow::Result<Self> {
        let of = |kind| signal(kind).context("cannot wait for signals");
        Ok(Self {
            terminate: of(SignalKind::terminate())?,
            interrupt: of(SignalKind::interrupt())?,
        })
    }

    /// Waits for one of them, and says which.
    pub(super) async fn wait(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
