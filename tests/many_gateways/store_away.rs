//! Redis goes away and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fanlight::reason::Reason;
use serde_json::json;
use tokio::task::JoinSet;

use crate::common::rfb_client::Viewer;
use crate::common::wait::until;
use crate::world::World;
use crate::{ANSWERED, LONG, end, refusal};

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

/// How the arrivals of a crowd went.
#[derive(Default)]
struct Crowd {
    inside: AtomicUsize,
    refused: AtomicUsize,
    over: AtomicBool,
}

impl Crowd {
    /// Waits until so many more have got in, or have been refused.
    async fn more(&self, what: &str, count: impl Fn(&Self) -> usize, more: usize) {
        let before = count(self);
        until(what, LONG, async || {
            let now = count(self);
            (now >= before + more).then_some(()).ok_or(now.to_string())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_stopped_and_started_under_load() {
    let mut world = World::start(|two| two).await;
    let mut running = Vec::new();
    for gateway in [&world.one, &world.two].into_iter().cycle().take(20) {
        let minted = world.mint(json!({})).await;
        running.push(Viewer::open(gateway, &minted).await.unwrap());
    }
    let crowd = Arc::new(Crowd::default());
    let mut arriving = JoinSet::new();
    let host = world.host.address;
    for gateway in [&world.one, &world.two].into_iter().cycle().take(8) {
        let (gateway, crowd) = (Arc::clone(gateway), Arc::clone(&crowd));
        arriving.spawn(async move {
            while !crowd.over.load(Ordering::Relaxed) {
                let minted = gateway.mint_open(host).await;
                match Viewer::open(&gateway, &minted).await {
                    Ok(_) => crowd.inside.fetch_add(1, Ordering::Relaxed),
                    Err(refused) => {
                        assert_eq!(refused.end, end(Reason::StoreUnavailable));
                        crowd.refused.fetch_add(1, Ordering::Relaxed)
                    }
                };
            }
        });
    }
    let inside = |crowd: &Crowd| crowd.inside.load(Ordering::Relaxed);
    let refused = |crowd: &Crowd| crowd.refused.load(Ordering::Relaxed);
    crowd.more("they get in", inside, 20).await;
    for turn in 1..=2 {
        world.redis.kill();
        crowd.more("they are refused", refused, 20).await;
        let back = Instant::now();
        world.redis.again().await;
        crowd.more("they get in again", inside, 1).await;
        println!(
            "outage {turn}: the first got in {:.1?} after Redis",
            back.elapsed()
        );
        crowd.more("they get in again", inside, 20).await;
    }
    crowd.over.store(true, Ordering::Relaxed);
    while let Some(arrived) = arriving.join_next().await {
        arrived.unwrap();
    }
    println!(
        "{} got in, {} were refused",
        inside(&crowd),
        refused(&crowd)
    );

    // Those that ran have noticed nothing.
    for viewer in &mut running {
        let ended = tokio::time::timeout(Duration::ZERO, viewer.socket.end()).await;
        assert!(ended.is_err(), "{ended:?}");
    }
    let ends = world
        .one
        .log_lines()
        .into_iter()
        .chain(world.two.log_lines());
    let unavailable = ends.filter(|line| line.text("reason") == "store_unavailable");
    assert_eq!(unavailable.count(), refused(&crowd), "each refusal is said");
}
