use super::*;

/// What holds when nobody says otherwise.
const DEFAULT: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

fn rules(allow: &[&str], deny: &[&str]) -> TargetRules {
    let read = |texts: &[&str]| texts.iter().map(|it| it.parse().unwrap()).collect();
    TargetRules {
        allow: read(allow),
        deny: read(deny),
    }
}

fn allows(rules: &TargetRules, address: &str) -> bool {
    let address: SocketAddr = address.parse().unwrap();
    rules.check(address.ip(), address.port()).is_ok()
}

#[track_caller]
fn refusal(rules: &TargetRules, ip: &str) -> TargetRefused {
    rules.check(ip.parse().unwrap(), 5900).unwrap_err()
}

#[test]
fn ranges_read_and_print() {
    for (typed, printed) in [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.5", "10.0.0.5/32"),
        ("10.0.0.0/8:5900", "10.0.0.0/8:5900"),
        ("10.0.0.0/8:5900-5999", "10.0.0.0/8:5900-5999"),
        ("10.0.0.0/8:0-65535", "10.0.0.0/8"),
        ("FD00::/8", "fd00::/8"),
        ("::1", "::1/128"),
        ("[fd00::/8]", "fd00::/8"),
        ("[fd00::/8]:5900-5999", "[fd00::/8]:5900-5999"),
        ("[::1]:5900", "[::1/128]:5900"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ] {
        let range: TargetRange = typed.parse().unwrap();
        assert_eq!(range.to_string(), printed);
        assert_eq!(printed.parse(), Ok(range));
    }
    for text in [
        "",
        "10",
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.1/8",
        "10.0.0.0/8:",
        "10.0.0.0/8:-",
        "10.0.0.0/8:5900-",
        "10.0.0.0/8:5999-5900",
        "10.0.0.0/8:65536",
        "10.0.0.0/8:+1",
        "[fd00::/8",
        "fd00::/8]",
        "[fd00::/8]5900",
        "[fd00::/8]:",
        "fd00::1/8",
        "host.example",
        "*",
        "10.0.0.0/8 ",
    ] {
        assert_eq!(text.parse::<TargetRange>(), Err(BadTargetRange), "{text:?}");
    }
}

#[test]
fn private_addresses_are_allowed_by_default_and_no_others() {
    let rules = rules(&DEFAULT, &[]);
    for address in [
        "10.0.0.5:5900",
        "172.31.0.1:1",
        "192.168.1.1:65535",
        "[fd12::1]:5900",
    ] {
        assert!(allows(&rules, address), "{address}");
    }
    for public in ["8.8.8.8", "172.32.0.1", "100.64.0.1", "2600::1", "fec0::1"] {
        let refused = refusal(&rules, public);
        assert!(matches!(refused, TargetRefused::NotAllowed(_)), "{refused}");
    }
}

#[test]
fn special_addresses_need_a_range_of_their_own() {
    use Special::{LinkLocal, Loopback, Metadata, Multicast, Unspecified};
    let everything = rules(&["0.0.0.0/0", "::/0"], &[]);
    for (ip, special) in [
        ("127.0.0.1", Loopback),
        ("127.255.0.9", Loopback),
        ("::1", Loopback),
        ("169.254.0.1", LinkLocal),
        ("fe80::1", LinkLocal),
        ("febf::1", LinkLocal),
        ("169.254.169.254", Metadata),
        ("100.100.100.200", Metadata),
        ("168.63.129.16", Metadata),
        ("192.0.0.192", Metadata),
        ("fd00:ec2::254", Metadata),
        ("0.0.0.0", Unspecified),
        ("0.1.2.3", Unspecified),
        ("::", Unspecified),
        ("224.0.0.1", Multicast),
        ("255.255.255.255", Multicast),
        ("ff02::1", Multicast),
    ] {
        for rules in [&everything, &rules(&DEFAULT, &[])] {
            let address = SocketAddr::new(ip.parse().unwrap(), 5900);
            assert_eq!(refusal(rules, ip), TargetRefused::Special(address, special));
        }
        assert!(
            rules(&[ip], &[]).check(ip.parse().unwrap(), 1).is_ok(),
            "{ip}"
        );
    }
    assert!(allows(&everything, "8.8.8.8:5900") && allows(&everything, "[2600::1]:5900"));
    // All of the link's addresses are not yet the metadata service among them.
    let link = rules(&["169.254.0.0/16"], &[]);
    assert!(allows(&link, "169.254.0.1:5900") && !allows(&link, "169.254.169.254:80"));
    let words = refusal(&everything, "169.254.169.254").to_string();
    assert_eq!(
        words,
        "169.254.169.254:5900 is the address of a metadata service, which targets.allow does not name"
    );
}

#[test]
fn an_address_inside_another_is_what_counts() {
    let rules = rules(&[&DEFAULT[..], &["2000::/3", "64:ff9b::/96"]].concat(), &[]);
    for (outer, allowed) in [
        ("::ffff:10.0.0.5", true),
        ("::ffff:127.0.0.1", false),
        ("::ffff:169.254.169.254", false),
        ("::ffff:8.8.8.8", false),
        ("::127.0.0.1", false),
        ("64:ff9b::10.0.0.5", true),
        ("64:ff9b::127.0.0.1", false),
        ("64:ff9b::8.8.8.8", false),
        ("64:ff9b:1::127.0.0.1", false),
        ("2002:a00:5::1", true),
        ("2002:7f00:1::1", false),
        ("2002:a9fe:a9fe::", false),
        ("2001:0:1:2:3:4:80ff:fffe", false),
        ("2001:0:1:2:3:4:f5ff:fffa", true),
        ("2001:db8::7f00:1", true),
    ] {
        let checked = rules.check(outer.parse().unwrap(), 5900);
        assert_eq!(checked.is_ok(), allowed, "{outer}: {checked:?}");
    }
}

#[test]
fn a_denial_wins_and_ports_count() {
    let rules = rules(
        &["10.0.0.0/8:5900-5999", "10.9.0.0/16:443", "64:ff9b::/96"],
        &["10.1.0.0/16", "10.2.0.1:5901", "64:ff9b::/96"],
    );
    for (address, allowed) in [
        ("10.0.0.1:5900", true),
        ("10.0.0.1:5999", true),
        ("10.0.0.1:5899", false),
        ("10.0.0.1:6000", false),
        ("10.0.0.1:443", false),
        ("10.9.0.1:443", true),
        ("10.1.0.1:5900", false),
        ("[::ffff:10.1.0.1]:5900", false),
        ("10.2.0.1:5900", true),
        ("10.2.0.1:5901", false),
        ("[64:ff9b::10.0.0.1]:5900", false),
    ] {
        assert_eq!(allows(&rules, address), allowed, "{address}");
    }
    let denied = refusal(&rules, "10.1.0.1").to_string();
    assert_eq!(denied, "10.1.0.1:5900 is in targets.deny");
}
