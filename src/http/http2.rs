//! One connection of HTTP/2, which pages and the API share, and WebSockets too where that is allowed
//! ([RFC 8441]).
//!
//! [RFC 8441]: https://www.rfc-editor.org/rfc/rfc8441

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

use crate::http::Client;
use crate::http::serve::{HEAD_WITHIN, LAST_REQUEST, Lasting, MAX_HEAD, answer};
use crate::stream::Stream;

/// How many requests and WebSockets one connection may have open at once.
const MAX_STREAMS: u32 = 64;

/// How far a client may be ahead of us, in bytes: with one request or WebSocket.
const WINDOW: u32 = 32 * 1024;

/// The same with all of them together.
const CONNECTION_WINDOW: u32 = 4 * WINDOW;

/// How far one answer may be ahead of the client, in bytes.
const MAX_AHEAD: usize = 32 * 1024;

/// What connections of HTTP/2 are given beside what all are.
#[derive(Clone, Debug)]
pub struct Params {
    /// Where their requests run, each a task.
    pub tasks: TaskTracker,
    /// Whether they may carry WebSockets.
    pub websockets: bool,
}

/// Spawns what hyper wants to run beside a connection.
#[derive(Clone)]
struct Tasks(TaskTracker);

impl<F> Executor<F> for Tasks
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}

/// The requests of a connection.
#[derive(Default)]
struct Requests {
    /// That ever came.
    came: AtomicUsize,
    /// That are not answered to the last byte.
    open: AtomicUsize,
}

/// A request until the last byte of its answer.
struct Open(Arc<Requests>);

impl Open {
    fn one_of(requests: &Arc<Requests>) -> Self {
        requests.came.fetch_add(1, Ordering::Relaxed);
        requests.open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(requests))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer's body, whose end is the end of the request.
struct Answer {
    body: Body,
    _open: Open,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Waits until nothing was open for as long as a connection may rest between requests, or for up to
/// twice as long.
async fn idle(requests: &Requests, lasting: &Lasting) {
    let mut before = None;
    loop {
        let came = requests.came.load(Ordering::Relaxed);
        let open = requests.open.load(Ordering::Relaxed) > 0 || lasting.has_tunnels();
        if !open && before == Some(came) {
            return;
        }
        before = (!open).then_some(came);
        sleep(HEAD_WITHIN).await;
    }
}

/// Serves a connection until it has been idle, until its longest time, or until `stop`. Requests may
/// then take as long as those of HTTP/1.1, and WebSockets come to the end that their session has.
///
/// `router` says for each request what answers it.
pub(super) async fn serve(
    stream: Stream,
    client: Client,
    router: impl Fn() -> Router,
    params: Params,
    stop: &CancellationToken,
) {
    let address = client.address;
    let (lasting, requests) = (Lasting::default(), Arc::new(Requests::default()));
    let (given, counted) = (lasting.clone(), Arc::clone(&requests));
    let service = service_fn(move |request| {
        let open = Open::one_of(&counted);
        let answering = answer(request, &client, &given, router());
        async move {
            let answer: Response = answering.await?;
            Ok::<_, Infallible>(answer.map(|body| Answer { body, _open: open }))
        }
    });
    let mut builder = http2::Builder::new(Tasks(params.tasks));
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(MAX_AHEAD)
        // No table of headers from earlier requests, which would keep tokens and keys in memory for as
        // long as the connection, and so a session, lives.
        .header_table_size(0)
        .max_header_list_size(MAX_HEAD.into());
    if params.websockets {
        builder.enable_connect_protocol();
    }
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let enough = async {
        tokio::select! {
            () = lasting.over() => {}
            () = idle(&requests, &lasting) => {}
            () = stop.cancelled() => {}
        }
    };
    let served = tokio::select! {
        served = &mut connection => served,
        () = enough => {
            connection.as_mut().graceful_shutdown();
            let last = async {
                lasting.tunnels_gone().await;
                sleep(LAST_REQUEST).await;
            };
            tokio::select! {
                served = &mut connection => served,
                () = last => Ok(()),
            }
        }
    };
    if let Err(error) = served {
        debug!(client = %address, %error, "connection ended");
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};
    use std::time::Duration;

    use hyper::Request;
    use hyper::client::conn::http2::handshake;
    use hyper_util::rt::TokioExecutor;
    use tokio::sync::Semaphore;
    use tokio::time::Instant;

    use super::*;
    use crate::http::client::Place;
    use crate::workers::Lodger;

    /// How long the answer takes: longer than a connection may rest.
    const ANSWERING: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_request_ends_and_one_with_a_request_does_not() {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let places = Arc::new(Semaphore::new(1));
        let open = Arc::clone(&places).acquire_owned().await.unwrap();
        let place = Arc::new(Place::new(open, Lodger::default()));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1)).into();
        let router = Router::new().fallback(async || {
            sleep(ANSWERING).await;
            "late"
        });
        let params = Params {
            tasks: TaskTracker::new(),
            websockets: false,
        };
        let (stop, started) = (CancellationToken::new(), Instant::now());
        let stream = Stream::Other(Box::new(theirs));
        let client = Client {
            address,
            place,
            certificate: None,
        };
        let served = serve(stream, client, || router.clone(), params, &stop);
        let asked = async {
            let shaken = handshake(TokioExecutor::new(), TokioIo::new(ours)).await;
            let (mut requests, connection) = shaken.unwrap();
            let request = Request::get("http://localhost/").body(Body::empty());
            let answer = async {
                let answer = requests.send_request(request.unwrap()).await.unwrap();
                assert_eq!(answer.status(), 200);
                assert!(started.elapsed() >= ANSWERING);
                // Who asks for nothing more is still there.
                requests.ready().await.ok();
                std::future::pending::<()>().await;
            };
            tokio::select! {
                ended = connection => ended.unwrap(),
                () = answer => {}
            }
        };
        tokio::join!(served, asked);
        let rested = started.elapsed() - ANSWERING;
        assert!(rested >= HEAD_WITHIN, "{rested:?}");
        assert!(rested <= 2 * HEAD_WITHIN + LAST_REQUEST, "{rested:?}");
        assert_eq!(places.available_permits(), 1);
    }
}
