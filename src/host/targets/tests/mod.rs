mod rebinding;

use super::*;

fn targets(allow: &[&str], own: &str) -> Targets {
    let allow = allow.iter().map(|it| it.parse().unwrap()).collect();
    let deny = Vec::new();
    Targets {
        rules: TargetRules { allow, deny },
        own_listeners: vec![own.parse().unwrap()],
    }
}

fn allows(targets: &Targets, address: &str) -> bool {
    let address: SocketAddr = address.parse().unwrap();
    targets.allowed(&[address.ip()], address.port()).is_ok()
}

#[test]
fn a_gateway_is_no_host_of_its_own() {
    let everywhere = ["127.0.0.0/8", "::1", "0.0.0.0/0", "::/0"];
    let one = targets(&everywhere, "127.0.0.1:8080");
    for (address, allowed) in [
        ("127.0.0.1:8080", false),
        ("[::ffff:127.0.0.1]:8080", false),
        ("127.0.0.1:5900", true),
        ("127.0.0.2:8080", true),
        ("[::1]:8080", true),
    ] {
        assert_eq!(allows(&one, address), allowed, "{address}");
    }
    // 192.0.2.0/24 is for documentation: nobody's, so not ours either.
    for listener in ["0.0.0.0:8080", "[::]:8080"] {
        let any = targets(&everywhere, listener);
        for (address, allowed) in [
            ("127.0.0.1:8080", false),
            ("127.9.9.9:8080", false),
            ("[::1]:8080", false),
            ("127.0.0.1:8081", true),
            ("192.0.2.1:8080", true),
        ] {
            assert_eq!(allows(&any, address), allowed, "{listener}: {address}");
        }
    }
}

#[test]
fn of_several_addresses_those_that_may_be_dialled_are_left() {
    let some = targets(&["10.0.0.0/8", "fd00::/8"], "127.0.0.1:8080");
    let ips = ["127.0.0.1", "10.0.0.2", "::1", "fd00::1", "8.8.8.8"];
    let ips = ips.map(|it| it.parse().unwrap());
    let [_, second, _, fourth, _] = ips;
    assert_eq!(some.allowed(&ips, 5900), Ok(vec![second, fourth]));
    let none = some.allowed(&ips[..1], 5900).unwrap_err().to_string();
    assert!(
        none.contains("127.0.0.1:5900") && none.contains("targets.allow"),
        "{none}"
    );
}
