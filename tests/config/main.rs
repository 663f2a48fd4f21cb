//! Loading configurations: the layers, the problems and their places, the sample.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod files;
mod listeners;
mod problems;
mod profiles;

use std::collections::BTreeMap;
use std::path::Path;

use fanlight::audit;
use fanlight::config::{Config, Host, Limits, Problems, Resolved, Sources, Store};
use fanlight::http::api::scope::{Scope, Scopes};
use tempfile::TempDir;

/// Loads `text` as the file `fanlight.toml`; problems come back with the bare file name.
fn load(text: &str, environment: &[(&str, &str)], flags: &[(&'static str, &str)]) -> Loaded {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("fanlight.toml");
    std::fs::write(&file, text).unwrap();
    let result = Sources {
        file: Some(file),
        environment: environment
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
        flags: flags
            .iter()
            .map(|(flag, value)| (*flag, (*value).to_owned()))
            .collect(),
    }
    .load();
    Loaded { dir, result }
}

struct Loaded {
    dir: TempDir,
    result: Result<Resolved, Problems>,
}

impl Loaded {
    fn bare(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.dir.path().display()), "")
    }

    fn config(self) -> Config {
        self.result.unwrap().config
    }

    #[track_caller]
    fn problems(&self) -> String {
        self.bare(&self.result.as_ref().unwrap_err().to_string())
    }
}

#[test]
fn without_any_source_everything_is_default() {
    let empty = load("", &[], &[]).config();
    assert_eq!(Sources::default().load().unwrap().config, empty);
    assert_eq!(listen(&empty), ["127.0.0.1:8080"]);
    assert_eq!(
        empty.tokens.keyring_file,
        Path::new("/var/lib/fanlight/keyring")
    );
    assert_eq!(empty.tokens.connect_within.as_secs(), 60);
    assert_eq!(empty.browser.max_frame.0, 1 << 20);
    assert_eq!(empty.base_path.as_str(), "");
    assert!(empty.public_url.is_none() && empty.tls.certificates.is_empty());
    assert!(empty.api_keys.is_empty() && empty.frame_ancestors.is_empty());
}

/// What a build script sets reaches every process that cargo starts, `cargo run -- serve` too, so
/// that no such variable may start with `FANLIGHT_`.
#[test]
fn what_cargo_puts_into_the_environment_is_no_setting() {
    let sources = Sources {
        environment: std::env::vars_os().collect(),
        ..Sources::default()
    };
    assert!(sources.load().is_ok());
}

/// Where a configuration listens.
fn listen(config: &Config) -> Vec<String> {
    let listeners = config.listeners.iter();
    listeners.map(|it| it.address.to_string()).collect()
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let file = "listen = '127.0.0.1:1'\nstate_dir = '/file'\n[log]\nlevel = 'warn'\n";
    let environment = [
        ("FANLIGHT_LISTEN", "127.0.0.1:2"),
        ("FANLIGHT_STATE_DIR", "/environment"),
    ];
    let config = load(file, &environment, &[("--listen", "127.0.0.1:3")]).config();
    assert_eq!(listen(&config), ["127.0.0.1:3"]);
    assert_eq!(config.state_dir, Path::new("/environment"));
    assert_eq!(
        config.tokens.keyring_file,
        Path::new("/environment/keyring")
    );
    assert_eq!(config.log.level.as_str(), "warn");
}

#[test]
fn a_wrong_value_that_a_higher_layer_hides_does_no_harm() {
    let config = load("listen = 'x'", &[("FANLIGHT_LISTEN", "[::1]:0")], &[]).config();
    assert_eq!(listen(&config), ["[::1]:0"]);
}

#[test]
fn the_prefix_follows_the_public_url_unless_it_is_set() {
    let url = "public_url = 'https://cloud.example/consoles/'\n";
    assert_eq!(load(url, &[], &[]).config().base_path.as_str(), "/consoles");
    let stripped = load(&format!("{url}base_path = ''"), &[], &[]).config();
    assert_eq!(stripped.base_path.as_str(), "");
    assert_eq!(
        stripped.known_public_url().unwrap().to_string(),
        "https://cloud.example/consoles"
    );
    let derived = load("base_path = '/c'", &[], &[]).config();
    assert_eq!(
        derived.known_public_url().unwrap().to_string(),
        "http://127.0.0.1:8080/c"
    );
}

#[test]
fn relative_paths_start_at_the_file() {
    let loaded = load(
        "[tls]\ncertificate_file = 'a.pem'\nkey_file = '/k.pem'\n",
        &[("FANLIGHT_STATE_DIR", "state")],
        &[],
    );
    let certificate = loaded.dir.path().join("a.pem");
    let config = loaded.config();
    let tls = config.tls.certificates.first().unwrap();
    assert_eq!(tls.certificate_file, certificate);
    assert_eq!(tls.key_file, Path::new("/k.pem"));
    assert_eq!(config.tokens.keyring_file, Path::new("state/keyring"));
}

#[test]
fn lists_and_keys_read_alike_from_file_and_environment() {
    let hash = "ab".repeat(32);
    let file = format!(
        "frame_ancestors = [\"'self'\", 'https://a.example']\n[api]\nkeys = [{{ name = 'x', hash = 'sha256:{hash}' }}]\n"
    );
    let from_file = load(&file, &[], &[]).config();
    let tables = format!(
        "frame_ancestors = [\"'self'\", 'https://a.example']\n[[api.keys]]\nname = 'x'\nhash = 'sha256:{hash}'\n"
    );
    assert_eq!(load(&tables, &[], &[]).config(), from_file);
    let keys = format!("x=sha256:{hash}");
    let variables = [
        ("FANLIGHT_FRAME_ANCESTORS", "'self', https://a.example"),
        ("FANLIGHT_API_KEYS", keys.as_str()),
        ("FANLIGHT_LIMITS_SESSIONS", "5000"),
    ];
    assert_eq!(load("", &variables, &[]).config(), from_file);
    let fanlight::config::ApiProof::Key(known) = &from_file.api_keys[0].proof else {
        panic!("{from_file:?}");
    };
    assert_eq!(known.as_bytes(), &[0xab; 32]);
    assert_eq!(from_file.api_keys[0].scopes, Scopes::default());
    let scoped = format!(
        "api.keys = [{{ name = 'x', hash = 'sha256:{hash}', scopes = ['mint', 'sessions:read'] }}]"
    );
    let keys = format!("x=sha256:{hash}+mint+sessions:read");
    let from_variable = load("", &[("FANLIGHT_API_KEYS", keys.as_str())], &[]).config();
    assert_eq!(load(&scoped, &[], &[]).config(), from_variable);
    assert!(from_variable.api_keys[0].scopes.allow(Scope::SessionsRead));
    assert!(!from_variable.api_keys[0].scopes.allow(Scope::SessionsEnd));
}

#[test]
fn what_is_printed_reads_back_and_tells_the_origins() {
    let file = "public_url = 'https://a.example/x'\nframe_ancestors = [\"'self'\"]\n[limits]\nsessions = 0x10\n[tls]\ncertificate_file = '/c'\nkey_file = '/k'\n";
    let loaded = load(
        file,
        &[("FANLIGHT_LOG_LEVEL", "info,fanlight::host=debug")],
        &[("--listen", "[::]:443")],
    );
    let resolved = loaded.result.as_ref().unwrap();
    let printed = resolved.origins.to_toml();
    assert_eq!(load(&printed, &[], &[]).config(), resolved.config);
    insta::assert_snapshot!(loaded.bare(&printed));
}

#[test]
fn hashes_are_printed_shortened() {
    let hash = "ab".repeat(32);
    let keys = format!("cloud=sha256:{hash}");
    let resolved = load("", &[("FANLIGHT_API_KEYS", &keys)], &[])
        .result
        .unwrap();
    for text in [resolved.origins.to_toml(), format!("{resolved:?}")] {
        assert!(
            text.contains("sha256:ababab***") && !text.contains(&hash),
            "{text}"
        );
    }
}

#[test]
fn the_sample_shows_every_setting_and_the_defaults() {
    let sample = include_str!("../../deploy/fanlight.toml");
    let defaults = load("", &[], &[]).config();
    assert_eq!(load(sample, &[], &[]).config(), defaults);

    // A binary without traces refuses their settings.
    let mut sections = sample.split("\n[");
    let traces = sections.find(|it| it.starts_with("traces]")).unwrap();
    let keys = ["\n#url = ", "\n#headers_file = "];
    assert!(keys.iter().all(|key| traces.contains(key)), "{traces}");
    let (sample, missing) = if cfg!(feature = "otel") {
        (sample.to_owned(), 0)
    } else {
        (sample.replace(traces, "traces]\n"), keys.len())
    };

    // With its settings switched on it has them all; those that are only examples differ.
    let switched_on: Vec<_> = sample
        .lines()
        .map(|line| {
            line.strip_prefix('#')
                .filter(|rest| {
                    !rest.is_empty() && !rest.starts_with(' ') || rest.starts_with("    ")
                })
                .unwrap_or(line)
        })
        .collect();
    let loaded = load(&switched_on.join("\n"), &[], &[]);
    let resolved = loaded.result.as_ref().unwrap();
    let printed = resolved.origins.to_toml();
    for line in printed.lines().filter(|line| line.contains('=')) {
        assert!(
            line.contains("/fanlight.toml:"),
            "not in the sample: {line}"
        );
    }
    assert_eq!(printed.matches("is not set").count(), missing, "{printed}");
    assert_eq!(resolved.config.api_keys.len(), 1);
    assert_eq!(resolved.config.profiles.len(), 1);
    let as_default = Config {
        name: None,
        public_url: None,
        frame_ancestors: Vec::new(),
        origins: Vec::new(),
        proxies: defaults.proxies.clone(),
        targets: defaults.targets.clone(),
        tls: defaults.tls.clone(),
        listeners: defaults.listeners.clone(),
        api_keys: Vec::new(),
        limits: Limits {
            sessions_in_all: None,
            sessions_per_client: None,
            sessions_per_label: Vec::new(),
            ..resolved.config.limits.clone()
        },
        store: Store {
            redis: None,
            ..resolved.config.store.clone()
        },
        host: Host {
            unix_root: None,
            ..resolved.config.host.clone()
        },
        profiles: BTreeMap::new(),
        audit: audit::Params::default(),
        webhook: None,
        traces: None,
        ..resolved.config.clone()
    };
    assert_eq!(as_default, defaults);
}

#[test]
fn a_secret_without_quotes_is_called_that_and_not_repeated() {
    for text in ["webhook.secret_file = fl_x", "webhook.secret_file = token"] {
        let words = "fanlight.toml:1:23: not TOML: expected true, false, or a text in quotes";
        assert_eq!(load(text, &[], &[]).problems(), words, "{text}");
    }
}
