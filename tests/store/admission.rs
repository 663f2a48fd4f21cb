//! Tokens and how often they open something.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use fanlight::store::memory::Memory;
use fanlight::store::{Claim, Denied, Leaving, Quotas, Store};
use tokio::task::JoinSet;

use crate::sample::{LONG, admit, another, claim, entry, live, open};

/// How many of `count` get in with one token at once, and that the others are told why not.
async fn race(store: &Arc<dyn Store>, count: usize, uses: u16) -> usize {
    let token = entry();
    let mut racing = JoinSet::new();
    for _ in 0..count {
        let store = Arc::clone(store);
        let claim = Claim {
            uses: NonZeroU16::new(uses).unwrap(),
            ..claim(&another(&token))
        };
        racing.spawn(async move { store.admit(&claim).await.unwrap() });
    }
    let answers = racing.join_all().await;
    let refused = answers.iter().filter(|answer| answer.is_err());
    assert!(refused.clone().all(|it| *it == Err(Denied::Used)));
    count - refused.count()
}

pub(crate) async fn of_two_hundred_with_one_token_one_gets_in(store: Arc<dyn Store>) {
    assert_eq!(race(&store, 200, 1).await, 1);
}

pub(crate) async fn a_token_opens_as_many_sessions_as_it_may(store: Arc<dyn Store>) {
    assert_eq!(race(&store, 20, 3).await, 3);
}

pub(crate) async fn a_use_is_given_back_when_no_picture_came(store: Arc<dyn Store>) {
    let store = &*store;
    let first = entry();
    admit(store, &first).await.unwrap();
    // Said twice, it is given back once.
    store.leave(&first, Leaving::Unserved).await.unwrap();
    store.leave(&first, Leaving::Unserved).await.unwrap();
    assert_eq!(store.session(first.id).await.unwrap(), None);

    let second = another(&first);
    admit(store, &second).await.unwrap();
    store.leave(&first, Leaving::Unserved).await.unwrap();
    let third = another(&first);
    assert_eq!(admit(store, &third).await, Err(Denied::Used));

    store.connected(&live(&second), None).await.unwrap();
    store.leave(&live(&second), Leaving::Over).await.unwrap();
    assert_eq!(admit(store, &third).await, Err(Denied::Used));
    assert_eq!(store.session(second.id).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_known_as_used_as_long_as_it_could_be_used() {
    let store = Memory::default();
    let token = entry();
    admit(&store, &token).await.unwrap();
    store.leave(&token, Leaving::Over).await.unwrap();
    // Also when the clock is set back a little meanwhile.
    for waiting in [LONG, Duration::from_secs(9 * 60)] {
        tokio::time::sleep(waiting).await;
        assert_eq!(admit(&store, &another(&token)).await, Err(Denied::Used));
    }
    tokio::time::sleep(Duration::from_secs(2 * 60)).await;
    assert_eq!(admit(&store, &another(&token)).await, Ok(Vec::new()));
}

pub(crate) async fn a_refusal_uses_nothing_up(store: Arc<dyn Store>) {
    let first = open(&*store, &entry(), 1, LONG).await;
    let second = entry();
    let crowded = Claim {
        quotas: Quotas {
            in_all: Some(1),
            ..Quotas::default()
        },
        ..claim(&second)
    };
    let refused = store.admit(&crowded).await.unwrap();
    assert!(matches!(refused, Err(Denied::Quota(_))), "{refused:?}");
    store.leave(&first, Leaving::Over).await.unwrap();
    assert_eq!(store.admit(&crowded).await.unwrap(), Ok(Vec::new()));
}
