//! What connections are served with: made of the configuration, and replaced as a whole when that is
//! read again. What runs goes on with what it began with.

use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::drain::{Phases, Shutdown};
use super::edge::Edge;
use super::front::Face;
use super::keys::Outdated;
use super::listening::Listening;
use super::params::{api_keys, session_params};
use super::readiness;
use crate::audit::Audit;
use crate::config::{Config, PublicUrl};
use crate::current::Current;
use crate::host::profile::Profiles;
use crate::host::resolve::Resolver;
use crate::http::api::Api;
use crate::http::api::events::Followers;
use crate::http::api::keys::ApiKeys;
use crate::http::api::refusals::Refusals;
use crate::http::api::reload::Reloads;
use crate::http::headers::PageHeaders;
use crate::http::limiter::Limiter;
use crate::http::{self, Service, http2};
use crate::metrics::Metrics;
use crate::mint::Minter;
use crate::session::Sessions;
use crate::store::Store;
use crate::tls::certificates::Certificates;
use crate::token::KeyRing;
use crate::traces::Traces;

/// What stays from the start of a gateway to its end.
#[derive(Debug)]
pub(super) struct Standing {
    /// What the moments of pings are counted from.
    pub(super) started: Instant,
    /// Where the gateway listens.
    pub(super) listening: Vec<Listening>,
    /// As browsers see it.
    pub(super) public_url: PublicUrl,
    /// How many sessions may run at once.
    pub(super) max_sessions: usize,
    pub(super) ring: Arc<Current<KeyRing>>,
    pub(super) outdated: Outdated,
    pub(super) resolver: Resolver,
    pub(super) store: Arc<dyn Store>,
    pub(super) audit: Audit,
    pub(super) metrics: Arc<Metrics>,
    pub(super) traces: Traces,
    pub(super) certificates: Option<Arc<Certificates>>,
    pub(super) followers: Followers,
    pub(super) reloads: Reloads,
    pub(super) refusals: Arc<Refusals>,
    pub(super) tasks: TaskTracker,
    pub(super) phases: Phases,
}

/// What is made of a configuration.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) service: Arc<Service>,
    pub(super) shutdown: Shutdown,
}

impl Standing {
    /// What makes console URLs.
    pub(super) fn minter(&self, config: &Config) -> Minter {
        let ring = Arc::clone(&self.ring);
        Minter::new(ring, self.public_url.to_string(), config.tokens.usual())
            .with_profiles(config.profiles.keys().cloned().collect())
            .with_metrics(Arc::clone(&self.metrics))
    }

    /// Makes all of it anew, in place of what was there `before`: sessions and their places are the
    /// same. Beside it what connections meet, for each listener in its place.
    pub(super) fn serve(
        &self,
        config: &Config,
        profiles: Profiles,
        before: Option<&Serving>,
    ) -> (Serving, Vec<Face>) {
        let params = session_params(config, profiles, self);
        let sessions = match before {
            Some(before) => before.service.sessions.with(params),
            None => Sessions::new(
                params,
                Arc::clone(&self.ring),
                self.resolver.clone(),
                Arc::clone(&self.store),
                self.tasks.clone(),
                self.phases.stop.clone(),
            ),
        };
        let keys = api_keys(config);
        let keys = match before {
            Some(before) => ApiKeys::instead_of(&before.service.api.keys, keys),
            None => ApiKeys::new(keys),
        };
        let service = Arc::new(Service {
            sessions,
            api: Arc::new(Api {
                keys,
                minter: self.minter(config),
                mints: Limiter::new(config.limits.mints_per_key),
                store: Arc::clone(&self.store),
                audit: self.audit.clone(),
                followers: self.followers.clone(),
                reloads: self.reloads.clone(),
                refusals: Arc::clone(&self.refusals),
                traces: self.traces.clone(),
            }),
            proxies: config.proxies.trusted.clone(),
            handshakes: Limiter::new(config.limits.handshakes_per_client),
            readiness: readiness::of(self, config),
            metrics: Arc::clone(&self.metrics),
            traces: self.traces.clone(),
        });
        let edge = Arc::new(Edge::new(config));
        let listening = self.listening.iter();
        let faces = listening.map(|it| self.face(config, it, &edge, &service));
        let faces = faces.collect();
        let serving = Serving {
            service,
            shutdown: Shutdown::of(config),
        };
        (serving, faces)
    }

    /// What connections meet that come to one listener.
    fn face(
        &self,
        config: &Config,
        listening: &Listening,
        edge: &Arc<Edge>,
        service: &Arc<Service>,
    ) -> Face {
        let Listening { listener, tls, .. } = listening;
        let ancestors = config.frame_ancestors.iter();
        let headers = PageHeaders {
            frame_ancestors: ancestors.map(|a| a.as_str().into()).collect(),
            // Nobody is to be held to a certificate that only we vouch for.
            hsts: *tls && !config.tls.certificates.is_empty(),
        };
        let proxy_protocol = listener.proxy_protocol;
        Face {
            edge: Arc::clone(edge),
            proxy_protocol: proxy_protocol.unwrap_or(config.proxies.protocol),
            router: http::router(service, config.base_path.as_str(), listener.roles, headers),
            http2: http2::Params {
                tasks: self.tasks.clone(),
                websockets: config.browser.websocket_over_http2,
            },
        }
    }
}
