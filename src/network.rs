//! Networks of addresses, as people type them.

use std::net::IpAddr;

use ipnet::IpNet;

/// A network such as `192.0.2.0/24`, or an address alone, which is a network of one.
#[must_use]
pub fn parse(text: &str) -> Option<IpNet> {
    let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(address)
}

/// The same, without bits behind the prefix: `192.0.2.7/24` is a typing error, or a
/// misunderstanding.
#[must_use]
pub fn parse_exact(text: &str) -> Option<IpNet> {
    parse(text).filter(|network| *network == network.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_network_of_one() {
        for (text, network) in [
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("::/0", "::/0"),
        ] {
            let network = network.parse().ok();
            assert_eq!((parse(text), parse_exact(text)), (network, network));
        }
        for wrong in [
            "",
            "192.0.2",
            "192.0.2.0/33",
            "192.0.2.0/",
            "console.example",
        ] {
            assert_eq!((parse(wrong), parse_exact(wrong)), (None, None), "{wrong}");
        }
        assert!(parse("192.0.2.7/24").is_some());
        assert_eq!(parse_exact("192.0.2.7/24"), None);
    }
}
