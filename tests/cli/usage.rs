//! Help, version and wrong usage.

use std::path::Path;

use crate::home::{Ran, fanlight};

#[test]
fn help_of_every_command() {
    for (name, words) in [
        ("fanlight", ""),
        ("serve", "serve"),
        ("demo", "demo"),
        ("health", "health"),
        ("probe", "probe"),
        ("check-config", "check-config"),
        ("reload", "reload"),
        ("sessions", "sessions"),
        ("sessions-list", "sessions list"),
        ("sessions-show", "sessions show"),
        ("sessions-permit", "sessions permit"),
        ("sessions-press", "sessions press"),
        ("sessions-end", "sessions end"),
        ("consoles", "consoles"),
        ("consoles-revoke", "consoles revoke"),
        ("audit", "audit"),
        ("audit-verify", "audit verify"),
        ("keys", "keys"),
        ("keys-new", "keys new"),
        ("keys-list", "keys list"),
        ("keys-rotate", "keys rotate"),
        ("keys-api", "keys api"),
        ("mint", "mint"),
        ("token", "token"),
        ("token-inspect", "token inspect"),
    ] {
        let mut command = fanlight(words.split_whitespace().chain(["--help"]));
        let help = Ran::of(&mut command, "", Path::new("/nonexistent")).good();
        assert!(
            name == "fanlight" || help.contains("\nExamples:\n"),
            "{help}"
        );
        insta::assert_snapshot!(format!("help-{name}"), help);
    }
}

#[test]
fn version_and_wrong_usage() {
    let run = |word| Ran::of(&mut fanlight([word]), "", Path::new("/nonexistent"));
    let version = format!("fanlight {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run("--version").good(), version);
    let wrong = run("serv");
    assert_eq!((wrong.code, wrong.out.as_str()), (Some(2), ""));
    assert!(
        wrong.err.starts_with("error: unrecognized subcommand"),
        "{}",
        wrong.err
    );
}

#[test]
fn a_gateway_is_at_one_socket() {
    let words = "reload --api unix:/run/a.sock --socket /run/b.sock";
    let mut command = fanlight(words.split_whitespace());
    let ran = Ran::of(&mut command, "", Path::new("/nonexistent"));
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    let expected = "--api names a socket, and --socket names another: leave one of them out";
    assert!(ran.err.contains(expected), "{}", ran.err);
}
