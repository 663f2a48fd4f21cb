//! `target` in the API: an RFB server and how to get there.

use std::fmt::Display;
use std::num::NonZeroU16;

use serde::Deserialize;

use crate::http::api::object::Object;
use crate::http::api::whole::Whole;
use crate::target::{
    BadProfileName, Endpoint, MAX_SUBPROTOCOLS, Subprotocol, Target, Tunnel, Way, WebSocketTarget,
    WebSocketUrl,
};

/// Where the RFB server is: `host` and `port`, or one of the other ways.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TargetRequest {
    host: Option<String>,
    port: Option<Whole<NonZeroU16>>,
    /// Whether RFB is inside TLS from the first byte. Not, where it is not said.
    tls: Option<bool>,
    unix: Option<String>,
    tunnel: Option<Object<TunnelRequest>>,
    websocket: Option<Object<WebSocketRequest>>,
    /// With any of them.
    profile: Option<String>,
}

/// RFB behind a tunnel of XAPI.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TunnelRequest {
    host: String,
    /// 443 with TLS and 80 without, where it is not said.
    port: Option<Whole<NonZeroU16>>,
    /// With TLS, where it is not said.
    tls: Option<bool>,
    path: String,
}

/// RFB behind a WebSocket.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebSocketRequest {
    url: String,
    /// `binary`, where it is not said.
    protocols: Option<Vec<String>>,
}

/// The field that is wrong and what is wrong with it, without its value.
pub(super) type Wrong = (&'static str, String);

impl TargetRequest {
    pub(super) fn into_target(self) -> Result<Target, Wrong> {
        let profile = self.profile.map(|name| name.parse()).transpose();
        let profile = profile.map_err(at::<BadProfileName>("target.profile"))?;
        let address = (self.host, self.port, self.tls);
        let way = match (address, self.unix, self.tunnel, self.websocket) {
            ((Some(host), Some(Whole(port)), tls), None, None, None) => {
                let endpoint = Endpoint {
                    host: host.parse().map_err(at("target.host"))?,
                    port,
                };
                if tls.unwrap_or(false) {
                    Way::Tls(endpoint)
                } else {
                    Way::Tcp(endpoint)
                }
            }
            ((None, None, None), Some(path), None, None) => {
                Way::Unix(path.parse().map_err(at("target.unix"))?)
            }
            ((None, None, None), None, Some(Object(tunnel)), None) => {
                Way::Tunnel(tunnel.into_tunnel()?)
            }
            ((None, None, None), None, None, Some(Object(websocket))) => {
                Way::WebSocket(websocket.into_target()?)
            }
            _ => {
                let ways =
                    "expected host, port and maybe tls, or one of unix, tunnel and websocket";
                return Err(("target", ways.to_owned()));
            }
        };
        Ok(Target { way, profile })
    }
}

impl TunnelRequest {
    fn into_tunnel(self) -> Result<Tunnel, Wrong> {
        const HTTPS: NonZeroU16 = NonZeroU16::MIN.saturating_add(443 - 1);
        const HTTP: NonZeroU16 = NonZeroU16::MIN.saturating_add(80 - 1);

        let tls = self.tls.unwrap_or(true);
        let usual = if tls { HTTPS } else { HTTP };
        Ok(Tunnel {
            endpoint: Endpoint {
                host: self.host.parse().map_err(at("target.tunnel.host"))?,
                port: self.port.map_or(usual, |Whole(port)| port),
            },
            tls,
            path: self.path.parse().map_err(at("target.tunnel.path"))?,
        })
    }
}

impl WebSocketRequest {
    fn into_target(self) -> Result<WebSocketTarget, Wrong> {
        let url: WebSocketUrl = self.url.parse().map_err(at("target.websocket.url"))?;
        let protocols = self.protocols.unwrap_or_else(|| vec!["binary".to_owned()]);
        let field = "target.websocket.protocols";
        if protocols.len() > MAX_SUBPROTOCOLS {
            return Err((field, format!("more than {MAX_SUBPROTOCOLS}")));
        }
        let protocols: Result<Vec<Subprotocol>, _> =
            protocols.iter().map(|protocol| protocol.parse()).collect();
        Ok(WebSocketTarget {
            endpoint: url.endpoint,
            tls: url.tls,
            path: url.path,
            protocols: protocols.map_err(at(field))?,
        })
    }
}

fn at<E: Display>(field: &'static str) -> impl Fn(E) -> Wrong {
    move |error| (field, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(json: &str) -> Result<String, Wrong> {
        let request: TargetRequest = serde_json::from_str(json).unwrap();
        request.into_target().map(|target| match target.way {
            Way::WebSocket(it) => format!("{} {:?}", Way::WebSocket(it.clone()), it.protocols),
            way => way.to_string(),
        })
    }

    #[test]
    fn each_way_is_said_in_its_own_words() {
        for (json, expected) in [
            (r#"{"host": "10.0.0.5", "port": 5901}"#, "10.0.0.5:5901"),
            (
                r#"{"host": "10.0.0.5", "port": 5901, "tls": true}"#,
                "tls://10.0.0.5:5901",
            ),
            (r#"{"unix": "/run/vms/1"}"#, "unix:/run/vms/1"),
            (
                r#"{"tunnel": {"host": "xen-1", "path": "/console?uuid=1"}}"#,
                "connect+tls://xen-1:443",
            ),
            (
                r#"{"tunnel": {"host": "xen-1", "path": "/console?uuid=1", "tls": false}}"#,
                "connect://xen-1:80",
            ),
            (
                r#"{"tunnel": {"host": "xen-1", "path": "/console", "port": 8443}}"#,
                "connect+tls://xen-1:8443",
            ),
            (
                r#"{"websocket": {"url": "wss://esx-1/ticket/1"}}"#,
                r#"wss://esx-1:443 [Subprotocol("binary")]"#,
            ),
            (
                r#"{"websocket": {"url": "ws://10.0.0.5:5701", "protocols": []}}"#,
                "ws://10.0.0.5:5701 []",
            ),
        ] {
            assert_eq!(target(json).as_deref(), Ok(expected), "{json}");
        }
    }

    #[test]
    fn any_way_may_have_a_profile() {
        for way in [r#""host": "a", "port": 1"#, r#""unix": "/run/vms/1""#] {
            let json = format!(r#"{{{way}, "profile": "lab"}}"#);
            let request: TargetRequest = serde_json::from_str(&json).unwrap();
            assert_eq!(request.into_target().unwrap().profile, "lab".parse().ok());
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_not_repeated() {
        for (json, field) in [
            ("{}", "target"),
            (r#"{"host": "s3cret"}"#, "target"),
            (r#"{"port": 5900}"#, "target"),
            (
                r#"{"host": "s3cret", "port": 1, "unix": "/s3cret"}"#,
                "target",
            ),
            (
                r#"{"unix": "/s3cret", "websocket": {"url": "ws://s3cret"}}"#,
                "target",
            ),
            (r#"{"host": "s3cret/", "port": 1}"#, "target.host"),
            (r#"{"unix": "/s3cret", "tls": true}"#, "target"),
            (r#"{"unix": "/a", "profile": "S3cret"}"#, "target.profile"),
            (r#"{"unix": "s3cret"}"#, "target.unix"),
            (r#"{"unix": "/a/../s3cret"}"#, "target.unix"),
            (
                r#"{"tunnel": {"host": "s3cret:1", "path": "/"}}"#,
                "target.tunnel.host",
            ),
            (
                r#"{"tunnel": {"host": "a", "path": "/s3cret\r\nb"}}"#,
                "target.tunnel.path",
            ),
            (
                r#"{"websocket": {"url": "https://s3cret"}}"#,
                "target.websocket.url",
            ),
            (
                r#"{"websocket": {"url": "wss://a/s3cret b"}}"#,
                "target.websocket.url",
            ),
            (
                r#"{"websocket": {"url": "wss://a", "protocols": ["s3cret\n"]}}"#,
                "target.websocket.protocols",
            ),
            (
                r#"{"websocket": {"url": "wss://a", "protocols": ["a", "b", "c", "d", "e"]}}"#,
                "target.websocket.protocols",
            ),
        ] {
            let (found, words) = target(json).unwrap_err();
            assert_eq!(found, field, "{json}");
            assert!(!words.contains("s3cret"), "{words}");
        }
    }
}
