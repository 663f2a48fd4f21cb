//! Gateways that do not renew their sessions any more.

use std::sync::Arc;
use std::time::Duration;

use fanlight::id::SessionId;
use fanlight::reason::Reason;
use fanlight::store::redis::{Params, Redis};
use fanlight::store::{Entry, Filter, State, Store};
use fanlight::token::Sharing;

use crate::common::redis::{self, RedisServer};
use crate::common::wait::until;
use crate::sample::{DEADLINE, LONG, admit, at, entry, live, open, reason, resume};

/// Short enough to wait for, and long enough to be renewed on a busy machine.
const SHORT: Duration = Duration::from_millis(1500);

/// A store whose sessions have a short lease, and one of another gateway.
async fn stores(server: &RedisServer) -> (Arc<Redis>, Arc<Redis>) {
    let params = Params {
        lease: SHORT,
        ..server.params()
    };
    (redis::open(&params).await, redis::open(&params).await)
}

/// Waits until a session is in this state for others, or gone.
async fn becomes(store: &Redis, id: SessionId, state: Option<State>) {
    until("the session's state", DEADLINE, async || {
        let seen = store.session(id).await.unwrap().map(|entry| entry.state);
        if seen == state {
            Ok(())
        } else {
            Err(format!("{seen:?}"))
        }
    })
    .await;
}

#[tokio::test]
async fn sessions_of_a_killed_gateway_vanish_in_time() {
    let server = RedisServer::start(&[]).await;
    let (killed, other) = stores(&server).await;
    let kept = open(&*killed, &entry(), 1, LONG).await;
    let brief = open(&*killed, &entry(), 1, Duration::from_millis(300)).await;
    let connecting = entry();
    admit(&*killed, &connecting).await.unwrap();
    let unkept = entry();
    admit(&*killed, &unkept).await.unwrap();
    killed.connected(&live(&unkept), None).await.unwrap();
    drop(killed);

    becomes(&other, kept.id, Some(State::Lost)).await;
    for gone in [&brief, &connecting, &unkept] {
        becomes(&other, gone.id, None).await;
    }
    let page = other.sessions(&Filter::default(), None, 10).await.unwrap();
    let states: Vec<_> = page.entries.iter().map(|it| (it.id, it.state)).collect();
    assert_eq!(states, [(kept.id, State::Lost)]);
    assert_eq!(resume(&*other, kept.id, 1, 2).await.unwrap().entry.leg, 2);
}

#[tokio::test]
async fn lists_do_not_show_whom_nobody_renews() {
    let server = RedisServer::start(&[]).await;
    let (store, other) = stores(&server).await;
    for _ in 0..20 {
        admit(&*store, &entry()).await.unwrap();
    }
    let stays = entry();
    admit(&*store, &stays).await.unwrap();
    until("one is left", DEADLINE, async || {
        store.renew(std::slice::from_ref(&stays)).await.unwrap();
        let page = other.sessions(&Filter::default(), None, 99).await.unwrap();
        match page.entries.as_slice() {
            [one] if *one == stays => Ok(()),
            more => Err(format!("{} sessions", more.len())),
        }
    })
    .await;
}

#[tokio::test]
async fn a_gateway_that_was_cut_off_goes_on_where_nobody_is_in_the_way() {
    let server = RedisServer::start(&[]).await;
    let (store, other) = stores(&server).await;
    let free = open(&*store, &at("free", Sharing::Exclusive), 1, LONG).await;
    let taken = open(&*store, &at("taken", Sharing::Exclusive), 1, LONG).await;
    becomes(&other, free.id, Some(State::Lost)).await;
    becomes(&other, taken.id, Some(State::Lost)).await;
    admit(&*other, &at("taken", Sharing::Shared)).await.unwrap();

    let cut_off: [Entry; 2] = [free.clone(), taken.clone()];
    let verdicts = store.renew(&cut_off).await.unwrap();
    let verdicts: Vec<_> = verdicts.iter().map(|it| (it.session, reason(it))).collect();
    assert_eq!(verdicts, [(taken.id, Reason::TakenOver)]);
    assert_eq!(other.session(free.id).await.unwrap(), Some(free.clone()));
    assert_eq!(other.session(taken.id).await.unwrap(), None);
    // It is as good as before: it may be lost and come back.
    assert!(resume(&*other, free.id, 1, 2).await.is_ok());
}
