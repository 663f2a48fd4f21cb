//! Sending traces: to whoever takes OTLP over HTTP, such as an OpenTelemetry Collector.
//!
//! Spans are gathered for a while and sent together ([`message`]), one request after the other. Nobody
//! waits for that: what the queue of [`Traces`] has no room for is lost, and counted.

mod headers;
pub mod message;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::deliver::{Patience, Undelivered, deliver};
use crate::fetch::{Fetcher, Question, Url};
use crate::host::resolve::Resolver;
use crate::metrics::Metrics;
use crate::tls::connect::Connector;
use crate::traces::{Span, Traces};

pub use headers::{HeadersError, read as read_headers};

/// How many spans may wait to be sent.
const QUEUE: usize = 2048;

/// How many spans are sent together at most, and for how long they are gathered.
const BATCH: usize = 512;
const GATHER: Duration = Duration::from_secs(5);

/// How long the receiver may take to answer.
const WITHIN: Duration = Duration::from_secs(10);

/// What spans are worth: a minute. Later ones are more use than those.
const PATIENCE: Patience = Patience {
    attempts: 5,
    is_final,
};

/// How often it is said that spans are lost.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// How long a gateway that stops still waits for spans.
const QUIET: Duration = Duration::from_millis(200);

/// How long all that is left may take then.
const LAST: Duration = Duration::from_secs(2);

/// Takes spans out of their queue and sends them.
#[derive(Debug)]
pub struct Exporter {
    url: Url,
    headers: HeaderMap,
    fetcher: Fetcher,
    /// Whose spans they are.
    gateway: String,
    spans: mpsc::Receiver<Span>,
    traces: Traces,
    sent: Arc<AtomicU64>,
    /// How many were taken out and did not arrive.
    undelivered: Arc<AtomicU64>,
    /// How many were known to be lost when that was last said, and when.
    said: Option<(u64, Instant)>,
}

impl Exporter {
    /// One that is to [`run`](Self::run), and where spans are put in. `headers` is a file with headers
    /// for the receiver. What becomes of spans is told to scrapers.
    ///
    /// # Errors
    /// [`HeadersError`].
    pub fn new(
        url: Url,
        headers: Option<&Path>,
        gateway: String,
        resolver: Resolver,
        tls: Connector,
        metrics: &Metrics,
    ) -> Result<(Traces, Self), HeadersError> {
        let mut headers = headers.map_or_else(|| Ok(HeaderMap::new()), headers::read)?;
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        headers.insert(CONTENT_TYPE, protobuf);
        let agent = concat!("fanlight/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        let (traces, spans) = Traces::queue(QUEUE);
        let exporter = Self {
            url,
            headers,
            fetcher: Fetcher {
                resolver,
                tls,
                within: WITHIN,
            },
            gateway,
            spans,
            traces: traces.clone(),
            sent: Arc::default(),
            undelivered: Arc::default(),
            said: None,
        };
        exporter.tell(metrics);
        Ok((traces, exporter))
    }

    fn tell(&self, metrics: &Metrics) {
        let traces = self.traces.clone();
        metrics.level("trace_queue", "Spans that wait to be sent", move || {
            traces.waiting()
        });
        let sent = Arc::clone(&self.sent);
        metrics.count("trace_spans_sent", "Spans that were taken", move || {
            sent.load(Relaxed)
        });
        let (traces, undelivered) = (self.traces.clone(), Arc::clone(&self.undelivered));
        metrics.count(
            "trace_spans_lost",
            "Spans for which there was no room, or that nobody took",
            move || traces.lost() + undelivered.load(Relaxed),
        );
    }

    /// Sends spans until the gateway stops and no more come.
    ///
    /// # Cancel safety
    /// Not cancel safe: it is a task of its own.
    pub async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = self.send_all(&stop) => {}
            () = after(&stop, LAST) => {
                warn!(to = %self.url, "the last traces were not sent: the gateway stops");
            }
        }
    }

    async fn send_all(&mut self, stop: &CancellationToken) {
        loop {
            let batch = self.gather(stop).await;
            if batch.is_empty() {
                return;
            }
            self.send(&batch, stop).await;
        }
    }

    /// The next spans that are sent together; none when no more come.
    async fn gather(&mut self, stop: &CancellationToken) -> Vec<Span> {
        let mut batch = Vec::new();
        let mut due: Option<Instant> = None;
        let mut stopping = false;
        while batch.len() < BATCH {
            let gathered = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            let room = BATCH - batch.len();
            tokio::select! {
                received = self.spans.recv_many(&mut batch, room) => {
                    if received == 0 {
                        break;
                    }
                    due = due.or(Some(Instant::now() + GATHER));
                }
                () = gathered => break,
                // From then on and not from the last span on: they may come one by one.
                () = stop.cancelled(), if !stopping => {
                    stopping = true;
                    let quiet = Instant::now() + QUIET;
                    due = Some(due.map_or(quiet, |due| due.min(quiet)));
                }
            }
        }
        batch
    }

    async fn send(&mut self, batch: &[Span], stop: &CancellationToken) {
        let count = batch.len() as u64;
        let body = Bytes::from(message::request(&self.gateway, batch));
        let question = || Question {
            method: Method::POST,
            headers: self.headers.clone(),
            body: body.clone(),
        };
        let error = match deliver(&self.fetcher, &self.url, question, PATIENCE, stop).await {
            Ok(attempt) => {
                self.sent.fetch_add(count, Relaxed);
                debug!(spans = count, attempt, "traces sent");
                None
            }
            Err(Undelivered { error, .. }) => {
                self.undelivered.fetch_add(count, Relaxed);
                Some(error)
            }
        };
        self.warn_of_losses(error);
    }

    /// Says how many spans are lost, unless that was said a moment ago.
    fn warn_of_losses(&mut self, error: Option<String>) {
        let lost = self.traces.lost() + self.undelivered.load(Relaxed);
        let (before, lately) = match self.said {
            Some((lost, at)) => (lost, at.elapsed() < WARN_EVERY),
            None => (0, false),
        };
        if lost > before && !lately {
            warn!(to = %self.url, lost = lost - before, error, "traces are lost");
            self.said = Some((lost, Instant::now()));
        }
    }
}

/// So long after the gateway was told to stop.
async fn after(stop: &CancellationToken, time: Duration) {
    stop.cancelled().await;
    sleep(time).await;
}

/// What is not worth another attempt: all but what [OTLP] lists.
///
/// [OTLP]: https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes
fn is_final(status: StatusCode) -> bool {
    !matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}
