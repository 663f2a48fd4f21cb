//! What each subcommand does. Results go to `out`, one fact a line; errors are returned and said
//! by `main`.

mod api;
mod audit;
mod check_config;
mod demo;
mod health;
mod keys;
mod mint;
mod probe;
mod reload;
mod secret_file;
mod serve;
mod sessions;
mod token;
mod visit;

use std::io::Write;
use std::time::SystemTime;

use anyhow::{Context, anyhow};
use tokio::runtime::Runtime;

use crate::cli::{Command, ConfigArgs};
use crate::clock::UnixTime;
use crate::config::{Config, Problems, Resolved, Sources};
use crate::workers;

/// The setting of the file that a start makes where there is none.
const KEYRING: &str = "tokens.keyring_file";

/// Runs a subcommand.
///
/// # Errors
/// Whatever went wrong, in words for the person who typed the command; never a secret.
pub fn run(command: Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Serve(args) => serve::run(&args),
        Command::Demo(args) => demo::run(&args, out),
        Command::Health(args) => health::run(args, out),
        Command::Probe(args) => probe::run(args, out),
        Command::Keys(args) => keys::run(args.command, out),
        Command::Mint(args) => mint::run(args, out),
        Command::Reload(args) => reload::run(&args, out),
        Command::Sessions(args) => sessions::sessions(args.command, out),
        Command::Consoles(args) => sessions::consoles(args.command, out),
        Command::Token(args) => token::run(args.command, out),
        Command::Audit(args) => audit::run(args.command, out),
        Command::CheckConfig(args) => check_config::run(args, out),
    }
}

/// The configuration of this process, with the flags that are settings laid on top.
fn load_config(args: &ConfigArgs, flags: Vec<(&'static str, String)>) -> anyhow::Result<Resolved> {
    read_config(args, flags).map_err(not_valid)
}

/// The same, with all that is wrong by its place.
fn read_config(
    args: &ConfigArgs,
    flags: Vec<(&'static str, String)>,
) -> Result<Resolved, Problems> {
    Sources::of_process(args.config.clone(), flags).load()
}

/// All problems, each at the start of its line, where editors and terminals find the place.
fn not_valid(problems: Problems) -> anyhow::Error {
    anyhow!("the configuration is not valid\n{problems}")
}

/// What is said before an error about the key ring: the setting that it is where it is by.
fn about_key_ring(config: &Config) -> &'static str {
    if config.tokens.keyring_file.starts_with(&config.state_dir) {
        "the key ring (setting state_dir)"
    } else {
        "the key ring (setting tokens.keyring_file)"
    }
}

/// What everything asynchronous runs on, but connections to a gateway.
fn runtime() -> anyhow::Result<Runtime> {
    workers::runtime().context("cannot start the runtime")
}

fn now() -> UnixTime {
    SystemTime::now().into()
}
