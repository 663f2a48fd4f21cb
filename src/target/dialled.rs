//! What a way dials, whatever is spoken behind it.

use super::{Endpoint, UnixPath, Way};

/// What a connection is made to. Machines that one host serves under different paths have it in
/// common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Dialled {
    /// A port of a host.
    Tcp(Endpoint),
    /// A socket of this machine.
    Unix(UnixPath),
}

impl Way {
    /// What is dialled on this way.
    #[must_use]
    pub fn dialled(&self) -> Dialled {
        match self {
            Self::Tcp(endpoint) | Self::Tls(endpoint) => Dialled::Tcp(endpoint.clone()),
            Self::Unix(path) => Dialled::Unix(path.clone()),
            Self::Tunnel(tunnel) => Dialled::Tcp(tunnel.endpoint.clone()),
            Self::WebSocket(target) => Dialled::Tcp(target.endpoint.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Tunnel, WebSocketTarget};
    use super::*;

    fn endpoint(port: u16) -> Endpoint {
        Endpoint {
            host: "host-1".parse().unwrap(),
            port: port.try_into().unwrap(),
        }
    }

    #[test]
    fn what_differs_in_path_or_ticket_alone_dials_the_same() {
        let tunnel = |path: &str| {
            Way::Tunnel(Tunnel {
                endpoint: endpoint(443),
                tls: true,
                path: path.parse().unwrap(),
            })
        };
        let websocket = |path: &str| {
            Way::WebSocket(WebSocketTarget {
                endpoint: endpoint(443),
                tls: true,
                path: path.parse().unwrap(),
                protocols: Vec::new(),
            })
        };
        let here = Dialled::Tcp(endpoint(443));
        for way in [
            tunnel("/console?uuid=1"),
            tunnel("/console?uuid=2"),
            websocket("/ticket/1"),
            websocket("/ticket/2"),
            Way::Tcp(endpoint(443)),
            Way::Tls(endpoint(443)),
        ] {
            assert_eq!(way.dialled(), here, "{way}");
        }
        assert_ne!(Way::Tcp(endpoint(444)).dialled(), here);
        let unix = |path: &str| Way::Unix(path.parse().unwrap()).dialled();
        assert_ne!(unix("/run/vms/1"), unix("/run/vms/2"));
    }
}
