//! The fields that say how to get to an RFB server.

use std::num::NonZeroU16;

use super::BadGrant;
use super::tag::Kind;
use crate::target::{
    Endpoint, HostName, MAX_SUBPROTOCOLS, RequestPath, Subprotocol, Tunnel, UnixPath, Way,
    WebSocketTarget,
};

/// A way while its fields come in.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) kind: Option<Kind>,
    pub(super) host: Option<HostName>,
    pub(super) port: Option<NonZeroU16>,
    pub(super) socket_path: Option<UnixPath>,
    pub(super) request_path: Option<RequestPath>,
    pub(super) protocols: Vec<Subprotocol>,
}

impl Parts {
    /// The way. What it has no use for must not be there: it may have been meant as a restriction.
    pub(super) fn finish(mut self) -> Result<Way, BadGrant> {
        let way = match self.kind {
            None => Way::Tcp(self.endpoint()?),
            Some(Kind::TLS) => Way::Tls(self.endpoint()?),
            Some(Kind::UNIX) => {
                let path = self.socket_path.take();
                Way::Unix(path.ok_or(BadGrant::Missing("socket path"))?)
            }
            Some(kind @ (Kind::TUNNEL | Kind::TUNNEL_TLS)) => Way::Tunnel(Tunnel {
                endpoint: self.endpoint()?,
                tls: kind == Kind::TUNNEL_TLS,
                path: self.request_path()?,
            }),
            Some(kind @ (Kind::WEBSOCKET | Kind::WEBSOCKET_TLS)) => {
                Way::WebSocket(WebSocketTarget {
                    endpoint: self.endpoint()?,
                    tls: kind == Kind::WEBSOCKET_TLS,
                    path: self.request_path()?,
                    protocols: self.protocols()?,
                })
            }
            Some(_) => return Err(BadGrant::Bad("way")),
        };
        match self {
            Self {
                host: None,
                port: None,
                socket_path: None,
                request_path: None,
                protocols,
                ..
            } if protocols.is_empty() => Ok(way),
            _ => Err(BadGrant::Bad("way")),
        }
    }

    fn endpoint(&mut self) -> Result<Endpoint, BadGrant> {
        Ok(Endpoint {
            host: self.host.take().ok_or(BadGrant::Missing("host"))?,
            port: self.port.take().ok_or(BadGrant::Missing("port"))?,
        })
    }

    fn request_path(&mut self) -> Result<RequestPath, BadGrant> {
        let path = self.request_path.take();
        path.ok_or(BadGrant::Missing("request path"))
    }

    fn protocols(&mut self) -> Result<Vec<Subprotocol>, BadGrant> {
        if self.protocols.len() > MAX_SUBPROTOCOLS {
            return Err(BadGrant::Bad("subprotocol"));
        }
        Ok(std::mem::take(&mut self.protocols))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::grant::tests::usual;
    use crate::token::grant::{Grant, tag};

    fn ways() -> Vec<Way> {
        let endpoint = Endpoint {
            host: "xen-1".parse().unwrap(),
            port: NonZeroU16::new(443).unwrap(),
        };
        let path: RequestPath = "/console?uuid=1".parse().unwrap();
        let mut ways = vec![Way::Unix("/run/vms/1".parse().unwrap())];
        for tls in [false, true] {
            let (endpoint, path) = (endpoint.clone(), path.clone());
            ways.push(Way::Tunnel(Tunnel {
                endpoint: endpoint.clone(),
                tls,
                path: path.clone(),
            }));
            ways.push(Way::WebSocket(WebSocketTarget {
                endpoint,
                tls,
                path,
                protocols: vec!["binary".parse().unwrap(), "b".parse().unwrap()],
            }));
        }
        ways
    }

    fn encoded(way: Way) -> Vec<u8> {
        let mut grant = usual();
        grant.target.way = way;
        grant.encode().unwrap().to_vec()
    }

    #[test]
    fn every_way_round_trips() {
        for way in ways() {
            let decoded = Grant::decode(&encoded(way.clone())).unwrap();
            assert_eq!(decoded.target.way, way);
        }
    }

    #[test]
    fn a_field_that_the_way_has_no_use_for_is_refused() {
        let unix = || encoded(ways().remove(0));
        let with = |mut bytes: Vec<u8>, tag: u8, value: &[u8]| {
            bytes.push(tag);
            bytes.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            bytes.extend(value);
            Grant::decode(&bytes).map(drop).unwrap_err()
        };
        let usual = || usual().encode().unwrap().to_vec();
        for (bytes, tag, value) in [
            (unix(), tag::HOST, &b"xen-1"[..]),
            (unix(), tag::PORT, &[1, 1]),
            (unix(), tag::REQUEST_PATH, b"/"),
            (usual(), tag::SOCKET_PATH, b"/run/1"),
            (usual(), tag::REQUEST_PATH, b"/"),
            (usual(), tag::SUBPROTOCOL, b"binary"),
        ] {
            assert_eq!(with(bytes, tag, value), BadGrant::Bad("way"), "{tag}");
        }
        let websocket = || encoded(ways().remove(2));
        let bad = with(websocket(), tag::SUBPROTOCOL, b"a\r\nb");
        assert_eq!(bad, BadGrant::Bad("subprotocol"));
        let mut many = websocket();
        for _ in 2..MAX_SUBPROTOCOLS {
            many.extend([tag::SUBPROTOCOL, 0, 1, b'c']);
        }
        assert!(Grant::decode(&many).is_ok());
        assert_eq!(
            with(many, tag::SUBPROTOCOL, b"c"),
            BadGrant::Bad("subprotocol")
        );
        let missing = with(usual(), tag::WAY, &[Kind::TUNNEL.0]);
        assert_eq!(missing, BadGrant::Missing("request path"));
    }
}
