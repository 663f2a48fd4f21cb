//! Keeps the store and the sessions of this gateway in step.

use std::sync::Arc;
use std::time::Duration;

use tokio::select;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, info, warn};

use crate::session::registry::Registry;
use crate::store::{Message, Store};

/// How often the store is told that the sessions go on.
const BEAT: Duration = Duration::from_secs(5);

/// Carries out what the store says about sessions that run here, and tells it how they are. Ends
/// with the task that it is part of.
///
/// # Cancel safety
/// Cancel safe: the next beat makes up for what was missed.
pub(super) async fn watch(store: Arc<dyn Store>, registry: Arc<Registry>) {
    let mut messages = store.subscribe();
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut away = false;
    loop {
        let told = select! {
            told = messages.recv() => Some(told),
            _ = beat.tick() => None,
        };
        match told {
            Some(Ok(Message::End { whom, sentence })) => registry.end(&whom, &sentence),
            Some(Ok(Message::Order { session, order })) => registry.order(session, &order),
            Some(Ok(Message::Event(_))) => {}
            // What was missed comes out with the next beat.
            Some(Err(RecvError::Lagged(missed))) => {
                debug!(missed, "behind with the store's messages");
                beat.reset_immediately();
            }
            Some(Err(RecvError::Closed)) => return,
            None => {
                let renewed = store.renew(&registry.entries()).await;
                if renewed.is_err() != away {
                    away = renewed.is_err();
                    match &renewed {
                        Ok(_) => info!("the store answers again"),
                        Err(error) => warn!(%error, "running sessions go on without the store"),
                    }
                }
                for verdict in renewed.iter().flatten() {
                    registry.carry_out(verdict);
                }
            }
        }
    }
}
