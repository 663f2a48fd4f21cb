//! The name of a request: in its answer, in its lines of the log, and in the audit log.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use crate::entropy;
use crate::http::{Client, Service};
use crate::id::RequestId;
use crate::subject::Subject;

/// Where the name travels.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names a request, and whatever is done for it. A name that it came with counts where a trusted proxy
/// says so; anybody else could make lines that look like those of others.
pub(super) async fn assign(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let connection = request.extensions().get::<Client>();
    let trusted = connection.is_some_and(|it| service.proxies.has(it.address));
    let id = trusted.then(|| given(request.headers())).flatten();
    let id = id.unwrap_or_else(|| RequestId::from_random(entropy::random()));
    // A name has nothing that a header could not have.
    let header = HeaderValue::try_from(id.as_str()).ok();
    let mut response = Subject::of_request(id).of(next.run(request)).await;
    if let Some(header) = header {
        response.headers_mut().insert(X_REQUEST_ID, header);
    }
    response
}

/// The name in the headers, if there is one and no other.
fn given(headers: &HeaderMap) -> Option<RequestId> {
    let mut lines = headers.get_all(X_REQUEST_ID).iter();
    let line = lines.next().filter(|_| lines.next().is_none())?;
    line.to_str().ok()?.parse().ok()
}
