//! The configuration: a TOML file, the environment and flags, in rising order.
//!
//! What was typed ([`raw`]) is laid layer over layer, then read setting by setting after the one
//! table in [`setting`], and becomes a [`Config`], or all of its [`Problems`] at once. Only the
//! floors of processes and commands see a `Config`; what is below has small parameter structs.

mod ancestor;
mod api_key;
mod change;
mod contents;
mod edge;
mod files;
mod listener;
mod problem;
mod profile;
mod raw;
mod reader;
mod resolve;
pub mod setting;
mod sharing;
mod sources;
mod store;
mod tls;
mod url;
mod value;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use crate::unit::ByteSize;
pub use ancestor::FrameAncestor;
pub use api_key::{ApiKey, ApiKeyHash, ApiProof, is_key_name};
pub use change::Change;
pub use edge::Proxies;
pub use listener::{ListenAddress, Listener, SocketMode};
pub use problem::{Place, Problem, Problems};
pub use profile::Profile;
pub use reader::Origins;
pub use sharing::{GatewayName, LabelQuota};
pub use sources::{Resolved, SYSTEM_FILE, Sources};
pub use store::{KeyPrefix, Redis, RedisUrl, Store, StoreError, UserName, WhenAway};
pub use tls::{Tls, TlsMode};
pub use url::{BasePath, PublicUrl};

use crate::audit;
use crate::fetch::Url;
use crate::http::roles::Role;
use crate::mint::Usual;
use crate::origin::{Origin, OriginPolicy};
use crate::rate::Rate;
use crate::rfb::pacing::Pacing;
use crate::target::{ProfileName, TargetRules};
use crate::telemetry::{LogFilter, LogFormat};
use crate::token;

/// Everything that can be set, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What the gateway is called in lists of sessions. Default: the machine's host name.
    pub name: Option<GatewayName>,
    /// Where to listen, and what is answered there. Default: the page and the API at
    /// `127.0.0.1:8080`.
    pub listeners: Vec<Listener>,
    /// The gateway as browsers see it. Default: what [`Config::public_url()`]
    /// makes of the listeners.
    pub public_url: Option<PublicUrl>,
    /// The path under which the gateway serves. Default: the path of `public_url`.
    pub base_path: BasePath,
    /// The directory of what the gateway makes itself. Default: `/var/lib/fanlight`.
    pub state_dir: PathBuf,
    /// Who may show the console in a frame. Default: nobody.
    pub frame_ancestors: Vec<FrameAncestor>,
    /// Whose pages may open consoles besides the gateway's own. Default: nobody's.
    pub origins: Vec<Origin>,
    /// Whether a WebSocket without an origin is refused. Default: false.
    pub require_origin: bool,
    /// What stands in front. Default: nothing that is believed.
    pub proxies: Proxies,
    /// TLS of the listeners.
    pub tls: Tls,
    /// Sealing of tokens.
    pub tokens: Tokens,
    /// Keys of the API. Default: none, and the API is off.
    pub api_keys: Vec<ApiKey>,
    /// How much at once.
    pub limits: Limits,
    /// How long a session that lost its connection may come back. Default: 5 min; 1 s to 24 h.
    /// Costs about 2 KiB a session in the store.
    pub resume_grace: Duration,
    /// Where hosts may be. Default: in private networks, at any port.
    pub targets: TargetRules,
    /// What gateways have to agree on. Default: this one agrees with itself.
    pub store: Store,
    /// The leg to the host.
    pub host: Host,
    /// What is verified about hosts and allowed with them, by the names that grants say. The one
    /// named `default` holds for grants that name none. Default: none.
    pub profiles: BTreeMap<ProfileName, Profile>,
    /// The leg to the browser.
    pub browser: Browser,
    /// The audit log. Default: none.
    pub audit: audit::Params,
    /// Who is told of sessions. Default: nobody.
    pub webhook: Option<WebhookTo>,
    /// The log.
    pub log: Log,
    /// Where traces go. Default: nowhere.
    pub traces: Option<TracesTo>,
    /// How long sessions may go on, or move to another gateway, when the gateway is stopped.
    /// Default: 30 s with a shared store, else 0; 0 to 24 h.
    pub drain_timeout: Duration,
    /// How long sessions get to say goodbye when the gateway is stopped. Default: 10 s; 0 to
    /// 10 min.
    pub shutdown_grace: Duration,
}

/// Who is told of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookTo {
    /// Where to.
    pub url: Url,
    /// The file with the secret for signing.
    pub secret_file: PathBuf,
}

/// Where traces go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracesTo {
    /// What takes OTLP over HTTP.
    pub url: Url,
    /// The file with headers for it. Default: none.
    pub headers_file: Option<PathBuf>,
}

/// Sealing of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// The key ring. Default: `keyring` in [`Config::state_dir`].
    pub keyring_file: PathBuf,
    /// How long a minted URL can be opened. Default: 60 s; 1 s to 24 h. Costs nothing: a token is
    /// not remembered anywhere.
    pub connect_within: Duration,
    /// How long a session may last. Default: 8 h; 1 s to 31 days.
    pub session_max: Duration,
    /// How long the person may do nothing. Default: 15 min; 1 s to 31 days.
    pub idle_max: Duration,
    /// Whether updates are paced. Default: [`Pacing::Auto`]. A paced session has its host's words
    /// looked at.
    pub pacing: Pacing,
}

impl Tokens {
    /// What holds for orders that do not say.
    #[must_use]
    pub fn usual(&self) -> Usual {
        Usual {
            connect_within: self.connect_within,
            limits: token::Limits {
                session_max: self.session_max,
                idle_max: self.idle_max,
                ..token::Limits::default()
            },
            pacing: self.pacing,
        }
    }
}

/// How much at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sessions. Default: 5000; 1 to 1 000 000. Each is a task and two sockets.
    pub sessions: usize,
    /// Connections from browsers. Default: 10 000; more than `sessions`. Each is a socket.
    pub connections: usize,
    /// Sessions on all gateways that share a store. Default: any number.
    pub sessions_in_all: Option<usize>,
    /// Sessions from one client address. Default: any number.
    pub sessions_per_client: Option<usize>,
    /// Sessions for each value of a label. Default: any number.
    pub sessions_per_label: Vec<LabelQuota>,
    /// Sessions between WebSocket and picture. Default: 2000; 1 to 1 000 000. Each may hold a place
    /// at a host.
    pub handshakes: usize,
    /// Connections of one client. Default: 3000/m. Whoever is counted costs about 50 bytes, and at
    /// most 65 536 are at once.
    pub connections_per_client: Rate,
    /// WebSockets of one client. Default: 1000/m. Costs the same.
    pub handshakes_per_client: Rate,
    /// Consoles minted with one API key. Default: 6000/m.
    pub mints_per_key: Rate,
}

/// The leg to the host. Its deadlines are 10 ms to 10 min each: a silent host holds its session for
/// no longer than their sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// To find and reach it, all its addresses together. Default: 10 s.
    pub connect_timeout: Duration,
    /// For its `ProtocolVersion`. Default: 10 s.
    pub version_timeout: Duration,
    /// From the security types to the `SecurityResult`. Default: 30 s.
    pub security_timeout: Duration,
    /// For its `ServerInit`. Default: 10 s.
    pub init_timeout: Duration,
    /// How many logins it may be busy with at once; others wait, within `connect_timeout`.
    /// Default: 4; 1 to 1000. Costs nothing until there are others.
    pub dials_per_host: usize,
    /// The folder below which Unix sockets of hosts may be. Default: none, and then no grant gets
    /// to a Unix socket.
    pub unix_root: Option<PathBuf>,
}

/// The leg to the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Browser {
    /// For the RFB handshake with it. Default: 15 s; 10 ms to 10 min.
    pub handshake_timeout: Duration,
    /// The most between two pings. Default: 25 s; 10 ms to 1 h. Costs two small packets each time.
    pub ping_interval: Duration,
    /// After this long without a byte in either direction it is gone. Default: 60 s; 20 ms to 2 h,
    /// and more than `ping_interval`. A session whose browser vanished lives on for this long.
    pub dead_after: Duration,
    /// The largest frame it may send. Default: 1 MiB; 1 KiB to 64 MiB. No buffer of this size is
    /// held: a frame is passed on as it arrives.
    pub max_frame: ByteSize,
    /// Whether its WebSocket may be within a connection of HTTP/2. Default: no. Each costs up to
    /// 64 KiB more than one with a connection of its own, while bytes wait.
    pub websocket_over_http2: bool,
}

/// The log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// What is logged. Default: `info`.
    pub level: LogFilter,
    /// How it looks. Default: text.
    pub format: LogFormat,
}

impl Config {
    /// The gateway as browsers see it: `public_url`, or else what can be known from the first address
    /// that pages are served at, with `localhost` for "every address". `bound` says where a listener
    /// is, if it is there and at a TCP port.
    #[must_use]
    pub fn public_url(&self, bound: impl Fn(&Listener) -> Option<SocketAddr>) -> Option<PublicUrl> {
        let derived = || {
            let mut public = self
                .listeners
                .iter()
                .filter(|it| it.roles.has(Role::Public));
            public.find_map(|listener| {
                let bound = bound(listener)?;
                let https = self.speaks_tls(listener, Some(bound));
                Some(url::listening_at(https, bound, &self.base_path))
            })
        };
        self.public_url.clone().or_else(derived)
    }

    /// The same, as far as it is known before the gateway listens.
    #[must_use]
    pub fn known_public_url(&self) -> Option<PublicUrl> {
        self.public_url(|listener| match listener.address {
            ListenAddress::Tcp(address) => Some(address).filter(|it| it.port() != 0),
            ListenAddress::Unix(_) | ListenAddress::Systemd(_) => None,
        })
    }

    /// Whether a listener speaks TLS that is at this TCP port, or at a Unix socket.
    #[must_use]
    pub fn speaks_tls(&self, listener: &Listener, bound: Option<SocketAddr>) -> bool {
        match listener.tls {
            Some(mode) => self.tls.is_on(mode, bound),
            None if listener.clients.is_some() => true,
            None => {
                let away = bound.is_some() && listener.roles.serves();
                away && self.tls.is_on(self.tls.mode, bound)
            }
        }
    }

    /// Whose pages may open consoles: the gateway's own, and those of [`Config::origins`].
    #[must_use]
    pub fn origin_policy(&self, public_url: &PublicUrl) -> OriginPolicy {
        let own = public_url.origin().clone();
        OriginPolicy {
            allowed: std::iter::once(own).chain(self.origins.clone()).collect(),
            required: self.require_origin,
        }
    }
}
