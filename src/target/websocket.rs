//! WebSockets that RFB is behind.

use std::str::FromStr;

use super::url::take_apart;
use super::{Endpoint, RequestPath, Subprotocol};

/// The most subprotocols on offer.
pub const MAX_SUBPROTOCOLS: usize = 4;

/// RFB behind a WebSocket: ESXi, Proxmox, KubeVirt, QEMU. What opens it is in the path or among the
/// credentials.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WebSocketTarget {
    /// The host that opens it.
    pub endpoint: Endpoint,
    /// Whether that host speaks TLS there.
    pub tls: bool,
    /// The path with its query.
    pub path: RequestPath,
    /// The subprotocols on offer, at most [`MAX_SUBPROTOCOLS`], the liked ones first. Hosts want
    /// `binary` or none, KubeVirt `plain.kubevirt.io`.
    pub protocols: Vec<Subprotocol>,
}

/// A WebSocket's URL taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSocketUrl {
    /// Host and port; 443 and 80 where the URL has none.
    pub endpoint: Endpoint,
    /// Whether it is `wss`.
    pub tls: bool,
    /// The path with its query.
    pub path: RequestPath,
}

/// Why a text is not such a URL. It does not repeat the text, which may hold a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a URL such as wss://host:443/path, without a user and a fragment")]
pub struct BadWebSocketUrl;

impl FromStr for WebSocketUrl {
    type Err = BadWebSocketUrl;

    fn from_str(text: &str) -> Result<Self, BadWebSocketUrl> {
        let (endpoint, tls, path) = take_apart(text, ["wss", "ws"]).ok_or(BadWebSocketUrl)?;
        Ok(Self {
            endpoint,
            tls,
            path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (url, tls, endpoint, path) in [
            ("wss://esx-1/ticket/1", true, "esx-1:443", "/ticket/1"),
            ("ws://10.0.0.5:5701", false, "10.0.0.5:5701", "/"),
            (
                "WSS://[2001:db8::1]:8006/a?b=c",
                true,
                "[2001:db8::1]:8006",
                "/a?b=c",
            ),
            ("ws://[::1]?token=1", false, "[::1]:80", "/?token=1"),
        ] {
            let parsed = url.parse::<WebSocketUrl>().unwrap();
            let found = (parsed.tls, parsed.endpoint.to_string());
            assert_eq!(found, (tls, endpoint.to_owned()), "{url}");
            assert_eq!(parsed.path.expose(), path.as_bytes(), "{url}");
        }
    }

    #[test]
    fn what_is_no_such_url_is_refused() {
        for url in [
            "",
            "esx-1",
            "https://esx-1/",
            "ws:///path",
            "ws://user@esx-1/",
            "ws://user:pass@esx-1/",
            "ws://esx-1:0/",
            "ws://esx-1:+80/",
            "ws://esx-1:/",
            "ws://esx-1:65536/",
            "ws://[::1/",
            "ws://[::1]80/",
            "ws://esx-1/#a",
            "ws://esx-1/a b",
            "ws://esx-1/\r\nHost: b",
            "ws://esx 1/",
        ] {
            assert_eq!(url.parse::<WebSocketUrl>(), Err(BadWebSocketUrl), "{url:?}");
        }
    }
}
