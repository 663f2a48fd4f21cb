//! What viewers may do, changed while they are in.

use std::sync::Arc;

use fanlight::rfb::permissions::Permissions;
use fanlight::store::{
    Entry, Filter, Leaving, Message, Order, Permit, Permitted, Store, Verdict, Word,
};

use crate::sample::{LONG, entry, heard, live, open, resume};

/// The first change: only looking.
fn looking() -> Permit {
    Permit {
        permissions: Permissions::default().looking_on(),
        revision: 1,
    }
}

async fn permit(store: &dyn Store, entry: &Entry, permit: Permit) -> Permitted {
    store.permit(entry.id, &permit).await.unwrap()
}

pub(crate) async fn a_change_holds_for_the_session_and_for_its_return(store: Arc<dyn Store>) {
    let store = &*store;
    let session = open(store, &entry(), 1, LONG).await;
    let mut messages = store.subscribe();
    assert_eq!(permit(store, &session, looking()).await, Permitted::Done);
    let told = Message::Order {
        session: session.id,
        order: Order::Permit(looking()),
    };
    assert_eq!(heard(&mut messages).await, told);
    let seen = store.session(session.id).await.unwrap().unwrap();
    assert_eq!(seen.permit, looking());
    let page = store.sessions(&Filter::default(), None, 10).await.unwrap();
    assert_eq!(page.entries[0].permit, looking());

    // Its gateway has not heard of it when the session is lost.
    store.leave(&session, Leaving::Lost).await.unwrap();
    let resumed = resume(store, session.id, 1, 2).await.unwrap();
    assert_eq!(resumed.entry.permit, looking());
    let again = Permit {
        revision: 2,
        ..Permit::first(Permissions::default())
    };
    assert_eq!(permit(store, &session, again).await, Permitted::Done);
    store.connected(&live(&resumed.entry), None).await.unwrap();
    let seen = store.session(session.id).await.unwrap().unwrap();
    assert_eq!(seen.permit, again);
}

pub(crate) async fn a_gateway_that_missed_a_change_hears_of_it(store: Arc<dyn Store>) {
    let store = &*store;
    let mut session = open(store, &entry(), 1, LONG).await;
    permit(store, &session, looking()).await;
    let verdict = Verdict {
        session: session.id,
        leg: 1,
        word: Word::Permit(looking()),
    };
    for _ in 0..2 {
        let renewed = store.renew(std::slice::from_ref(&session)).await.unwrap();
        assert_eq!(renewed, std::slice::from_ref(&verdict));
        let seen = store.session(session.id).await.unwrap().unwrap();
        assert_eq!(seen.permit, looking(), "what it says does not undo it");
    }
    session.permit = looking();
    let renewed = store.renew(std::slice::from_ref(&session)).await.unwrap();
    assert_eq!(renewed, []);
}

pub(crate) async fn of_two_changes_of_the_same_one_is_made(store: Arc<dyn Store>) {
    let store = &*store;
    let session = open(store, &entry(), 1, LONG).await;
    let mut messages = store.subscribe();
    assert_eq!(permit(store, &session, looking()).await, Permitted::Done);
    assert_eq!(
        permit(store, &session, looking()).await,
        Permitted::Outdated
    );
    let far = Permit {
        revision: 3,
        ..looking()
    };
    assert_eq!(permit(store, &session, far).await, Permitted::Outdated);
    store.leave(&session, Leaving::Over).await.unwrap();
    let second = Permit {
        revision: 2,
        ..looking()
    };
    assert_eq!(permit(store, &session, second).await, Permitted::Gone);
    assert_eq!(permit(store, &entry(), looking()).await, Permitted::Gone);
    // Only the first was told.
    heard(&mut messages).await;
    assert!(messages.try_recv().is_err());
}
