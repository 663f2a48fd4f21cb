//! Web origins: whose page opens a WebSocket, as its browser says ([RFC 6454]).
//!
//! A browser sends its page's origin with each WebSocket and no page can change it, so this keeps
//! other sites' pages away from consoles. Whoever writes a client of their own can send any.
//!
//! [RFC 6454]: https://www.rfc-editor.org/rfc/rfc6454

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::target::HostName;

/// Scheme, host and port of a page. Two are the same when all three are.
///
/// The scheme's usual port is the same as none, and letters are lower case, as browsers serialise
/// it. A dot at the end of a name makes another host of it for browsers; no origin has one here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    https: bool,
    host: HostName,
    /// `None` for the scheme's usual one.
    port: Option<u16>,
}

/// Why a text is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an origin such as https://cloud.example or http://[2001:db8::1]:8080")]
pub struct BadOrigin;

impl Origin {
    /// Puts one together.
    #[must_use]
    pub fn new(https: bool, host: HostName, port: Option<u16>) -> Self {
        let usual = if https { 443 } else { 80 };
        Self {
            https,
            host,
            port: port.filter(|port| *port != usual),
        }
    }

    /// Where the page came from.
    #[must_use]
    pub const fn host(&self) -> &HostName {
        &self.host
    }

    /// Whether the page came by HTTPS.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.https
    }
}

impl FromStr for Origin {
    type Err = BadOrigin;

    /// Takes `https://host`, `http://host:port`, `https://[2001:db8::1]:port`: no path, not even a
    /// slash, no user, and no other scheme.
    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        let (scheme, authority) = text.split_once("://").ok_or(BadOrigin)?;
        let https = match () {
            () if scheme.eq_ignore_ascii_case("https") => true,
            () if scheme.eq_ignore_ascii_case("http") => false,
            () => return Err(BadOrigin),
        };
        let host_end = match authority.strip_prefix('[') {
            Some(inside) => inside.find(']').ok_or(BadOrigin)? + 2,
            None => authority.find(':').unwrap_or(authority.len()),
        };
        let (host, rest) = authority.split_at_checked(host_end).ok_or(BadOrigin)?;
        let port = match rest.strip_prefix(':') {
            Some(digits) => Some(port(digits)?),
            None if rest.is_empty() => None,
            None => return Err(BadOrigin),
        };
        if host.ends_with('.') {
            return Err(BadOrigin);
        }
        let host = host.parse().map_err(|_| BadOrigin)?;
        Ok(Self::new(https, host, port))
    }
}

/// Digits alone (`u16::from_str` takes a plus sign), 1 to 65535.
fn port(digits: &str) -> Result<u16, BadOrigin> {
    let clean = digits.bytes().all(|b| b.is_ascii_digit());
    let port = digits.parse().ok().filter(|port| clean && *port != 0);
    port.ok_or(BadOrigin)
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.https { "https://" } else { "http://" })?;
        match &self.host {
            HostName::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]")?,
            host => host.fmt(f)?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// What a request says of its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// Nothing: it is no browser's, or an old one's.
    None,
    /// This one.
    Origin(Origin),
    /// Something that no page of ours says: `null`, which frames without an origin share, another
    /// scheme, several, or no origin at all.
    Other,
}

impl Presented {
    /// Reads the lines of the header `Origin`; `None` is a line that is not text.
    pub fn from_lines<'a>(lines: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut lines = lines.into_iter();
        match (lines.next(), lines.next()) {
            (None, _) => Self::None,
            (Some(Some(line)), None) => line.parse().map_or(Self::Other, Self::Origin),
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no origin"),
            Self::Origin(origin) => origin.fmt(f),
            Self::Other => f.write_str("an origin without a name"),
        }
    }
}

/// Whose pages may open consoles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OriginPolicy {
    /// These.
    pub allowed: Vec<Origin>,
    /// Whether whoever says no origin is refused.
    pub required: bool,
}

/// A request comes from a page that may not open consoles here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} may not open consoles here (settings public_url, origins, require_origin)")]
pub struct OriginRefused(pub Presented);

impl OriginPolicy {
    /// Decides about a request.
    ///
    /// # Errors
    /// [`OriginRefused`].
    pub fn check(&self, presented: &Presented) -> Result<(), OriginRefused> {
        let allowed = match presented {
            Presented::None => !self.required,
            Presented::Origin(origin) => self.allowed.contains(origin),
            Presented::Other => false,
        };
        let refused = || OriginRefused(presented.clone());
        allowed.then_some(()).ok_or_else(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        text.parse().unwrap()
    }

    fn presented(line: &str) -> Presented {
        Presented::from_lines([Some(line)])
    }

    #[test]
    fn origins_print_as_browsers_serialise_them() {
        for (typed, printed) in [
            ("https://Cloud.Example", "https://cloud.example"),
            ("HTTPS://cloud.example:443", "https://cloud.example"),
            ("http://cloud.example:80", "http://cloud.example"),
            ("http://cloud.example:443", "http://cloud.example:443"),
            ("http://10.0.0.1:8080", "http://10.0.0.1:8080"),
            ("https://[2001:DB8:0::1]:8443", "https://[2001:db8::1]:8443"),
            (
                "https://xn--bcher-kva.example",
                "https://xn--bcher-kva.example",
            ),
        ] {
            let origin = origin(typed);
            assert_eq!(origin.to_string(), printed);
            assert_eq!(printed.parse(), Ok(origin));
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            "null",
            "*",
            "cloud.example",
            "//cloud.example",
            "https:",
            "https://",
            "https://cloud.example/",
            "https://cloud.example?",
            "https://cloud.example#",
            "https://cloud.example.",
            "https://cloud.example:",
            "https://cloud.example:0",
            "https://cloud.example:+443",
            "https://cloud.example:65536",
            "https://cloud.example:443:443",
            "https://user@cloud.example",
            "https://*.cloud.example",
            "https://2001:db8::1",
            "https://[2001:db8::1",
            "https://[2001:db8::1]x",
            "https://[127.0.0.1]",
            "https://127.1",
            "https://cloud.example https://cloud.example",
            "https://b\u{fc}cher.example",
            "wss://cloud.example",
            "file://cloud.example",
            "chrome-extension://abcdefghijklmnop",
            " https://cloud.example",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(BadOrigin), "{text:?}");
        }
    }

    #[test]
    fn only_the_same_scheme_host_and_port_are_the_same() {
        let allowed = vec![
            origin("https://console.example"),
            origin("http://[::1]:8080"),
        ];
        let policy = OriginPolicy {
            allowed,
            required: false,
        };
        for same in [
            "https://console.example",
            "https://CONSOLE.example:443",
            "http://[::1]:8080",
            "http://[0:0:0::1]:8080",
        ] {
            assert_eq!(policy.check(&presented(same)), Ok(()), "{same}");
        }
        for other in [
            "null",
            "http://console.example",
            "https://console.example:8443",
            "https://console.example.",
            "https://a.console.example",
            "https://example",
            "https://console.example.evil.example",
            "https://evil-console.example",
            "http://[::1]",
            "http://[::2]:8080",
            "http://::1:8080",
            "http://localhost:8080",
            "",
        ] {
            let said = presented(other);
            let refused = Err(OriginRefused(said.clone()));
            assert_eq!(policy.check(&said), refused, "{other}");
        }
    }

    #[test]
    fn no_origin_is_allowed_unless_one_is_required() {
        let none = Presented::from_lines([]);
        assert_eq!(none, Presented::None);
        let mut policy = OriginPolicy::default();
        assert_eq!(policy.check(&none), Ok(()));
        policy.required = true;
        assert_eq!(policy.check(&none), Err(OriginRefused(none)));
    }

    #[test]
    fn several_lines_or_no_text_are_nobody() {
        let line = Some("https://console.example");
        assert_eq!(Presented::from_lines([line, line]), Presented::Other);
        assert_eq!(Presented::from_lines([None]), Presented::Other);
        assert!(matches!(
            Presented::from_lines([line]),
            Presented::Origin(_)
        ));
    }
}
