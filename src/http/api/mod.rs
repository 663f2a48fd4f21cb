//! The REST API for cloud management: below `/api/v1`, with an API key as bearer token.

pub mod consoles;
mod identity;
pub mod keys;
mod limits;
mod object;
mod permissions;
mod security;
mod target;
mod time;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tower_http::timeout::TimeoutLayer;

use crate::http::Service;
use crate::http::problem::Problem;

/// The longest body of a request, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// How long a request may take, its body included.
const WITHIN: Duration = Duration::from_secs(10);

/// The routes of the API.
pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/api/v1/consoles", post(consoles::create))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            WITHIN,
        ))
        .layer(map_response(timeout_as_problem))
}

/// The time limit answers without words; the API answers in problem documents.
async fn timeout_as_problem(response: Response) -> Response {
    if response.status() == StatusCode::REQUEST_TIMEOUT {
        Problem::RequestTimeout.into_response()
    } else {
        response
    }
}
