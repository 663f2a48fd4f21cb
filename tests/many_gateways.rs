//! Two gateways that share a key ring and a real Redis are one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::fake_host::FakeHost;
use common::gateway::{Builder, Minted, TestGateway, target};
use common::net::Family;
use common::redis::RedisServer;
use common::rfb_client::{Refusal, Viewer};
use common::rfb_server::Manners;
use common::wait::{until, within};
use common::websocket::End;
use fanlight::reason::Reason;
use fanlight::store::{Filter, Sentence, State, Store, Whom};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// What a handshake or an end may take on a busy test machine.
const ANSWERED: Duration = Duration::from_secs(20);
/// What takes a lease to be over, or two hundred handshakes.
const LONG: Duration = Duration::from_secs(60);

/// Two gateways, what they share, and a host.
struct World {
    one: Arc<TestGateway>,
    two: Arc<TestGateway>,
    redis: RedisServer,
    host: FakeHost,
    _dir: tempfile::TempDir,
}

fn builder(redis: &RedisServer) -> Builder {
    TestGateway::builder()
        .set("store.kind", "redis")
        .set("store.url", format!("redis://127.0.0.1:{}", redis.port))
        .set("store.timeout", "1s")
}

impl World {
    async fn start(of_two: impl FnOnce(Builder) -> Builder) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let redis = RedisServer::start(&[]).await;
        // The first makes the key ring.
        let state = dir.path().join("state");
        let one = builder(&redis).set("name", "one");
        let one = one.set("state_dir", state.to_str().unwrap()).start().await;
        let ring = state.join("keyring");
        let two = builder(&redis).set("name", "two");
        let two = two.set("tokens.keyring_file", ring.to_str().unwrap());
        Self {
            two: Arc::new(of_two(two).start().await),
            one: Arc::new(one),
            redis,
            host: Manners::default().host(Family::V4).await,
            _dir: dir,
        }
    }

    /// Mints at the first gateway.
    async fn mint(&self, more: Value) -> Minted {
        let mut body = json!({ "target": target(self.host.address) });
        let fields = body.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        self.one.mint(&body).await
    }

    /// Waits until the store knows of exactly one live session, at a gateway.
    async fn one_is_live_at(&self, gateway: &str) {
        let store = self.redis.store().await;
        until("the one session", ANSWERED, async || {
            let page = store.sessions(&Filter::default(), None, 10).await.unwrap();
            let live = page.entries.iter().filter(|it| it.state == State::Live);
            let gateways: Vec<_> = live.map(|it| it.gateway.as_str()).collect();
            if gateways == [gateway] {
                Ok(())
            } else {
                Err(format!("{gateways:?}"))
            }
        })
        .await;
    }
}

fn end(reason: Reason) -> End {
    End::Close {
        code: reason.close_code(),
        reason: reason.code().to_owned(),
    }
}

fn refusal(opened: Result<Viewer, Refusal>) -> End {
    opened.err().expect("a refusal").end
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_at_both_one_gets_in() {
    let world = World::start(|two| two).await;
    let minted = world.mint(json!({})).await;
    let mut opening = JoinSet::new();
    for gateway in [&world.one, &world.two].into_iter().cycle().take(200) {
        let (gateway, minted) = (Arc::clone(gateway), minted.clone());
        opening.spawn(async move { Viewer::open(&gateway, &minted).await });
    }
    let opened = within("all answers", LONG, opening.join_all()).await;
    let (inside, outside): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
    assert_eq!(inside.len(), 1);
    for refused in outside {
        assert_eq!(refusal(refused), end(Reason::TokenUsed));
    }
    assert_eq!(world.host.visits().len(), 1);
}

#[tokio::test]
async fn ends_reach_the_other_gateway() {
    let world = World::start(|two| two).await;
    let shared = world.mint(json!({})).await;
    let mut first = Viewer::open(&world.one, &shared).await.unwrap();
    world.one_is_live_at("one").await;
    let secret = first.resume_secret();

    let mut second = Viewer::resume(&world.two, &shared, &secret).await.unwrap();
    let told = within("the end", ANSWERED, first.socket.end()).await;
    assert_eq!(told, end(Reason::ResumedElsewhere));
    world.one_is_live_at("two").await;

    let takes_over = world.mint(json!({ "sharing": "take_over" })).await;
    let mut third = Viewer::open(&world.one, &takes_over).await.unwrap();
    let told = within("the end", ANSWERED, second.socket.end()).await;
    assert_eq!(told, end(Reason::TakenOver));

    let store = world.redis.store().await;
    let whom = Whom::Console(takes_over.id.parse().unwrap());
    let revoked = Sentence::plain(Reason::TokenRevoked);
    assert_eq!(store.end(&whom, &revoked).await.unwrap(), 1);
    let told = within("the end", ANSWERED, third.socket.end()).await;
    assert_eq!(told, end(Reason::TokenRevoked));
    let again = Viewer::open(&world.two, &takes_over).await;
    assert_eq!(refusal(again), end(Reason::TokenRevoked));
}

#[tokio::test]
async fn sessions_of_a_killed_gateway_go_on_at_the_other_or_vanish() {
    let world = World::start(|two| two).await;
    let other_host = Manners::default().host(Family::V4).await;
    let alone = |host: &FakeHost| json!({ "target": target(host.address), "sharing": "exclusive" });
    let comes_back = world.one.mint(&alone(&world.host)).await;
    let stays_away = world.one.mint(&alone(&other_host)).await;
    let survivor = Viewer::open(&world.one, &comes_back).await.unwrap();
    let secret = survivor.resume_secret();
    let _dies = Viewer::open(&world.one, &stays_away).await.unwrap();
    world.one.kill();

    let survived = Viewer::resume(&world.two, &comes_back, &secret).await;
    assert!(survived.is_ok(), "{:?}", survived.err());
    until("the other machine is free", LONG, async || {
        let minted = world.two.mint(&alone(&other_host)).await;
        match Viewer::open(&world.two, &minted).await {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.end == end(Reason::InUse) => {
                tokio::time::sleep(Duration::from_millis(500)).await;
                Err("in use".to_owned())
            }
            Err(other) => panic!("{other:?}"),
        }
    })
    .await;
}

#[tokio::test]
async fn without_the_store_sessions_live_on_and_newcomers_wait_or_not() {
    let mut world = World::start(|two| two.set("store.when_away", "allow")).await;
    let first = world.mint(json!({})).await;
    let _lives_on = Viewer::open(&world.one, &first).await.unwrap();
    world.one_is_live_at("one").await;

    world.redis.kill();
    let second = world.mint(json!({})).await;
    let refused = Viewer::open(&world.one, &second).await;
    assert_eq!(refusal(refused), end(Reason::StoreUnavailable));
    let unchecked = Viewer::open(&world.two, &second).await.unwrap();
    drop(unchecked);

    world.redis.again().await;
    world.one_is_live_at("one").await;
    let used = Viewer::open(&world.two, &first).await;
    assert_eq!(refusal(used), end(Reason::TokenUsed));
    let third = world.mint(json!({})).await;
    until(
        "newcomers are let in again",
        ANSWERED,
        async || match Viewer::open(&world.one, &third).await {
            Ok(_) => Ok(()),
            Err(refusal) => Err(format!("{refusal:?}")),
        },
    )
    .await;
}
