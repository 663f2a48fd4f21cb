//! What gateways tell each other.

use std::sync::Arc;
use std::time::Duration;

use fanlight::reason::Reason;
use fanlight::store::{Entry, Event, Leaving, Message, Store, Whom};

use crate::common::wait::until;
use crate::sample::{DEADLINE, entry, heard, labels, live, open, sentence};

pub(crate) async fn everybody_is_told_in_order(store: Arc<dyn Store>) {
    let mut listening = [store.events(), store.events()];
    let mut carried_out = store.subscribe();
    let entry = live(&Entry {
        labels: labels(&[("vm", "Zoë's \u{1f5a5}")]).into(),
        ..entry()
    });
    let mut sent = vec![
        Message::Event(Event::Opened(entry.clone())),
        Message::Event(Event::Resumed(entry.clone())),
        Message::Event(Event::Ended {
            session: entry.clone(),
            reason: Reason::GatewayLost,
            found_by: Some("two".to_owned()),
        }),
    ];
    for reason in Reason::ALL {
        sent.push(Message::Event(Event::Ended {
            session: entry.clone(),
            reason,
            found_by: None,
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

    // Of all these, sessions are concerned by what was found of another gateway's, and by ends.
    let whom = Whom::Session(entry.id);
    store.end(&whom, &sentence()).await.unwrap();
    let end = Message::End {
        whom,
        sentence: sentence(),
    };
    assert_eq!(heard(&mut carried_out).await, sent[2]);
    assert_eq!(heard(&mut carried_out).await, end);
    for messages in &mut listening {
        assert!(messages.is_empty());
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

pub(crate) async fn what_a_gateway_told_itself_is_told_by_nobody_else(store: Arc<dyn Store>) {
    let mut messages = store.events();
    let brief = Duration::from_millis(50);
    for leaving in [Leaving::Lost, Leaving::Over] {
        let session = open(&*store, &entry(), 1, brief).await;
        store.leave(&session, leaving).await.unwrap();
        until("it is gone", DEADLINE, async || {
            store.renew(&[]).await.unwrap();
            let seen = store.session(session.id).await.unwrap();
            seen.is_none().then_some(()).ok_or(format!("{seen:?}"))
        })
        .await;
    }
    // The first that is told is what is told now.
    let opened = Message::Event(Event::Opened(live(&entry())));
    store.publish(&opened).await.unwrap();
    assert_eq!(heard(&mut messages).await, opened);
}
