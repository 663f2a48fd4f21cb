//! A gateway is killed.

use std::time::{Duration, Instant};

use fanlight::reason::Reason;
use serde_json::{Value, json};

use crate::common::events::Events;
use crate::common::fake_host::FakeHost;
use crate::common::gateway::{TestGateway, target};
use crate::common::net::Family;
use crate::common::rfb_client::Viewer;
use crate::common::rfb_server::Manners;
use crate::common::wait::until;
use crate::world::World;
use crate::{LONG, end};

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

/// The ends that a gateway's audit log tells of.
fn written_down(gateway: &TestGateway) -> Vec<Value> {
    let text = std::fs::read_to_string(gateway.file("audit.log")).unwrap();
    let lines = text.lines().map(|it| serde_json::from_str(it).unwrap());
    lines.filter(|it: &Value| it["act"] == "end").collect()
}

#[tokio::test]
async fn the_ends_of_its_sessions_are_told_once_by_those_that_are_left() {
    let world = World::start(|two| two.set("audit.to", "audit.log")).await;
    let three = world.another("three").set("audit.to", "audit.log");
    let three = three.start().await;
    let mut listening = [
        Events::open(&world.two, "").await,
        Events::open(&three, "").await,
    ];
    let mut open = Vec::new();
    for vm in ["a", "b", "c"] {
        let minted = world.mint(json!({ "labels": { "vm": vm } })).await;
        open.push(Viewer::open(&world.one, &minted).await.unwrap());
        for events in &mut listening {
            events.until("event: opened\n", LONG).await;
        }
    }
    let killed = Instant::now();
    world.one.kill();
    for events in &mut listening {
        for _ in &open {
            events.until("event: ended\n", LONG).await;
            let json = events.until("\n\n", LONG).await;
            let json: Value = serde_json::from_str(&json["data: ".len()..]).unwrap();
            assert_eq!(json["reason"], Reason::GatewayLost.code());
            assert_eq!(json["session"]["gateway"], "one");
        }
    }
    println!("told {:.1?} after the gateway was killed", killed.elapsed());

    // Whoever opens now is told of next: nothing came in between.
    let minted = world.mint_at(&world.two).await;
    let viewer = Viewer::open(&world.two, &minted).await.unwrap();
    for events in &mut listening {
        let between = events.until("event: opened\n", LONG).await;
        assert!(!between.contains("event:"), "{between}");
    }
    drop(viewer);
    let ends = until("they are written down", LONG, async || {
        let both = [&*world.two, &three].map(written_down);
        let ends = both.concat();
        let lost = |it: &&Value| it["reason"] == Reason::GatewayLost.code();
        let lost: Vec<_> = ends.iter().filter(lost).cloned().collect();
        let seen = format!("{ends:?}");
        (ends.len() == 4 && lost.len() == 3)
            .then_some(lost)
            .ok_or(seen)
    })
    .await;
    let mut machines: Vec<_> = ends.iter().map(|it| it["labels"]["vm"].clone()).collect();
    machines.sort_by_key(Value::to_string);
    assert_eq!(machines, ["a", "b", "c"]);
}
