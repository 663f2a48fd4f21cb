//! One connection of HTTP/1.1, from its first byte to its close or its upgrade.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::debug;

use crate::http::Client;
use crate::stream::Stream;

/// How long a request's head may take, and how long a connection may rest between requests.
const HEAD_WITHIN: Duration = Duration::from_secs(15);

/// The longest head of a request, in bytes: a token in the address and a few cookies besides.
const MAX_HEAD: usize = 32 * 1024;

/// How long a request may still take when the gateway stops: long enough for an answer, and too
/// short for somebody who holds its end back to hold the gateway.
const LAST_REQUEST: Duration = Duration::from_secs(2);

/// Serves a connection until its end, or until `stop`, after the request that is being answered.
pub async fn serve(stream: Stream, client: Client, router: Router, stop: &CancellationToken) {
    let address = client.address;
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(client.clone());
        router.clone().oneshot(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = &mut connection => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            timeout(LAST_REQUEST, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = served {
        debug!(client = %address, %error, "connection ended");
    }
}
