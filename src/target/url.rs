//! What the URLs of tunnels and WebSockets have in common.

use std::num::NonZeroU16;

use super::{Endpoint, HostName, RequestPath};

/// Takes `scheme://host:port/path?query` apart, where the first scheme is the one with TLS and port
/// 443, and the other is without and at port 80. There is neither a user nor a fragment in it.
pub(super) fn take_apart(
    text: &str,
    [with_tls, without]: [&str; 2],
) -> Option<(Endpoint, bool, RequestPath)> {
    let (scheme, rest) = text.split_once("://")?;
    let tls = match scheme.to_ascii_lowercase() {
        scheme if scheme == with_tls => true,
        scheme if scheme == without => false,
        _ => return None,
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let path = match path.starts_with('/') {
        true => path.parse(),
        false => format!("/{path}").parse(),
    };
    let endpoint = endpoint(authority, if tls { 443 } else { 80 })?;
    Some((endpoint, tls, path.ok()?))
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
