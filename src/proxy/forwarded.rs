//! The lists in which proxies say whom they speak for, read from their end.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::ForwardedHeader;
use crate::client_addr::ClientAddr;

/// What a trusted proxy wrote is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadForwarded {
    /// A place in the list has no address.
    #[error("a proxy's header has no address where the client's should be")]
    NoAddress,
    /// The list has too many proxies.
    #[error("a proxy's header names too many proxies")]
    TooLong,
}

/// The addresses in a header's lines, the last one first.
#[derive(Debug)]
pub struct Hops<'a> {
    header: ForwardedHeader,
    /// The lines that are not begun yet, the last of them next.
    lines: std::iter::Rev<std::slice::Iter<'a, &'a [u8]>>,
    /// What is left of the line that is being read, if there is anything.
    rest: Option<&'a [u8]>,
}

impl<'a> Hops<'a> {
    /// Starts at the end of the last line.
    #[must_use]
    pub fn new(header: ForwardedHeader, lines: &'a [&'a [u8]]) -> Self {
        Self {
            header,
            lines: lines.iter().rev(),
            rest: None,
        }
    }
}

impl Iterator for Hops<'_> {
    type Item = Result<ClientAddr, BadForwarded>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take().or_else(|| self.lines.next().copied())?;
        let (before, last) = split_last(rest, b',');
        self.rest = before;
        let last = std::str::from_utf8(last).ok().map(str::trim);
        let node = match self.header {
            ForwardedHeader::XForwardedFor => last,
            ForwardedHeader::Forwarded => last.and_then(for_of),
        };
        Some(node.and_then(address).ok_or(BadForwarded::NoAddress))
    }
}

/// What stands before and behind the last `separator` that is outside of quotes. Quotes are
/// counted from the end, so that whoever wrote the beginning cannot put the end inside one.
fn split_last(text: &[u8], separator: u8) -> (Option<&[u8]>, &[u8]) {
    let mut quoted = false;
    let found = text.iter().rposition(|byte| {
        quoted ^= *byte == b'"';
        *byte == separator && !quoted
    });
    let split = found.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?)));
    split.map_or((None, text), |(before, behind)| (Some(before), behind))
}

/// The one parameter `for` of an element ([RFC 7239, 4]), without its quotes.
///
/// [RFC 7239, 4]: https://www.rfc-editor.org/rfc/rfc7239#section-4
fn for_of(element: &str) -> Option<&str> {
    let mut found = None;
    let mut rest = Some(element.as_bytes());
    while let Some(text) = rest {
        let (before, last) = split_last(text, b';');
        rest = before;
        let (name, value) = std::str::from_utf8(last).ok()?.trim().split_once('=')?;
        if name.eq_ignore_ascii_case("for") && found.replace(value).is_some() {
            return None;
        }
    }
    let value = found?;
    let quoted = value.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    Some(quoted.unwrap_or(value))
}

/// An address with or without a port; IPv6 in brackets, or bare without a port.
fn address(node: &str) -> Option<ClientAddr> {
    if let Ok(ip) = node.parse::<IpAddr>() {
        return Some(ClientAddr::new(ip, None));
    }
    // `SocketAddr` would take scopes, which are this machine's own names for its links.
    if node.contains('%') {
        return None;
    }
    if let Ok(address) = node.parse::<SocketAddr>() {
        return Some(address.into());
    }
    let inside = node.strip_prefix('[')?.strip_suffix(']')?;
    let ip: Ipv6Addr = inside.parse().ok()?;
    Some(ClientAddr::new(ip.into(), None))
}
