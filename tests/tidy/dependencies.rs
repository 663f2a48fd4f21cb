//! What the crate depends on, and why.

use std::collections::BTreeSet;
use std::process::Command;

use crate::{none, read, root};

/// Crates that must not be built in: rustls has one provider, and it is aws-lc-rs.
const BANNED: [&str; 4] = ["native-tls", "openssl", "openssl-sys", "ring"];

#[test]
fn every_dependency_has_its_reason() {
    none(unreasoned(
        &read("Cargo.toml"),
        &read("docs/dependencies.md"),
    ));
}

/// Dependencies without a row, and rows without a dependency.
fn unreasoned(manifest: &str, document: &str) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().unwrap();
    let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
    let tables = sections
        .iter()
        .filter_map(|section| manifest.get(*section)?.as_table());
    let needed: BTreeSet<&str> = tables
        .flat_map(|table| table.keys().map(String::as_str))
        .collect();
    let row = |line: &'_ str| {
        line.strip_prefix("| `")?
            .split_once('`')
            .map(|(name, _)| name.to_owned())
    };
    let rows: BTreeSet<String> = document.lines().filter_map(row).collect();
    let no_row = needed.iter().filter(|name| !rows.contains(**name));
    let no_need = rows.iter().filter(|name| !needed.contains(name.as_str()));
    no_row
        .map(|name| format!("`{name}` has no row in docs/dependencies.md: say why it is here, and why with its features"))
        .chain(no_need.map(|name| format!("`{name}` has a row in docs/dependencies.md and is no dependency: take the row out")))
        .collect()
}

/// Cargo.lock also lists what optional features of dependencies could pull in; what counts is what
/// is built.
#[test]
fn one_implementation_of_tls_is_built_in() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--offline",
            "--edges=normal,build,dev",
            "--prefix=none",
            "--format={p}",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        tree.status.success(),
        "{}",
        String::from_utf8_lossy(&tree.stderr)
    );
    none(banned(&String::from_utf8(tree.stdout).unwrap()));
}

fn banned(tree: &str) -> Vec<String> {
    let built: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let found = BANNED.iter().filter(|name| built.contains(**name));
    found
        .map(|name| {
            format!(
                "{name} is built in: `cargo tree -i {name}` says by whom; turn that feature off"
            )
        })
        .collect()
}

#[test]
fn dependencies_and_rows_belong_together() {
    let manifest =
        "[dependencies]\na = \"1\"\nb = { version = \"1\" }\n[dev-dependencies]\nc = \"1\"\n";
    assert_eq!(
        unreasoned(manifest, "| `a` | x | y |\n| `b` | | |\n| `c` | | |\n"),
        [""; 0]
    );
    assert_eq!(
        unreasoned(manifest, "| `a` | x | y |\n| `b` | | |\n| `d` | | |\n").len(),
        2
    );
}

#[test]
fn banned_crates_are_seen() {
    assert_eq!(
        banned("fanlight v0.1.0\nring v0.17.14\nring v0.17.14 (*)\nstring v1.0.0\n").len(),
        1
    );
}
