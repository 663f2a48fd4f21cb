//! What gateways say of their sessions from time to time, and what they hear back.

use std::sync::Arc;
use std::time::Duration;

use fanlight::reason::Reason;
use fanlight::store::{
    Denied, Entry, Filter, Leaving, Sentence, State, Store, Verdict, Whom, Word,
};
use fanlight::token::Sharing;

use crate::sample::{
    LONG, admit, another, at, entry, labels, live, now, open, reason, resume, sentence,
};

pub(crate) async fn what_a_gateway_says_is_what_others_see(store: Arc<dyn Store>) {
    let store = &*store;
    let mut entries = Vec::new();
    for _ in 0..250 {
        entries.push(open(store, &entry(), 1, LONG).await);
    }
    for (count, entry) in entries.iter_mut().enumerate() {
        entry.bytes_up = u64::MAX - count as u64;
        entry.active = now().plus(Duration::from_secs(60));
        entry.client = "2001:db8::1".parse().unwrap();
    }
    assert_eq!(store.renew(&entries).await.unwrap(), []);
    let page = store
        .sessions(&Filter::default(), None, 1000)
        .await
        .unwrap();
    entries.sort_by_key(|entry| entry.id);
    assert_eq!(page.entries, entries);
    assert_eq!(store.renew(&[]).await.unwrap(), []);
}

pub(crate) async fn those_that_may_not_go_on_are_named(store: Arc<dyn Store>) {
    let store = &*store;
    let goes_on = open(store, &entry(), 1, LONG).await;
    let ended = open(store, &entry(), 1, LONG).await;
    let elsewhere = open(store, &entry(), 1, LONG).await;
    store
        .end(&Whom::Session(ended.id), &sentence())
        .await
        .unwrap();
    resume(store, elsewhere.id, 1, 2).await.unwrap();
    let verdict = |entry: &Entry, sentence| Verdict {
        session: entry.id,
        leg: 1,
        word: Word::End(sentence),
    };
    let expected = [
        verdict(&elsewhere, Sentence::plain(Reason::ResumedElsewhere)),
        verdict(&ended, sentence()),
    ];
    let renewed = [elsewhere, goes_on, ended];
    assert_eq!(store.renew(&renewed).await.unwrap(), expected);
}

pub(crate) async fn a_session_nobody_heard_of_is_taken_in(store: Arc<dyn Store>) {
    let store = &*store;
    let runs = live(&at("desk", Sharing::Exclusive));
    let starts = entry();
    assert_eq!(store.renew(std::slice::from_ref(&runs)).await.unwrap(), []);
    store.connected(&live(&starts), None).await.unwrap();
    for entry in [&runs, &live(&starts)] {
        let seen = store.session(entry.id).await.unwrap();
        assert_eq!(seen.as_ref(), Some(entry));
        // Its token was used, whatever the store had forgotten.
        assert_eq!(admit(store, &another(entry)).await, Err(Denied::Used));
    }
    let newcomer = admit(store, &at("desk", Sharing::Shared)).await;
    assert!(matches!(newcomer, Err(Denied::InUse { .. })));
    store.leave(&runs, Leaving::Over).await.unwrap();
    assert_eq!(store.session(runs.id).await.unwrap(), None);
}

pub(crate) async fn a_session_nobody_heard_of_is_not_taken_in_when_it_was_revoked(
    store: Arc<dyn Store>,
) {
    let store = &*store;
    let labelled = Entry {
        labels: labels(&[("vm", "web-01")]).into(),
        ..entry()
    };
    let entries = [live(&entry()), live(&labelled), live(&entry())];
    let [console, label, session] = &entries;
    for whom in [
        Whom::Console(console.console),
        Whom::Label {
            key: "vm".to_owned(),
            value: "web-01".to_owned(),
            minted_by: now(),
        },
        Whom::Session(session.id),
    ] {
        assert_eq!(store.end(&whom, &sentence()).await.unwrap(), 0);
    }
    let verdicts = store.renew(&entries).await.unwrap();
    assert_eq!(verdicts.len(), 3, "{verdicts:?}");
    assert!(verdicts.iter().all(|it| it.word == Word::End(sentence())));
    for entry in [console, label, session] {
        assert_eq!(store.session(entry.id).await.unwrap(), None);
    }
}

pub(crate) async fn a_session_nobody_heard_of_yields_to_whoever_is_there(store: Arc<dyn Store>) {
    let store = &*store;
    open(store, &at("desk", Sharing::Exclusive), 1, LONG).await;
    for sharing in [Sharing::Shared, Sharing::Exclusive, Sharing::TakeOver] {
        let late = live(&at("desk", sharing));
        let verdicts = store.renew(std::slice::from_ref(&late)).await.unwrap();
        let reasons: Vec<_> = verdicts.iter().map(reason).collect();
        assert_eq!(reasons, [Reason::TakenOver]);
        assert_eq!(store.session(late.id).await.unwrap(), None);
    }
}

pub(crate) async fn a_late_word_wakes_nobody(store: Arc<dyn Store>) {
    let store = &*store;
    let lost = open(store, &entry(), 1, LONG).await;
    store.leave(&lost, Leaving::Lost).await.unwrap();
    let over = open(store, &entry(), 1, LONG).await;
    store.leave(&over, Leaving::Over).await.unwrap();
    let unserved = entry();
    admit(store, &unserved).await.unwrap();
    store.leave(&unserved, Leaving::Unserved).await.unwrap();

    let late = [lost.clone(), over.clone(), unserved.clone()];
    assert_eq!(store.renew(&late).await.unwrap(), []);
    let seen = store.session(lost.id).await.unwrap().unwrap();
    assert_eq!(seen.state, State::Lost);
    assert_eq!(store.session(over.id).await.unwrap(), None);
    assert_eq!(store.session(unserved.id).await.unwrap(), None);
    assert!(admit(store, &another(&unserved)).await.is_ok());
}
