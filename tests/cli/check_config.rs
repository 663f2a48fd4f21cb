//! `fanlight check-config`.

use crate::home::{Home, Ran, fanlight};

#[test]
fn a_good_configuration_is_printed_whole() {
    let home = Home::new();
    let made = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    home.write("c.pem", &made.cert.pem());
    home.write("k.pem", &made.signing_key.serialize_pem());
    home.write(
        "fanlight.toml",
        "[tls]\ncertificate_file = 'c.pem'\nkey_file = 'k.pem'\n",
    );
    let printed = home.run("check-config", "").good();
    assert!(
        printed.contains("key_file = \"DIR/k.pem\" # DIR/fanlight.toml:3:12\n"),
        "{printed}"
    );
    assert!(
        printed.ends_with("\n# These files can be read: tls.certificate_file, tls.key_file\n"),
        "{printed}"
    );
}

#[test]
fn all_problems_of_a_configuration_are_said_at_once() {
    let home = Home::new();
    home.write("fanlight.toml", "lisen = 'x'\n[log]\nformat = 'xml'\n");
    assert_eq!(
        home.run("check-config", "").failed(),
        "fanlight: the configuration is not valid\n\
         DIR/fanlight.toml:1:1: lisen: is not a setting; did you mean listen?\n\
         DIR/fanlight.toml:3:10: log.format: expected text or json, not \"xml\"\n"
    );
    home.write("fanlight.toml", "tokens.keyring_file = 'ring'");
    assert_eq!(
        home.run("check-config", "").failed(),
        "fanlight: the configuration is not valid\n\
         DIR/fanlight.toml:1:23: tokens.keyring_file: DIR/ring cannot be read: No such file or directory (os error 2); `fanlight keys new` makes it\n"
    );
    home.run("keys new", "").good();
    let printed = home.run("check-config", "").good();
    assert!(
        printed.ends_with("\n# These files can be read: tokens.keyring_file\n"),
        "{printed}"
    );
    home.write("ring", "secret");
    assert_eq!(
        home.run("check-config", "").failed(),
        "fanlight: the key ring DIR/ring cannot be used: line 1 is not a key: \
         it needs an id, a time and 32 bytes in base64url\n"
    );
}

#[test]
fn the_environment_names_the_file_and_overrides_it() {
    let home = Home::new();
    let mut command = fanlight(["check-config"]);
    command
        .env("FANLIGHT_CONFIG", home.path("fanlight.toml"))
        .env("FANLIGHT_LISTEN", "[::1]:9");
    let printed = Ran::of(&mut command, "", home.0.path()).good();
    assert!(
        printed.starts_with("listen = \"[::1]:9\" # FANLIGHT_LISTEN\n"),
        "{printed}"
    );
    assert!(
        printed.contains("public_url = \"https://console.example/x\" # DIR/fanlight.toml:1:14\n")
    );
}
