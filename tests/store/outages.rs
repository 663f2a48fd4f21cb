//! Redis goes away and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fanlight::store::redis::{Params, Redis};
use fanlight::store::{Event, Leaving, Message, State, Store};
use tokio::runtime::Builder;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::sleep;

use crate::common::redis::{self, RedisServer, answers};
use crate::common::wait::{until, within};
use crate::sample::{DEADLINE, LONG, another, claim, entry, heard, keep, live, open, resume};

async fn impatient(server: &RedisServer) -> Arc<Redis> {
    let params = Params {
        timeout: Duration::from_millis(500),
        ..server.params()
    };
    redis::open(&params).await
}

/// Every call says that the store is away, and says so in time.
async fn is_away(store: &Redis) {
    let entry = entry();
    let claim = claim(&entry);
    let calls = async {
        store.check().await.unwrap_err();
        store.admit(&claim).await.unwrap_err();
        store.renew(std::slice::from_ref(&entry)).await.unwrap_err();
        store.leave(&entry, Leaving::Over).await.unwrap_err();
        store.session(entry.id).await.unwrap_err();
        let event = Message::Event(Event::Opened(entry.clone()));
        store.publish(&event).await.unwrap_err();
    };
    within("all calls fail", DEADLINE, calls).await;
}

#[tokio::test]
async fn a_redis_that_hangs_is_not_waited_for() {
    let server = RedisServer::start(&[]).await;
    let store = impatient(&server).await;
    let session = open(&*store, &entry(), 1, LONG).await;
    server.hang();
    is_away(&store).await;
    server.go_on();
    answers(&store).await;
    assert_eq!(store.session(session.id).await.unwrap(), Some(session));
}

#[tokio::test]
async fn a_redis_that_was_killed_learns_again_who_is_there() {
    let mut server = RedisServer::start(&[]).await;
    let stores = [impatient(&server).await, impatient(&server).await];
    let [one, two] = &stores;
    let session = open(&**one, &entry(), 1, LONG).await;
    server.kill();
    is_away(one).await;
    server.again().await;
    for store in &stores {
        answers(store).await;
    }
    assert_eq!(two.session(session.id).await.unwrap(), None);
    let renewed = one.renew(std::slice::from_ref(&session)).await;
    assert_eq!(renewed.unwrap(), []);
    let seen = two.session(session.id).await.unwrap();
    assert_eq!(seen, Some(session.clone()));

    // Words get through again as well.
    let mut messages = two.events();
    let event = Message::Event(Event::Opened(session));
    one.publish(&event).await.unwrap();
    assert_eq!(heard(&mut messages).await, event);
}

#[tokio::test]
async fn an_admission_that_was_not_answered_is_undone() {
    let server = RedisServer::start(&[]).await;
    let store = impatient(&server).await;
    let (token, unchecked) = (entry(), entry());
    server.hang();
    for entry in [&token, &unchecked] {
        store.admit(&claim(entry)).await.unwrap_err();
    }
    server.go_on();
    answers(&store).await;
    // Let in all the same, lost, and not there to be renewed: it may come back.
    let keep = keep(1, LONG);
    store
        .connected(&live(&unchecked), Some(&keep))
        .await
        .unwrap();
    store.leave(&live(&unchecked), Leaving::Lost).await.unwrap();
    // It was carried out, since it was under way.
    let again = another(&token);
    until("the token works again", DEADLINE, async || {
        store.renew(&[]).await.unwrap();
        let admitted = store.admit(&claim(&again)).await.unwrap();
        admitted.map_err(|denied| denied.to_string())
    })
    .await;
    assert_eq!(store.session(token.id).await.unwrap(), None);
    let seen = store.session(unchecked.id).await.unwrap().unwrap();
    assert_eq!(seen.state, State::Lost);
    assert!(resume(&*store, unchecked.id, 1, 2).await.is_ok());
    store.renew(&[live(&again)]).await.unwrap();
    assert!(store.session(again.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_redis_that_becomes_a_replica_is_connected_to_anew() {
    let server = RedisServer::start(&[]).await;
    let store = impatient(&server).await;
    let mut connection = server.connection().await;
    let mut command = async |words: &[&str]| -> String {
        let mut command = ::redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut connection).await.unwrap()
    };
    let list = ["CLIENT", "LIST", "TYPE", "NORMAL"];
    let before = command(&list).await;
    command(&["REPLICAOF", "127.0.0.1", "1"]).await;
    let away = store.admit(&claim(&entry())).await.unwrap_err();
    assert!(away.to_string().contains("READONLY"), "{away}");
    command(&["REPLICAOF", "NO", "ONE"]).await;
    answers(&store).await;
    let after = command(&list).await;
    let ids = |list: &str| -> Vec<String> {
        let lines = list.lines();
        lines
            .map(|line| line.split(' ').next().unwrap().to_owned())
            .collect()
    };
    let (before, after) = (ids(&before), ids(&after));
    assert!(after.iter().any(|id| !before.contains(id)), "{after:?}");
}

/// Sessions ask from threads with runtimes of their own, which are not to be held up by what the store does.
#[tokio::test]
async fn whoever_finds_redis_gone_does_not_keep_its_next_connection() {
    let mut server = RedisServer::start(&[]).await;
    let store = impatient(&server).await;
    server.kill();
    server.again().await;
    let elsewhere = spawn_blocking(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(answers(&store));
        (runtime.metrics().num_alive_tasks(), store)
    });
    let (tasks, store) = elsewhere.await.unwrap();
    assert_eq!(tasks, 0);
    answers(&store).await;
}

#[tokio::test]
async fn under_load_redis_may_go_and_come() {
    let mut server = RedisServer::start(&[]).await;
    let store = impatient(&server).await;
    let (in_time, away) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut load = JoinSet::new();
    for _ in 0..50 {
        let store = Arc::clone(&store);
        let (in_time, away) = (Arc::clone(&in_time), Arc::clone(&away));
        load.spawn(async move {
            loop {
                let entry = entry();
                let answer = store.admit(&claim(&entry)).await;
                let counted = if answer.is_ok() { &in_time } else { &away };
                counted.fetch_add(1, Ordering::Relaxed);
                let _ = store.leave(&entry, Leaving::Over).await;
                sleep(Duration::from_millis(5)).await;
            }
        });
    }
    let more = async |count: &AtomicUsize, what: &str| {
        let before = count.load(Ordering::Relaxed);
        until(what, DEADLINE, async || {
            match count.load(Ordering::Relaxed) - before {
                100.. => Ok(()),
                more => Err(format!("{more}")),
            }
        })
        .await;
    };
    more(&in_time, "admissions").await;
    server.kill();
    more(&away, "refusals").await;
    server.again().await;
    more(&in_time, "admissions after the restart").await;
    server.hang();
    more(&away, "refusals while it hangs").await;
    server.go_on();
    more(&in_time, "admissions after it hung").await;
}
