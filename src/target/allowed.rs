//! Which addresses the gateway may connect to.
//!
//! The rules are about addresses, never about names: a name says what its owner wants it to say,
//! and something else a moment later. So they are asked about each address that a name resolves to,
//! and what they allow is what is dialled.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::network;

/// A network, and ports in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetRange {
    network: IpNet,
    /// The first and the last port; 0 to 65535 is every port.
    ports: (u16, u16),
}

/// Why a text is no range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a range such as 10.0.0.0/8, 10.0.0.0/8:5900-5999 or [fd00::/8]:5900")]
pub struct BadTargetRange;

impl TargetRange {
    fn has(&self, ip: IpAddr, port: u16) -> bool {
        self.network.contains(&ip) && (self.ports.0..=self.ports.1).contains(&port)
    }
}

impl FromStr for TargetRange {
    type Err = BadTargetRange;

    /// Takes a network or an address, and with a colon a port or two with a hyphen between; IPv6
    /// stands in brackets then.
    fn from_str(text: &str) -> Result<Self, BadTargetRange> {
        let (network, ports) = match text.strip_prefix('[') {
            Some(rest) => {
                let (network, behind) = rest.split_once(']').ok_or(BadTargetRange)?;
                match behind {
                    "" => (network, None),
                    ports => (
                        network,
                        Some(ports.strip_prefix(':').ok_or(BadTargetRange)?),
                    ),
                }
            }
            None => match text.split_once(':') {
                Some((network, ports)) if !ports.contains(':') => (network, Some(ports)),
                _ => (text, None),
            },
        };
        let network = network::parse_exact(network).ok_or(BadTargetRange)?;
        let ports = match ports {
            None => (0, u16::MAX),
            Some(ports) => {
                let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
                (port(first)?, port(last)?)
            }
        };
        if ports.0 > ports.1 {
            return Err(BadTargetRange);
        }
        Ok(Self { network, ports })
    }
}

fn port(text: &str) -> Result<u16, BadTargetRange> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(BadTargetRange)
}

impl fmt::Display for TargetRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.ports, self.network) {
            ((0, u16::MAX), network) => return network.fmt(f),
            (_, IpNet::V4(network)) => network.fmt(f)?,
            (_, IpNet::V6(network)) => write!(f, "[{network}]")?,
        }
        match self.ports {
            (first, last) if first == last => write!(f, ":{first}"),
            (first, last) => write!(f, ":{first}-{last}"),
        }
    }
}

/// Which addresses may be connected to: those in an allowed range and in no denied one.
///
/// Ranges of addresses that are special ([`Special`]) are not in a wider range that is allowed:
/// `0.0.0.0/0` allows neither loopback addresses nor metadata services, and `127.0.0.0/8` does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetRules {
    /// What may be connected to.
    pub allow: Vec<TargetRange>,
    /// What may not, although it is allowed.
    pub deny: Vec<TargetRange>,
}

/// Addresses that are never meant by a wide range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// This machine.
    Loopback,
    /// The link alone; where most clouds have their metadata service, too.
    LinkLocal,
    /// A cloud's service that gives secrets to whoever asks from inside.
    Metadata,
    /// No address at all, which the kernel takes for this machine.
    Unspecified,
    /// Many at once.
    Multicast,
}

impl Special {
    const fn words(self) -> &'static str {
        match self {
            Self::Loopback => "a loopback address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "the address of a metadata service",
            Self::Unspecified => "no machine's address",
            Self::Multicast => "a multicast or broadcast address",
        }
    }
}

/// The special addresses, the narrower first.
const SPECIAL: [(Special, IpNet); 13] = [
    // Amazon, Google, Azure, OpenStack and most others; Amazon by IPv6; Alibaba; Azure; Oracle.
    (Special::Metadata, v4(169, 254, 169, 254, 32)),
    (
        Special::Metadata,
        v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128),
    ),
    (Special::Metadata, v4(100, 100, 100, 200, 32)),
    (Special::Metadata, v4(168, 63, 129, 16, 32)),
    (Special::Metadata, v4(192, 0, 0, 192, 32)),
    (Special::Loopback, v4(127, 0, 0, 0, 8)),
    (Special::Loopback, v6([0, 0, 0, 0, 0, 0, 0, 1], 128)),
    (Special::Unspecified, v4(0, 0, 0, 0, 8)),
    (Special::Unspecified, v6([0; 8], 128)),
    (Special::LinkLocal, v4(169, 254, 0, 0, 16)),
    (Special::LinkLocal, v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10)),
    // Multicast, what is reserved above it, and the broadcast address.
    (Special::Multicast, v4(224, 0, 0, 0, 3)),
    (Special::Multicast, v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8)),
];

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix))
}

const fn v6(segments: [u16; 8], prefix: u8) -> IpNet {
    let [a, b, c, d, e, f, g, h] = segments;
    IpNet::V6(Ipv6Net::new_assert(
        Ipv6Addr::new(a, b, c, d, e, f, g, h),
        prefix,
    ))
}

/// An address may not be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetRefused {
    /// It is special, and no range of such addresses is allowed.
    #[error("{0} is {words}, which targets.allow does not name", words = .1.words())]
    Special(SocketAddr, Special),
    /// It is in no allowed range.
    #[error("{0} is not in targets.allow")]
    NotAllowed(SocketAddr),
    /// It is in a denied range.
    #[error("{0} is in targets.deny")]
    Denied(SocketAddr),
    /// It is where this gateway listens.
    #[error("{0} is where this gateway listens (setting listen), which is never a machine")]
    OwnListener(SocketAddr),
}

impl TargetRules {
    /// Whether an address may be connected to. An IPv6 address with an IPv4 one inside, to which
    /// somebody on the way would translate it, is judged by that one; a denial holds for both.
    ///
    /// # Errors
    /// [`TargetRefused`].
    pub fn check(&self, ip: IpAddr, port: u16) -> Result<(), TargetRefused> {
        let address = SocketAddr::new(ip, port);
        let judged = embedded(ip).map_or(ip, IpAddr::V4);
        let denied = |it: &TargetRange| it.has(judged, port) || it.has(ip, port);
        if self.deny.iter().any(denied) {
            return Err(TargetRefused::Denied(address));
        }
        let mut allowed = self.allow.iter().filter(|it| it.has(judged, port));
        let special = SPECIAL
            .iter()
            .find(|(_, network)| network.contains(&judged));
        match special {
            Some((special, network)) if !allowed.any(|it| network.contains(&it.network)) => {
                Err(TargetRefused::Special(address, *special))
            }
            None if allowed.next().is_none() => Err(TargetRefused::NotAllowed(address)),
            _ => Ok(()),
        }
    }
}

/// The IPv4 address inside an IPv6 one: mapped, compatible, NAT64 ([RFC 6052], the well-known prefix
/// and with 96 bits the local-use one of [RFC 8215]), 6to4 ([RFC 3056]), Teredo ([RFC 4380], where
/// it is inverted).
///
/// [RFC 3056]: https://www.rfc-editor.org/rfc/rfc3056
/// [RFC 4380]: https://www.rfc-editor.org/rfc/rfc4380
/// [RFC 6052]: https://www.rfc-editor.org/rfc/rfc6052
/// [RFC 8215]: https://www.rfc-editor.org/rfc/rfc8215
fn embedded(ip: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(ip) = ip else { return None };
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match ip.segments() {
        // `::` and `::1` are themselves.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0 | 1, _, _, _, high, low] => {
            Some(v4(high, low))
        }
        [0x2002, high, low, ..] => Some(v4(high, low)),
        [0x2001, 0, _, _, _, _, high, low] => Some(v4(!high, !low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
