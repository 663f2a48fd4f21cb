//! Gateways that do not renew their sessions any more.

use std::sync::Arc;
use std::time::Duration;

use fanlight::id::SessionId;
use fanlight::reason::Reason;
use fanlight::store::redis::{Params, Redis};
use fanlight::store::{Entry, Event, Filter, Leaving, Message, State, Store};
use fanlight::token::Sharing;

use tokio::sync::broadcast::Receiver;

use crate::common::redis::{self, RedisServer};
use crate::common::wait::until;
use crate::sample::{DEADLINE, LONG, admit, at, entry, live, open, reason, resume};

/// Short enough to wait for, and long enough to be renewed on a busy machine.
const SHORT: Duration = Duration::from_millis(1500);

/// A store whose sessions have a short lease, and one of another gateway.
async fn stores(server: &RedisServer) -> (Arc<Redis>, Arc<Redis>) {
    let params = |gateway: &str| Params {
        lease: SHORT,
        gateway: gateway.to_owned(),
        ..server.params()
    };
    let (one, two) = (params("one"), params("two"));
    (redis::open(&one).await, redis::open(&two).await)
}

/// The events that have been told so far.
fn events(messages: &mut Receiver<Message>) -> Vec<Event> {
    let told = std::iter::from_fn(|| messages.try_recv().ok());
    told.filter_map(|message| match message {
        Message::Event(event) => Some(event),
        _ => None,
    })
    .collect()
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

#[tokio::test]
async fn the_end_of_a_session_without_its_gateway_is_told_once() {
    let server = RedisServer::start(&[]).await;
    let (killed, finder) = stores(&server).await;
    let (_, third) = stores(&server).await;
    let mut heard = [finder.events(), third.events()];
    let kept = open(&*killed, &entry(), 1, LONG).await;
    let unkept = live(&entry());
    admit(&*killed, &unkept).await.unwrap();
    killed.connected(&unkept, None).await.unwrap();
    // Nobody was told that it opened, and nobody is told that it ended.
    admit(&*killed, &entry()).await.unwrap();
    let left = open(&*killed, &entry(), 1, LONG).await;
    killed.leave(&left, Leaving::Lost).await.unwrap();
    drop(killed);

    // Both look again and again, also after they have seen it.
    let mut told = [Vec::new(), Vec::new()];
    let looks = 3 * SHORT.as_millis() / 20;
    for _ in 0..looks {
        for store in [&finder, &third] {
            store.renew(&[]).await.unwrap();
        }
        for (told, heard) in told.iter_mut().zip(&mut heard) {
            told.extend(events(heard));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for told in told {
        let mut ends: Vec<_> = told
            .into_iter()
            .map(|event| match event {
                Event::Ended {
                    session,
                    reason: Reason::GatewayLost,
                    found_by: Some(by),
                } => (session.id, by),
                other => panic!("{other:?}"),
            })
            .collect();
        ends.sort();
        let mut expected = [kept.id, unkept.id].map(|id| (id, "two".to_owned()));
        expected.sort();
        assert_eq!(ends, expected);
    }
}

#[tokio::test]
async fn a_gateway_that_was_cut_off_is_told_of_when_it_is_back() {
    let server = RedisServer::start(&[]).await;
    let (cut_off, other) = stores(&server).await;
    let mut heard = other.events();
    let kept = open(&*cut_off, &entry(), 1, LONG).await;
    let unkept = live(&entry());
    admit(&*cut_off, &unkept).await.unwrap();
    cut_off.connected(&unkept, None).await.unwrap();
    becomes(&other, kept.id, Some(State::Lost)).await;
    becomes(&other, unkept.id, None).await;
    cut_off
        .renew(&[kept.clone(), unkept.clone()])
        .await
        .unwrap();
    cut_off
        .renew(&[kept.clone(), unkept.clone()])
        .await
        .unwrap();

    let mut told = Vec::new();
    until("four events", DEADLINE, async || {
        told.extend(events(&mut heard));
        (told.len() == 4).then_some(()).ok_or(format!("{told:?}"))
    })
    .await;
    let back = &told[2..];
    let expected = [&kept, &unkept].map(|it| Event::Resumed(it.clone()));
    assert_eq!(back, expected);
}

/// The leases are over when Redis is back, and nobody has had a chance to speak.
#[tokio::test]
async fn nobody_is_taken_for_lost_because_redis_was_away() {
    let server = RedisServer::start(&[]).await;
    let (one, two) = stores(&server).await;
    let mut heard = two.events();
    let there = open(&*one, &entry(), 1, LONG).await;
    let dead = open(&*one, &entry(), 1, LONG).await;
    let both = [there.clone(), dead.clone()];
    one.renew(&both).await.unwrap();
    server.hang();
    tokio::time::sleep(2 * SHORT).await;
    server.go_on();

    let seen = two.session(there.id).await.unwrap();
    assert_eq!(seen, Some(there.clone()));
    two.renew(&[]).await.unwrap();
    assert_eq!(two.session(there.id).await.unwrap(), Some(there.clone()));
    // From now on only one of the two is spoken for.
    until("the other is lost", DEADLINE, async || {
        one.renew(std::slice::from_ref(&there)).await.unwrap();
        let state = two.session(dead.id).await.unwrap().unwrap().state;
        (state == State::Lost)
            .then_some(())
            .ok_or(format!("{state:?}"))
    })
    .await;
    until("and told of", DEADLINE, async || {
        match events(&mut heard).as_slice() {
            [Event::Ended { session, .. }] if session.id == dead.id => Ok(()),
            told => Err(format!("{told:?}")),
        }
    })
    .await;
}
