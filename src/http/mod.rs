//! The HTTP face of the gateway: the page and its assets, the WebSocket, the API.
//!
//! | path, below the base path | what |
//! |---|---|
//! | `/novnc` | the console page ([`page`]); without a token, how to get one |
//! | `/novnc/websocket`, `/websockify` | the WebSocket of our page and of stock viewers ([`socket`]) |
//! | `/assets/…` | scripts, style, notices ([`assets`]) |
//! | `/api/…` | minting, sessions, and what happens to them ([`api`]) |
//!
//! `/healthz` and `/readyz` ([`health`]) stand at the root, as does `/metrics` ([`metrics`]). Which of
//! it a listener has, its [`roles`] say; all have health.

pub mod api;
pub mod assets;
pub mod client;
pub mod console;
pub mod content_coding;
pub mod headers;
pub mod health;
pub mod http2;
pub mod limiter;
pub mod metrics;
pub mod page;
pub mod problem;
pub mod redirect;
pub mod request_id;
pub mod roles;
pub mod serve;
pub mod socket;

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use tower_http::catch_panic::CatchPanicLayer;

use crate::client_addr::CountedAs;
use crate::http::api::Api;
use crate::http::headers::PageHeaders;
use crate::http::health::Readiness;
use crate::http::limiter::Limiter;
use crate::http::problem::Problem;
use crate::http::roles::{Role, Roles};
use crate::metrics::Metrics;
use crate::mint::{PAGE_PATH, SOCKET_PATH};
use crate::proxy::TrustedProxies;
use crate::session::Sessions;
use crate::traces::Traces;

pub use client::Client;

/// The WebSocket path that stock viewers and other gateways' users know.
const WEBSOCKIFY_PATH: &str = "/websockify";

/// Everything that requests need.
#[derive(Debug)]
pub struct Service {
    /// Where sessions run.
    pub sessions: Sessions,
    /// What cloud management asks.
    pub api: Arc<Api>,
    /// Whose word about clients is taken.
    pub proxies: TrustedProxies,
    /// How often one client may open a console.
    pub handshakes: Limiter<CountedAs>,
    /// What has to be well for new consoles.
    pub readiness: Readiness,
    /// What a scraper is told of.
    pub metrics: Arc<Metrics>,
    /// Where it is told who got a page.
    pub traces: Traces,
}

/// The routes of a listener with these roles: below `base_path`, which is empty or starts with a slash
/// and ends without one, and at the root. A path of another role is one that is not there.
pub fn router(
    service: &Arc<Service>,
    base_path: &str,
    roles: Roles,
    headers: PageHeaders,
) -> Router {
    let named = middleware::from_fn_with_state(Arc::clone(service), request_id::assign);
    if roles.has(Role::Redirect) {
        return redirect::router(service.api.minter.public_url(), base_path).layer(named);
    }
    let mut routes = Router::new();
    if roles.has(Role::Public) {
        routes = routes
            .route(PAGE_PATH, get(console::page))
            .route(SOCKET_PATH, websocket())
            .route(WEBSOCKIFY_PATH, websocket())
            .route("/assets/{file}", get(assets::serve));
    }
    if roles.has(Role::Api) {
        routes = routes.merge(api::router(&service.api));
    }
    let routes = if base_path.is_empty() {
        routes
    } else {
        Router::new().nest(base_path, routes)
    };
    let metrics = if roles.has(Role::Metrics) {
        metrics::routes()
    } else {
        Router::new()
    };
    routes
        .merge(metrics)
        .merge(health::routes())
        .with_state(Arc::clone(service))
        .fallback(async |request| Problem::NotFound.instead_of(request).await)
        .method_not_allowed_fallback(async |request| {
            Problem::MethodNotAllowed.instead_of(request).await
        })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(
            Arc::clone(service),
            client::identify,
        ))
        .layer(middleware::from_fn_with_state(
            Arc::new(headers),
            add_headers,
        ))
        .layer(named)
}

/// A WebSocket is asked for by GET, and over HTTP/2 by CONNECT.
fn websocket() -> MethodRouter<Arc<Service>> {
    get(socket::upgrade).connect(socket::upgrade)
}

/// Puts the security headers on every response, errors included.
async fn add_headers(
    State(headers): State<Arc<PageHeaders>>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    headers.apply(response.headers_mut());
    response
}

/// No panic is meant to be reachable; should one be, it costs one request its answer and no more.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    Problem::Internal.into_response()
}
