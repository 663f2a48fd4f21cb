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

    use axum::{Extension, routing};
    use futures_util::stream::repeat;
    use hyper::Request;
    use hyper::client::conn::http2::{SendRequest, handshake};
    use hyper_util::rt::TokioExecutor;
    use tokio::sync::Semaphore;
    use tokio::time::{Instant, timeout};

    use super::*;
    use crate::http::client::Place;
    use crate::http::serve::LONGEST;
    use crate::workers::Lodger;

    /// A piece of an answer without end.
    const CHUNK: &[u8] = &[0; 16 * 1024];

    /// How long the answer takes: longer than a connection may rest.
    const ANSWERING: Duration = Duration::from_secs(60);

    /// A client, and all the places there are, of which it has the only one.
    fn client() -> (Client, Arc<Semaphore>) {
        let places = Arc::new(Semaphore::new(1));
        let open = Arc::clone(&places).try_acquire_owned().unwrap();
        let client = Client {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)).into(),
            place: Arc::new(Place::new(open, Lodger::default())),
            certificate: None,
        };
        (client, places)
    }

    /// Serves `router` to who says with a connection what it wants, until the connection ends.
    async fn serving(router: Router, asks: impl AsyncFnOnce(SendRequest<Body>)) {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let (client, places) = client();
        let tasks = TaskTracker::new();
        let params = Params {
            tasks: tasks.clone(),
            websockets: false,
        };
        let stop = CancellationToken::new();
        let stream = Stream::Other(Box::new(theirs));
        let served = serve(stream, client, || router.clone(), params, &stop);
        let asked = async {
            let shaken = handshake(TokioExecutor::new(), TokioIo::new(ours)).await;
            let (requests, connection) = shaken.unwrap();
            tokio::select! {
                ended = connection => drop(ended),
                () = asks(requests) => {}
            }
        };
        tokio::join!(served, asked);
        tasks.close();
        tasks.wait().await;
        assert_eq!(places.available_permits(), 1);
    }

    fn get(path: &str) -> Request<Body> {
        let request = Request::get(format!("http://localhost{path}"));
        request.body(Body::empty()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_request_ends_and_one_with_a_request_does_not() {
        let router = Router::new().fallback(async || {
            sleep(ANSWERING).await;
            "late"
        });
        let started = Instant::now();
        serving(router, async |mut requests| {
            let answer = requests.send_request(get("/")).await.unwrap();
            assert_eq!(answer.status(), 200);
            assert!(started.elapsed() >= ANSWERING);
            // Who asks for nothing more is still there.
            requests.ready().await.ok();
            std::future::pending::<()>().await;
        })
        .await;
        let rested = started.elapsed() - ANSWERING;
        assert!(rested >= HEAD_WITHIN, "{rested:?}");
        assert!(rested <= 2 * HEAD_WITHIN + LAST_REQUEST, "{rested:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_tunnel_that_is_over_lets_nobody_be_served_for_ever() {
        let brief = async |Extension(lasting): Extension<Lasting>| drop(lasting.tunnel());
        let router = Router::new()
            .route("/tunnel", routing::get(brief))
            .fallback(async || Body::from_stream(repeat(Ok::<_, Infallible>(CHUNK))));
        let served = serving(router, async |mut requests| {
            requests.send_request(get("/tunnel")).await.unwrap();
            // Of which nothing is read.
            let _answer = requests.send_request(get("/")).await.unwrap();
            std::future::pending::<()>().await;
        });
        let long = LONGEST + 2 * LAST_REQUEST;
        timeout(long, served).await.expect("an end");
    }
}
