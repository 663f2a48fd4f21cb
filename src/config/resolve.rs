//! From settings to a [`Config`]. Every setting of a part is read before any is missed, so that all
//! problems are found.

use std::time::Duration;

use super::reader::Reader;
use super::setting as s;
use super::{
    ApiKey, ApiProof, Browser, Config, Host, Limits, ListenAddress, Listener, Log, Store, TlsMode,
    Tokens, TracesTo, WebhookTo, edge, listener, profile, store, tls, url,
};
use crate::audit;
use crate::http::roles::Role;

/// How long a gateway with others beside it waits for its sessions to move.
const MOVING: Duration = Duration::from_secs(30);

/// `None` when the reader has noted a problem.
pub(super) fn resolve(r: &mut Reader) -> Option<Config> {
    let name = r.take(&s::NAME);
    let listeners = listener::all(r);
    let public_url: Option<url::PublicUrl> = r.take(&s::PUBLIC_URL);
    let base_path = r.take(&s::BASE_PATH).unwrap_or_else(|| {
        let path = public_url.as_ref().map(|url| url.path().clone());
        let path = path.unwrap_or_default();
        r.derived(&s::BASE_PATH, &path);
        path
    });
    let state_dir: Option<std::path::PathBuf> = r.take(&s::STATE_DIR);
    let frame_ancestors = r.take(&s::FRAME_ANCESTORS);
    let (origins, require_origin) = (r.take(&s::ORIGINS), r.take(&s::REQUIRE_ORIGIN));
    let proxies = edge::proxies(r);
    let tls = tls::tls(r);
    let keyring_file = r.take(&s::TOKENS_KEYRING_FILE).or_else(|| {
        let file = state_dir.as_ref()?.join("keyring");
        r.derived(&s::TOKENS_KEYRING_FILE, &file);
        Some(file)
    });
    let connect_within = r.take_in_range(&s::TOKENS_CONNECT_WITHIN);
    let session_max = r.take_in_range(&s::TOKENS_SESSION_MAX);
    let idle_max = r.take_in_range(&s::TOKENS_IDLE_MAX);
    let pacing = r.take(&s::TOKENS_PACING);
    let api_keys = r.take(&s::API_KEYS);
    let limits = limits(r);
    let resume_grace = r.take_in_range(&s::RESUME_GRACE);
    let targets = edge::targets(r);
    let store = store::resolve(r);
    let host = host(r);
    let profiles = profile::all(r);
    let browser = browser(r);
    let audit = audit(r);
    let webhook = webhook(r);
    let (level, format) = (r.take(&s::LOG_LEVEL), r.take(&s::LOG_FORMAT));
    let traces = traces(r);
    let drain_timeout = drain_timeout(r, store.as_ref());
    let shutdown_grace = r.take_in_range(&s::SHUTDOWN_GRACE);

    let config = Config {
        name,
        listeners: listeners?,
        public_url,
        base_path,
        state_dir: state_dir?,
        frame_ancestors: frame_ancestors?,
        origins: origins?,
        require_origin: require_origin?,
        proxies: proxies?,
        tls: tls?,
        tokens: Tokens {
            keyring_file: keyring_file?,
            connect_within: connect_within?,
            session_max: session_max?,
            idle_max: idle_max?,
            pacing: pacing?,
        },
        api_keys: api_keys?,
        limits: limits?,
        resume_grace: resume_grace?,
        targets: targets?,
        store: store?,
        host: host?,
        profiles: profiles?,
        browser: browser?,
        audit: audit?,
        webhook,
        log: Log {
            level: level?,
            format: format?,
        },
        traces,
        drain_timeout: drain_timeout?,
        shutdown_grace: shutdown_grace?,
    };
    check_listeners(r, &config);
    // With port 0 the URL is known only when the gateway listens.
    if config.public_url.is_none()
        && let Some(known) = config.known_public_url()
    {
        r.derived(&s::PUBLIC_URL, &known);
    }
    Some(config)
}

/// What can be said of listeners only with the rest of the configuration.
fn check_listeners(r: &mut Reader, config: &Config) {
    let public_url = config.public_url.as_ref();
    let https = public_url.is_some_and(|url| url.origin().is_https());
    listener::check(
        r,
        &config.listeners,
        https,
        config.host.unix_root.as_deref(),
    );
    let asks = |it: &Listener| it.clients.is_some();
    let own_tls = |it: &Listener| it.tls.is_some_and(|mode| mode != TlsMode::Off) || asks(it);
    let off = config.tls.mode == TlsMode::Off && !config.listeners.iter().any(own_tls);
    if off && !config.tls.certificates.is_empty() {
        r.refuse(&s::TLS_CERTIFICATE_FILE, "goes without tls.mode = \"off\"");
    }
    let shows = |it: &ApiKey| matches!(it.proof, ApiProof::Certificate(_));
    if config.api_keys.iter().any(shows) && !config.listeners.iter().any(asks) {
        let message = "a certificate needs a listener with client_ca_file, which asks for it";
        r.refuse(&s::API_KEYS, message);
    }
    let has_address = |it: &Listener| !matches!(it.address, ListenAddress::Unix(_));
    let mut public = config
        .listeners
        .iter()
        .filter(|it| it.roles.has(Role::Public));
    if public_url.is_none() && !public.any(has_address) {
        let message =
            "has to be set: no listener with the role public has an address to make it of";
        r.refuse(&s::PUBLIC_URL, message);
    }
}

/// Without a shared store sessions have nowhere to go, and would wait for nothing.
fn drain_timeout(r: &mut Reader, store: Option<&Store>) -> Option<Duration> {
    if r.is_set(&s::SHUTDOWN_DRAIN_TIMEOUT) {
        return r.take_in_range(&s::SHUTDOWN_DRAIN_TIMEOUT);
    }
    let usual = match store?.redis {
        Some(_) => MOVING,
        None => Duration::ZERO,
    };
    r.derived(&s::SHUTDOWN_DRAIN_TIMEOUT, &usual);
    Some(usual)
}

fn limits(r: &mut Reader) -> Option<Limits> {
    let sessions: Option<usize> = r.take_in_range(&s::LIMITS_SESSIONS);
    let connections: Option<usize> = r.take_in_range(&s::LIMITS_CONNECTIONS);
    let in_all = r.take_in_range(&s::LIMITS_SESSIONS_IN_ALL);
    let per_client = r.take_in_range(&s::LIMITS_SESSIONS_PER_CLIENT);
    let per_label = r.take(&s::LIMITS_SESSIONS_PER_LABEL);
    let handshakes = r.take_in_range(&s::LIMITS_HANDSHAKES);
    let connections_per_client = r.take(&s::LIMITS_CONNECTIONS_PER_CLIENT);
    let handshakes_per_client = r.take(&s::LIMITS_HANDSHAKES_PER_CLIENT);
    let mints_per_key = r.take(&s::LIMITS_MINTS_PER_KEY);
    let limits = Limits {
        sessions: sessions?,
        connections: connections?,
        sessions_in_all: in_all,
        sessions_per_client: per_client,
        sessions_per_label: per_label?,
        handshakes: handshakes?,
        connections_per_client: connections_per_client?,
        handshakes_per_client: handshakes_per_client?,
        mints_per_key: mints_per_key?,
    };
    if limits.connections <= limits.sessions {
        let Limits {
            sessions,
            connections,
            ..
        } = limits;
        if r.is_set(&s::LIMITS_CONNECTIONS) {
            let message = format!("must be more than limits.sessions, which is {sessions}");
            r.refuse(&s::LIMITS_CONNECTIONS, &message);
        } else {
            let message = format!("must be less than limits.connections, which is {connections}");
            r.refuse(&s::LIMITS_SESSIONS, &message);
        }
    }
    Some(limits)
}

fn host(r: &mut Reader) -> Option<Host> {
    let connect_timeout = r.take_in_range(&s::HOST_CONNECT_TIMEOUT);
    let version_timeout = r.take_in_range(&s::HOST_VERSION_TIMEOUT);
    let security_timeout = r.take_in_range(&s::HOST_SECURITY_TIMEOUT);
    let init_timeout = r.take_in_range(&s::HOST_INIT_TIMEOUT);
    let dials_per_host = r.take_in_range(&s::HOST_DIALS_PER_HOST);
    let unix_root = r.take(&s::HOST_UNIX_ROOT);
    Some(Host {
        connect_timeout: connect_timeout?,
        version_timeout: version_timeout?,
        security_timeout: security_timeout?,
        init_timeout: init_timeout?,
        dials_per_host: dials_per_host?,
        unix_root,
    })
}

fn browser(r: &mut Reader) -> Option<Browser> {
    let handshake_timeout = r.take_in_range(&s::BROWSER_HANDSHAKE_TIMEOUT);
    let ping_interval = r.take_in_range(&s::BROWSER_PING_INTERVAL);
    let dead_after = r.take_in_range(&s::BROWSER_DEAD_AFTER);
    let max_frame = r.take_in_range(&s::BROWSER_MAX_FRAME);
    let websocket_over_http2 = r.take(&s::BROWSER_WEBSOCKET_OVER_HTTP2);
    let browser = Browser {
        handshake_timeout: handshake_timeout?,
        ping_interval: ping_interval?,
        dead_after: dead_after?,
        max_frame: max_frame?,
        websocket_over_http2: websocket_over_http2?,
    };
    if browser.dead_after <= browser.ping_interval {
        if r.is_set(&s::BROWSER_DEAD_AFTER) {
            let ping = crate::unit::print_duration(browser.ping_interval);
            let message = format!("must be longer than browser.ping_interval, which is {ping}");
            r.refuse(&s::BROWSER_DEAD_AFTER, &message);
        } else {
            let dead = crate::unit::print_duration(browser.dead_after);
            let message = format!("must be shorter than browser.dead_after, which is {dead}");
            r.refuse(&s::BROWSER_PING_INTERVAL, &message);
        }
    }
    Some(browser)
}

fn audit(r: &mut Reader) -> Option<audit::Params> {
    let to = r.take(&s::AUDIT_TO);
    let when_full = r.take(&s::AUDIT_WHEN_FULL);
    Some(audit::Params {
        to,
        when_full: when_full?,
    })
}

fn webhook(r: &mut Reader) -> Option<WebhookTo> {
    let url = r.take(&s::WEBHOOK_URL);
    let secret_file = r.take(&s::WEBHOOK_SECRET_FILE);
    match (r.is_set(&s::WEBHOOK_URL), r.is_set(&s::WEBHOOK_SECRET_FILE)) {
        (true, false) => r.refuse(&s::WEBHOOK_URL, "needs webhook.secret_file as well"),
        (false, true) => r.refuse(&s::WEBHOOK_SECRET_FILE, "needs webhook.url as well"),
        (true, true) | (false, false) => {}
    }
    Some(WebhookTo {
        url: url?,
        secret_file: secret_file?,
    })
}

/// A build without them refuses the settings rather than send nothing.
fn traces(r: &mut Reader) -> Option<TracesTo> {
    let (url, headers_file) = (r.take(&s::TRACES_URL), r.take(&s::TRACES_HEADERS_FILE));
    let mut set = [&s::TRACES_URL, &s::TRACES_HEADERS_FILE]
        .into_iter()
        .filter(|setting| r.is_set(setting));
    let first = set.next();
    if let Some(setting) = first {
        if !cfg!(feature = "otel") {
            let message = "this binary was built without the feature otel, and sends no traces";
            r.refuse(setting, message);
        } else if setting.path != s::TRACES_URL.path {
            r.refuse(setting, "needs traces.url as well");
        }
    }
    Some(TracesTo {
        url: url?,
        headers_file,
    })
}
