//! The PROXY protocol, version 2: a header before everything else on a connection, in which a load
//! balancer says whom it speaks for ([the specification][1], section 2.2).
//!
//! [1]: https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt

use std::net::IpAddr;

use crate::client_addr::ClientAddr;
use crate::wire::{Reader, Short};

/// What every header starts with, so that no other protocol can be taken for it.
pub const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The fixed part, in bytes: signature 12, version and command 1, family and transport 1, length 2.
pub const FIXED: usize = 16;

/// The longest variable part that is taken, in bytes: addresses are 36 at most, and what load
/// balancers add behind them is a few hundred.
pub const MAX_VARIABLE: usize = 2048;

/// What a connection's first bytes come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many bytes more have to be there.
    NeedMore(usize),
    /// The header is whole.
    Done {
        /// The client; `None` where the load balancer speaks for itself or does not know.
        client: Option<ClientAddr>,
        /// How long the header is, in bytes.
        length: usize,
    },
}

/// Why a connection's first bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProxyHeader {
    /// Something else starts there.
    #[error("the connection does not start with a header of the PROXY protocol, version 2")]
    NoHeader,
    /// Another version or command.
    #[error("the PROXY header has version and command {0:#04x}")]
    Command(u8),
    /// A family or transport that no browser comes by.
    #[error("the PROXY header has family and transport {0:#04x}")]
    Family(u8),
    /// A length over the limit, or too short for the addresses.
    #[error("the PROXY header has a variable part of {0} bytes")]
    Length(usize),
}

/// Version 2 in the upper half, and the command LOCAL: the load balancer's own connection.
const LOCAL: u8 = 0x20;
/// Version 2 and the command PROXY.
const PROXY: u8 = 0x21;
/// Neither family nor transport is known.
const UNSPECIFIED: u8 = 0x00;
/// TCP over IPv4: addresses of 4 bytes and ports of 2, the source first.
const TCP_V4: u8 = 0x11;
/// TCP over IPv6: addresses of 16 bytes and ports of 2.
const TCP_V6: u8 = 0x21;

/// The header of a connection on which the sender speaks for itself: no addresses follow.
pub const OWN: [u8; FIXED] = *b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

/// Reads a header at the start of `bytes`.
///
/// # Errors
/// [`BadProxyHeader`], as soon as the fixed part is there.
pub fn parse(bytes: &[u8]) -> Result<Step, BadProxyHeader> {
    let Some((fixed, behind)) = bytes.split_first_chunk::<FIXED>() else {
        return Ok(Step::NeedMore(FIXED - bytes.len()));
    };
    let [signature @ .., command, family, high, low] = *fixed;
    if signature != SIGNATURE {
        return Err(BadProxyHeader::NoHeader);
    }
    if !matches!(command, LOCAL | PROXY) {
        return Err(BadProxyHeader::Command(command));
    }
    let announced = usize::from(u16::from_be_bytes([high, low]));
    if announced > MAX_VARIABLE {
        return Err(BadProxyHeader::Length(announced));
    }
    let Some(variable) = behind.get(..announced) else {
        return Ok(Step::NeedMore(announced - behind.len()));
    };
    // Whatever follows LOCAL or an unknown family is passed over, says the specification.
    let client = match family {
        _ if command == LOCAL => None,
        UNSPECIFIED => None,
        TCP_V4 => Some(source(variable, |it: [u8; 4]| it.into())?),
        TCP_V6 => Some(source(variable, |it: [u8; 16]| it.into())?),
        family => return Err(BadProxyHeader::Family(family)),
    };
    let length = FIXED + announced;
    Ok(Step::Done { client, length })
}

/// The first of two addresses, with the first of the two ports behind them. What stands behind
/// those is not looked at.
fn source<const N: usize>(
    variable: &[u8],
    ip: impl Fn([u8; N]) -> IpAddr,
) -> Result<ClientAddr, BadProxyHeader> {
    let mut reader = Reader::new(variable);
    let mut read = || {
        let source = reader.array("source address")?;
        reader.array::<N>("destination address")?;
        let port = reader.u16("source port")?;
        reader.u16("destination port")?;
        Ok(ClientAddr::new(ip(source), Some(port)))
    };
    read().map_err(|_: Short| BadProxyHeader::Length(variable.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(command: u8, family: u8, variable: &[u8]) -> Vec<u8> {
        let length = u16::try_from(variable.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, variable].concat()
    }

    const V4: [u8; 12] = [203, 0, 113, 5, 10, 0, 0, 1, 0x12, 0x67, 0x01, 0xbb];

    fn v6() -> Vec<u8> {
        let ip = |text: &str| text.parse::<std::net::Ipv6Addr>().unwrap().octets();
        [
            &ip("2001:db8::5")[..],
            &ip("fd00::1"),
            &[0x12, 0x67, 1, 0xbb],
        ]
        .concat()
    }

    fn client(header: &[u8]) -> Result<Option<String>, BadProxyHeader> {
        match parse(header)? {
            Step::Done { client, length } => {
                assert_eq!(length, header.len());
                Ok(client.map(|it| it.to_string()))
            }
            step => panic!("{step:?}"),
        }
    }

    #[test]
    fn the_source_is_the_client() {
        let v4 = header(PROXY, TCP_V4, &V4);
        assert_eq!(client(&v4), Ok(Some("203.0.113.5:4711".into())));
        let more = header(PROXY, TCP_V4, &[&V4[..], &[0x04, 0, 3, 1, 2, 3]].concat());
        assert_eq!(client(&more), Ok(Some("203.0.113.5:4711".into())));
        let v6 = header(PROXY, TCP_V6, &v6());
        assert_eq!(client(&v6), Ok(Some("[2001:db8::5]:4711".into())));
        // Health checks, and a client that came by a Unix socket.
        for own in [
            header(LOCAL, UNSPECIFIED, &[]),
            OWN.to_vec(),
            header(LOCAL, TCP_V4, &V4),
            header(PROXY, UNSPECIFIED, b"whatever"),
        ] {
            assert_eq!(client(&own), Ok(None));
        }
    }

    #[test]
    fn any_start_asks_for_no_more_than_what_is_missing() {
        let whole = header(PROXY, TCP_V4, &[&V4[..], &[0; 300]].concat());
        for end in 0..whole.len() {
            match parse(&whole[..end]).unwrap() {
                Step::NeedMore(more) => assert!(more > 0 && end + more <= whole.len(), "{end}"),
                step => panic!("{end}: {step:?}"),
            }
        }
        let followed = [&whole[..], b"GET / HTTP/1.1"].concat();
        assert_eq!(parse(&followed), parse(&whole));
    }

    #[test]
    fn what_is_no_header_is_refused_at_its_fixed_part() {
        use BadProxyHeader::{Command, Family, Length, NoHeader};
        let long = header(PROXY, TCP_V4, &[0; MAX_VARIABLE + 1]);
        for (bytes, error) in [
            (b"GET / HTTP/1.1\r\n\r\n"[..].to_vec(), NoHeader),
            (
                b"PROXY TCP4 203.0.113.5 10.0.0.1 1 2\r\n".to_vec(),
                NoHeader,
            ),
            (header(0x11, TCP_V4, &V4), Command(0x11)),
            (header(0x22, TCP_V4, &V4), Command(0x22)),
            (header(PROXY, 0x12, &V4), Family(0x12)),
            (header(PROXY, 0x31, &[0; 216]), Family(0x31)),
            (header(PROXY, TCP_V4, &V4[..11]), Length(11)),
            (header(PROXY, TCP_V6, &V4), Length(12)),
            (long[..FIXED].to_vec(), Length(MAX_VARIABLE + 1)),
        ] {
            assert_eq!(parse(&bytes), Err(error), "{bytes:?}");
        }
    }
}
