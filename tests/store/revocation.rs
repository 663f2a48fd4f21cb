//! Sessions that somebody ends, and tokens that somebody voids.

use std::sync::Arc;
use std::time::Duration;

use fanlight::clock::UnixTime;
use fanlight::store::{Denied, Entry, Message, Store, Verdict, Whom, Word};

use crate::sample::{
    LONG, admit, another, claim, entry, heard, labels, live, open, resume, sentence,
};

pub(crate) async fn a_revoked_console_ends_and_opens_no_more(store: Arc<dyn Store>) {
    let store = &*store;
    let mut messages = store.subscribe();
    let (meant, other) = (entry(), entry());
    let mut two = claim(&meant);
    two.uses = 2.try_into().unwrap();
    store.admit(&two).await.unwrap().unwrap();
    open(store, &other, 1, LONG).await;

    let whom = Whom::Console(meant.console);
    assert_eq!(store.end(&whom, &sentence()).await.unwrap(), 1);
    let told = Message::End {
        whom: whom.clone(),
        sentence: sentence(),
    };
    assert_eq!(heard(&mut messages).await, told);
    assert_eq!(store.session(meant.id).await.unwrap(), None);
    assert!(store.session(other.id).await.unwrap().is_some());
    two.entry = another(&meant);
    assert_eq!(store.admit(&two).await.unwrap(), Err(Denied::Revoked));

    let verdict = Verdict {
        session: meant.id,
        leg: 1,
        word: Word::End(sentence()),
    };
    let renewed = store.renew(&[live(&other), live(&meant)]).await.unwrap();
    assert_eq!(renewed, [verdict]);
    assert_eq!(store.end(&whom, &sentence()).await.unwrap(), 0);
}

fn labelled(value: &str, minted_at: UnixTime) -> Entry {
    Entry {
        labels: labels(&[("tenant", "a"), ("vm", value)]).into(),
        minted_at,
        ..entry()
    }
}

pub(crate) async fn a_label_is_revoked_up_to_an_instant(store: Arc<dyn Store>) {
    let store = &*store;
    let instant = UnixTime::from_secs(1_800_000_000);
    let later = instant.plus(Duration::from_secs(1));
    let before = labelled("web-01", instant);
    let after = labelled("web-01", later);
    let other = labelled("web-02", instant);
    let plain = entry();
    for entry in [&before, &after, &other, &plain] {
        open(store, entry, 1, LONG).await;
    }
    let whom = Whom::Label {
        key: "vm".to_owned(),
        value: "web-01".to_owned(),
        minted_by: instant,
    };
    assert_eq!(store.end(&whom, &sentence()).await.unwrap(), 1);
    assert_eq!(store.session(before.id).await.unwrap(), None);
    for entry in [&after, &other, &plain] {
        assert!(store.session(entry.id).await.unwrap().is_some());
    }
    let unused = labelled("web-01", instant);
    assert_eq!(admit(store, &unused).await, Err(Denied::Revoked));
    assert!(admit(store, &labelled("web-01", later)).await.is_ok());
    assert!(admit(store, &labelled("web-02", instant)).await.is_ok());
}

pub(crate) async fn an_earlier_instant_takes_nothing_back(store: Arc<dyn Store>) {
    let store = &*store;
    let instant = UnixTime::from_secs(1_800_000_000);
    for minted_by in [instant, UnixTime::from_secs(1_700_000_000)] {
        let whom = Whom::Label {
            key: "vm".to_owned(),
            value: "web-01".to_owned(),
            minted_by,
        };
        store.end(&whom, &sentence()).await.unwrap();
    }
    let unused = labelled("web-01", instant);
    assert_eq!(admit(store, &unused).await, Err(Denied::Revoked));
}

pub(crate) async fn an_ended_session_is_over_but_not_its_token(store: Arc<dyn Store>) {
    let mut claim = claim(&entry());
    claim.uses = 2.try_into().unwrap();
    store.admit(&claim).await.unwrap().unwrap();
    let whom = Whom::Session(claim.entry.id);
    assert_eq!(store.end(&whom, &sentence()).await.unwrap(), 1);
    assert_eq!(store.session(claim.entry.id).await.unwrap(), None);
    claim.entry = another(&claim.entry);
    assert!(store.admit(&claim).await.unwrap().is_ok());
}

pub(crate) async fn what_was_ended_does_not_come_back(store: Arc<dyn Store>) {
    let store = &*store;
    let session = open(store, &entry(), 1, LONG).await;
    let whom = Whom::Session(session.id);
    store.end(&whom, &sentence()).await.unwrap();
    let resumed = resume(store, session.id, 1, 2).await;
    assert_eq!(resumed.unwrap_err(), Denied::Gone);
    // Nor does a word that was under way bring it back.
    store.connected(&session, None).await.unwrap();
    assert_eq!(store.session(session.id).await.unwrap(), None);
}
