//! Every setting that exists, declared once: reading, printing, the sample file and
//! `docs/configuration.md` all follow this table.

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Its dotted path in the file: `tokens.connect_within`. Of a profile's settings the second
    /// word stands for the profile's name: `profiles.NAME.ca_file`.
    pub path: &'static str,
    /// Its flag of `fanlight serve`, two hyphens included.
    pub flag: Option<&'static str>,
    /// What holds when nobody sets it.
    pub default: DefaultValue,
    /// The least and the greatest value, as they would be typed.
    pub range: Option<(&'static str, &'static str)>,
    /// Whether a change of it takes effect at the next start alone.
    pub restart: bool,
    /// What it means, a sentence or two of Markdown.
    pub meaning: &'static str,
}

/// What holds when nobody sets a setting.
#[derive(Debug)]
pub enum DefaultValue {
    /// This, as it would be typed into the environment variable.
    Typed(&'static str),
    /// Something that depends on other settings, in words.
    Derived(&'static str),
}

impl Setting {
    const fn new(path: &'static str, default: DefaultValue, meaning: &'static str) -> Self {
        Self {
            path,
            flag: None,
            default,
            range: None,
            restart: false,
            meaning,
        }
    }

    const fn flag(mut self, flag: &'static str) -> Self {
        self.flag = Some(flag);
        self
    }

    const fn range(mut self, least: &'static str, greatest: &'static str) -> Self {
        self.range = Some((least, greatest));
        self
    }

    const fn restart(mut self) -> Self {
        self.restart = true;
        self
    }

    /// Its environment variable: `FANLIGHT_TOKENS_CONNECT_WITHIN`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("FANLIGHT_{}", self.path.to_uppercase().replace('.', "_"))
    }

    /// The section it stands in, empty for the top of the file.
    #[must_use]
    pub fn section(&self) -> &'static str {
        self.path
            .rsplit_once('.')
            .map_or("", |(section, _)| section)
    }

    /// Its name inside its section.
    #[must_use]
    pub fn key(&self) -> &'static str {
        self.path.rsplit_once('.').map_or(self.path, |(_, key)| key)
    }
}

/// Whether the file may have a table of this name.
pub(super) fn is_section(name: &str) -> bool {
    !name.is_empty() && SETTINGS.iter().any(|setting| setting.section() == name)
}

/// The setting with this path.
pub(super) fn find(path: &str) -> Option<&'static Setting> {
    SETTINGS.iter().copied().find(|s| s.path == path)
}

/// The table whose entries are profiles.
pub(super) const PROFILES: &str = "profiles";

/// The setting of this name in each profile.
pub(super) fn find_in_profile(key: &str) -> Option<&'static Setting> {
    PROFILE_SETTINGS.iter().copied().find(|s| s.key() == key)
}

use DefaultValue::{Derived, Typed};

macro_rules! settings {
    ($(#[$doc:meta])* $all:ident: $($name:ident = $setting:expr;)*) => {
        $(pub(super) static $name: Setting = $setting;)*

        $(#[$doc])*
        pub static $all: &[&Setting] = &[$(&$name),*];
    };
}

settings! {
    /// All of them but those of profiles, in the order of the sample file.
    SETTINGS:
    LISTEN = Setting::new("listen", Derived("`127.0.0.1:8080`; nothing, with `listeners`"),
        "Where to listen for the page and the API: an address and a port; `[::]:8080` is every address, port 0 lets the system choose. Or `unix:/PATH`, or `systemd:NAME`, as in [`listeners`](#listeners).")
        .flag("--listen")
        .restart();
    LISTENERS = Setting::new("listeners", Typed(""),
        "[Where else to listen](#listeners), and what is answered there: `{ address = \"unix:/run/fanlight/api.sock\", roles = [\"api\"] }` each.")
        .restart();
    PUBLIC_URL = Setting::new("public_url", Derived("from `listen`, `base_path` and `[tls]`"),
        "The gateway as browsers see it. Minted URLs start with it, so its path is the prefix that they carry.")
        .flag("--public-url")
        .restart();
    BASE_PATH = Setting::new("base_path", Derived("the path of `public_url`"),
        "The path under which the gateway itself serves. Set it to `\"\"` when the proxy in front strips the prefix.")
        .restart();
    STATE_DIR = Setting::new("state_dir", Typed("/var/lib/fanlight"),
        "The directory of what the gateway makes itself, such as the key ring.")
        .flag("--state-dir")
        .restart();
    NAME = Setting::new("name", Derived("the machine's host name"),
        "What this gateway is called in lists of sessions.")
        .restart();
    FRAME_ANCESTORS = Setting::new("frame_ancestors", Typed(""),
        "Who may show the console in a frame: `\"'self'\"` or origins such as `\"https://cloud.example\"` and `\"https://*.cloud.example\"`. Nobody, when empty.");
    ORIGINS = Setting::new("origins", Typed(""),
        "Whose pages may open consoles besides the gateway's own, which is the origin of `public_url`: `\"https://cloud.example\"` each, with its port where that is not the usual one.");
    REQUIRE_ORIGIN = Setting::new("require_origin", Typed("false"),
        "Whether a WebSocket without the header `Origin` is refused. Browsers always send it; viewers that are no browsers do not.");
    TRUSTED_PROXIES = Setting::new("trusted_proxies", Typed(""),
        "Addresses and networks of the proxies in front, such as `\"10.0.0.0/24\"`: what they say of the client's address is believed, and what anybody else says is not. `127.0.0.1` is also who comes through a Unix socket.");
    FORWARDED_HEADER = Setting::new("forwarded_header", Typed("x-forwarded-for"),
        "The header in which the trusted proxies say it: `x-forwarded-for` or `forwarded`. The other one is not looked at, because proxies pass it on as the client wrote it.");
    PROXY_PROTOCOL = Setting::new("proxy_protocol", Typed("false"),
        "Whether connections from the trusted proxies start with a header of the PROXY protocol, version 2, where a listener does not say. One without it is closed then; connections from elsewhere never have one.");
    TLS_MODE = Setting::new("tls.mode", Typed("auto"),
        "`auto`: TLS with a certificate, and without one everywhere but on a loopback address, with a certificate of the gateway's own, made at each start, whose fingerprint is logged. `on`: always. `off`: never, for a proxy in front that does.")
        .restart();
    TLS_CERTIFICATE_FILE = Setting::new("tls.certificate_file", Derived("none"),
        "PEM file with the certificate and its chain. Goes with `tls.key_file`. It is read again when it changes.")
        .restart();
    TLS_KEY_FILE = Setting::new("tls.key_file", Derived("none"),
        "PEM file with the certificate's private key.")
        .restart();
    TLS_MORE_CERTIFICATES = Setting::new("tls.more_certificates", Typed(""),
        "Certificates for other names, `{ certificate_file = \"…\", key_file = \"…\" }` each. Whoever asks for a name gets the first that is for it, and the one above if none is.")
        .restart();
    TLS_REDIRECT_FROM = Setting::new("tls.redirect_from", Derived("none"),
        "Where plain HTTP is answered with the way to `public_url`, such as `[::]:80`. Parameters are left behind, as a token that was sent in the clear should be.")
        .restart();
    TOKENS_KEYRING_FILE = Setting::new("tokens.keyring_file", Derived("`keyring` in `state_dir`"),
        "The keys that tokens are sealed with. Gateways that share it open each other's tokens. Where nothing is said it is made at the first start; one that is named has to be there, and `fanlight keys new` makes it.")
        .restart();
    TOKENS_CONNECT_WITHIN = Setting::new("tokens.connect_within", Typed("60s"),
        "How long a minted URL can be opened, where the minter does not say. A running session is not ended by it.")
        .range("1s", "24h");
    TOKENS_SESSION_MAX = Setting::new("tokens.session_max", Typed("8h"),
        "How long a session may last from its admission on, resumed or not, where the minter does not say.")
        .range("1s", "744h");
    TOKENS_IDLE_MAX = Setting::new("tokens.idle_max", Typed("15m"),
        "How long the person at a console may do nothing, where the minter does not say. What the screen paints counts for nothing.")
        .range("1s", "744h");
    TOKENS_PACING = Setting::new("tokens.pacing", Typed("auto"),
        "Whether updates come [without being asked for one by one](performance.md#frames-at-a-distance), where the minter does not say. `auto`: to our page, when its first round trip is longer than 20 ms. `on`: to every viewer that knows Fence and ContinuousUpdates. `off`: never.");
    API_KEYS = Setting::new("api.keys", Typed(""),
        "Who may use the API: `{ name = \"cloud\", hash = \"sha256:…\", scopes = [\"mint\"] }` each, as `fanlight keys api` prints it. `scopes` are [what the key is good for](api.md#keys-and-scopes), `mint` alone where they are not said. In place of `hash`, `certificate` names a DNS name or a URI in the subjectAltName of a [client certificate](api.md#client-certificates). The API is off when empty.");
    LIMITS_SESSIONS = Setting::new("limits.sessions", Typed("5000"),
        "How many sessions may run at once. With fewer descriptors than this and `limits.connections` need, as many as there are descriptors for; the log says so at the start.")
        .range("1", "1000000")
        .restart();
    LIMITS_CONNECTIONS = Setting::new("limits.connections", Typed("10000"),
        "How many browser connections may be open at once; more than `limits.sessions`, so that pages and the API are answered when all sessions are taken.")
        .range("2", "2000000")
        .restart();
    LIMITS_SESSIONS_IN_ALL = Setting::new("limits.sessions_in_all", Derived("as many as the gateways take"),
        "How many sessions there may be on all gateways that share a store.")
        .range("1", "10000000");
    LIMITS_SESSIONS_PER_CLIENT = Setting::new("limits.sessions_per_client", Derived("as many as there may be"),
        "How many sessions one client address may have. Offices share one.")
        .range("1", "10000000");
    LIMITS_SESSIONS_PER_LABEL = Setting::new("limits.sessions_per_label", Typed(""),
        "How many sessions there may be for each value of a label: `[\"tenant=50\", \"user=5\"]`.");
    LIMITS_HANDSHAKES = Setting::new("limits.handshakes", Typed("2000"),
        "How many consoles may be on their way from the WebSocket to the picture at once.")
        .range("1", "1000000")
        .restart();
    LIMITS_CONNECTIONS_PER_CLIENT = Setting::new("limits.connections_per_client", Typed("3000/m"),
        "How often one address (in IPv6 one network of 64 bits) may connect: this many at once, and they come back evenly over the second, minute or hour. What is over it is closed at once. Trusted proxies are not counted, nor whoever comes through them.");
    LIMITS_HANDSHAKES_PER_CLIENT = Setting::new("limits.handshakes_per_client", Typed("1000/m"),
        "How often one client may open a console, counted in the same way; behind trusted proxies by the address that they say.");
    LIMITS_MINTS_PER_KEY = Setting::new("limits.mints_per_key", Typed("6000/m"),
        "How often one API key may mint, counted in the same way.");
    RESUME_GRACE = Setting::new("resume.grace", Typed("5m"),
        "How long a session that lost its connection may come back. Its place counts as taken for as long.")
        .range("1s", "24h");
    TARGETS_ALLOW = Setting::new("targets.allow", Typed("10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7"),
        "Where hosts may be: addresses and networks, with ports where not all are meant, such as `\"10.0.0.0/8:5900-5999\"` and `\"[fd00::/8]:5900\"`. Private networks, when it is not set.");
    TARGETS_DENY = Setting::new("targets.deny", Typed(""),
        "Where hosts may not be, although `targets.allow` has it.");
    STORE_KIND = Setting::new("store.kind", Typed("memory"),
        "Where what gateways have to agree on is kept: `memory` for one gateway by itself, `redis` for several, in a Redis or Valkey that they share.")
        .restart();
    STORE_URL = Setting::new("store.url", Derived("none"),
        "Where the Redis is: `redis://HOST:PORT/DB`, or `rediss://` for TLS.")
        .restart();
    STORE_USERNAME = Setting::new("store.username", Derived("its default user"),
        "Who the gateway is there. `docs/scaling.md` says which rights it needs.")
        .restart();
    STORE_PASSWORD_FILE = Setting::new("store.password_file", Derived("none"),
        "File with the password for it, and nothing else.")
        .restart();
    STORE_CA_FILE = Setting::new("store.ca_file", Derived("the system's authorities"),
        "PEM file with the certificate authorities that are believed about the Redis, and no others.")
        .restart();
    STORE_PREFIX = Setting::new("store.prefix", Typed("fanlight:"),
        "How all keys and channels there begin. Gateways with the same prefix are one.")
        .restart();
    STORE_TIMEOUT = Setting::new("store.timeout", Typed("2s"),
        "How long the Redis may take over a call before it counts as away.")
        .range("10ms", "30s")
        .restart();
    STORE_WHEN_AWAY = Setting::new("store.when_away", Typed("refuse"),
        "What becomes of new sessions while the store is away: `refuse`, or `allow`, with which tokens may be used more than once, and revocations and quotas do not hold. Sessions that run go on.")
        .restart();
    HOST_CONNECT_TIMEOUT = Setting::new("host.connect_timeout", Typed("10s"),
        "How long finding and reaching a host may take, all its addresses together, and the wait for a turn before.")
        .range("10ms", "10m");
    HOST_VERSION_TIMEOUT = Setting::new("host.version_timeout", Typed("10s"),
        "How long a host may take to say its RFB version.")
        .range("10ms", "10m");
    HOST_SECURITY_TIMEOUT = Setting::new("host.security_timeout", Typed("30s"),
        "How long the authentication with a host may take.")
        .range("10ms", "10m");
    HOST_INIT_TIMEOUT = Setting::new("host.init_timeout", Typed("10s"),
        "How long a host may take to describe its screen.")
        .range("10ms", "10m");
    HOST_DIALS_PER_HOST = Setting::new("host.dials_per_host", Typed("4"),
        "How many connections to one host and port, or to one Unix socket, may be logging in at once, whatever the path or ticket behind it; others wait for their turn, within `host.connect_timeout`. TigerVNC locks the gateway out at 5, for all users.")
        .range("1", "1000")
        .restart();
    HOST_UNIX_ROOT = Setting::new("host.unix_root", Derived("none: no Unix sockets"),
        "The directory below which Unix sockets of hosts may be, after resolving links. Whoever may mint may open any of them.");
    BROWSER_HANDSHAKE_TIMEOUT = Setting::new("browser.handshake_timeout", Typed("15s"),
        "How long a browser may take over the RFB handshake.")
        .range("10ms", "10m");
    BROWSER_PING_INTERVAL = Setting::new("browser.ping_interval", Typed("25s"),
        "A browser is pinged at least this often. Proxies cut what is silent for 60 s.")
        .range("10ms", "1h");
    BROWSER_DEAD_AFTER = Setting::new("browser.dead_after", Typed("60s"),
        "How long a browser may neither send nor take a byte before it counts as gone; longer than `browser.ping_interval`.")
        .range("20ms", "2h");
    BROWSER_MAX_FRAME = Setting::new("browser.max_frame", Typed("1MiB"),
        "The largest WebSocket frame that a browser may send.")
        .range("1KiB", "64MiB");
    BROWSER_WEBSOCKET_OVER_HTTP2 = Setting::new("browser.websocket_over_http2", Typed("false"),
        "Whether consoles may share a connection of HTTP/2 with the page and with each other (RFC 8441). It saves a handshake, and lets one lost packet hold up all of them.");
    AUDIT_TO = Setting::new("audit.to", Derived("none: no audit log"),
        "Where the [audit log](audit.md) is written: a file, or `stdout` or `stderr`.")
        .restart();
    AUDIT_WHEN_FULL = Setting::new("audit.when_full", Typed("refuse"),
        "What happens while the audit log cannot be written, the disk being full, say: `refuse` lets nothing new begin, `continue` goes on and counts the lines that are missing. Running sessions live on in any case.")
        .restart();
    WEBHOOK_URL = Setting::new("webhook.url", Derived("none: no webhook"),
        "Who is [told](webhook.md) when a session of this gateway opens or ends. Goes with `webhook.secret_file`.")
        .restart();
    WEBHOOK_SECRET_FILE = Setting::new("webhook.secret_file", Derived("none: no webhook"),
        "The file with the secret that webhooks are signed with, at least 16 bytes.")
        .restart();
    LOG_LEVEL = Setting::new("log.level", Typed("info"),
        "What is logged: `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,fanlight::host=debug`.")
        .flag("--log-level");
    LOG_FORMAT = Setting::new("log.format", Typed("text"),
        "`text` for people, `json` for machines: one object a line.")
        .flag("--log-format")
        .restart();
    METRICS_LISTEN = Setting::new("metrics.listen", Derived("none"),
        "Where `/metrics` tells Prometheus what the gateway counts, over plain HTTP and to whoever asks: a place that only scrapers reach, such as `127.0.0.1:9464`.")
        .restart();
    TRACES_URL = Setting::new("traces.url", Derived("none: no traces"),
        "Where [traces](operations.md#traces) go, by OTLP over HTTP: the whole URL, such as `http://127.0.0.1:4318/v1/traces`. Refused by a binary that was built without the feature `otel`, as those that we ship are.")
        .restart();
    TRACES_HEADERS_FILE = Setting::new("traces.headers_file", Derived("none"),
        "File with headers for it, each a line such as `authorization: Bearer …`. Goes with `traces.url`.")
        .restart();
    SHUTDOWN_DRAIN_TIMEOUT = Setting::new("shutdown.drain_timeout", Derived("`30s` with `store.kind = \"redis\"`, else `0s`"),
        "How long sessions may go on when the gateway is stopped. Pages are told, and move to another gateway that shares the store; what is left after this is ended. Nobody waits when no session is left.")
        .range("0s", "24h");
    SHUTDOWN_GRACE = Setting::new("shutdown.grace", Typed("10s"),
        "How long sessions get to say goodbye when the gateway is stopped.")
        .range("0s", "10m");
}

settings! {
    /// Those that each profile has, in the order of the sample file.
    PROFILE_SETTINGS:
    PROFILE_CA_FILE = Setting::new("profiles.NAME.ca_file", Derived("the system's authorities"),
        "PEM file with the certificate authorities that are believed about these hosts, and no others.");
    PROFILE_SERVER_NAME = Setting::new("profiles.NAME.server_name", Derived("the host as it is dialled"),
        "The name or address that their certificate has to be for.");
    PROFILE_VERIFY = Setting::new("profiles.NAME.verify", Derived("`full`, or the pin alone where one is given"),
        "How much of their certificate is checked: `full`; `chain`, which takes any name; `none`, with which anybody on the way can pose as the host, and which is logged at start and in each session. A pin is checked as well.");
    PROFILE_PIN_SHA256 = Setting::new("profiles.NAME.pin_sha256", Typed(""),
        "The SHA-256 of their certificate's public key (SubjectPublicKeyInfo), in hexadecimal or base64; one of these has to fit. Without `verify` the pin alone decides, for certificates that nobody signed; their dates are not looked at then.");
    PROFILE_CERTIFICATE_FILE = Setting::new("profiles.NAME.certificate_file", Derived("none"),
        "PEM file with the certificate and chain that we show to hosts that ask who we are. Goes with `key_file`.");
    PROFILE_KEY_FILE = Setting::new("profiles.NAME.key_file", Derived("none"),
        "PEM file with that certificate's private key.");
    PROFILE_REQUIRE_TLS = Setting::new("profiles.NAME.require_tls", Typed("false"),
        "Whether only logins inside TLS with a certificate are used.");
    PROFILE_ALLOW_CLEAR_TEXT = Setting::new("profiles.NAME.allow_clear_text", Typed("false"),
        "Whether logins that show the password on the way may be used.");
    PROFILE_REFUSE_NONE = Setting::new("profiles.NAME.refuse_none", Typed("false"),
        "Whether a host that asks for no authentication, outside of TLS, is refused.");
    PROFILE_METHODS = Setting::new("profiles.NAME.methods", Derived("all, the strongest first"),
        "The ways of logging in that may be used, the preferred first, by the names that `fanlight check-config` prints for a profile that does not say.");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn names_are_unique_and_sections_stand_together() {
        let variables: BTreeSet<_> = SETTINGS.iter().map(|s| s.variable()).collect();
        assert_eq!(variables.len(), SETTINGS.len());
        let mut sections: Vec<_> = SETTINGS.iter().map(|s| s.section()).collect();
        sections.dedup();
        let unique: BTreeSet<_> = sections.iter().collect();
        assert_eq!(unique.len(), sections.len(), "{sections:?}");
    }

    /// The tables of the page are these; their text is printed here so that it can be pasted.
    #[test]
    fn the_documentation_has_exactly_these_settings() {
        let page = include_str!("../../docs/configuration.md");
        let mut shown = page
            .split("\n\n")
            .filter(|block| block.starts_with("| setting |"));
        for settings in [SETTINGS, PROFILE_SETTINGS] {
            let table = table(settings);
            let shown = shown.next().unwrap_or_default().trim_end();
            assert_eq!(
                shown,
                table.trim_end(),
                "docs/configuration.md should have this table:\n{table}"
            );
        }
    }

    #[test]
    fn the_documentation_names_what_needs_a_restart() {
        let page = include_str!("../../docs/configuration.md");
        let restart = SETTINGS.iter().filter(|setting| setting.restart);
        let names: Vec<_> = restart.map(|it| format!("`{}`", it.path)).collect();
        let line = names.join(", ");
        assert!(page.contains(&line), "it should say: {line}");
    }

    fn table(settings: &[&Setting]) -> String {
        let mut table =
            String::from("| setting | default | range | meaning |\n|---|---|---|---|\n");
        for setting in settings {
            let default = match setting.default {
                Typed("") => "empty".to_owned(),
                Typed(text) => format!("`{text}`"),
                Derived(words) => words.to_owned(),
            };
            let range = setting.range.map_or_else(String::new, |(least, most)| {
                format!("`{least}` to `{most}`")
            });
            writeln!(
                table,
                "| `{}` | {default} | {range} | {} |",
                setting.path, setting.meaning
            )
            .unwrap();
        }
        table
    }
}
