//! `fanlight keys`.

use fanlight::config::{ApiKeyHash, ApiProof};
use fanlight::http::api::scope::Scope;

use crate::home::Home;

#[test]
fn keys_are_made_once_rotated_and_listed() {
    let home = Home::new();
    assert_eq!(
        home.run("keys list", "").failed(),
        "fanlight: there is no key ring DIR/keyring: put back the one that was there; where there never \
         was one, `fanlight keys new` makes it\n"
    );
    let made = home.run("keys new", "").good();
    let first = made.trim_end().rsplit(' ').next().unwrap();
    assert_eq!(
        made,
        format!("made the key ring DIR/keyring with key {first}\n")
    );
    assert_eq!(
        home.run("keys new", "").failed(),
        "fanlight: the key ring (setting state_dir): there is a key ring DIR/keyring already\n"
    );
    let rotated = home.run("keys rotate", "").good();
    assert!(
        rotated.contains("seals from now on; 1 more can open"),
        "{rotated}"
    );

    let listed = home.run("keys list", "").good();
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].ends_with("Z  seals and opens"), "{listed}");
    assert!(
        lines[1].starts_with(first) && lines[1].ends_with("Z  opens"),
        "{listed}"
    );

    let ring = std::fs::read_to_string(home.path("keyring")).unwrap();
    let secrets: Vec<_> = ring
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.rsplit(' ').next().unwrap())
        .collect();
    assert_eq!(secrets.len(), 2);
    for text in [&made, &rotated, &listed] {
        assert!(secrets.iter().all(|secret| !text.contains(secret)));
    }
}

#[test]
fn a_new_api_key_and_its_line_belong_together() {
    let home = Home::new();
    let printed = home.run("keys api --name cloud", "").good();
    let lines: Vec<_> = printed.lines().filter(|l| !l.starts_with('#')).collect();
    let [key, line] = lines[..] else {
        panic!("{printed}")
    };
    assert!(key.starts_with("fl_") && key.len() == 3 + 43, "{key}");
    home.write("fanlight.toml", &format!("[api]\nkeys = [\n{line}\n]\n"));
    let sources = fanlight::config::Sources {
        file: Some(home.path("fanlight.toml")),
        ..Default::default()
    };
    let config = sources.load().unwrap().config;
    assert_eq!(config.api_keys[0].name, "cloud");
    assert_eq!(config.api_keys[0].proof, ApiProof::Key(ApiKeyHash::of(key)));
    let scopes: Vec<_> = config.api_keys[0].scopes.iter().collect();
    assert_eq!(scopes, [Scope::Mint]);
    assert_ne!(printed, home.run("keys api --name cloud", "").good());
    let more = "keys api --scope sessions:read --scope sessions:end";
    let printed = home.run(more, "").good();
    assert!(
        printed.ends_with(", scopes = [\"sessions:read\", \"sessions:end\"] },\n"),
        "{printed}"
    );

    let checked = home.run("check-config", "").good();
    let hash = ApiKeyHash::of(key).to_text();
    assert!(
        checked.contains(&hash[..13]) && !checked.contains(&hash),
        "{checked}"
    );
}

#[test]
fn where_no_key_ring_can_be_the_setting_is_named() {
    let home = Home::new();
    home.write("state", "");
    home.write("fanlight.toml", "state_dir = 'state'\n");
    let said = home.run("keys new", "").failed();
    let words = "fanlight: the key ring (setting state_dir): cannot make the directory DIR/state: ";
    assert!(said.starts_with(words), "{said}");
    home.write("fanlight.toml", "tokens.keyring_file = 'state/ring'\n");
    let said = home.run("keys new", "").failed();
    let words = "fanlight: the key ring (setting tokens.keyring_file): ";
    assert!(said.starts_with(words), "{said}");
}
