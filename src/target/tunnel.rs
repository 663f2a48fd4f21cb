//! Tunnels that HTTP's CONNECT opens.

use std::str::FromStr;

use super::url::take_apart;
use super::{Endpoint, RequestPath};

/// RFB behind a tunnel of XAPI (XenServer, XCP-ng). What opens it is among the credentials.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tunnel {
    /// The host that opens it.
    pub endpoint: Endpoint,
    /// Whether that host speaks TLS there, usually at port 443.
    pub tls: bool,
    /// Which console: `/console?uuid=…` or `/console?ref=…`, without a session.
    pub path: RequestPath,
}

/// Why a text is not the URL of a tunnel. It does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a URL such as https://host/console?uuid=..., without a user and a fragment")]
pub struct BadTunnelUrl;

impl FromStr for Tunnel {
    type Err = BadTunnelUrl;

    /// Takes the URL that XAPI gives as the location of a console; 443 and 80 are the ports of
    /// `https` and `http` where it has none.
    fn from_str(text: &str) -> Result<Self, BadTunnelUrl> {
        let (endpoint, tls, path) = take_apart(text, ["https", "http"]).ok_or(BadTunnelUrl)?;
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
    fn locations_are_taken_apart() {
        for (url, tls, endpoint, path) in [
            (
                "https://xen-1/console?uuid=1",
                true,
                "xen-1:443",
                "/console?uuid=1",
            ),
            (
                "http://10.0.0.5/console?ref=2",
                false,
                "10.0.0.5:80",
                "/console?ref=2",
            ),
            (
                "https://[2001:db8::1]:8443/c",
                true,
                "[2001:db8::1]:8443",
                "/c",
            ),
        ] {
            let tunnel = url.parse::<Tunnel>().unwrap();
            let found = (tunnel.tls, tunnel.endpoint.to_string());
            assert_eq!(found, (tls, endpoint.to_owned()), "{url}");
            assert_eq!(tunnel.path.expose(), path.as_bytes(), "{url}");
        }
        for url in [
            "xen-1/console",
            "wss://xen-1/",
            "https://root@xen-1/",
            "https://xen-1/#a",
        ] {
            assert_eq!(url.parse::<Tunnel>(), Err(BadTunnelUrl), "{url}");
        }
    }
}
