//! A token, an end and a take-over, from one gateway to the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fanlight::reason::Reason;
use fanlight::store::{Sentence, Store, Whom};
use serde_json::json;
use tokio::task::JoinSet;

use crate::common::rfb_client::Viewer;
use crate::common::wait::within;
use crate::world::World;
use crate::{ANSWERED, LONG, end, refusal};

/// How often an end is measured.
const TIMES: usize = 10;

/// Says what was measured: the middle and the longest.
fn print(what: &str, mut took: Vec<Duration>) {
    took.sort();
    let (middle, longest) = (took[took.len() / 2], took[took.len() - 1]);
    println!(
        "{what}: {middle:.1?} in the middle, {longest:.1?} at most, of {}",
        took.len()
    );
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
    let started = Instant::now();
    let opened = within("all answers", LONG, opening.join_all()).await;
    let took = started.elapsed();
    let (inside, outside): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
    assert_eq!(inside.len(), 1);
    for refused in outside {
        assert_eq!(refusal(refused), end(Reason::TokenUsed));
    }
    assert_eq!(world.host.visits().len(), 1);
    println!("of 200 at two gateways 1 got in, and all were answered within {took:.0?}");
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

/// From the request at one gateway to the close frame from the other.
#[tokio::test]
async fn what_is_revoked_at_one_ends_at_the_other_at_once() {
    let world = World::start(|two| two).await;
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let minted = world.mint(json!({})).await;
        let mut viewer = Viewer::open(&world.two, &minted).await.unwrap();
        world.one_is_live_at("two").await;
        let path = format!("/api/v1/consoles/{}", minted.id);
        let asked = Instant::now();
        let (answer, told) = tokio::join!(
            world.one.api("DELETE", &path).send(),
            within("the end", ANSWERED, async {
                let told = viewer.socket.end().await;
                took.push(asked.elapsed());
                told
            }),
        );
        assert_eq!(answer.json()["sessions_ended"], 1);
        assert_eq!(told, end(Reason::TokenRevoked));
        let again = Viewer::open(&world.two, &minted).await;
        assert_eq!(refusal(again), end(Reason::TokenRevoked));
    }
    print(
        "from a revocation at one gateway to the end at the other",
        took,
    );
}

/// From the newcomer's WebSocket at one gateway to the other viewer's close frame from the other.
#[tokio::test]
async fn whoever_takes_over_at_one_ends_the_session_at_the_other() {
    let world = World::start(|two| two).await;
    let taking = json!({ "sharing": "take_over", "labels": { "user": "ada" } });
    let minted = world.mint(taking.clone()).await;
    let mut there = Viewer::open(&world.two, &minted).await.unwrap();
    let mut took = Vec::new();
    for turn in 0..TIMES {
        let gateway = [&world.one, &world.two][turn % 2];
        let minted = world.mint(taking.clone()).await;
        let asked = Instant::now();
        let (newcomer, told) = tokio::join!(
            Viewer::open(gateway, &minted),
            within("the end", ANSWERED, async {
                let told = there.socket.end().await;
                took.push(asked.elapsed());
                told
            }),
        );
        assert_eq!(told, end(Reason::TakenOver));
        there = newcomer.unwrap();
    }
    world.one_is_live_at("two").await;
    print(
        "from a newcomer at one gateway to the end at the other",
        took,
    );
}
