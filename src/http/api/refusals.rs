//! What is said and counted of requests that the API refuses.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use tracing::warn;

use crate::http::Client;
use crate::http::api::Api;
use crate::http::api::keys::Caller;
use crate::http::limiter::Sparing;
use crate::http::problem::{Code, Problem};
use crate::metrics::Metrics;
use crate::rate::Rate;

/// How many lines of the log those who are refused may cause.
const LINES: Rate = match NonZeroU32::new(5) {
    Some(count) => Rate {
        count,
        period: Duration::from_secs(1),
    },
    None => unreachable!(),
};

/// Where refusals are said and counted.
#[derive(Debug)]
pub struct Refusals {
    metrics: Arc<Metrics>,
    lines: Sparing,
}

impl Refusals {
    /// None yet; each code is counted from the start, so that its first one is seen as a rise.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        for problem in Problem::all() {
            metrics.api.code(problem.code());
        }
        let lines = Sparing::new(LINES);
        Self { metrics, lines }
    }
}

/// Says in the log what a request is refused for, and counts it. Of its address there is the route
/// alone: what stands in place of an id, or in the query, may be anything.
pub(super) async fn tell(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let extensions = request.extensions();
    let route = extensions.get::<MatchedPath>().cloned();
    let client = extensions.get::<Client>().map(|client| client.address);
    let response = next.run(request).await;
    let Some(Code(reason)) = response.extensions().get().copied() else {
        return response;
    };
    let Refusals { metrics, lines } = &*api.refusals;
    metrics.api.refused(reason);
    if let Some(left_out) = lines.line() {
        let caller = response.extensions().get::<Caller>();
        warn!(
            method = word(&method),
            route = route.as_ref().map(MatchedPath::as_str),
            status = response.status().as_u16(),
            reason,
            key = caller.map(|caller| caller.key.as_str()),
            client = client.map(tracing::field::display),
            left_out,
            "API request refused"
        );
    }
    response
}

/// A method, unless somebody made it up.
fn word(method: &Method) -> &'static str {
    let known = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE",
    ];
    let known = known.into_iter().find(|it| *it == method.as_str());
    known.unwrap_or("(other)")
}
