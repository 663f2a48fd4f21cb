//! Where an RFB server is, and how to get there.

mod allowed;
mod dialled;
mod host_name;
mod profile_name;
mod request_path;
mod subprotocol;
mod tunnel;
mod unix_path;
mod url;
mod websocket;

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;

pub use allowed::{BadTargetRange, Special, TargetRange, TargetRefused, TargetRules};
pub use dialled::Dialled;
pub use host_name::{BadHostName, HostName, MAX_DNS_NAME};
pub use profile_name::{BadProfileName, MAX_PROFILE_NAME, ProfileName};
pub use request_path::{BadRequestPath, MAX_REQUEST_PATH, RequestPath};
pub use subprotocol::{BadSubprotocol, MAX_SUBPROTOCOL, Subprotocol};
pub use tunnel::{BadTunnelUrl, Tunnel};
pub use unix_path::{BadUnixPath, MAX_UNIX_PATH, UnixPath};
pub use websocket::{BadWebSocketUrl, MAX_SUBPROTOCOLS, WebSocketTarget, WebSocketUrl};

/// An RFB server as a grant names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// How to get there.
    pub way: Way,
    /// The part of the gateway's configuration that says what to verify and what to allow there.
    pub profile: Option<ProfileName>,
}

/// How to get to an RFB server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// RFB over TCP.
    Tcp(Endpoint),
    /// RFB inside TLS from the first byte.
    Tls(Endpoint),
    /// RFB over a Unix socket of this machine.
    Unix(UnixPath),
    /// RFB behind HTTP's CONNECT.
    Tunnel(Tunnel),
    /// RFB behind a WebSocket.
    WebSocket(WebSocketTarget),
}

/// A host and one of its TCP ports.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Where.
    pub host: HostName,
    /// Which TCP port, 1 to 65535. VNC display `:n` is port 5900 + n.
    pub port: NonZeroU16,
}

impl Target {
    /// RFB over TCP, under no profile.
    #[must_use]
    pub const fn tcp(host: HostName, port: NonZeroU16) -> Self {
        Self {
            way: Way::Tcp(Endpoint { host, port }),
            profile: None,
        }
    }
}

/// For the log: the way, without any secret.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.way.fmt(f)
    }
}

/// For the log: `10.0.0.5:5901`, `tls://10.0.0.5:5901`, `unix:/run/vms/1`,
/// `connect+tls://10.0.0.5:443`, `wss://10.0.0.5:443`. Never a secret, and so no path of a request.
impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(endpoint) => endpoint.fmt(f),
            Self::Tls(endpoint) => write!(f, "tls://{endpoint}"),
            Self::Unix(path) => write!(f, "unix:{path}"),
            Self::Tunnel(Tunnel { endpoint, tls, .. }) => {
                let scheme = if *tls { "connect+tls" } else { "connect" };
                write!(f, "{scheme}://{endpoint}")
            }
            Self::WebSocket(WebSocketTarget { endpoint, tls, .. }) => {
                let scheme = if *tls { "wss" } else { "ws" };
                write!(f, "{scheme}://{endpoint}")
            }
        }
    }
}

/// As an authority: `10.0.0.5:5901`, `[::1]:5901`.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            HostName::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_print_for_the_log() {
        let port = NonZeroU16::new(5901).unwrap();
        let target = |host: &str| Target::tcp(host.parse().unwrap(), port);
        assert_eq!(target("::1").to_string(), "[::1]:5901");
        assert_eq!(target("10.0.0.5").to_string(), "10.0.0.5:5901");
        let tls = Way::Tls(Endpoint {
            host: "web-01".parse().unwrap(),
            port,
        });
        assert_eq!(tls.to_string(), "tls://web-01:5901");
    }

    #[test]
    fn other_ways_print_without_what_may_be_a_ticket() {
        let endpoint = Endpoint {
            host: "::1".parse().unwrap(),
            port: NonZeroU16::new(443).unwrap(),
        };
        let path: RequestPath = "/ticket/s3cret".parse().unwrap();
        let tunnel = |tls| {
            let (endpoint, path) = (endpoint.clone(), path.clone());
            Way::Tunnel(Tunnel {
                endpoint,
                tls,
                path,
            })
            .to_string()
        };
        let websocket = |tls| {
            let (endpoint, path) = (endpoint.clone(), path.clone());
            let protocols = Vec::new();
            let target = WebSocketTarget {
                endpoint,
                tls,
                path,
                protocols,
            };
            Way::WebSocket(target).to_string()
        };
        assert_eq!(tunnel(true), "connect+tls://[::1]:443");
        assert_eq!(tunnel(false), "connect://[::1]:443");
        assert_eq!(websocket(true), "wss://[::1]:443");
        assert_eq!(websocket(false), "ws://[::1]:443");
        let unix = Way::Unix("/run/vms/1".parse().unwrap());
        assert_eq!(unix.to_string(), "unix:/run/vms/1");
    }
}
