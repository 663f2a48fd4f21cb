//! What all gateways are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use redis::aio::PubSub;
use tokio::select;
use tokio::time::{interval, sleep, timeout};
use tracing::{debug, warn};

use super::link::unavailable;
use crate::store::Unavailable;
use crate::store::audience::Audience;

/// How often it is asked whether the connection still is one.
const ASK: Duration = Duration::from_secs(5);

/// The pauses before connecting again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// The longest message that is read, in bytes: more than an entry with all its labels.
const MAX_MESSAGE: usize = 64 * 1024;

/// Whether messages arrive.
#[derive(Clone, Debug, Default)]
pub(super) struct Listening(Arc<AtomicBool>);

impl Listening {
    pub(super) fn now(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, listening: bool) {
        self.0.store(listening, Ordering::Relaxed);
    }
}

/// Passes on what is said on the channel, for ever, over one connection after the other.
pub(super) async fn listen(
    client: redis::Client,
    channel: String,
    deadline: Duration,
    audience: Audience,
    listening: Listening,
) {
    let (first, longest) = PAUSES;
    let mut pause = first;
    loop {
        match timeout(deadline, subscribe(&client, &channel)).await {
            Ok(Ok(pubsub)) => {
                pause = first;
                listening.set(true);
                debug!("the store's messages arrive");
                pass_on(pubsub, deadline, &audience).await;
                listening.set(false);
                warn!("the store's messages do not arrive");
            }
            Ok(Err(away)) => debug!(%away, "no messages"),
            Err(_) => debug!("no messages: no answer"),
        }
        sleep(pause).await;
        pause = longest.min(pause * 2);
    }
}

async fn subscribe(client: &redis::Client, channel: &str) -> Result<PubSub, Unavailable> {
    let pubsub = client.get_async_pubsub().await;
    let mut pubsub = pubsub.map_err(|error| unavailable(&error))?;
    let subscribed = pubsub.subscribe(channel).await;
    subscribed.map_err(|error| unavailable(&error))?;
    Ok(pubsub)
}

/// Until the connection is gone.
async fn pass_on(pubsub: PubSub, deadline: Duration, audience: &Audience) {
    let (mut sink, mut stream) = pubsub.split();
    let mut ask = interval(ASK);
    loop {
        select! {
            told = stream.next() => match told {
                Some(told) => pass(told.get_payload_bytes(), audience),
                None => return,
            },
            _ = ask.tick() => {
                let alive = timeout(deadline, sink.ping::<redis::Value>()).await;
                if !matches!(alive, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }
}

fn pass(payload: &[u8], audience: &Audience) {
    if payload.len() > MAX_MESSAGE {
        debug!(bytes = payload.len(), "a message that is too long");
        return;
    }
    match serde_json::from_slice(payload) {
        Ok(message) => audience.tell(message),
        Err(_) => debug!(bytes = payload.len(), "a message that cannot be read"),
    }
}
