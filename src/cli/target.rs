//! The machine that `mint` and `probe` speak of.

use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::number;
use crate::rfb::identity::{Fingerprint, MachineUuid};
use crate::target::{HostName, ProfileName, Subprotocol, Tunnel, UnixPath, WebSocketUrl};

/// Where a machine is, and who we are there.
#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("way").required(true).args(WAYS)))]
pub struct TargetArgs {
    /// The machine's VNC server: an IP address or a DNS name.
    #[arg(long, requires = "port")]
    pub host: Option<HostName>,
    /// Its TCP port; VNC display :1 is port 5901.
    #[arg(long, requires = "host", value_parser = number)]
    pub port: Option<NonZeroU16>,
    /// It speaks TLS from the first byte, around everything.
    #[arg(long, requires = "host")]
    pub tls: bool,
    /// In place of host and port: a Unix socket, below host.unix_root.
    #[arg(long, value_name = "PATH")]
    pub unix: Option<UnixPath>,
    /// In place of host and port: a console of XenServer or XCP-ng, such as
    /// https://xen-1/console?uuid=...
    #[arg(long, value_name = "URL")]
    pub tunnel: Option<Tunnel>,
    /// In place of host and port: a WebSocket that speaks RFB, such as wss://esx-1/... Where the
    /// URL holds a ticket, other users of this machine can see it here.
    #[arg(long, value_name = "URL")]
    pub websocket: Option<WebSocketUrl>,
    /// A file with that URL, where it holds a ticket; - is standard input.
    #[arg(long, value_name = "FILE")]
    pub websocket_file: Option<PathBuf>,
    /// A subprotocol to offer to the WebSocket, the liked one first; without any: binary.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["host", "unix", "tunnel"])]
    pub subprotocol: Vec<Subprotocol>,
    /// No subprotocol is offered to the WebSocket.
    #[arg(long, conflicts_with_all = ["host", "unix", "tunnel", "subprotocol"])]
    pub no_subprotocol: bool,
    /// A file with the Cookie header for a tunnel or WebSocket, such as session_id=OpaqueRef:...;
    /// - is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["host", "unix"])]
    pub cookie_file: Option<PathBuf>,
    /// A file with headers for a tunnel or WebSocket, one a line, such as Authorization: Bearer ...;
    /// - is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["host", "unix"])]
    pub header_file: Option<PathBuf>,
    /// The target profile of the configuration: what is verified about it and allowed with it.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<ProfileName>,
    /// A user of it, where it asks for one.
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// A file with its VNC password and nothing else, the last line's end excepted; - is standard
    /// input.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Which machine is meant behind an xvp proxy.
    #[arg(long, value_name = "NAME")]
    pub xvp_target: Option<String>,
    /// What an UltraVNC repeater is told, such as ID:1234.
    #[arg(long, value_name = "ID")]
    pub repeater_id: Option<String>,
}

/// The arguments of which one says how to get to the machine.
const WAYS: [&str; 5] = ["host", "unix", "tunnel", "websocket", "websocket_file"];

/// What is demanded and permitted of the login, beside the profile.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Demanded and permitted of the login")]
pub struct SecurityArgs {
    /// Only logins inside TLS with a certificate are used.
    #[arg(long)]
    pub require_tls: bool,
    /// Logins that show the password on the way may be used.
    #[arg(long)]
    pub allow_clear_text: bool,
    /// A machine that asks for no authentication, outside of TLS, is refused.
    #[arg(long)]
    pub refuse_none: bool,
}

/// What the machine must be.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "What the machine must be")]
pub struct IdentityArgs {
    /// SHA-256 of its certificate's public key, in hexadecimal or base64; of several one has to
    /// fit.
    #[arg(long, value_name = "SHA256")]
    pub pin_certificate: Vec<Fingerprint>,
    /// SHA-256 of the public key that it shows in RA2.
    #[arg(long, value_name = "SHA256")]
    pub pin_ra2_key: Option<Fingerprint>,
    /// The name of its desktop, exactly.
    #[arg(long, value_name = "NAME")]
    pub pin_desktop_name: Option<String>,
    /// A UUID that the name of its desktop has in it.
    #[arg(long, value_name = "UUID")]
    pub pin_machine_uuid: Option<MachineUuid>,
}
