//! Sessions that are lost and come back.

use std::sync::Arc;
use std::time::Duration;

use fanlight::clock::UnixTime;
use fanlight::reason::Reason;
use fanlight::store::{Denied, Entry, Leaving, Message, Resumed, Sentence, State, Store, Whom};

use crate::common::wait::until;
use crate::sample::{DEADLINE, LONG, admit, entry, heard, labels, live, now, open, reason, resume};

/// The state that everybody sees a session in.
async fn state(store: &dyn Store, entry: &Entry) -> Option<State> {
    let entry = store.session(entry.id).await.unwrap();
    entry.map(|entry| entry.state)
}

pub(crate) async fn a_lost_session_comes_back_as_it_was(store: Arc<dyn Store>) {
    let store = &*store;
    let admitted = Entry {
        labels: labels(&[("vm", "web-01"), ("empty", "")]).into(),
        ..entry()
    };
    let session = open(store, &admitted, 1, LONG).await;
    let lost = Entry {
        bytes_up: 10,
        bytes_down: u64::MAX,
        security: Some("VeNCrypt".into()),
        ..session.clone()
    };
    store.leave(&lost, Leaving::Lost).await.unwrap();
    assert_eq!(state(store, &session).await, Some(State::Lost));

    let Resumed {
        entry,
        sealed_grant,
    } = resume(store, session.id, 1, 2).await.unwrap();
    let expected = Entry {
        leg: 2,
        state: State::Connecting,
        gateway: "two".into(),
        ..lost
    };
    assert_eq!(entry, expected);
    assert_eq!(sealed_grant, "fl1.sealed");
    assert_eq!(
        store.session(session.id).await.unwrap(),
        Some(entry.clone())
    );
    store.connected(&live(&entry), None).await.unwrap();
    assert_eq!(state(store, &session).await, Some(State::Live));
    // It may do so again.
    store.leave(&live(&entry), Leaving::Lost).await.unwrap();
    let again = resume(store, session.id, 2, 3).await.unwrap();
    assert_eq!(again.entry.leg, 3);
}

pub(crate) async fn a_secret_works_until_the_next_was_used(store: Arc<dyn Store>) {
    let store = &*store;
    let session = open(store, &entry(), 1, LONG).await;
    let mut leg = 1;
    // Where an answer is lost, the page comes again with what it has.
    for (secret, next, opens) in [
        (1, 2, true),
        (1, 3, true),
        (2, 4, false),
        (3, 4, true),
        (1, 5, false),
        (3, 5, true),
        (5, 6, true),
        (3, 7, false),
        (4, 7, false),
        (6, 7, true),
    ] {
        let answer = resume(store, session.id, secret, next).await;
        if opens {
            leg += 1;
            assert_eq!(answer.unwrap().entry.leg, leg, "{secret}");
        } else {
            assert_eq!(answer.unwrap_err(), Denied::Gone, "{secret}");
        }
    }
}

pub(crate) async fn a_wrong_secret_or_none_opens_nothing(store: Arc<dyn Store>) {
    let store = &*store;
    let kept = open(store, &entry(), 1, LONG).await;
    let wrong = resume(store, kept.id, 9, 2).await;
    assert_eq!(wrong.unwrap_err(), Denied::Gone);
    assert_eq!(state(store, &kept).await, Some(State::Live));

    let unkept = entry();
    admit(store, &unkept).await.unwrap();
    let connecting = resume(store, unkept.id, 1, 2).await;
    assert_eq!(connecting.unwrap_err(), Denied::Gone);
    store.connected(&live(&unkept), None).await.unwrap();
    let live_one = resume(store, unkept.id, 1, 2).await;
    assert_eq!(live_one.unwrap_err(), Denied::Gone);
    // What cannot come back is not lost but gone.
    store.leave(&live(&unkept), Leaving::Lost).await.unwrap();
    assert_eq!(state(store, &unkept).await, None);
    let unknown = resume(store, entry().id, 1, 2).await;
    assert_eq!(unknown.unwrap_err(), Denied::Gone);
}

pub(crate) async fn after_its_grace_a_session_is_gone(store: Arc<dyn Store>) {
    let store = &*store;
    let session = open(store, &entry(), 1, Duration::from_millis(50)).await;
    store.leave(&session, Leaving::Lost).await.unwrap();
    until("the session is gone", DEADLINE, async || {
        match state(store, &session).await {
            None => Ok(()),
            seen => Err(format!("{seen:?}")),
        }
    })
    .await;
    let late = resume(store, session.id, 1, 2).await;
    assert_eq!(late.unwrap_err(), Denied::Gone);
}

pub(crate) async fn a_session_whose_time_is_over_stays_over(store: Arc<dyn Store>) {
    let store = &*store;
    let ends_by = UnixTime::from_secs(now().as_secs() - 1);
    let admitted = Entry { ends_by, ..entry() };
    let session = open(store, &admitted, 1, LONG).await;
    store.leave(&session, Leaving::Lost).await.unwrap();
    let late = resume(store, session.id, 1, 2).await;
    assert_eq!(late.unwrap_err(), Denied::Over(ends_by));
    // Whoever does not know the secret is not told so.
    let stranger = resume(store, session.id, 9, 2).await;
    assert_eq!(stranger.unwrap_err(), Denied::Gone);
}

pub(crate) async fn a_resume_displaces_the_leg_that_was_there(store: Arc<dyn Store>) {
    let store = &*store;
    let session = open(store, &entry(), 1, LONG).await;
    let mut messages = store.subscribe();
    let resumed = resume(store, session.id, 1, 2).await.unwrap();
    assert_eq!(resumed.entry.leg, 2);
    let told = Message::End {
        whom: Whom::Legs {
            session: session.id,
            below: 2,
        },
        sentence: Sentence::plain(Reason::ResumedElsewhere),
    };
    assert_eq!(heard(&mut messages).await, told);
    let verdicts = store.renew(std::slice::from_ref(&session)).await.unwrap();
    let verdict = verdicts.first().unwrap();
    assert_eq!((verdict.session, verdict.leg), (session.id, 1));
    assert_eq!(reason(verdict), Reason::ResumedElsewhere);
}

pub(crate) async fn a_leg_that_was_displaced_changes_nothing(store: Arc<dyn Store>) {
    let store = &*store;
    let session = open(store, &entry(), 1, LONG).await;
    let resumed = resume(store, session.id, 1, 2).await.unwrap().entry;
    let old = Entry {
        bytes_up: 99,
        ..session.clone()
    };
    store.connected(&old, None).await.unwrap();
    store.renew(std::slice::from_ref(&old)).await.unwrap();
    for leaving in [Leaving::Unserved, Leaving::Lost, Leaving::Over] {
        store.leave(&old, leaving).await.unwrap();
        let seen = store.session(session.id).await.unwrap();
        assert_eq!(seen.as_ref(), Some(&resumed), "{leaving:?}");
    }
    assert!(resume(store, session.id, 2, 3).await.is_ok());
}

pub(crate) async fn a_resumed_leg_without_a_picture_is_lost_again(store: Arc<dyn Store>) {
    let store = &*store;
    let session = open(store, &entry(), 1, LONG).await;
    store.leave(&session, Leaving::Lost).await.unwrap();
    let resumed = resume(store, session.id, 1, 2).await.unwrap().entry;
    store.leave(&resumed, Leaving::Unserved).await.unwrap();
    assert_eq!(state(store, &session).await, Some(State::Lost));
    assert_eq!(resume(store, session.id, 2, 3).await.unwrap().entry.leg, 3);
}
