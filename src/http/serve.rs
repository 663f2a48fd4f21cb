//! One connection, from its first byte to its close or its upgrade. This is HTTP/1.1; what chose
//! HTTP/2 inside TLS goes to [`http2`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tower::util::Oneshot;
use tracing::debug;

use crate::http::{Client, http2};
use crate::stream::Stream;
use crate::tls::listen::HTTP_2;

/// How long a request's head may take, and how long a connection may rest between requests.
pub(super) const HEAD_WITHIN: Duration = Duration::from_secs(15);

/// The longest head of a request, in bytes: a token in the address and a few cookies besides.
pub(super) const MAX_HEAD: u16 = 32 * 1024;

/// How long a request may still take when the gateway stops: long enough for an answer, and too
/// short for somebody who holds its end back to hold the gateway.
pub(super) const LAST_REQUEST: Duration = Duration::from_secs(2);

/// How long a connection may carry requests, an upgrade not counted. Whoever reads an answer byte
/// by byte gives the gateway a place back in the end.
pub(super) const LONGEST: Duration = Duration::from_secs(5 * 60);

/// By which an answer says that it goes on for as long as somebody reads it. Each request has one.
#[derive(Clone, Debug, Default)]
pub struct Lasting(Arc<Lasts>);

#[derive(Debug, Default)]
struct Lasts {
    allowed: AtomicBool,
    tunnels: AtomicUsize,
    tunnel_gone: Notify,
}

/// A WebSocket within a connection that others share, which has to outlast it.
#[derive(Debug)]
pub struct Tunnel(Arc<Lasts>);

impl Lasting {
    /// From now on the connection may be open for longer than others.
    pub fn allow(&self) {
        self.0.allowed.store(true, Ordering::Relaxed);
    }

    /// The connection is there for as long as this is, though it may take no more requests.
    pub(super) fn tunnel(&self) -> Tunnel {
        self.0.tunnels.fetch_add(1, Ordering::Relaxed);
        Tunnel(Arc::clone(&self.0))
    }

    pub(super) fn has_tunnels(&self) -> bool {
        self.0.tunnels.load(Ordering::Relaxed) > 0
    }

    /// Waits until there is no tunnel.
    pub(super) async fn tunnels_gone(&self) {
        loop {
            let gone = self.0.tunnel_gone.notified();
            if !self.has_tunnels() {
                return;
            }
            gone.await;
        }
    }

    /// Waits until the connection has been open for long enough.
    pub(super) async fn over(&self) {
        sleep(LONGEST).await;
        if self.0.allowed.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.0.tunnels.fetch_sub(1, Ordering::Relaxed);
        self.0.tunnel_gone.notify_waiters();
    }
}

/// Serves a connection until its end or its longest time, or until `stop`, after the request that
/// is being answered.
///
/// `router` says for each request what answers it.
pub async fn serve(
    stream: Stream,
    client: Client,
    router: impl Fn() -> Router,
    http2: &http2::Params,
    stop: &CancellationToken,
) {
    if stream.alpn() == Some(HTTP_2) {
        // Boxed, so that it costs others nothing.
        return Box::pin(http2::serve(stream, client, router, http2.clone(), stop)).await;
    }
    let address = client.address;
    let lasting = Lasting::default();
    let given = lasting.clone();
    let service = service_fn(move |request| answer(request, &client, &given, router()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(MAX_HEAD.into())
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let enough = async {
        tokio::select! {
            () = lasting.over() => {}
            () = stop.cancelled() => {}
        }
    };
    let served = tokio::select! {
        served = &mut connection => served,
        () = enough => {
            connection.as_mut().graceful_shutdown();
            timeout(LAST_REQUEST, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = served {
        debug!(client = %address, %error, "connection ended");
    }
}

/// Has a request answered, which is told what handlers want to know of its connection.
pub(super) fn answer(
    mut request: Request<Incoming>,
    client: &Client,
    lasting: &Lasting,
    router: Router,
) -> Oneshot<Router, Request<Body>> {
    let extensions = request.extensions_mut();
    extensions.insert(client.clone());
    extensions.insert(lasting.clone());
    router.oneshot(request.map(Body::new))
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpSocket};
    use tokio::sync::Semaphore;
    use tokio::time::Instant;
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::http::client::Place;
    use crate::workers::Lodger;

    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_read_is_not_served_for_ever() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = listener.local_addr().unwrap();
        let connecting = TcpSocket::new_v4().unwrap().connect(there);
        let (browser, accepted) = tokio::join!(connecting, listener.accept());
        let (mut browser, (stream, address)) = (browser.unwrap(), accepted.unwrap());
        let request = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
        browser.write_all(request).await.unwrap();

        let places = Arc::new(Semaphore::new(1));
        let open = Arc::clone(&places).acquire_owned().await.unwrap();
        let place = Arc::new(Place::new(open, Lodger::default()));
        let address = address.into();
        let client = Client {
            address,
            place,
            certificate: None,
        };
        let router = Router::new().fallback(async || vec![0; 64 << 20]);
        let started = Instant::now();
        let stop = CancellationToken::new();
        let http2 = http2::Params {
            tasks: TaskTracker::new(),
            websockets: false,
        };
        let router = || router.clone();
        let served = serve(Stream::Tcp(stream), client, router, &http2, &stop);
        timeout(2 * LONGEST, served).await.unwrap();
        assert_eq!(started.elapsed(), LONGEST + LAST_REQUEST);
        assert_eq!(places.available_permits(), 1);
    }
}
