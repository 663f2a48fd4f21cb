//! `GET /api/v1/sessions/events`: what happens to sessions, as [server-sent events].
//!
//! Nothing is queued for a reader but what all have in common, the store's backlog. Whoever falls
//! behind it is told so and has to ask anew.
//!
//! [server-sent events]: https://html.spec.whatwg.org/multipage/server-sent-events.html

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderValue, Version};
use axum::response::Response;
use futures_util::stream;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::http::api::Api;
use crate::http::api::document::EventDocument;
use crate::http::api::keys::Caller;
use crate::http::api::scope::Scope;
use crate::http::api::selection::Selection;
use crate::http::console::Parameters;
use crate::http::problem::Problem;
use crate::http::serve::Lasting;
use crate::store::{Filter, Message};

/// How many may follow at once on one gateway.
const MAX_FOLLOWERS: usize = 64;

/// After so long without an event a comment is sent, so that proxies see life and the reader knows
/// that it is not forgotten.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Those who follow what happens.
#[derive(Clone, Debug)]
pub struct Followers {
    places: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Followers {
    /// Nobody yet; `stop` ends all when it is cancelled.
    #[must_use]
    pub fn new(stop: CancellationToken) -> Self {
        Self {
            places: Arc::new(Semaphore::new(MAX_FOLLOWERS)),
            stop,
        }
    }
}

/// One who follows.
struct Follower {
    messages: Receiver<Message>,
    filter: Filter,
    with_target: bool,
    heartbeat: Instant,
    stop: CancellationToken,
    withdrawn: CancellationToken,
    _place: OwnedSemaphorePermit,
}

/// Answers with a stream that ends with the gateway, with its reader, or with the reader's key.
pub(super) async fn listen(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Extension(lasting): Extension<Lasting>,
    version: Version,
    Query(parameters): Parameters,
) -> Result<Response, Problem> {
    let Selection { filter, .. } = Selection::read(&parameters)?;
    let place = Arc::clone(&api.followers.places).try_acquire_owned();
    let follower = Follower {
        messages: api.store.events(),
        filter,
        with_target: caller.scopes.allow(Scope::SessionsTarget),
        heartbeat: Instant::now() + HEARTBEAT,
        stop: api.followers.stop.clone(),
        withdrawn: caller.withdrawn,
        _place: place.map_err(|_| Problem::TooManyListeners)?,
    };
    lasting.allow();
    let mut response = Response::new(Body::from_stream(follower.into_stream()));
    let headers = response.headers_mut();
    let event_stream = HeaderValue::from_static("text/event-stream");
    headers.insert(CONTENT_TYPE, event_stream);
    // What lasts longer than other connections is not used again. HTTP/2 has no such header.
    if version < Version::HTTP_2 {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

impl Follower {
    fn into_stream(self) -> impl stream::Stream<Item = Result<Bytes, std::convert::Infallible>> {
        let start = "retry: 1000\n: listening\n\n".to_owned();
        stream::unfold(
            (Some(self), Some(start)),
            async |(follower, start)| match start {
                Some(start) => Some((Ok(start.into()), (follower, None))),
                None => {
                    let mut follower = follower?;
                    let (text, last) = follower.next().await;
                    let follower = (!last).then_some(follower);
                    Some((Ok(text.into()), (follower, None)))
                }
            },
        )
    }

    /// The next text, and whether it is the last.
    async fn next(&mut self) -> (String, bool) {
        loop {
            let received = tokio::select! {
                received = self.messages.recv() => received,
                () = sleep_until(self.heartbeat) => {
                    self.heartbeat = Instant::now() + HEARTBEAT;
                    return (": alive\n\n".to_owned(), false);
                }
                () = self.stop.cancelled() => Err(RecvError::Closed),
                () = self.withdrawn.cancelled() => Err(RecvError::Closed),
            };
            match received {
                Ok(Message::Event(event)) if self.filter.takes(event.session()) => {
                    self.heartbeat = Instant::now() + HEARTBEAT;
                    let document = EventDocument::new(&event, self.with_target);
                    // Strings and numbers cannot fail to become JSON.
                    let json = serde_json::to_string(&document).unwrap_or_default();
                    return (format(document.name(), &json), false);
                }
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => {
                    let json = format!("{{\"event\":\"dropped\",\"missed\":{missed}}}");
                    return (format("dropped", &json), true);
                }
                Err(RecvError::Closed) => {
                    return (format("closing", "{\"event\":\"closing\"}"), true);
                }
            }
        }
    }
}

/// An event. JSON has no line breaks outside of its strings, and none unescaped inside.
fn format(name: &str, json: &str) -> String {
    format!("event: {name}\ndata: {json}\n\n")
}
