//! Who may be at a machine beside whom.

use std::sync::Arc;

use fanlight::reason::Reason;
use fanlight::store::{Denied, Entry, Leaving, Message, Sentence, Store, Whom, Word};
use fanlight::token::Sharing::{self, Exclusive, Shared, TakeOver};

use crate::sample::{LONG, admit, at, heard, labels, live, open, resume};

const ALL: [Sharing; 3] = [Shared, Exclusive, TakeOver];

/// A machine that no other case has.
fn machine(first: Sharing, second: Sharing) -> String {
    format!("{first:?} then {second:?}")
}

pub(crate) async fn who_gets_in_beside_whom(store: Arc<dyn Store>) {
    let store = &*store;
    for (there, comes, gets_in, puts_out) in [
        (Shared, Shared, true, false),
        (Shared, Exclusive, false, false),
        (Shared, TakeOver, true, true),
        (Exclusive, Shared, false, false),
        (Exclusive, Exclusive, false, false),
        (Exclusive, TakeOver, true, true),
        (TakeOver, Shared, false, false),
        (TakeOver, Exclusive, false, false),
        (TakeOver, TakeOver, true, true),
    ] {
        let machine = machine(there, comes);
        let there = at(&machine, there);
        admit(store, &there).await.unwrap();
        let expected = match (gets_in, puts_out) {
            (true, false) => Ok(Vec::new()),
            (true, true) => Ok(vec![there.id]),
            _ => Err(Denied::InUse {
                since: there.started,
            }),
        };
        let answer = admit(store, &at(&machine, comes)).await;
        assert_eq!(answer, expected, "{machine}");
        let stays = store.session(there.id).await.unwrap().is_some();
        assert_eq!(stays, !puts_out, "{machine}");
    }
}

pub(crate) async fn another_machine_is_another_matter(store: Arc<dyn Store>) {
    for sharing in [Exclusive, TakeOver] {
        for machine in ["one", "two"] {
            let machine = format!("{machine} {sharing:?}");
            let answer = admit(&*store, &at(&machine, sharing)).await;
            assert_eq!(answer, Ok(Vec::new()));
        }
    }
}

pub(crate) async fn those_that_are_lost_are_in_nobodys_way(store: Arc<dyn Store>) {
    let store = &*store;
    for first in ALL {
        for second in ALL {
            let machine = machine(first, second);
            let lost = open(store, &at(&machine, first), 1, LONG).await;
            store.leave(&lost, Leaving::Lost).await.unwrap();
            let there = at(&machine, second);
            assert_eq!(admit(store, &there).await, Ok(Vec::new()), "{machine}");

            // Whoever was lost puts nobody out when it comes back.
            let back = resume(store, lost.id, 1, 2).await;
            if (first, second) == (Shared, Shared) {
                assert!(back.is_ok(), "{back:?}");
                continue;
            }
            let in_use = Denied::InUse {
                since: there.started,
            };
            assert_eq!(back.unwrap_err(), in_use, "{machine}");
            store.leave(&there, Leaving::Unserved).await.unwrap();
            let back = resume(store, lost.id, 1, 2).await;
            assert!(back.is_ok(), "{machine}: {back:?}");
        }
    }
}

pub(crate) async fn whoever_is_put_out_is_told(store: Arc<dyn Store>) {
    let store = &*store;
    let mut messages = store.subscribe();
    let there: Vec<Entry> = (0..2).map(|_| at("desk", Shared)).collect();
    for entry in &there {
        open(store, entry, 1, LONG).await;
    }
    let comes = Entry {
        labels: labels(&[("user", "Zoë \"Z\"")]).into(),
        ..at("desk", TakeOver)
    };
    let mut out = admit(store, &comes).await.unwrap();
    out.sort();
    let mut expected: Vec<_> = there.iter().map(|entry| entry.id).collect();
    expected.sort();
    assert_eq!(out, expected);

    let taken_over = Sentence {
        reason: Reason::TakenOver,
        note: Some("By Zoë \"Z\".".to_owned()),
    };
    let mut told = Vec::new();
    for _ in &there {
        match heard(&mut messages).await {
            Message::End {
                whom: Whom::Session(session),
                sentence,
            } if sentence == taken_over => told.push(session),
            other => panic!("{other:?}"),
        }
    }
    told.sort();
    assert_eq!(told, expected);
    let renewed: Vec<_> = there.iter().map(live).collect();
    let verdicts = store.renew(&renewed).await.unwrap();
    assert_eq!(verdicts.len(), 2);
    assert!(
        verdicts
            .iter()
            .all(|it| it.word == Word::End(taken_over.clone()))
    );
    let back = resume(store, expected[0], 1, 2).await;
    assert_eq!(back.unwrap_err(), Denied::Gone);
}
