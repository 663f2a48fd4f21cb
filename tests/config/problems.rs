//! What is wrong with a configuration, and the words for it.

use fanlight::config::Sources;

use crate::load;

/// One problem each: what is in the file, and the line about it.
#[test]
fn wrong_files_and_what_is_said_about_them() {
    for (text, problem) in [
        (
            "listen = '8080'",
            "1:10: listen: expected an IP address and a port such as 127.0.0.1:8080 or [::]:8080, unix: and an absolute path of at most 107 bytes, or systemd: and a name, not \"8080\"",
        ),
        (
            "listen = 8080",
            "1:10: listen: expected an IP address and a port such as 127.0.0.1:8080 or [::]:8080, unix: and an absolute path of at most 107 bytes, or systemd: and a name, not the number 8080",
        ),
        (
            "lisen = ''",
            "1:1: lisen: is not a setting; did you mean listen?",
        ),
        (
            "[store]\nkind = 'redis'",
            "2:8: store.kind: needs store.url as well",
        ),
        (
            "[store]\nurl = 'redis://redis.example'",
            "2:7: store.url: needs store.kind = \"redis\"",
        ),
        (
            "[store]\nkind = 'redis'\nurl = 'rediss://:hidden@redis.example'",
            "3:7: store.url: expected redis://HOST:PORT/DB, or rediss:// for TLS; user and password have settings of their own",
        ),
        (
            "[store]\nkind = 'redis'\nurl = 'redis://[::1]:6379/1'\nca_file = 'ca.pem'",
            "4:11: store.ca_file: needs a store.url with rediss://",
        ),
        (
            "[store]\nkind = 'etcd'",
            "2:8: store.kind: expected memory or redis, not \"etcd\"",
        ),
        (
            "[store]\nprefix = 'a b'",
            "2:10: store.prefix: expected 1 to 64 letters, digits, colons, hyphens, underscores and dots, not \"a b\"",
        ),
        (
            "[profile.a]\nverify = 'full'",
            "1:2: profile: is not a setting; did you mean profiles?",
        ),
        (
            "profiles = 1",
            "1:1: profiles: has a table for each profile: write [profiles.NAME]",
        ),
        (
            "[profiles]\nverify = 'full'",
            "2:1: profiles.verify: has a table for each profile: write [profiles.NAME]",
        ),
        (
            "[profiles.Libvirt]",
            "1:11: profiles.Libvirt: not the name of a profile: 1 to 64 lower-case letters, digits, dots, underscores and hyphens",
        ),
        (
            "[profiles.a]\nca_fil = 'a'",
            "2:1: profiles.a.ca_fil: is not a setting; did you mean ca_file?",
        ),
        (
            "[profiles.a]\nverify = 'no'",
            "2:10: profiles.a.verify: expected full, chain or none, not \"no\"",
        ),
        (
            "[profiles.a]\nserver_name = 'a b'",
            "2:15: profiles.a.server_name: expected an IP address or a DNS name, not \"a b\"",
        ),
        (
            "[profiles.a]\nrequire_tls = 'yes'",
            "2:15: profiles.a.require_tls: expected true or false, not \"yes\"",
        ),
        (
            "[profiles.a]\npin_sha256 = ['ab']",
            "2:15: profiles.a.pin_sha256: expected the SHA-256 of a public key: 64 hexadecimal digits, or 44 characters of base64, not \"ab\"",
        ),
        (
            "[profiles.a]\ncertificate_file = 'c'",
            "2:20: profiles.a.certificate_file: needs key_file as well",
        ),
        (
            "[profiles.a]\nkey_file = 'k'",
            "2:12: profiles.a.key_file: needs certificate_file as well",
        ),
        (
            "[profiles.a]\nverify = 'none'\nca_file = 'c'",
            "3:11: profiles.a.ca_file: is not looked at with verify = \"none\"",
        ),
        (
            "[profiles.a]\nmethods = []",
            "2:11: profiles.a.methods: needs at least one way of logging in",
        ),
        (
            "[profiles.a]\nmethods = ['vnc', 'none', 'vnc']",
            "2:11: profiles.a.methods: vnc stands twice",
        ),
        ("colour = 'red'", "1:1: colour: is not a setting"),
        (
            "connect_within = '1s'",
            "1:1: connect_within: is not a setting; did you mean tokens.connect_within?",
        ),
        (
            "[limit]\nsessions = 1",
            "1:2: limit: is not a setting; did you mean limits?",
        ),
        (
            "[tokens]\n\nconect_within = '1s'",
            "3:1: tokens.conect_within: is not a setting; did you mean tokens.connect_within?",
        ),
        (
            "tokens = '60s'",
            "1:1: tokens: is a section: write [tokens] and its settings below",
        ),
        (
            "[tokens]\nconnect_within = 60",
            "2:18: tokens.connect_within: expected a time with its unit such as 500ms, 60s, 5m or 8h, not the number 60",
        ),
        (
            "[tokens]\nconnect_within = '60 s'",
            "2:18: tokens.connect_within: expected a time with its unit such as 500ms, 60s, 5m or 8h, not \"60 s\"",
        ),
        (
            "[tokens]\nconnect_within = '25h'",
            "2:18: tokens.connect_within: must be 1s to 24h",
        ),
        (
            "[tokens]\nconnect_within = '0s'",
            "2:18: tokens.connect_within: must be 1s to 24h",
        ),
        (
            "[browser]\nmax_frame = '1MB'",
            "2:13: browser.max_frame: expected a size with its unit such as 512B, 64KiB or 1MiB, not \"1MB\"",
        ),
        (
            "[browser]\nmax_frame = '1GiB'",
            "2:13: browser.max_frame: must be 1KiB to 64MiB",
        ),
        (
            "[browser]\nping_interval = '60s'",
            "2:17: browser.ping_interval: must be shorter than browser.dead_after, which is 1m",
        ),
        (
            "[browser]\ndead_after = '25s'",
            "2:14: browser.dead_after: must be longer than browser.ping_interval, which is 25s",
        ),
        (
            "[limits]\nsessions = '5'",
            "2:12: limits.sessions: expected a whole number, not \"5\"",
        ),
        (
            "[limits]\nsessions = -5",
            "2:12: limits.sessions: expected a whole number, not the number -5",
        ),
        (
            "[limits]\nsessions = 1.5",
            "2:12: limits.sessions: expected a whole number, not a float",
        ),
        (
            "[limits]\nsessions = 0",
            "2:12: limits.sessions: must be 1 to 1000000",
        ),
        (
            "[limits]\nsessions = 10_000",
            "2:12: limits.sessions: must be less than limits.connections, which is 10000",
        ),
        (
            "[limits]\nconnections = 5000",
            "2:15: limits.connections: must be more than limits.sessions, which is 5000",
        ),
        (
            "public_url = 'cloud.example'",
            "1:14: public_url: expected a URL such as https://console.example or https://cloud.example/consoles, not \"cloud.example\"",
        ),
        (
            "base_path = 'consoles'",
            "1:13: base_path: expected a path such as /consoles, or nothing, not \"consoles\"",
        ),
        (
            "state_dir = ''",
            "1:13: state_dir: expected a path, not \"\"",
        ),
        (
            "frame_ancestors = '*'",
            "1:19: frame_ancestors: expected a list of origins such as [\"https://cloud.example\"]",
        ),
        (
            "frame_ancestors = ['https://a.example', '*']",
            "1:41: frame_ancestors: expected 'self' or an origin such as https://cloud.example or https://*.cloud.example, not \"*\"",
        ),
        (
            "tls.key_file = 'k.pem'",
            "1:16: tls.key_file: needs tls.certificate_file as well",
        ),
        (
            "tls.certificate_file = 'c.pem'",
            "1:24: tls.certificate_file: needs tls.key_file as well",
        ),
        (
            "log.level = 'loud'",
            "1:13: log.level: expected error, warn, info, debug, trace or a filter such as info,fanlight::host=debug, not \"loud\"",
        ),
        (
            "log.format = 'xml'",
            "1:14: log.format: expected text or json, not \"xml\"",
        ),
        (
            "api.keys = ['fl_secret']",
            "1:13: api.keys: expected name=sha256:… each, commas between",
        ),
        (
            "api.keys = [{ name = 'x' }]",
            "1:13: api.keys: a key needs a hash or a certificate",
        ),
        (
            "api.keys = [{ name = 'x', key = 'fl_secret' }]",
            "1:27: api.keys: a key has name, hash (or certificate) and scopes and nothing else",
        ),
        (
            "api.keys = [{ name = 'x', hash = 'fl_secret' }]",
            "1:34: api.keys: expected the hash of a key: sha256: and 64 hexadecimal digits (see `fanlight keys api`)",
        ),
        (
            "api.keys = [{ name = 'x', scopes = 'mint' }]",
            "1:36: api.keys: expected scopes to be a list of strings",
        ),
        (
            "api.keys = [{ name = 'x', scopes = [] }]",
            "1:36: api.keys: a key needs a scope to be good for anything",
        ),
        (
            "api.keys = [{ name = 'x', scopes = ['mint', 'all'] }]",
            "1:45: api.keys: expected mint, sessions:read, sessions:target, sessions:end, sessions:control or admin",
        ),
        (
            "webhook.url = 'https://a.example/x?key=fl_secret'\nwebhook.secret_file = 'x'",
            "1:15: webhook.url: expected a URL such as https://cloud.example/hooks/fanlight, without a query",
        ),
        (
            "webhook.url = 'https://a.example/x'",
            "1:15: webhook.url: needs webhook.secret_file as well",
        ),
        (
            "api.keys = 'fl_secret'",
            "1:12: api.keys: expected a list such as [{ name = \"cloud\", hash = \"sha256:…\" }] (see `fanlight keys api`)",
        ),
        ("listen = 'a'\nlisten = 'b'", "2:1: not TOML: duplicate key"),
        (
            "listen = ",
            "1:10: not TOML: string values must be quoted, expected literal string",
        ),
        (
            "\u{1b} = 1",
            "1:1: not TOML: invalid unquoted key, expected letters, numbers, `-`, `_`",
        ),
    ] {
        assert_eq!(
            load(text, &[], &[]).problems(),
            format!("fanlight.toml:{problem}"),
            "{text}"
        );
    }
}

#[test]
fn wrong_variables_and_flags_are_named() {
    for (name, value, problem) in [
        (
            "FANLIGHT_LISTEN",
            "x",
            "expected an IP address and a port such as 127.0.0.1:8080 or [::]:8080, unix: and an absolute path of at most 107 bytes, or systemd: and a name, not \"x\"",
        ),
        (
            "FANLIGHT_LISTN",
            "x",
            "is not a setting; did you mean FANLIGHT_LISTEN?",
        ),
        (
            "FANLIGHT_LIMITS_SESSIONS",
            "many",
            "expected a whole number, not \"many\"",
        ),
        (
            "FANLIGHT_TOKENS_CONNECT_WITHIN",
            "60",
            "expected a time with its unit such as 500ms, 60s, 5m or 8h, not \"60\"",
        ),
        (
            "FANLIGHT_API_KEYS",
            "fl_secret",
            "expected name=sha256:… each, commas between",
        ),
    ] {
        let loaded = load("", &[(name, value)], &[]);
        assert_eq!(loaded.problems(), format!("{name}: {problem}"));
    }
    let loaded = load("", &[], &[("--log-format", "xml")]);
    assert_eq!(
        loaded.problems(),
        "--log-format: expected text or json, not \"xml\""
    );
}

#[test]
fn all_problems_come_at_once_in_the_order_of_their_places() {
    let file = "zzz = 1\nlisten = 'x'\n[tokens]\nconnect_within = '0s'\n";
    let problems = load(
        file,
        &[
            ("FANLIGHT_HOST_INIT_TIMEOUT", "1"),
            ("HOME", "/root"),
            ("FANLIGHT_PORT", "tcp://10.0.0.1:80"),
        ],
        &[("--log-level", "loud")],
    )
    .problems();
    let places: Vec<_> = problems
        .lines()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(
        places,
        [
            "fanlight.toml:1:1",
            "fanlight.toml:2:10",
            "fanlight.toml:4:18",
            "FANLIGHT_HOST_INIT_TIMEOUT",
            "--log-level"
        ]
    );
}

#[test]
fn columns_count_characters() {
    let problems = load("state_dir = 'é'\nframe_ancestors = ['é', 'ü']", &[], &[]).problems();
    let places: Vec<_> = problems
        .lines()
        .map(|l| l.split(": ").next().unwrap())
        .collect();
    assert_eq!(places, ["fanlight.toml:2:20", "fanlight.toml:2:25"]);
}

#[test]
fn a_key_put_where_its_hash_belongs_is_not_repeated() {
    for text in [
        "api.keys = ['fl_secret']",
        "api.keys = 'fl_secret'",
        "api.keys = [{ name = 'a', hash = 'fl_secret' }]",
        "api.keys = [{ name = 'fl secret', hash = '' }]",
    ] {
        assert!(
            !load(text, &[], &[]).problems().contains("secret"),
            "{text}"
        );
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let sources = Sources {
        file: Some("/nonexistent/fanlight.toml".into()),
        ..Sources::default()
    };
    assert_eq!(
        sources.load().unwrap_err().to_string(),
        "/nonexistent/fanlight.toml: cannot be read: No such file or directory (os error 2)"
    );
}

/// The binary that we ship is such a one.
#[cfg(not(feature = "otel"))]
#[test]
fn traces_are_refused_by_a_binary_without_them() {
    let words = "this binary was built without the feature otel, and sends no traces";
    for (text, place) in [
        (
            "[traces]\nurl = 'http://127.0.0.1:4318/v1/traces'",
            "2:7: traces.url",
        ),
        ("[traces]\nheaders_file = 'x'", "2:16: traces.headers_file"),
        (
            "[traces]\nurl = 'http://a.example'\nheaders_file = 'x'",
            "2:7: traces.url",
        ),
    ] {
        let problems = load(text, &[], &[]).problems();
        assert!(
            problems.ends_with(&format!("{place}: {words}")),
            "{problems}"
        );
        assert_eq!(problems.lines().count(), 1, "{problems}");
    }
}
