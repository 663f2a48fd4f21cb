//! Flags of the commands that ask a gateway's API.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Subcommand};

use super::permissions::Ways;
use super::{duration, examples, label};
use crate::fetch::Url;
use crate::id::{ConsoleId, SessionId};

/// Which gateway, and who asks.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The gateway")]
pub struct ApiArgs {
    /// The gateway as it is reached from here, such as https://console.example, or unix:/PATH for
    /// plain HTTP at a Unix socket.
    #[arg(long = "api", value_name = "URL", value_parser = gateway)]
    pub at: Gateway,
    /// A Unix socket where the gateway is, in place of the URL's address.
    #[arg(long, value_name = "FILE")]
    pub socket: Option<PathBuf>,
    /// A file with the API key and nothing else; - is standard input. Without it: the variable
    /// FANLIGHT_API_KEY.
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// PEM file with a client certificate and its chain, shown in place of an API key.
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// PEM file with the private key of that certificate. Without it: the same file.
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub cert_key: Option<PathBuf>,
    /// PEM file with the authorities that are believed about the gateway. Without it: the system's.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// How long an answer may take; the gateway gives itself 10s for one.
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration)]
    pub timeout: Duration,
    /// Print the answer as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Where a gateway is.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Its URL.
    pub url: Url,
    /// The Unix socket that was named in place of a URL.
    pub socket: Option<PathBuf>,
}

/// `unix:/PATH` is a gateway at that socket; anything else is its URL.
fn gateway(text: &str) -> Result<Gateway, BadGateway> {
    let (url, socket) = match text.strip_prefix("unix:") {
        None => (text, None),
        Some(path) if path.starts_with('/') => ("http://localhost", Some(path.into())),
        Some(_) => return Err(BadGateway),
    };
    let url = url.parse().map_err(|_| BadGateway)?;
    Ok(Gateway { url, socket })
}

/// Why a text names no gateway. It does not repeat the text.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("neither a URL such as https://console.example nor unix:/PATH")]
struct BadGateway;

/// `fanlight reload`.
#[derive(Clone, Debug, Args)]
pub struct ReloadArgs {
    /// Which gateway, and who asks.
    #[command(flatten)]
    pub api: ApiArgs,
}

/// `fanlight sessions`.
#[derive(Clone, Debug, Args)]
pub struct SessionsArgs {
    /// What to do with sessions.
    #[command(subcommand)]
    pub command: SessionsCommand,
}

/// The subcommands of `fanlight sessions`.
#[derive(Clone, Debug, Subcommand)]
pub enum SessionsCommand {
    /// List who is in, on all gateways that share a store.
    #[command(after_help = examples::SESSIONS_LIST)]
    List(SessionsListArgs),
    /// Tell all about one session.
    #[command(after_help = examples::SESSIONS_SHOW)]
    Show(SessionsShowArgs),
    /// Change what a session's viewer may do; what is not said stays as it is.
    ///
    /// It holds from the next message on, also when the session comes back. Where text from the
    /// machine is forbidden or bounded for the first time, the page connects anew.
    #[command(after_help = examples::SESSIONS_PERMIT)]
    Permit(SessionsPermitArgs),
    /// Press keys at a session's machine and release them, whatever its viewer may do itself.
    ///
    /// Keys are ctrl, alt, altgr, shift, super, esc, tab, enter, space, backspace, del, insert,
    /// home, end, pageup, pagedown, left, up, right, down, sysrq, f1 to f12, letters and digits: up
    /// to five, joined by hyphens. Nobody says whether the machine took them.
    #[command(after_help = examples::SESSIONS_PRESS)]
    Press(SessionsPressArgs),
    /// End a session. It cannot be resumed.
    #[command(after_help = examples::SESSIONS_END)]
    End(SessionsEndArgs),
}

/// `fanlight sessions list`.
#[derive(Clone, Debug, Args)]
pub struct SessionsListArgs {
    /// Only sessions with this label; can be given more than once, and then all have to fit.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    pub labels: Vec<(String, String)>,
    /// Only sessions of this console.
    #[arg(long, value_name = "ID")]
    pub console: Option<ConsoleId>,
    /// Which gateway, and who asks.
    #[command(flatten)]
    pub api: ApiArgs,
}

/// `fanlight sessions show`.
#[derive(Clone, Debug, Args)]
pub struct SessionsShowArgs {
    /// The session.
    pub id: SessionId,
    /// Which gateway, and who asks.
    #[command(flatten)]
    pub api: ApiArgs,
}

/// `fanlight sessions permit`.
#[derive(Clone, Debug, Args)]
pub struct SessionsPermitArgs {
    /// The session.
    pub id: SessionId,
    /// Whether nothing that the viewer does reaches the machine.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    pub view_only: Option<bool>,
    /// The ways that text may go.
    #[arg(long, value_name = "WAYS")]
    pub clipboard: Option<Ways>,
    /// How many bytes of text may go to the machine at once.
    #[arg(long, value_name = "BYTES")]
    pub clipboard_to_machine_max: Option<u32>,
    /// How many bytes of text may come from the machine at once.
    #[arg(long, value_name = "BYTES")]
    pub clipboard_from_machine_max: Option<u32>,
    /// Whether the size of the machine's screen may be changed.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    pub resize: Option<bool>,
    /// Whether the machine may be shut down, rebooted and reset, where its host offers that (xvp).
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    pub power: Option<bool>,
    /// Which gateway, and who asks.
    #[command(flatten)]
    pub api: ApiArgs,
}

/// `fanlight sessions press`.
#[derive(Clone, Debug, Args)]
pub struct SessionsPressArgs {
    /// The session.
    pub id: SessionId,
    /// The keys, such as ctrl-alt-del or ctrl-alt-f2.
    pub keys: String,
    /// Which gateway, and who asks.
    #[command(flatten)]
    pub api: ApiArgs,
}

/// `fanlight sessions end`.
#[derive(Clone, Debug, Args)]
pub struct SessionsEndArgs {
    /// The session.
    pub id: SessionId,
    /// What its page shows beside the reason, at most 256 characters.
    #[arg(long, value_name = "TEXT")]
    pub message: Option<String>,
    /// Which gateway, and who asks.
    #[command(flatten)]
    pub api: ApiArgs,
}

/// `fanlight consoles`.
#[derive(Clone, Debug, Args)]
pub struct ConsolesArgs {
    /// What to do with consoles.
    #[command(subcommand)]
    pub command: ConsolesCommand,
}

/// The subcommands of `fanlight consoles`.
#[derive(Clone, Debug, Subcommand)]
pub enum ConsolesCommand {
    /// Revoke a console, or all that were minted with a label up to now: their sessions end, and
    /// nobody gets in with their URLs any more.
    #[command(after_help = examples::CONSOLES_REVOKE)]
    Revoke(ConsolesRevokeArgs),
}

/// `fanlight consoles revoke`.
#[derive(Clone, Debug, Args)]
pub struct ConsolesRevokeArgs {
    /// The console.
    #[arg(required_unless_present = "label", conflicts_with = "label")]
    pub id: Option<ConsoleId>,
    /// In place of one console, all with this label.
    #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
    pub label: Option<(String, String)>,
    /// Which gateway, and who asks.
    #[command(flatten)]
    pub api: ApiArgs,
}
