//! The REST API for cloud management: below `/api/v1`, with an API key as bearer token, or a
//! certificate in place of one.

mod binding;
mod body;
pub mod consoles;
mod control;
pub mod document;
mod ends;
pub mod events;
mod identity;
pub mod keys;
mod limits;
mod object;
pub mod openapi;
mod permissions;
pub mod refusals;
pub mod reload;
pub mod routes;
pub mod scope;
mod security;
mod selection;
mod sessions;
mod target;
mod time;
mod traceparent;
mod whole;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::audit::Audit;
use crate::http::api::events::Followers;
use crate::http::api::keys::ApiKeys;
use crate::http::api::refusals::Refusals;
use crate::http::api::reload::Reloads;
use crate::http::api::routes::{ROUTES, Route};
use crate::http::limiter::Limiter;
use crate::http::problem::Problem;
use crate::http::{Client, panicked};
use crate::mint::Minter;
use crate::store::Store;
use crate::traces::Traces;

/// The longest body of a request, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// How long a request may take, its body included.
const WITHIN: Duration = Duration::from_secs(10);

/// Whatever is below `/api` and no route.
const ELSEWHERE: &str = "/api/{*elsewhere}";

/// Everything that the API needs.
#[derive(Debug)]
pub struct Api {
    /// Who may use it.
    pub keys: ApiKeys,
    /// What makes console URLs.
    pub minter: Minter,
    /// How often one key may mint.
    pub mints: Limiter<String>,
    /// What gateways share: who is in, and what is revoked.
    pub store: Arc<dyn Store>,
    /// What is written down of what was done.
    pub audit: Audit,
    /// Those who follow what happens.
    pub followers: Followers,
    /// The way to whoever can read the configuration again.
    pub reloads: Reloads,
    /// What is said and counted of requests that are refused.
    pub refusals: Arc<Refusals>,
    /// Where it is told what was minted.
    pub traces: Traces,
}

/// The routes of the API. Each request has to carry a [`Client`](crate::http::Client) and a
/// [`Lasting`](crate::http::serve::Lasting), as `serve` puts them in.
pub fn router<S: Clone + Send + Sync + 'static>(api: &Arc<Api>) -> Router<S> {
    let mut router = Router::new();
    for route in ROUTES {
        let needs = (Arc::clone(api), route);
        let handler = (route.handler)().route_layer(from_fn_with_state(needs, authorize));
        router = router.route(route.path, handler);
    }
    router
        .route(openapi::PATH, get(describe))
        .route(
            ELSEWHERE,
            any(async |request| Problem::NotFound.instead_of(request).await),
        )
        .method_not_allowed_fallback(async |request| {
            Problem::MethodNotAllowed.instead_of(request).await
        })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            WITHIN,
        ))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(map_response(finish))
        .layer(from_fn_with_state(Arc::clone(api), refusals::tell))
        .with_state(Arc::clone(api))
}

/// Lets a request through whose key or certificate is good for the route, and tells the handler whose it
/// is. A refusal has the name of the key with it, as far as there is one.
async fn authorize(
    State((api, route)): State<(Arc<Api>, &'static Route)>,
    mut request: Request,
    next: Next,
) -> Response {
    let client = request.extensions().get::<Client>();
    let certificate = client.and_then(|it| it.certificate.as_deref());
    let caller = match api.keys.authenticate(request.headers(), certificate) {
        Ok(caller) => caller,
        Err(problem) => return problem.instead_of(request).await,
    };
    let allowed = caller.demand(route.scope);
    let mut response = match allowed.and_then(|()| route.check_query(request.uri())) {
        Ok(()) => {
            request.extensions_mut().insert(caller.clone());
            next.run(request).await
        }
        Err(problem) => problem.instead_of(request).await,
    };
    response.extensions_mut().insert(caller);
    response
}

/// The document that describes all this.
async fn describe(State(api): State<Arc<Api>>) -> Response {
    Json(openapi::document(api.minter.public_url())).into_response()
}

/// The time limit answers without words; the API answers in problem documents. Nothing that it says
/// is kept by caches.
async fn finish(response: Response) -> Response {
    let mut response = if response.status() == StatusCode::REQUEST_TIMEOUT {
        Problem::RequestTimeout.into_response()
    } else {
        response
    };
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}
