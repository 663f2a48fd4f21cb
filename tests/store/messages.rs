//! What gateways tell each other.

use std::sync::Arc;

use fanlight::reason::Reason;
use fanlight::store::{Entry, Event, Message, Store, Whom};

use crate::sample::{entry, heard, labels, live, sentence};

pub(crate) async fn everybody_is_told_in_order(store: Arc<dyn Store>) {
    let mut listening = [store.subscribe(), store.subscribe()];
    let entry = live(&Entry {
        labels: labels(&[("vm", "Zoë's \u{1f5a5}")]),
        ..entry()
    });
    let mut sent = vec![
        Message::Event(Event::Opened(entry.clone())),
        Message::Event(Event::Resumed(entry.clone())),
        Message::Event(Event::Ended {
            session: entry.clone(),
            reason: Reason::BrowserAway,
        }),
    ];
    for reason in Reason::ALL {
        sent.push(Message::Event(Event::Ended {
            session: entry.clone(),
            reason,
        }));
    }
    for message in &sent {
        store.publish(message).await.unwrap();
    }
    for messages in &mut listening {
        for message in &sent {
            assert_eq!(heard(messages).await, *message);
        }
    }
}

pub(crate) async fn an_end_is_told_even_if_nobody_is_meant(store: Arc<dyn Store>) {
    // Its gateway may know a session that the store does not.
    let mut messages = store.subscribe();
    for whom in [
        Whom::Session(entry().id),
        Whom::Console(entry().console),
        Whom::Label {
            key: "vm".to_owned(),
            value: "a\\b".to_owned(),
            minted_by: entry().minted_at,
        },
    ] {
        assert_eq!(store.end(&whom, &sentence()).await.unwrap(), 0);
        let told = Message::End {
            whom,
            sentence: sentence(),
        };
        assert_eq!(heard(&mut messages).await, told);
    }
}
