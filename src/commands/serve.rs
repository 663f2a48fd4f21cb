//! `fanlight serve`: the gateway, until it is told to stop.

use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::{JoinError, spawn_blocking};
use tracing::{error, info, warn};

use super::{KEYRING, about_key_ring, load_config, not_valid, read_config};
use crate::cli::{ConfigArgs, ServeArgs};
use crate::config::{Change, Config, Problems, Resolved};
use crate::descriptors;
use crate::gateway::{Gateway, Keys, profiles};
use crate::host::profile::Profiles;
use crate::http::api::reload::{Asked, ConfigError, Outcome, Reloaded};
use crate::keyring_file::{self, KeyRingFileError};
use crate::systemd;
use crate::telemetry::{self, BadFilter, Level};
use crate::tls::TlsError;
use crate::workers::{Threads, Workers};

/// How long what waits for a disk may take to end after all else has.
const DISK_GRACE: Duration = Duration::from_secs(1);

pub(super) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let resolved = load_config(&args.config, args.flags())?;
    resolved.check_files().map_err(not_valid)?;
    resolved.check_contents(None).map_err(not_valid)?;
    let log = &resolved.config.log;
    let level = telemetry::init(log.format, &log.level)?;
    descriptors::raise();
    let runtime = super::runtime()?;
    let threads = Threads::start().context("cannot start the threads of connections")?;
    let ended = runtime.block_on(serve(args, resolved, &level, &threads.workers()));
    threads.end(DISK_GRACE);
    // A file that hangs must not keep the process.
    runtime.shutdown_timeout(DISK_GRACE);
    ended
}

async fn serve(
    args: &ServeArgs,
    resolved: Resolved,
    level: &Level,
    workers: &Workers,
) -> anyhow::Result<()> {
    let config = &resolved.config;
    let keys =
        Keys::of_file(&config.tokens.keyring_file, super::now()).context(about_key_ring(config))?;
    warn_without_keys(config);
    // Before it listens, so that no signal falls between.
    let mut signals = StopSignals::new()?;
    let mut hangup = signal(SignalKind::hangup()).context("cannot wait for signals")?;
    let handed_over = systemd::sockets().context("a socket that was handed over is of no use")?;
    let mut gateway = Gateway::start_with(config, keys, workers, handed_over).await?;
    let alive = systemd::keep_alive(workers.clone(), gateway.stopping().clone());
    gateway.tasks().spawn(alive);
    systemd::ready();
    let mut running = Running {
        args,
        resolved,
        level,
    };
    let signal = loop {
        let asked = tokio::select! {
            signal = signals.wait() => break signal,
            // Whoever sent it reads the log.
            _ = hangup.recv() => None,
            Some(asked) = gateway.asked_to_reload() => Some(asked),
        };
        if asked.as_ref().is_some_and(Asked::is_gone) {
            continue;
        }
        let subject = asked.as_ref().map(Asked::subject).unwrap_or_default();
        // It may hang on a file for ever.
        let outcome = tokio::select! {
            signal = signals.wait() => break signal,
            outcome = subject.of(running.reload(&gateway)) => outcome,
        };
        if let Some(asked) = asked {
            asked.answer(outcome);
        }
    };
    info!(signal, "asked to stop");
    systemd::stopping();
    let mut stopping = std::pin::pin!(gateway.stop());
    loop {
        tokio::select! {
            () = &mut stopping => break,
            signal = signals.wait() => {
                info!(signal, "asked again: ending now");
                gateway.end().await;
                break;
            }
            _ = hangup.recv() => warn!("nothing is reloaded any more: the gateway stops"),
        }
    }
    Ok(())
}

/// What a gateway runs by.
struct Running<'r> {
    args: &'r ServeArgs,
    resolved: Resolved,
    level: &'r Level,
}

/// Why nothing was reloaded.
#[derive(Debug, thiserror::Error)]
enum ReloadError {
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] Problems),
    /// What its profiles name cannot be used.
    #[error(transparent)]
    Use(#[from] TlsError),
    /// The key ring that it names cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyRingFileError),
    /// The log cannot be changed.
    #[error(transparent)]
    Log(#[from] BadFilter),
    /// Reading it has panicked, and said so.
    #[error("the configuration could not be read")]
    Broken(#[from] JoinError),
}

impl Running<'_> {
    /// Has everything read again, and says in the log what came of it.
    async fn reload(&mut self, gateway: &Gateway) -> Outcome {
        let reloaded = match self.reconfigure(gateway).await {
            Ok(reloaded) => reloaded,
            Err(error) => {
                let text = error.to_string().replace('\n', "; ");
                error!(
                    error = text,
                    "nothing was reloaded: everything stays as it was"
                );
                return Err(error.into());
            }
        };
        info!(
            changed = reloaded.changed.join(", "),
            "the configuration was read again"
        );
        if !reloaded.needs_restart.is_empty() {
            let settings = reloaded.needs_restart.join(", ");
            warn!(settings, "these need a restart, and stay as they were");
        }
        Ok(Reloaded {
            kept: gateway.reload().await,
            ..reloaded
        })
    }

    /// Reads the configuration again, and lets the gateway go on with it.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing changes before all is read, and then all at once.
    async fn reconfigure(&mut self, gateway: &Gateway) -> Result<Reloaded, ReloadError> {
        let (args, flags) = (self.args.config.clone(), self.args.flags());
        let running = self.resolved.clone();
        let reading = spawn_blocking(move || read_again(&args, flags, &running));
        let (change, profiles) = reading.await??;
        let Change {
            resolved,
            taken_up,
            need_restart,
        } = change;
        // First what may fail: nothing has changed then.
        self.level.set(&resolved.config.log.level)?;
        gateway.reconfigure(&resolved.config, profiles);
        warn_without_keys(&resolved.config);
        self.resolved = resolved;
        Ok(Reloaded {
            changed: taken_up,
            needs_restart: need_restart,
            kept: Vec::new(),
        })
    }
}

/// What becomes of the `running` configuration, and the profiles then. Waits for a disk.
fn read_again(
    args: &ConfigArgs,
    flags: Vec<(&'static str, String)>,
    running: &Resolved,
) -> Result<(Change, Profiles), ReloadError> {
    let read = read_config(args, flags)?;
    let readable = read.check_files()?;
    read.check_contents(Some(running))?;
    let ring = &read.config.tokens.keyring_file;
    let named = readable.iter().any(|it| it == KEYRING);
    if named && *ring != running.config.tokens.keyring_file {
        keyring_file::load(ring)?;
    }
    let change = Change::new(running, read)?;
    let profiles = profiles(&change.resolved.config)?;
    Ok((change, profiles))
}

fn warn_without_keys(config: &Config) {
    if config.api_keys.is_empty() {
        warn!("the API is off, because no API key is configured: `fanlight keys api` makes one");
    }
}

impl From<ReloadError> for Vec<ConfigError> {
    fn from(error: ReloadError) -> Self {
        match error {
            ReloadError::Config(Problems(problems)) => {
                let errors = problems.into_iter().map(|problem| ConfigError {
                    place: Some(problem.place.to_string()),
                    setting: problem.setting,
                    message: problem.message,
                });
                errors.collect()
            }
            other => vec![ConfigError {
                place: None,
                setting: None,
                message: other.to_string(),
            }],
        }
    }
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
