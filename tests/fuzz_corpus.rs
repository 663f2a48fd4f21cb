//! Every file of every fuzz corpus, through the body of the same name, on stable.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "../fuzz/bodies.rs"]
pub mod bodies;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

type Body = fn(&[u8]);

const BODIES: [(&str, Body); 9] = [
    ("browser_greeting", bodies::browser_greeting),
    ("client_message", bodies::client_message),
    ("connect_answer", bodies::connect_answer),
    ("proxy_header", bodies::proxy_header),
    ("host_gate", bodies::host_gate),
    ("rfb_host", bodies::rfb_host),
    ("server_message", bodies::server_message),
    ("token", bodies::token),
    ("websocket", bodies::websocket),
];

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The names of what lies in a folder, without a file's extension.
fn stems(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| {
            let path = entry.unwrap().path();
            path.file_stem().unwrap().to_str().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn every_body_has_a_target_and_a_corpus() {
    let bodies: BTreeSet<_> = BODIES.map(|(name, _)| name.to_owned()).into();
    assert_eq!(stems(&fuzz().join("fuzz_targets")), bodies);
    assert_eq!(stems(&fuzz().join("corpus")), bodies);
}

#[test]
fn every_seed_passes() {
    for (name, body) in BODIES {
        let mut seeds = 0;
        for entry in fs::read_dir(fuzz().join("corpus").join(name)).unwrap() {
            let path = entry.unwrap().path();
            // Shown by a failing test only: it names the seed that the panic is about.
            println!("{}", path.display());
            body(&fs::read(&path).unwrap());
            seeds += 1;
        }
        assert!(seeds > 0, "the corpus of {name} is empty");
    }
}
