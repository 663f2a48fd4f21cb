//! The command line: what can be typed, in words for people. What it does is in
//! [`commands`](crate::commands).

mod api;
mod audit;
mod binding;
mod examples;
mod limits;
mod permissions;
mod target;

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::config::is_key_name;
use crate::http::api::scope::Scope;
use crate::rfb::pacing::Pacing;
use crate::unit;

pub use api::{
    ApiArgs, ConsolesArgs, ConsolesCommand, ConsolesRevokeArgs, ReloadArgs, SessionsArgs,
    SessionsCommand, SessionsEndArgs, SessionsListArgs, SessionsPermitArgs, SessionsPressArgs,
    SessionsShowArgs,
};
pub use audit::{AuditArgs, AuditCommand, AuditVerifyArgs};
pub use binding::BindingArgs;
pub use limits::LimitsArgs;
pub use permissions::{PermissionsArgs, Ways};
pub use target::{IdentityArgs, SecurityArgs, TargetArgs};

/// A console gateway for virtual machines: a URL in, the machine's screen in the browser out.
#[derive(Debug, Parser)]
#[command(
    name = "fanlight",
    version,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gateway: serve the console page, the WebSocket and the API until told to stop.
    ///
    /// SIGTERM and SIGINT end it in good order: viewers are told, and sessions get a moment to end.
    /// SIGHUP has it read everything again, as `fanlight reload` does: the configuration, and the
    /// certificates, client authorities and the key ring, which it takes up by itself when they change.
    Serve(ServeArgs),
    /// Show a console without any machine: runs a gateway and a small machine of its own behind it,
    /// and prints a console URL.
    Demo(DemoArgs),
    /// Ask the running gateway how it is.
    ///
    /// Prints its answer, and fails when there is none or it is not a good one. For supervisors
    /// that run a command, such as health checks of containers; others ask /healthz and /readyz.
    #[command(after_help = examples::HEALTH)]
    Health(HealthArgs),
    /// Try a machine's VNC server, stage by stage, and say what it offers.
    ///
    /// Goes as far as a console would, up to the desktop's size and name, and leaves. Without a
    /// password it goes up to the question for one. Some servers count a connection that ends
    /// without a login as a failed one.
    Probe(ProbeArgs),
    /// Make, list and rotate the keys that tokens are sealed with; make keys for the API.
    #[command(after_help = examples::KEYS)]
    Keys(KeysArgs),
    /// Mint console URLs offline, from the key ring.
    ///
    /// Prints the URLs, one a line, and nothing else. Whoever has a URL can open the console until
    /// it expires. The gateway has to know the key ring's first key.
    #[command(after_help = examples::MINT)]
    Mint(MintArgs),
    /// Have a running gateway read its configuration again, as SIGHUP does, and wait for it.
    ///
    /// Prints which settings have changed, and which of them need a restart. Where anything is wrong
    /// with the configuration, everything stays as it was, and all problems are printed on standard
    /// error. The key needs the scope admin. Gateways side by side are asked one by one.
    #[command(after_help = examples::RELOAD)]
    Reload(ReloadArgs),
    /// List, show and end sessions through a gateway's API, change what their viewers may do, and
    /// press keys at their machines.
    #[command(after_help = examples::SESSIONS)]
    Sessions(SessionsArgs),
    /// Revoke consoles through a gateway's API.
    #[command(after_help = examples::CONSOLES)]
    Consoles(ConsolesArgs),
    /// Look into tokens.
    #[command(after_help = examples::TOKEN)]
    Token(TokenArgs),
    /// Check audit logs.
    #[command(after_help = examples::AUDIT)]
    Audit(AuditArgs),
    /// Check the configuration and print what it amounts to.
    ///
    /// Prints every setting as TOML, a comment behind each telling where its value came from, or
    /// all problems at once on standard error, each with its place. The certificate, key and key
    /// ring files that it names have to be there and readable; they are looked at last.
    #[command(after_help = examples::CHECK_CONFIG)]
    CheckConfig(ConfigArgs),
}

/// Which configuration.
#[derive(Clone, Debug, Default, Args)]
pub struct ConfigArgs {
    /// The configuration file. Without it: the one that FANLIGHT_CONFIG names, else
    /// /etc/fanlight/fanlight.toml if it exists, else the built-in defaults.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `fanlight serve`.
#[derive(Clone, Debug, Args)]
#[command(after_help = examples::SERVE)]
pub struct ServeArgs {
    /// Which configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Address and port to listen on, such as 127.0.0.1:8080 or [::]:8080.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// The gateway as browsers see it, such as https://console.example.
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// The directory of what the gateway makes itself, such as the key ring.
    #[arg(long, value_name = "DIRECTORY")]
    pub state_dir: Option<String>,
    /// error, warn, info, debug, trace, or a filter such as info,fanlight::host=debug.
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// text or json.
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
}

impl ServeArgs {
    /// The flags that were given and are settings, for
    /// [`Sources`](crate::config::Sources).
    #[must_use]
    pub fn flags(&self) -> Vec<(&'static str, String)> {
        [
            ("--listen", &self.listen),
            ("--public-url", &self.public_url),
            ("--state-dir", &self.state_dir),
            ("--log-level", &self.log_level),
            ("--log-format", &self.log_format),
        ]
        .into_iter()
        .filter_map(|(flag, value)| Some((flag, value.clone()?)))
        .collect()
    }
}

/// `fanlight demo`.
#[derive(Clone, Debug, Args)]
#[command(after_help = examples::DEMO)]
pub struct DemoArgs {
    /// Open the URL in the browser of this desktop.
    #[arg(long)]
    pub open: bool,
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
}

/// `fanlight health`.
#[derive(Clone, Debug, Args)]
pub struct HealthArgs {
    /// Ask whether it should be given new consoles, and not just whether it lives.
    #[arg(long)]
    pub ready: bool,
    /// Where it listens, if its configuration does not say.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Its configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// `fanlight probe`.
#[derive(Clone, Debug, Args)]
#[command(after_help = examples::PROBE)]
pub struct ProbeArgs {
    /// The machine.
    #[command(flatten)]
    pub target: TargetArgs,
    /// How long each stage may take.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub timeout: Duration,
    /// Which configuration: the target profiles are taken from it.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// What is demanded and permitted of the login.
    #[command(flatten)]
    pub security: SecurityArgs,
    /// What the machine must be.
    #[command(flatten)]
    pub identity: IdentityArgs,
}

/// `fanlight keys`.
#[derive(Clone, Debug, Args)]
pub struct KeysArgs {
    /// What to do with keys.
    #[command(subcommand)]
    pub command: KeysCommand,
}

/// The subcommands of `fanlight keys`.
#[derive(Clone, Debug, Subcommand)]
pub enum KeysCommand {
    /// Make the key ring, with one fresh key. Never overwrites one.
    #[command(after_help = examples::KEYS_NEW)]
    New(ConfigArgs),
    /// List the keys of the ring: ids and ages, no secrets.
    #[command(after_help = examples::KEYS_LIST)]
    List(ConfigArgs),
    /// Put a fresh key in front: it seals from now on, and the old ones still open.
    ///
    /// A gateway reads the ring when it starts. Bring the new ring to every gateway and restart
    /// them before URLs are minted offline with it.
    #[command(after_help = examples::KEYS_ROTATE)]
    Rotate(ConfigArgs),
    /// Make a key for the API and print it, this once, with its line for the configuration.
    #[command(after_help = examples::KEYS_API)]
    Api(ApiKeyArgs),
}

/// `fanlight keys api`.
#[derive(Clone, Debug, Args)]
pub struct ApiKeyArgs {
    /// Whose key it is, for the log: letters, digits, hyphens, underscores and dots.
    #[arg(long, default_value = "api", value_parser = key_name)]
    pub name: String,
    /// What it is good for: mint, sessions:read, sessions:target, sessions:end, sessions:control or
    /// admin; can be given more than once. Without it: mint alone.
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<Scope>,
}

/// `fanlight mint`.
#[derive(Clone, Debug, Args)]
pub struct MintArgs {
    /// The machine.
    #[command(flatten)]
    pub target: TargetArgs,
    /// The viewer is asked for the password, which nobody but the machine and the viewer ever has.
    #[arg(long, conflicts_with = "password_file")]
    pub relay: bool,
    /// What the viewer calls the machine, in place of the name that the machine gives.
    #[arg(long)]
    pub name: Option<String>,
    /// How long the URL can be opened, such as 60s or 8h. Without it: tokens.connect_within.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub ttl: Option<Duration>,
    /// How often, for how long, and beside whom.
    #[command(flatten)]
    pub limits: LimitsArgs,
    /// From where it may be opened.
    #[command(flatten)]
    pub binding: BindingArgs,
    /// What the viewer may do.
    #[command(flatten)]
    pub permissions: PermissionsArgs,
    /// Whether updates come without being asked for one by one: auto (to pages that are far), on or
    /// off. Without it: tokens.pacing.
    #[arg(long, value_name = "WORD")]
    pub pacing: Option<Pacing>,
    /// A label for the log; can be given more than once.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    pub labels: Vec<(String, String)>,
    /// How many URLs, one a line.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub count: u32,
    /// Which configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// What is demanded and permitted of the login.
    #[command(flatten)]
    pub security: SecurityArgs,
    /// What the machine must be.
    #[command(flatten)]
    pub identity: IdentityArgs,
}

/// `fanlight token`.
#[derive(Clone, Debug, Args)]
pub struct TokenArgs {
    /// What to do with a token.
    #[command(subcommand)]
    pub command: TokenCommand,
}

/// The subcommands of `fanlight token`.
#[derive(Clone, Debug, Subcommand)]
pub enum TokenCommand {
    /// Say what a token says, secrets as ***. An expired token is shown as well, and marked.
    #[command(after_help = examples::TOKEN_INSPECT)]
    Inspect(InspectArgs),
}

/// `fanlight token inspect`.
#[derive(Clone, Debug, Args)]
pub struct InspectArgs {
    /// The token or a whole console URL; - is standard input. On the command line other users of
    /// this machine can see it: prefer standard input.
    #[arg(default_value = "-", hide_default_value = true)]
    pub token: String,
    /// Which configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    unit::parse_duration(text).ok_or("expected a time with its unit such as 500ms, 60s, 5m or 8h")
}

fn number(text: &str) -> Result<NonZeroU16, &'static str> {
    text.parse()
        .map_err(|_| "expected a number from 1 to 65535")
}

fn label(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn key_name(text: &str) -> Result<String, &'static str> {
    is_key_name(text)
        .then(|| text.to_owned())
        .ok_or("expected 1 to 64 letters, digits, hyphens, underscores and dots")
}
