//! The command as people use it: its help, its results, its errors, and that no secret is seen.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A directory with a configuration whose key ring lies beside it.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.write(
            "fanlight.toml",
            "public_url = 'https://console.example/x'\nstate_dir = '.'\n",
        );
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Runs `fanlight`, with this configuration when the command takes one.
    fn run(&self, words: &str, input: &str) -> Ran {
        let mut command = fanlight(words.split_whitespace());
        if !words.starts_with("keys api") {
            command.arg("--config").arg(self.path("fanlight.toml"));
        }
        let command = command.current_dir(self.0.path());
        Ran::of(command, input, self.0.path())
    }
}

fn fanlight<'a>(words: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fanlight"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("FANLIGHT_") {
            command.env_remove(name);
        }
    }
    command.args(words).env("COLUMNS", "100");
    command
}

/// What came of a command, with DIR for the directory of its home.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn of(command: &mut Command, input: &str, dir: &Path) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may be gone before it is written to.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let Output {
            status,
            stdout,
            stderr,
        } = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            text.replace(&dir.display().to_string(), "DIR")
        };
        Self {
            code: status.code(),
            out: text(stdout),
            err: text(stderr),
        }
    }

    #[track_caller]
    fn good(self) -> String {
        assert_eq!(
            (self.code, self.err.as_str()),
            (Some(0), ""),
            "{}",
            self.out
        );
        self.out
    }

    #[track_caller]
    fn failed(self) -> String {
        assert_eq!(
            (self.code, self.out.as_str()),
            (Some(1), ""),
            "{}",
            self.err
        );
        self.err
    }
}

#[test]
fn help_of_every_command() {
    for (name, words) in [
        ("fanlight", ""),
        ("check-config", "check-config"),
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
fn keys_are_made_once_rotated_and_listed() {
    let home = Home::new();
    assert_eq!(
        home.run("keys list", "").failed(),
        "fanlight: there is no key ring DIR/keyring: `fanlight keys new` makes one\n"
    );
    let made = home.run("keys new", "").good();
    let first = made.trim_end().rsplit(' ').next().unwrap();
    assert_eq!(
        made,
        format!("made the key ring DIR/keyring with key {first}\n")
    );
    assert_eq!(
        home.run("keys new", "").failed(),
        "fanlight: there is a key ring DIR/keyring already\n"
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
    assert_eq!(
        config.api_keys[0].hash,
        fanlight::config::ApiKeyHash::of(key)
    );
    assert_ne!(printed, home.run("keys api --name cloud", "").good());

    let checked = home.run("check-config", "").good();
    let hash = config.api_keys[0].hash.to_text();
    assert!(
        checked.contains(&hash[..13]) && !checked.contains(&hash),
        "{checked}"
    );
}

#[test]
fn what_is_minted_can_be_inspected_and_shows_no_password() {
    let home = Home::new();
    home.run("keys new", "").good();
    home.write("password", "s3cret!\n");
    let order =
        "mint --host 10.0.0.5 --port 5901 --name web-01 --label vm=17 --label user=ada --ttl 8h";
    let url = home
        .run(&format!("{order} --password-file password"), "")
        .good();
    assert!(
        url.starts_with("https://console.example/x/novnc?token=fl1."),
        "{url}"
    );
    assert_eq!(url.lines().count(), 1);
    let from_stdin = home
        .run(&format!("{order} --password-file -"), "s3cret!")
        .good();

    for input in [&url, &from_stdin] {
        let said = home.run("token inspect", input).good();
        assert!(!said.contains("s3cret"), "{said}");
        let values = |name: &str| -> Vec<String> {
            let lines = said.lines().filter_map(|line| line.strip_prefix(name));
            lines.map(|value| value.trim().to_owned()).collect()
        };
        assert_eq!(values("target "), ["10.0.0.5:5901"]);
        assert_eq!(values("password "), ["***"]);
        assert_eq!(values("name "), ["web-01"]);
        assert_eq!(values("label "), ["user=ada", "vm=17"]);
        assert!(values("connect by ")[0].ends_with(" left)"), "{said}");
    }

    let token = url.trim_end().rsplit('=').next().unwrap();
    let said = home.run(&format!("token inspect {token}"), "");
    assert_eq!(said.code, Some(0));
    assert!(said.err.contains("prefer standard input") && !said.err.contains(token));
    assert_eq!(said.out, home.run("token inspect -", token).good());
}

#[test]
fn a_rotated_ring_still_opens_what_the_old_key_sealed() {
    let home = Home::new();
    home.run("keys new", "").good();
    let url = home.run("mint --host ::1 --port 5900", "").good();
    home.run("keys rotate", "").good();
    let said = home.run("token inspect", &url).good();
    assert!(
        said.contains("target      [::1]:5900\npassword    none\n"),
        "{said}"
    );
    let new = home.run("mint --host ::1 --port 5900", "").good();
    let kid = |url: &str| url.split('.').nth(2).unwrap().to_owned();
    assert_ne!(kid(&new), kid(&url));
}

#[test]
fn many_urls_are_all_different() {
    let home = Home::new();
    home.run("keys new", "").good();
    let urls = home
        .run("mint --host a.example --port 5900 --count 3", "")
        .good();
    let different: std::collections::BTreeSet<_> = urls.lines().collect();
    assert_eq!((urls.lines().count(), different.len()), (3, 3));
}

#[test]
fn orders_that_cannot_be_filled() {
    let home = Home::new();
    let order = "mint --host 10.0.0.5 --port 5901";
    assert_eq!(
        home.run(order, "").failed(),
        "fanlight: there is no key ring DIR/keyring: `fanlight keys new` makes one\n"
    );
    assert!(!home.path("keyring").exists());
    home.run("keys new", "").good();
    let long = "n".repeat(300);
    for (flags, said) in [
        (
            "--ttl 25h",
            "a console may wait 1 second to 24 hours to be opened",
        ),
        (
            "--ttl 0s",
            "a console may wait 1 second to 24 hours to be opened",
        ),
        (
            &*format!("--name {long}"),
            "--name: a name has 1 to 256 bytes and no control characters",
        ),
        (
            "--label a=1 --label a=2",
            "--label: a label key stands only once",
        ),
        (
            "--password-file none",
            "the password file none: No such file or directory (os error 2)",
        ),
        (
            "--password-file -",
            "the password on standard input: it is empty",
        ),
    ] {
        let failed = home.run(&format!("{order} {flags}"), "").failed();
        assert_eq!(failed, format!("fanlight: {said}\n"));
    }
    for flags in [
        "--ttl 60",
        "--count 0",
        "--label a",
        "--port 0",
        "--host a/b",
    ] {
        assert_eq!(
            home.run(&format!("{order} {flags}"), "").code,
            Some(2),
            "{flags}"
        );
    }
    home.write("fanlight.toml", "listen = '127.0.0.1:0'\nstate_dir = '.'\n");
    let failed = home.run(order, "").failed();
    assert!(failed.starts_with("fanlight: with port 0 in listen, public_url has to be set"));
}

#[test]
fn tokens_that_do_not_open_are_not_repeated() {
    let home = Home::new();
    home.run("keys new", "").good();
    let url = home.run("mint --host 10.0.0.5 --port 5901", "").good();
    let elsewhere = Home::new();
    elsewhere.run("keys new", "").good();
    let failed = elsewhere.run("token inspect", &url).failed();
    assert!(
        failed.starts_with("fanlight: the token names key "),
        "{failed}"
    );

    // A character in the middle, all of whose bits count.
    let (head, tail) = url.trim_end().split_at(url.len() - 20);
    let other = if tail.starts_with('A') { "B" } else { "A" };
    let altered = format!("{head}{other}{}", &tail[1..]);
    for (input, said) in [
        ("", "there is no token on standard input"),
        (
            &*altered,
            "the token was altered or sealed with another key",
        ),
        ("hello", "the token has not the prefix of a Fanlight token"),
    ] {
        let failed = home.run("token inspect", input).failed();
        assert_eq!(failed, format!("fanlight: {said}\n"));
    }
}

#[test]
fn an_expired_token_is_shown_and_marked() {
    let home = Home::new();
    home.run("keys new", "").good();
    let ring = fanlight::keyring_file::load(&home.path("keyring")).unwrap();
    let long_ago = fanlight::clock::UnixTime::from_secs(1_700_000_000);
    let grant = fanlight::token::Grant {
        id: fanlight::id::ConsoleId::from_random([7; 16]),
        minted_at: long_ago,
        connect_by: long_ago,
        target: fanlight::target::Target {
            host: "a.example".parse().unwrap(),
            port: 5900.try_into().unwrap(),
        },
        password: None,
        name: None,
        labels: fanlight::token::Labels::default(),
    };
    let token = fanlight::token::seal(&grant, &ring, [3; 12]).unwrap();
    let said = home.run("token inspect", token.as_str()).good();
    assert!(
        said.ends_with("connect by  2023-11-14T22:13:20Z (expired)\n"),
        "{said}"
    );
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let home = Home::new();
    home.run("keys new", "").good();
    let mut child = fanlight([
        "mint",
        "--host",
        "a.example",
        "--port",
        "5900",
        "--count",
        "100000",
    ])
    .arg("--config")
    .arg(home.path("fanlight.toml"))
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn a_good_configuration_is_printed_whole() {
    let home = Home::new();
    home.write("c.pem", "c");
    home.write("k.pem", "k");
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
         DIR/fanlight.toml:1:23: tokens.keyring_file: DIR/ring cannot be read: No such file or directory (os error 2)\n"
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
