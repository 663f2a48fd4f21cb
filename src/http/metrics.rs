//! `GET /metrics`, on listeners with that role: what the gateway counts.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::task::spawn_blocking;

use crate::http::Service;
use crate::http::problem::Problem;

/// The form of [OpenMetrics 1.0].
///
/// [OpenMetrics 1.0]: https://prometheus.io/docs/specs/om/open_metrics_spec/
const FORM: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The one route.
pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new().route("/metrics", get(tell))
}

async fn tell(State(service): State<Arc<Service>>) -> Response {
    let metrics = Arc::clone(&service.metrics);
    let text = spawn_blocking(move || metrics.to_text()).await;
    match text {
        Ok(Ok(text)) => ([(CONTENT_TYPE, FORM)], text).into_response(),
        Ok(Err(_)) | Err(_) => Problem::Internal.into_response(),
    }
}
