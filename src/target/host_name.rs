//! The name of a host.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// An IP address or a DNS name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostName {
    /// A literal address, IPv4 or IPv6.
    Ip(IpAddr),
    /// A DNS name in lower case: 1 to 253 bytes of letters, digits, `-`, `_` and dots.
    Dns(Box<str>),
}

/// Why a text is neither an address nor a DNS name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an IP address or DNS name")]
pub struct BadHostName;

/// The longest DNS name, in bytes ([RFC 1035, 2.3.4] less the root's dot and length).
///
/// [RFC 1035, 2.3.4]: https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4
pub const MAX_DNS_NAME: usize = 253;

impl FromStr for HostName {
    type Err = BadHostName;

    /// Takes `10.0.0.5`, `2001:db8::1`, `[2001:db8::1]` and DNS names.
    fn from_str(text: &str) -> Result<Self, BadHostName> {
        if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
            return inner
                .parse::<Ipv6Addr>()
                .map(|ip| Self::Ip(ip.into()))
                .map_err(|_| BadHostName);
        }
        if let Ok(ip) = text.parse() {
            return Ok(Self::Ip(ip));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        // All digits and dots, yet not an address: a typing error, and inet_aton's guesses at it
        // (10.5 as 10.0.0.5) are a way around policies.
        let numeric = name
            .rsplit('.')
            .next()
            .is_some_and(|l| l.bytes().all(|b| b.is_ascii_digit()));
        if name.len() > MAX_DNS_NAME || numeric || !name.split('.').all(is_label) {
            return Err(BadHostName);
        }
        Ok(Self::Dns(name.to_ascii_lowercase().into()))
    }
}

/// One label of a DNS name: 1 to 63 bytes, not framed by hyphens. Underscores occur in the wild.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Dns(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_parse_and_print_back() {
        for (text, printed) in [
            ("10.0.0.5", "10.0.0.5"),
            ("2001:DB8::1", "2001:db8::1"),
            ("[::1]", "::1"),
            ("Hyper-1.Example.com.", "hyper-1.example.com"),
            ("node_3", "node_3"),
        ] {
            assert_eq!(
                text.parse::<HostName>().map(|h| h.to_string()),
                Ok(printed.to_owned())
            );
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let long = "a".repeat(64);
        for text in [
            "",
            ".",
            "a..b",
            "-a",
            "a-",
            "10.5",
            "1.2.3.4.5",
            "a b",
            "a/b",
            "[::1",
            "[1.2.3.4]",
            "fe80::1%eth0",
            "user@host",
            "host:5900",
            "b\u{fc}cher.de",
            &long,
        ] {
            assert_eq!(text.parse::<HostName>(), Err(BadHostName), "{text:?}");
        }
        let longest = [
            "a".repeat(63),
            "b".repeat(63),
            "c".repeat(63),
            "d".repeat(61),
        ]
        .join(".");
        assert!(longest.parse::<HostName>().is_ok());
        assert!(format!("{longest}d").parse::<HostName>().is_err());
    }
}
