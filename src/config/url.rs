//! The gateway as browsers see it, and the paths under which it serves.

use std::fmt;
use std::net::SocketAddr;

use super::value::{Setable, quote};
use crate::origin::Origin;
use crate::target::HostName;

/// The URL of a gateway that listens on `bound`, as seen from the same machine or, where the
/// address tells more, from its network.
pub(super) fn listening_at(https: bool, bound: SocketAddr, path: &BasePath) -> PublicUrl {
    let host = if bound.ip().is_unspecified() {
        HostName::Dns("localhost".into())
    } else {
        HostName::Ip(bound.ip())
    };
    PublicUrl {
        origin: Origin::new(https, host, Some(bound.port())),
        path: path.clone(),
    }
}

/// A host and maybe a port, as they stand in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) host: HostName,
    pub(super) port: Option<u16>,
}

impl Authority {
    /// Takes `host`, `host:port`, `[2001:db8::1]` and `[2001:db8::1]:port`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let host_end = match text.strip_prefix('[') {
            Some(rest) => rest.find(']')? + 2,
            None => text.find(':').unwrap_or(text.len()),
        };
        let (host, port) = text.split_at_checked(host_end)?;
        let port = match port.strip_prefix(':') {
            Some(digits) => Some(parse_port(digits)?),
            None if port.is_empty() => None,
            None => return None,
        };
        Some(Self {
            host: host.parse().ok()?,
            port,
        })
    }
}

/// Digits alone (`u16::from_str` takes a plus sign), 1 to 65535.
fn parse_port(digits: &str) -> Option<u16> {
    let port = digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|number| port && *number != 0)
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            HostName::Ip(std::net::IpAddr::V6(ip)) => write!(f, "[{ip}]")?,
            host => host.fmt(f)?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// The path of a prefix: empty, or `/` and segments of unreserved characters ([RFC 3986, 2.3])
/// with `/` between them and none at the end.
///
/// [RFC 3986, 2.3]: https://www.rfc-editor.org/rfc/rfc3986#section-2.3
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

impl BasePath {
    /// The path as it stands before `/novnc`: empty or `/consoles`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes one slash too many at the end.
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let good = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
        };
        let segments = text.strip_prefix('/').map(|path| path.split('/').all(good));
        (text.is_empty() || segments == Some(true)).then(|| Self(text.to_owned()))
    }
}

impl Setable for BasePath {
    const EXPECTED: &'static str = "a path such as /consoles, or nothing";

    fn from_text(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn to_toml(&self) -> String {
        quote(self.as_str())
    }
}

/// An `http` or `https` URL without query and fragment; prints without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: Origin,
    path: BasePath,
}

impl PublicUrl {
    /// The prefix that minted URLs carry.
    #[must_use]
    pub const fn path(&self) -> &BasePath {
        &self.path
    }

    /// Scheme, host and port, as the gateway's own pages have them.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path.as_str())
    }
}

impl Setable for PublicUrl {
    const EXPECTED: &'static str =
        "a URL such as https://console.example or https://cloud.example/consoles";

    fn from_text(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let Authority { host, port } = Authority::parse(authority)?;
        Some(Self {
            origin: Origin::new(https, host, port),
            path: BasePath::parse(path)?,
        })
    }

    fn to_toml(&self) -> String {
        quote(&self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_print_normalised() {
        for (typed, printed) in [
            ("https://Console.Example", "https://console.example"),
            ("HTTP://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            (
                "https://[2001:DB8::1]:8443/a/b/",
                "https://[2001:db8::1]:8443/a/b",
            ),
            (
                "https://cloud.example/consoles",
                "https://cloud.example/consoles",
            ),
        ] {
            let url = PublicUrl::from_text(typed).map(|url| url.to_string());
            assert_eq!(url.as_deref(), Some(printed));
        }
    }

    #[test]
    fn what_is_no_public_url_is_refused() {
        for text in [
            "",
            "console.example",
            "ws://console.example",
            "https://",
            "https:///path",
            "https://user@console.example",
            "https://console.example:",
            "https://console.example:0",
            "https://console.example:+80",
            "https://console.example:65536",
            "https://2001:db8::1",
            "https://[2001:db8::1",
            "https://[2001:db8::1]x",
            "https://[127.0.0.1]",
            "https://console.example/?q",
            "https://console.example/#f",
            "https://console.example/a//b",
            "https://console.example/a/../b",
            "https://console.example/%2e",
            "https://console.example/a;b",
            "https://console.example/\"",
            "https://console.example\r\n",
        ] {
            assert_eq!(PublicUrl::from_text(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_url_of_a_bound_address() {
        let path = BasePath::parse("/consoles").unwrap();
        for (https, bound, url) in [
            (false, "127.0.0.1:8080", "http://127.0.0.1:8080/consoles"),
            (false, "0.0.0.0:80", "http://localhost/consoles"),
            (true, "[::]:443", "https://localhost/consoles"),
            (
                true,
                "[2001:db8::1]:80",
                "https://[2001:db8::1]:80/consoles",
            ),
        ] {
            let bound = bound.parse().unwrap();
            assert_eq!(listening_at(https, bound, &path).to_string(), url);
        }
    }

    #[test]
    fn base_paths() {
        for (typed, kept) in [
            ("", Some("")),
            ("/", Some("")),
            ("/consoles", Some("/consoles")),
            ("/a/b/", Some("/a/b")),
            ("consoles", None),
            ("//", None),
            ("//evil.example", None),
            ("/a/./b", None),
            ("/a b", None),
        ] {
            let path = BasePath::from_text(typed);
            assert_eq!(path.as_ref().map(BasePath::as_str), kept, "{typed:?}");
        }
    }
}
