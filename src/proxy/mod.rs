//! What proxies in front of the gateway say of the client, and whose word counts.
//!
//! Anybody can write a header. So it is read only when the connection comes from a proxy that the
//! configuration names, and from its end: each proxy adds the address that it saw, and the first
//! one from the right that is no named proxy is the client. What stands left of it is the client's
//! own word and is not looked at.

pub mod forwarded;
pub mod protocol;

use ipnet::IpNet;

use crate::client_addr::ClientAddr;
use forwarded::{BadForwarded, Hops};

/// The proxies whose word counts, and where they say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    /// Their addresses.
    pub networks: Vec<IpNet>,
    /// The header that they write.
    pub header: ForwardedHeader,
}

/// The header in which proxies say whom they speak for. Only one is believed: a proxy that writes
/// one of them passes the other on as the client sent it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` ([RFC 7239](https://www.rfc-editor.org/rfc/rfc7239)).
    Forwarded,
}

impl ForwardedHeader {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::XForwardedFor, Self::Forwarded];

    /// The header's name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }
}

/// The most proxies in a row that are believed.
const MAX_HOPS: usize = 32;

impl TrustedProxies {
    /// Whether an address is one of theirs.
    #[must_use]
    pub fn has(&self, address: ClientAddr) -> bool {
        let ip = address.ip();
        self.networks.iter().any(|network| network.contains(&ip))
    }

    /// The client of a request that came over a connection from `peer` with these lines of
    /// [`Self::header`], in their order.
    ///
    /// # Errors
    /// [`BadForwarded`] where a proxy wrote what is no address: the client is unknown then, and
    /// `peer` is all that is known.
    pub fn client(&self, peer: ClientAddr, lines: &[&[u8]]) -> Result<ClientAddr, BadForwarded> {
        if !self.has(peer) {
            return Ok(peer);
        }
        let mut client = peer;
        for (index, hop) in Hops::new(self.header, lines).enumerate() {
            client = hop?;
            if !self.has(client) {
                return Ok(client);
            }
            if index >= MAX_HOPS {
                return Err(BadForwarded::TooLong);
            }
        }
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(header: ForwardedHeader) -> TrustedProxies {
        let networks = ["10.0.0.0/8", "fd00::/8"].map(|it| it.parse().unwrap());
        TrustedProxies {
            networks: networks.into(),
            header,
        }
    }

    fn ask(header: ForwardedHeader, peer: &str, lines: &[&str]) -> Result<String, BadForwarded> {
        let peer = ClientAddr::new(peer.parse().unwrap(), None);
        let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
        let client = proxies(header).client(peer, &lines);
        client.map(|client| client.to_string())
    }

    fn x(peer: &str, lines: &[&str]) -> Result<String, BadForwarded> {
        ask(ForwardedHeader::XForwardedFor, peer, lines)
    }

    fn standard(peer: &str, lines: &[&str]) -> Result<String, BadForwarded> {
        ask(ForwardedHeader::Forwarded, peer, lines)
    }

    #[test]
    fn nobody_but_a_named_proxy_is_believed() {
        for peer in ["198.51.100.9", "::1", "2001:db8::1"] {
            assert_eq!(x(peer, &["203.0.113.5"]).unwrap(), peer);
            assert_eq!(standard(peer, &["for=203.0.113.5"]).unwrap(), peer);
        }
        assert_eq!(
            x("::ffff:10.0.0.1", &["203.0.113.5"]).unwrap(),
            "203.0.113.5"
        );
    }

    #[test]
    fn the_first_from_the_right_that_is_no_proxy_is_the_client() {
        for (lines, client) in [
            (&["203.0.113.5"][..], "203.0.113.5"),
            (&["192.0.2.1, 203.0.113.5"], "203.0.113.5"),
            (&["203.0.113.5, 10.1.1.1,10.2.2.2"], "203.0.113.5"),
            (&["192.0.2.1", "203.0.113.5 , fd00::1"], "203.0.113.5"),
            (&["192.0.2.1, 203.0.113.5", "10.1.1.1"], "203.0.113.5"),
            (&["203.0.113.5:4711"], "203.0.113.5:4711"),
            (&["2001:DB8::5"], "2001:db8::5"),
            (&["[2001:db8::5]"], "2001:db8::5"),
            (&["[2001:db8::5]:4711, [fd00::1]:80"], "[2001:db8::5]:4711"),
            (&["::ffff:203.0.113.5"], "203.0.113.5"),
            // A proxy's own request, or a client inside.
            (&["10.7.7.7, 10.1.1.1"], "10.7.7.7"),
            (&[], "10.0.0.1"),
            // What the client wrote itself is never looked at.
            (&["garbage, ,,\u{0}\", 203.0.113.5"], "203.0.113.5"),
        ] {
            assert_eq!(x("10.0.0.1", lines).as_deref(), Ok(client), "{lines:?}");
        }
    }

    #[test]
    fn what_a_proxy_wrote_wrong_is_said() {
        for line in [
            "",
            ",",
            "unknown",
            "_hidden",
            "203.0.113.5,",
            "203.0.113",
            "203.0.113.5:",
            "203.0.113.5:x",
            "203.0.113.5:+1",
            "203.0.113.5:65536",
            "[203.0.113.5]",
            "[2001:db8::1",
            "2001:db8::1]",
            "[2001:db8::1]80",
            "fe80::1%eth0",
            "localhost",
            "\"203.0.113.5\"",
            "203.0.113.5 10.0.0.1",
            "203.0.113.5\u{e9}",
        ] {
            assert!(x("10.0.0.1", &[line]).is_err(), "{line:?}");
            let behind = format!("203.0.113.5, {line}, 10.1.1.1");
            assert!(x("10.0.0.1", &[&behind]).is_err(), "{behind:?}");
        }
        let long = ["10.1.1.1"; MAX_HOPS + 2].join(",");
        assert_eq!(x("10.0.0.1", &[&long]), Err(BadForwarded::TooLong));
    }

    #[test]
    fn forwarded_is_read_from_its_end_too() {
        for (lines, client) in [
            (&["for=203.0.113.5"][..], "203.0.113.5"),
            (&["For=203.0.113.5;proto=https;by=10.1.1.1"], "203.0.113.5"),
            (
                &["by=\"[fd00::1]\" ; FOR=\"203.0.113.5:47011\""],
                "203.0.113.5:47011",
            ),
            (&["for=\"[2001:db8::5]\""], "2001:db8::5"),
            (
                &["for=\"[2001:db8::5]:4711\", for=10.1.1.1"],
                "[2001:db8::5]:4711",
            ),
            (
                &["for=192.0.2.1, for=203.0.113.5", "for=10.1.1.1"],
                "203.0.113.5",
            ),
            // A quote that the client left open swallows nothing.
            (&["for=\"192.0.2.1, for=203.0.113.5"], "203.0.113.5"),
            (&["for=\"192.0.2.1, for=\"[2001:db8::5]\""], "2001:db8::5"),
            (&["\\\", for=203.0.113.5"], "203.0.113.5"),
            (&["for=\"203.0.113.5\";host=\"a,b;c\""], "203.0.113.5"),
        ] {
            assert_eq!(
                standard("10.0.0.1", lines).as_deref(),
                Ok(client),
                "{lines:?}"
            );
        }
        for line in [
            "",
            "203.0.113.5",
            "by=10.1.1.1",
            "for=",
            "for=unknown",
            "for=_hidden",
            "for=\"_hidden\"",
            "for=\"203.0.113.5",
            "for=203.0.113.5;for=192.0.2.1",
            "for=\"2001:db8::5:4711:1:2:3:4:5\"",
            "for=\"\\203.0.113.5\"",
            "for=\"\"",
        ] {
            assert!(standard("10.0.0.1", &[line]).is_err(), "{line:?}");
        }
        // The header that the proxies do not write is the client's own.
        assert_eq!(standard("10.0.0.1", &[]).unwrap(), "10.0.0.1");
    }
}
