//! Keeps the house: the floors, the invariants that text can show, the sizes and names of files,
//! and what the crate depends on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "tidy/dependencies.rs"]
mod dependencies;
#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/floors.rs"]
mod floors;
#[path = "tidy/source.rs"]
mod source;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use floors::Floors;
use source::{Source, sources};

/// The longest file, in lines.
const MAX_LINES: usize = 400;

/// Crates that know HTTP.
const HTTP: [&str; 6] = ["axum", "http", "hyper", "hyper_util", "tower", "tower_http"];

/// The only file that opens connections.
const DIAL: &str = "src/host/dial.rs";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn floors() -> Floors {
    Floors::parse(&read("docs/ARCHITECTURE.md"))
}

/// Fails with all problems at once.
fn none(problems: impl IntoIterator<Item = String>) {
    let problems: Vec<String> = problems.into_iter().collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn every_module_has_a_floor() {
    none(floors().strangers(&sources("src")));
}

#[test]
fn modules_use_lower_floors_only() {
    let floors = floors();
    none(
        sources("src")
            .iter()
            .flat_map(|source| floors.climbers(source)),
    );
}

#[test]
fn low_floors_are_pure_and_know_no_http() {
    let floors = floors();
    let problems = |source: &Source| floors.of(source).map(|floor| too_high(source, floor));
    none(sources("src").iter().filter_map(problems).flatten());
}

/// What a file names that belongs to higher floors than its own.
fn too_high(source: &Source, floor: u8) -> Vec<String> {
    let path = &source.path;
    let mut problems = Vec::new();
    for named in source.paths() {
        let shown = named.join("::");
        let ends = |end: &[&str]| {
            named.ends_with(&end.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())
        };
        let starts =
            |start: &[&str]| named.iter().zip(start).filter(|(a, b)| a == b).count() == start.len();
        let impure = starts(&["tokio"])
            || starts(&["getrandom"])
            || starts(&["std", "fs"])
            || starts(&["std", "net", "TcpStream"])
            || ends(&["Instant", "now"])
            || ends(&["SystemTime", "now"]);
        if floor < 2 && impure {
            problems.push(format!(
                "{path} names {shown}: floors 0 and 1 are pure, so take time, randomness and bytes as parameters"
            ));
        }
        if floor < 4 && named.len() > 1 && HTTP.contains(&named[0].as_str()) {
            problems.push(format!("{path} names {shown}: HTTP is floor 4's, so put its types into words of our own there"));
        }
    }
    problems
}

#[test]
fn connections_are_opened_in_one_place() {
    none(
        sources("src")
            .iter()
            .filter(|source| source.path != DIAL)
            .flat_map(dialling),
    );
}

/// Where a file opens connections.
fn dialling(source: &Source) -> Vec<String> {
    let dials = |path: &Vec<String>| {
        let pair = path
            .iter()
            .zip(path.iter().skip(1))
            .any(|(a, b)| a == "TcpStream" && b == "connect");
        pair || path.iter().any(|part| part == "TcpSocket")
    };
    let problem = |path: Vec<String>| {
        format!(
            "{} names {}: connections are opened in {DIAL} alone, behind its deadline",
            source.path,
            path.join("::")
        )
    };
    source
        .paths()
        .into_iter()
        .filter(dials)
        .map(problem)
        .collect()
}

#[test]
fn nothing_in_src_panics_or_waits_to_be_written() {
    none(sources("src").iter().flat_map(stubs));
}

/// The places of a file's product code that must not be there.
fn stubs(source: &Source) -> Vec<String> {
    let words = [".unwrap()", "todo!(", "unimplemented!("];
    let lines = source.code.lines();
    let found = lines.flat_map(|line| {
        words
            .iter()
            .filter(|word| line.contains(**word))
            .map(move |word| (word, line))
    });
    found
        .map(|(word, line)| {
            format!("{} has `{word}` in `{}`: return an error, or say with `expect` which invariant holds", source.path, line.trim())
        })
        .collect()
}

#[test]
fn files_are_small_and_named_by_a_noun() {
    let (src, tests) = (sources("src"), sources("tests"));
    none(src.iter().chain(&tests).flat_map(shape));
}

/// What is wrong with a file's length or name.
fn shape(source: &Source) -> Vec<String> {
    let path = &source.path;
    let mut problems = Vec::new();
    let lines = source.text.lines().count();
    if lines > MAX_LINES {
        problems.push(format!("{path} has {lines} lines, {MAX_LINES} are the most: find the second idea in it and give it a file"));
    }
    let vague = ["utils", "helpers", "common", "manager", "misc"];
    if path.starts_with("src/") && source.module().iter().any(|part| vague.contains(part)) {
        problems.push(format!("{path}: name it by what it holds"));
    }
    problems
}

#[test]
fn the_library_declares_every_module() {
    let lib = Source::new("src/lib.rs", &read("src/lib.rs"));
    none(undeclared(&lib, &sources("src")));
}

fn undeclared(lib: &Source, sources: &[Source]) -> Vec<String> {
    let modules: BTreeSet<&str> = sources
        .iter()
        .filter_map(|source| source.module().first().copied())
        .collect();
    let missing = modules.into_iter().filter(|module| {
        !["lib", "main"].contains(module) && !lib.code.contains(&format!("mod {module};"))
    });
    missing
        .map(|module| format!("src/lib.rs does not declare `{module}`: nothing of it is compiled"))
        .collect()
}

#[test]
fn no_file_tells_where_it_was_made() {
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        listed.status.success(),
        "{}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let listed = String::from_utf8(listed.stdout).unwrap();
    let read = |path: &str| {
        std::fs::read(root().join(path))
            .ok()
            .map(|bytes| telling(path, &bytes))
    };
    none(listed.split_terminator('\0').filter_map(read).flatten());
}

/// Paths of the machine that a file was made on, and registries other than the public ones.
fn telling(path: &str, bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let machine = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
    ];
    let mut problems = Vec::new();
    for place in machine.iter().filter(|place| text.contains(**place)) {
        problems.push(format!(
            "{path} holds {place}: write a path that is the same everywhere"
        ));
    }
    let registry = |line: &&str| match path.rsplit('/').next() {
        Some("Cargo.lock") => {
            line.starts_with("source =")
                && !line.contains("registry+https://github.com/rust-lang/crates.io-index")
        }
        Some("package-lock.json") => line.trim_start().starts_with("\"resolved\""),
        _ => false,
    };
    for line in text.lines().filter(registry) {
        problems.push(format!(
            "{path} names a registry of its own: {}",
            line.trim()
        ));
    }
    problems
}

mod rules {
    use super::*;

    fn count(rule: impl Fn(&Source) -> Vec<String>, path: &str, text: &str) -> usize {
        rule(&Source::new(path, text)).len()
    }

    #[test]
    fn purity_is_seen() {
        let on = |floor| move |source: &Source| too_high(source, floor);
        for text in [
            "use tokio::io;",
            "use std::{fmt, fs::File};",
            "use std::net::{IpAddr, TcpStream};",
            "fn f() { std::time::Instant::now(); }",
            "fn f() { SystemTime::now(); }",
            "fn f() { getrandom::fill(b) }",
            "fn f(r: http::Request) {}",
        ] {
            assert_eq!(count(on(1), "src/rfb/init.rs", text), 1, "{text}");
        }
        assert_eq!(
            count(
                on(1),
                "src/clock.rs",
                "use std::time::SystemTime; fn f(http: u16) {}"
            ),
            0
        );
        assert_eq!(count(on(3), "src/session/open.rs", "use hyper::Uri;"), 1);
        assert_eq!(count(on(3), "src/session/open.rs", "use tokio::io;"), 0);
        assert_eq!(count(on(4), "src/http/mod.rs", "use hyper::Uri;"), 0);
    }

    #[test]
    fn dialling_is_seen() {
        for text in [
            "fn f() { tokio::net::TcpStream::connect(a) }",
            "use tokio::net::{TcpSocket, UdpSocket};",
        ] {
            assert_eq!(count(dialling, "src/session/open.rs", text), 1, "{text}");
        }
        assert_eq!(
            count(dialling, "src/stream.rs", "use tokio::net::TcpStream;"),
            0
        );
    }

    #[test]
    fn stubs_are_seen() {
        let text = "fn f() { x.unwrap() }\nfn g() { todo!() }\nfn h() { \"todo!()\"; x.unwrap_or(1) } // .unwrap()";
        assert_eq!(count(stubs, "src/x.rs", text), 2);
        assert_eq!(count(stubs, "src/x/tests.rs", text), 0);
    }

    #[test]
    fn shape_is_seen() {
        assert_eq!(count(shape, "src/http/utils.rs", ""), 1);
        assert_eq!(count(shape, "src/common/mod.rs", ""), 1);
        assert_eq!(count(shape, "tests/common/mod.rs", ""), 0);
        assert_eq!(count(shape, "src/long.rs", &"\n".repeat(MAX_LINES + 1)), 1);
        assert_eq!(count(shape, "src/long.rs", &"\n".repeat(MAX_LINES)), 0);
    }

    #[test]
    fn undeclared_modules_are_seen() {
        let lib = Source::new("src/lib.rs", "pub mod a;\n// pub mod b;\n");
        let sources = [Source::new("src/a/mod.rs", ""), Source::new("src/b.rs", "")];
        assert_eq!(undeclared(&lib, &sources).len(), 1);
    }

    #[test]
    fn telling_lines_are_seen() {
        let path = format!("see {}x", concat!("/wo", "rk/"));
        assert_eq!(telling("README.md", path.as_bytes()).len(), 1);
        let lock = "source = \"registry+https://github.com/rust-lang/crates.io-index\"\nsource = \"sparse+https://mirror.example/\"\n";
        assert_eq!(telling("fuzz/Cargo.lock", lock.as_bytes()).len(), 1);
        assert_eq!(
            telling(
                "static/package-lock.json",
                b"\"resolved\": \"https://mirror.example/x\""
            )
            .len(),
            1
        );
    }
}
