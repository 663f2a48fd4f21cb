//! From the configuration to what each part needs of it.

use std::sync::Arc;

use tracing::warn;

use super::serving::Standing;
use crate::config::{ApiProof, Config, GatewayName, Limits, WhenAway};
use crate::descriptors::{self, Places};
use crate::drive::Deadlines;
use crate::gateway::StartError;
use crate::host::profile::Profiles;
use crate::host::ra2_key::Ra2Key;
use crate::host::resolve::Resolver;
use crate::host::targets::Targets;
use crate::host::{self, courtesy};
use crate::http::api::keys::{ApiKey, Proof};
use crate::metrics::Metrics;
use crate::session;
use crate::session::relay::Pings;
use crate::store::Quotas;
use crate::tls::connect::{Connector, Trust};
use crate::tls::verify::Remedy;
use crate::webhook::Webhook;

/// What this gateway is called.
pub(super) fn name(config: &Config) -> String {
    let name = config.name.clone();
    let name = name.unwrap_or_else(GatewayName::of_this_machine);
    name.as_str().to_owned()
}

pub(super) fn webhook(
    config: &Config,
    resolver: Resolver,
    metrics: Arc<Metrics>,
) -> Result<Option<Webhook>, StartError> {
    let Some(to) = &config.webhook else {
        return Ok(None);
    };
    let tls = Connector::new(&Trust {
        remedy: Remedy::Nothing,
        ..Trust::default()
    })?;
    let url = to.url.clone();
    let webhook = Webhook::new(url, &to.secret_file, name(config), resolver, tls, metrics)?;
    Ok(Some(webhook))
}

/// The configured places, or as many as there are descriptors for.
pub(super) fn places(config: &Config) -> Places {
    let configured = Places {
        connections: config.limits.connections,
        sessions: config.limits.sessions,
    };
    let descriptors = descriptors::limit();
    let beside = config.listeners.iter().filter(|it| !it.roles.serves());
    let places = configured.within(descriptors, beside.count());
    if places != configured {
        warn!(
            descriptors,
            sessions = places.sessions,
            connections = places.connections,
            "there are fewer descriptors than limits.sessions and limits.connections need: \
             these are the limits"
        );
    }
    places
}

/// What sessions need of the configuration.
pub(super) fn session_params(
    config: &Config,
    profiles: Profiles,
    standing: &Standing,
) -> session::Params {
    let own_listeners = standing.listening.iter().filter_map(|it| it.address);
    session::Params {
        max_sessions: standing.max_sessions,
        quotas: quotas(&config.limits),
        resume_grace: config.resume_grace,
        admit_without_store: config.store.when_away == WhenAway::Allow,
        gateway: name(config).into(),
        audit: standing.audit.clone(),
        max_handshakes: config.limits.handshakes,
        origins: config.origin_policy(&standing.public_url),
        browser_handshake: config.browser.handshake_timeout,
        pings: Pings::every(config.browser.ping_interval, standing.started),
        dead_after: config.browser.dead_after,
        max_frame: config.browser.max_frame.0,
        metrics: Arc::clone(&standing.metrics),
        traces: standing.traces.clone(),
        host: host::Params {
            connect: config.host.connect_timeout,
            handshake: Deadlines {
                version: config.host.version_timeout,
                security: config.host.security_timeout,
                init: config.host.init_timeout,
            },
            profiles,
            courtesy: courtesy::Params {
                places: config.host.dials_per_host,
                ..courtesy::Params::default()
            },
            targets: Targets {
                rules: config.targets.clone(),
                own_listeners: own_listeners.collect(),
            },
            unix_root: config.host.unix_root.clone(),
            ra2_key: Ra2Key::default(),
        },
    }
}

fn quotas(limits: &Limits) -> Quotas {
    let per_label = limits.sessions_per_label.iter();
    Quotas {
        in_all: limits.sessions_in_all,
        per_client: limits.sessions_per_client,
        per_label: per_label.map(|it| (it.key.clone(), it.most)).collect(),
    }
}

pub(super) fn api_keys(config: &Config) -> Vec<ApiKey> {
    let keys = config.api_keys.iter().map(|key| ApiKey {
        name: key.name.clone(),
        proof: match &key.proof {
            ApiProof::Key(hash) => Proof::Key(*hash.as_bytes()),
            ApiProof::Certificate(name) => Proof::Certificate(name.clone()),
        },
        scopes: key.scopes,
    });
    keys.collect()
}
