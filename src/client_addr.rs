//! The address of a person's browser, behind whatever proxies.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where a browser is: an address, and its port where that is known.
///
/// An IPv4 address inside IPv6 (`::ffff:10.0.0.1`), as a listener on `[::]` sees it, is the IPv4
/// address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddr {
    ip: IpAddr,
    port: Option<u16>,
    at_socket: bool,
}

/// What is counted as one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CountedAs {
    /// An address, or in IPv6 the network of 64 bits that one customer has at least.
    Address(IpAddr),
    /// All who come through Unix sockets: who can is chosen by the files' permissions, and loses nothing
    /// to others of this machine who come by TCP.
    AtSocket,
}

impl ClientAddr {
    /// Somebody on the gateway's own machine, of whom no more is known: who comes through a Unix
    /// socket.
    pub const THIS_MACHINE: Self = Self {
        ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: None,
        at_socket: true,
    };

    /// An address, and its port where it is known.
    #[must_use]
    pub const fn new(ip: IpAddr, port: Option<u16>) -> Self {
        Self {
            ip: ip.to_canonical(),
            port,
            at_socket: false,
        }
    }

    /// The address.
    #[must_use]
    pub const fn ip(&self) -> IpAddr {
        self.ip
    }

    /// What it is counted as, where somebody may come so often.
    #[must_use]
    pub const fn counted_as(&self) -> CountedAs {
        CountedAs::Address(match self.ip {
            _ if self.at_socket => return CountedAs::AtSocket,
            IpAddr::V4(_) => self.ip,
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
        })
    }
}

impl From<SocketAddr> for ClientAddr {
    fn from(address: SocketAddr) -> Self {
        Self::new(address.ip(), Some(address.port()))
    }
}

/// For the log: `10.0.0.1:5000`, `[2001:db8::1]:5000`, or the address alone.
impl fmt::Display for ClientAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.ip, port).fmt(f),
            None => self.ip.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(text: &str) -> ClientAddr {
        text.parse::<SocketAddr>().unwrap().into()
    }

    #[test]
    fn mapped_addresses_are_what_they_map() {
        assert_eq!(client("[::ffff:10.0.0.1]:5"), client("10.0.0.1:5"));
        assert_eq!(client("[::ffff:10.0.0.1]:5").to_string(), "10.0.0.1:5");
        assert_eq!(client("[2001:db8::1]:5").to_string(), "[2001:db8::1]:5");
        let alone = ClientAddr::new("2001:db8::1".parse().unwrap(), None);
        assert_eq!(alone.to_string(), "2001:db8::1");
    }

    #[test]
    fn a_customers_network_counts_as_one() {
        let one = |text| client(text).counted_as();
        assert_eq!(one("[2001:db8:1:2::1]:1"), one("[2001:db8:1:2:ff::]:2"));
        assert_ne!(one("[2001:db8:1:2::1]:1"), one("[2001:db8:1:3::1]:1"));
        assert_eq!(one("10.0.0.1:1"), one("[::ffff:10.0.0.1]:2"));
        assert_ne!(one("10.0.0.1:1"), one("10.0.0.2:1"));
    }

    #[test]
    fn who_comes_through_a_socket_spends_nothing_of_those_who_come_by_tcp() {
        let there = ClientAddr::THIS_MACHINE;
        assert_eq!(there.ip(), client("127.0.0.1:1").ip());
        assert_ne!(there.counted_as(), client("127.0.0.1:1").counted_as());
        assert_eq!(there.counted_as(), ClientAddr::THIS_MACHINE.counted_as());
    }
}
