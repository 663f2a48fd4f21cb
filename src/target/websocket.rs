//! WebSockets that RFB is behind.

use std::num::NonZeroU16;
use std::str::FromStr;

use super::{Endpoint, HostName, RequestPath, Subprotocol};

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
        let (scheme, rest) = text.split_once("://").ok_or(BadWebSocketUrl)?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "wss" => true,
            "ws" => false,
            _ => return Err(BadWebSocketUrl),
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).ok_or(BadWebSocketUrl)?;
        let path = match path.starts_with('/') {
            true => path.parse(),
            false => format!("/{path}").parse(),
        };
        Ok(Self {
            endpoint: endpoint(authority, if tls { 443 } else { 80 }).ok_or(BadWebSocketUrl)?,
            tls,
            path: path.map_err(|_| BadWebSocketUrl)?,
        })
    }
}

/// Takes `host`, `host:port`, `[2001:db8::1]` and `[2001:db8::1]:port`.
fn endpoint(authority: &str, usual: u16) -> Option<Endpoint> {
    let host_end = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at_checked(host_end)?;
    let host: HostName = host.parse().ok()?;
    let port = match port.strip_prefix(':') {
        // `u16::from_str` takes a plus sign.
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
        None if port.is_empty() => usual,
        _ => return None,
    };
    let port = NonZeroU16::new(port)?;
    Some(Endpoint { host, port })
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
