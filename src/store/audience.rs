//! Who in this gateway hears what is told.

use tokio::sync::broadcast;

use crate::store::{BACKLOG, Event, Message};

/// Those who carry words out, and those who pass on what happens. They are apart because every session
/// that opens or ends is an event: whoever carries words out would wake for each and do nothing.
#[derive(Clone, Debug)]
pub(super) struct Audience {
    orders: broadcast::Sender<Message>,
    events: broadcast::Sender<Message>,
}

impl Default for Audience {
    fn default() -> Self {
        Self {
            orders: broadcast::channel(BACKLOG).0,
            events: broadcast::channel(BACKLOG).0,
        }
    }
}

impl Audience {
    /// Nobody listening is no error.
    pub(super) fn tell(&self, message: Message) {
        match message {
            Message::End { .. } | Message::Order { .. } => drop(self.orders.send(message)),
            Message::Event(Event::Ended {
                found_by: Some(_), ..
            }) => {
                let _ = self.orders.send(message.clone());
                let _ = self.events.send(message);
            }
            Message::Event(_) => drop(self.events.send(message)),
        }
    }

    /// See [`Store::subscribe`](crate::store::Store::subscribe).
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Message> {
        self.orders.subscribe()
    }

    /// See [`Store::events`](crate::store::Store::events).
    pub(super) fn events(&self) -> broadcast::Receiver<Message> {
        self.events.subscribe()
    }
}
