//! Two gateways on one Redis.

use std::sync::Arc;
use std::time::Duration;

use fanlight::reason::Reason;
use fanlight::store::{Denied, Entry, Leaving, Message, Store, Whom};
use fanlight::token::{Labels, Sharing};
use tokio::task::JoinSet;

use crate::common::redis::RedisServer;
use crate::sample::{
    LONG, admit, another, at, claim, entry, heard, labels, live, open, resume, sentence,
};

#[tokio::test]
async fn of_two_hundred_at_two_gateways_one_gets_in() {
    let server = RedisServer::start(&[]).await;
    let stores = [server.store().await, server.store().await];
    let token = entry();
    let mut racing = JoinSet::new();
    for store in stores.iter().cycle().take(200) {
        let (store, claim) = (Arc::clone(store), claim(&another(&token)));
        racing.spawn(async move { store.admit(&claim).await.unwrap() });
    }
    let answers = racing.join_all().await;
    let refused = answers.iter().filter(|it| **it == Err(Denied::Used));
    assert_eq!(refused.count(), 199);
}

#[tokio::test]
async fn what_one_says_the_other_hears() {
    let server = RedisServer::start(&[]).await;
    let (one, two) = (server.store().await, server.store().await);
    let mut messages = two.subscribe();

    let session = open(&*one, &at("desk", Sharing::TakeOver), 1, LONG).await;
    let seen = two.session(session.id).await.unwrap();
    assert_eq!(seen, Some(session.clone()));
    let resumed = resume(&*two, session.id, 1, 2).await.unwrap();
    assert_eq!(&*resumed.entry.gateway, "two");
    let legs = heard(&mut messages).await;
    assert!(matches!(
        legs,
        Message::End {
            whom: Whom::Legs { below: 2, .. },
            ..
        }
    ));

    let out = admit(&*one, &at("desk", Sharing::TakeOver)).await.unwrap();
    assert_eq!(out, [session.id]);
    match heard(&mut messages).await {
        Message::End { whom, sentence } => {
            assert_eq!(whom, Whom::Session(session.id));
            assert_eq!(sentence.reason, Reason::TakenOver);
        }
        other => panic!("{other:?}"),
    }

    let whom = Whom::Console(session.console);
    one.end(&whom, &sentence()).await.unwrap();
    let told = Message::End {
        whom,
        sentence: sentence(),
    };
    assert_eq!(heard(&mut messages).await, told);
    let used = admit(&*two, &another(&session)).await;
    assert_eq!(used, Err(Denied::Revoked));
}

/// Does everything that leaves something in Redis.
async fn leave_traces(store: &dyn Store) {
    let full = Entry {
        labels: labels(&[("tenant", "a"), ("vm", "web-01")]).into(),
        ..entry()
    };
    let lost = open(store, &full, 0xab, LONG).await;
    store.leave(&lost, Leaving::Lost).await.unwrap();
    resume(store, lost.id, 0xab, 0xac).await.unwrap();
    let over = open(store, &entry(), 1, LONG).await;
    store.leave(&over, Leaving::Over).await.unwrap();
    open(store, &at("desk", Sharing::TakeOver), 1, LONG).await;
    admit(store, &at("desk", Sharing::TakeOver)).await.unwrap();
    store.renew(&[live(&entry())]).await.unwrap();
    for whom in [
        Whom::Session(entry().id),
        Whom::Console(entry().console),
        Whom::Label {
            key: "vm".to_owned(),
            value: "web-02".to_owned(),
            minted_by: entry().minted_at,
        },
    ] {
        store.end(&whom, &sentence()).await.unwrap();
    }
}

#[tokio::test]
async fn every_key_has_the_prefix_and_an_end() {
    let server = RedisServer::start(&[]).await;
    let mut params = server.params();
    params.prefix = "other {1}:".to_owned();
    let store = crate::common::redis::open(&params).await;
    leave_traces(&*store).await;

    let mut connection = server.connection().await;
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg("*")
        .query_async(&mut connection)
        .await
        .unwrap();
    let mut kinds: Vec<_> = keys
        .iter()
        .map(|key| key.strip_prefix(&params.prefix).unwrap())
        .map(|key| key.split(':').next().unwrap())
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    let known = [
        "beat", "c", "due", "ids", "k", "l", "m", "rc", "rl", "s", "u", "x",
    ];
    assert_eq!(kinds, known);
    for key in &keys {
        let ms: i64 = redis::cmd("PTTL")
            .arg(key)
            .query_async(&mut connection)
            .await
            .unwrap();
        let day = Duration::from_secs(26 * 3600).as_millis() as i64;
        assert!((1..day).contains(&ms), "{key}: {ms}");
    }
    // A store with another prefix knows nothing of it.
    let apart = server.store().await;
    let page = apart.sessions(&Default::default(), None, 10).await.unwrap();
    assert_eq!(page.entries, []);
}

#[tokio::test]
async fn a_token_is_known_as_used_an_hour_longer_than_it_could_be_used() {
    let server = RedisServer::start(&[]).await;
    let store = server.store().await;
    let token = entry();
    admit(&*store, &token).await.unwrap();
    let key = format!("{}u:{}", server.params().prefix, token.console);
    let mut connection = server.connection().await;
    let ms: u64 = redis::cmd("PTTL")
        .arg(key)
        .query_async(&mut connection)
        .await
        .unwrap();
    let most = LONG + Duration::from_secs(60 * 60);
    let known = Duration::from_millis(ms);
    assert!((most - LONG..=most).contains(&known), "{known:?}");
}

#[tokio::test]
async fn whoever_is_refused_leaves_nothing_in_redis() {
    let server = RedisServer::start(&[]).await;
    let store = server.store().await;
    let there = open(&*store, &at("desk", Sharing::Exclusive), 1, LONG).await;
    let revoked = entry();
    let whom = Whom::Console(revoked.console);
    store.end(&whom, &sentence()).await.unwrap();

    let mut connection = server.connection().await;
    let mut keys = async || {
        let size = redis::cmd("DBSIZE");
        size.query_async::<usize>(&mut connection).await.unwrap()
    };
    let before = keys().await;
    for _ in 0..100 {
        let late = at("desk", Sharing::Shared);
        for refused in [another(&there), another(&revoked), late] {
            admit(&*store, &refused).await.unwrap_err();
        }
        resume(&*store, there.id, 9, 2).await.unwrap_err();
        resume(&*store, entry().id, 1, 2).await.unwrap_err();
    }
    assert_eq!(keys().await, before);
}

/// Bytes that Redis uses, once it has nothing else to do.
async fn used(server: &RedisServer) -> usize {
    let mut connection = server.connection().await;
    let info: String = redis::cmd("INFO")
        .arg("memory")
        .query_async(&mut connection)
        .await
        .unwrap();
    let line = info.lines().find_map(|it| it.strip_prefix("used_memory:"));
    line.unwrap().trim().parse().unwrap()
}

/// Bytes of Redis for each of some sessions.
async fn bytes_each(few: usize, entry: impl Fn(usize) -> Entry) -> usize {
    let server = RedisServer::start(&[]).await;
    let store = server.store().await;
    open(&*store, &entry(0), 1, LONG).await;
    let before = used(&server).await;
    for count in 0..few {
        open(&*store, &entry(count), 1, LONG).await;
    }
    (used(&server).await - before) / few
}

#[tokio::test]
async fn a_session_costs_some_kilobytes_of_redis() {
    let usual = bytes_each(1000, |count| Entry {
        labels: labels(&[
            ("tenant", "acme"),
            ("user", "somebody@example.com"),
            ("vm", &format!("web-{count:04}")),
        ])
        .into(),
        client: [10, 0, (count >> 8) as u8, count as u8].into(),
        ..entry()
    })
    .await;
    let most = bytes_each(100, |count| {
        let mut labels = Labels::default();
        for label in 0..16 {
            let key = format!("{label:0>64}");
            let value = format!("{:\"<128}", format!("{label} {count} "));
            labels.insert(&key, &value).unwrap();
        }
        Entry {
            labels: labels.into(),
            ..entry()
        }
    })
    .await;
    println!("usual: {usual} bytes a session; with the most labels: {most}");
    assert!(usual < 8 * 1024, "{usual}");
    assert!(most < 64 * 1024, "{most}");
}
