//! The webhook: whoever is named in the configuration is told when a session of this gateway opened
//! or ended, and of those that this gateway found without theirs.
//!
//! Events wait in a queue of their own and are sent one after the other, so that no session waits
//! for a receiver. What is not taken is tried again for a while, then given up.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use zeroize::Zeroizing;

use crate::clock::UnixTime;
use crate::deliver::{Patience, Undelivered, deliver};
use crate::entropy;
use crate::fetch::{Fetcher, Question, Url};
use crate::host::resolve::Resolver;
use crate::http::api::document::EventDocument;
use crate::metrics::{Fate, Metrics};
use crate::regular_file;
use crate::secret::Secret;
use crate::store::{Event, Message};
use crate::tls::connect::Connector;

/// How many events may wait to be sent.
const QUEUE: usize = 1024;

/// How long the receiver may take to answer.
const WITHIN: Duration = Duration::from_secs(10);

/// What an event is worth: about four minutes.
const PATIENCE: Patience = Patience {
    attempts: 9,
    is_final,
};

/// How long a gateway that stops still waits for its sessions' ends.
const QUIET: Duration = Duration::from_millis(500);

/// The fewest bytes of a secret.
const MIN_SECRET: usize = 16;

/// The signature of the body and its time.
const SIGNATURE: HeaderName = HeaderName::from_static("fanlight-signature");

/// Who is told, and how they know that it is us.
#[derive(Clone, Debug)]
pub struct Webhook {
    url: Url,
    secret: Secret,
    fetcher: Fetcher,
    /// Whose sessions are told of.
    gateway: String,
    metrics: Arc<Metrics>,
}

/// Why there can be no webhook.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The file of the secret cannot be read.
    #[error("the webhook's secret {path} cannot be read (setting webhook.secret_file): {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The secret could be guessed.
    #[error(
        "the webhook's secret {0} has less than {MIN_SECRET} bytes (setting webhook.secret_file)"
    )]
    Short(PathBuf),
}

/// What is sent.
#[derive(Serialize)]
struct Delivery<'e> {
    /// The same for each attempt.
    delivery: String,
    time: UnixTime,
    #[serde(flatten)]
    event: EventDocument<'e>,
}

impl Webhook {
    /// Reads the secret.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub fn new(
        url: Url,
        secret_file: &Path,
        gateway: String,
        resolver: Resolver,
        tls: Connector,
        metrics: Arc<Metrics>,
    ) -> Result<Self, WebhookError> {
        Ok(Self {
            url,
            secret: read_secret(secret_file)?,
            fetcher: Fetcher {
                resolver,
                tls,
                within: WITHIN,
            },
            gateway,
            metrics,
        })
    }

    /// Tells of what is heard in `messages`, until the gateway stops and its sessions are over.
    ///
    /// # Cancel safety
    /// Not cancel safe: it is a task of its own.
    pub async fn run(self, messages: broadcast::Receiver<Message>, stop: CancellationToken) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let gateway = self.gateway.clone();
        tokio::join!(
            listen(messages, queue, &gateway, &self.metrics, &stop),
            self.send_all(waiting, &stop),
        );
    }

    async fn send_all(&self, mut waiting: mpsc::Receiver<Event>, stop: &CancellationToken) {
        while let Some(event) = waiting.recv().await {
            let fate = self.send(&event, stop).await;
            self.metrics.webhook.settled(fate);
        }
    }

    /// Sends one event, again and again until it is taken or not worth it.
    async fn send(&self, event: &Event, stop: &CancellationToken) -> Fate {
        let delivery = Delivery {
            delivery: HEXLOWER.encode(&entropy::random::<16>()),
            time: now(),
            event: EventDocument::new(event, false),
        };
        // Strings and numbers cannot fail to become JSON.
        let body = Bytes::from(serde_json::to_vec(&delivery).unwrap_or_default());
        let session = event.session().id;
        let question = || self.question(&body);
        match deliver(&self.fetcher, &self.url, question, PATIENCE, stop).await {
            Ok(attempt) => {
                debug!(%session, attempt, "webhook delivered");
                Fate::Delivered
            }
            Err(Undelivered { refused, error, .. }) if refused => {
                warn!(%session, error, "webhook refused");
                Fate::Refused
            }
            Err(Undelivered { attempt, error, .. }) => {
                warn!(%session, attempt, error, "webhook given up");
                Fate::GivenUp
            }
        }
    }

    /// Signed anew for each attempt.
    fn question(&self, body: &Bytes) -> Question {
        let mut headers = HeaderMap::new();
        let json = HeaderValue::from_static("application/json");
        headers.insert(CONTENT_TYPE, json);
        // Digits and hexadecimal are good in a header.
        if let Ok(signature) = HeaderValue::try_from(self.signature(now(), body)) {
            headers.insert(SIGNATURE, signature);
        }
        Question {
            method: Method::POST,
            headers,
            body: body.clone(),
        }
    }

    /// `t=` the time and `v1=` HMAC-SHA256 over the time, a full stop and the body.
    fn signature(&self, time: UnixTime, body: &[u8]) -> String {
        let seconds = time.as_secs();
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.secret.expose()) else {
            return String::new();
        };
        mac.update(format!("{seconds}.").as_bytes());
        mac.update(body);
        let tag = HEXLOWER.encode(&mac.finalize().into_bytes());
        format!("t={seconds},v1={tag}")
    }
}

/// The secret in a file, the end of its last line excepted.
///
/// # Errors
/// [`WebhookError`].
pub fn read_secret(file: &Path) -> Result<Secret, WebhookError> {
    let bytes = regular_file::read(file).map_err(|error| WebhookError::Unreadable {
        path: file.to_owned(),
        error,
    })?;
    let secret = Secret::new(Zeroizing::new(bytes).trim_ascii_end());
    if secret.len() < MIN_SECRET {
        return Err(WebhookError::Short(file.to_owned()));
    }
    Ok(secret)
}

/// Puts what is to be told into the queue. Never waits for it.
async fn listen(
    mut messages: broadcast::Receiver<Message>,
    queue: mpsc::Sender<Event>,
    gateway: &str,
    metrics: &Metrics,
    stop: &CancellationToken,
) {
    let metrics = &metrics.webhook;
    loop {
        let received = tokio::select! {
            received = messages.recv() => received,
            () = stop.cancelled() => match timeout(QUIET, messages.recv()).await {
                Ok(received) => received,
                Err(_) => return,
            },
        };
        match received {
            Ok(Message::Event(event @ (Event::Opened(_) | Event::Ended { .. })))
                if event.gateway() == gateway =>
            {
                // Before it can be taken out.
                metrics.queued();
                if let Err(error) = queue.try_send(event) {
                    metrics.settled(Fate::Dropped);
                    let session = error.into_inner().session().id;
                    warn!(%session, "webhook dropped: too many wait to be sent");
                }
            }
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => {
                metrics.dropped();
                warn!(missed, "webhooks dropped: the gateway is busy")
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// Whether another attempt would be answered in the same way.
fn is_final(status: StatusCode) -> bool {
    status.is_client_error()
        && status != StatusCode::REQUEST_TIMEOUT
        && status != StatusCode::TOO_MANY_REQUESTS
}

fn now() -> UnixTime {
    SystemTime::now().into()
}
