//! Keeps the store and the sessions of this gateway in step.

use std::sync::Arc;

use tokio::select;
use tokio::sync::Notify;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, info, warn};

use crate::audit::{Act, Audit};
use crate::session::registry::Registry;
use crate::store::{BEAT, Entry, Event, Message, Store};
use crate::token::Labels;

/// What is done with the store's words.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) store: Arc<dyn Store>,
    pub(super) registry: Arc<Registry>,
    pub(super) audit: Audit,
    /// What this gateway is called.
    pub(super) gateway: Arc<str>,
}

impl Watch {
    /// Carries out what the store says about sessions that run here, and tells it how they are; each
    /// goes on where the other has to wait. Ends with the task that it is part of.
    ///
    /// # Cancel safety
    /// Cancel safe: the next beat makes up for what was missed.
    pub(super) async fn run(self) {
        let messages = self.store.subscribe();
        let missed = Notify::new();
        select! {
            () = self.carry_out(messages, &missed) => {}
            () = self.renew(&missed) => {}
        }
    }

    /// Until nobody can say anything any more.
    async fn carry_out(&self, mut messages: Receiver<Message>, missed: &Notify) {
        loop {
            match messages.recv().await {
                Ok(Message::End { whom, sentence }) => self.registry.end(&whom, &sentence),
                Ok(Message::Order { session, order }) => self.registry.order(session, &order),
                Ok(Message::Event(event)) => self.write_down(&event),
                // What was missed comes out with the next beat.
                Err(RecvError::Lagged(lost)) => {
                    debug!(missed = lost, "behind with the store's messages");
                    missed.notify_one();
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Says at each beat how the sessions are, and carries out what the answer says, for ever.
    async fn renew(&self, missed: &Notify) {
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut away = false;
        loop {
            select! {
                _ = beat.tick() => {}
                () = missed.notified() => beat.reset(),
            }
            let renewed = self.store.renew(&self.registry.entries()).await;
            if renewed.is_err() != away {
                away = renewed.is_err();
                match &renewed {
                    Ok(_) => info!("the store answers again"),
                    Err(error) => warn!(%error, "running sessions go on without the store"),
                }
            }
            for verdict in renewed.iter().flatten() {
                self.registry.carry_out(verdict);
            }
        }
    }

    /// The end of a session that this gateway found without its own, which cannot write it down.
    fn write_down(&self, event: &Event) {
        let Event::Ended {
            session,
            reason,
            found_by: Some(gateway),
        } = event
        else {
            return;
        };
        if **gateway != *self.gateway {
            return;
        }
        let Entry { id, gateway, .. } = session;
        warn!(session = %id, gateway = &**gateway, "nobody speaks for this session any more");
        self.audit.record(crate::audit::Event {
            session: Some(session.id),
            console: Some(session.console),
            labels: Labels::clone(&session.labels),
            target: Some(session.target.to_string()),
            client: Some(session.client),
            reason: Some(*reason),
            bytes_up: Some(session.bytes_up),
            bytes_down: Some(session.bytes_down),
            detail: Some(format!("of gateway {gateway}")),
            ..crate::audit::Event::new(Act::End)
        });
    }
}

#[cfg(test)]
mod tests;
