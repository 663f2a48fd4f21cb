//! Target profiles in the file.

use std::path::Path;

use fanlight::config::Profile;
use fanlight::rfb::identity::Fingerprint;
use fanlight::rfb::policy::{Policy, SecurityMethod};
use fanlight::tls::connect::Trust;
use fanlight::tls::verify::Verify;

use crate::load;

#[test]
fn profiles_are_read_by_name_and_print_back() {
    let key = Fingerprint::of(b"key");
    let file = format!(
        "[profiles.default]\n[profiles.\"esxi-7.0\"]\nca_file = 'ca.pem'\nserver_name = 'a.example'\n\
         verify = 'chain'\npin_sha256 = ['{key}']\ncertificate_file = '/us.pem'\nkey_file = '/us.key'\n\
         require_tls = true\nallow_clear_text = true\nrefuse_none = true\nmethods = ['vnc', 'none']\n"
    );
    let loaded = load(&file, &[], &[]);
    let ca_file = loaded.dir.path().join("ca.pem");
    let printed = loaded.result.as_ref().unwrap().origins.to_toml();
    let config = loaded.config();
    let names: Vec<_> = config.profiles.keys().map(ToString::to_string).collect();
    assert_eq!(names, ["default", "esxi-7.0"]);

    let default = &config.profiles[&"default".parse().unwrap()];
    let plain = Profile {
        trust: Trust::default(),
        policy: Policy::default(),
    };
    assert_eq!(default, &plain);

    let full = &config.profiles[&"esxi-7.0".parse().unwrap()];
    assert_eq!(full.trust.ca_file, Some(ca_file));
    assert_eq!(full.trust.server_name, "a.example".parse().ok());
    assert_eq!(full.trust.verify, Some(Verify::Chain));
    assert_eq!(full.trust.pins, [key]);
    let client = full.trust.client.as_ref().unwrap();
    assert_eq!(client.certificate_file, Path::new("/us.pem"));
    assert_eq!(client.key_file, Path::new("/us.key"));
    let policy = Policy {
        methods: vec![SecurityMethod::Vnc, SecurityMethod::None],
        require_tls: true,
        clear_text: true,
        refuse_none: true,
    };
    assert_eq!(full.policy, policy);

    assert!(printed.contains("\n[profiles.\"esxi-7.0\"]\n"), "{printed}");
    let again = load(&printed, &[], &[]).config();
    assert_eq!(again.profiles, config.profiles);
}

#[test]
fn problems_of_all_profiles_are_found_at_once() {
    let file = "[profiles.a]\nverify = 1\n[profiles.b]\nmethods = ['vnc', 'x']\nca = 2\n";
    let problems = load(file, &[], &[]).problems();
    let lines: Vec<_> = problems.lines().collect();
    assert_eq!(lines.len(), 3, "{problems}");
    assert!(lines[0].starts_with("fanlight.toml:2:10: profiles.a.verify: expected full"));
    assert!(lines[1].starts_with("fanlight.toml:4:19: profiles.b.methods: expected one of "));
    assert!(lines[1].ends_with(", not \"x\""), "{problems}");
    assert!(lines[2].starts_with("fanlight.toml:5:1: profiles.b.ca: is not a setting"));
}

#[test]
fn a_pin_does_not_go_with_nothing_verified() {
    let key = Fingerprint::of(b"key");
    let file = format!("[profiles.a]\nverify = 'none'\npin_sha256 = ['{key}']\n");
    assert_eq!(
        load(&file, &[], &[]).problems(),
        "fanlight.toml:3:14: profiles.a.pin_sha256: goes without verify = \"none\": then the pin alone decides"
    );
}

#[test]
fn profiles_have_no_variables() {
    let variable = [("FANLIGHT_PROFILES_A_VERIFY", "none")];
    assert!(
        load("", &variable, &[])
            .problems()
            .contains("is not a setting")
    );
}
