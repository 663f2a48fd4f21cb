//! What one gateway is asked to change about a session of the other.

use serde_json::json;

use crate::ANSWERED;
use crate::common::gateway::target;
use crate::common::net::Family;
use crate::common::rfb_client::Viewer;
use crate::common::rfb_server::Manners;
use crate::common::wait::within;
use crate::world::World;

#[tokio::test]
async fn what_is_changed_and_pressed_at_one_holds_at_the_other() {
    const CTRL: [u8; 8] = [4, 1, 0, 0, 0, 0, 0xff, 0xe3];
    const CTRL_UP: [u8; 8] = [4, 0, 0, 0, 0, 0, 0xff, 0xe3];
    let world = World::start(|two| two).await;
    let (host, mut heard) = Manners::default().host_of_keys(Family::V4).await;
    let minted = world
        .one
        .mint(&json!({ "target": target(host.address) }))
        .await;
    let mut viewer = Viewer::open(&world.two, &minted).await.unwrap();
    viewer.socket.sink.binary(&CTRL).await.unwrap();
    let first = within("the key", ANSWERED, heard.recv()).await;
    assert_eq!(first.as_deref(), Some(&CTRL[..]));
    world.one_is_live_at("two").await;
    let sessions = world.one.api("GET", "/api/v1/sessions").send().await.json();
    let session = sessions["sessions"][0]["id"].as_str().unwrap();

    let path = format!("/api/v1/sessions/{session}");
    let looking = json!({ "permissions": { "view_only": true } });
    let changed = world.one.api("PATCH", &path).json(&looking).send().await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let released = within("the release", ANSWERED, heard.recv()).await;
    assert_eq!(released.as_deref(), Some(&CTRL_UP[..]));
    viewer.socket.sink.binary(&CTRL).await.unwrap();

    let keys = json!({ "keys": "f1" });
    let path = format!("{path}/keys");
    let pressed = world.one.api("POST", &path).json(&keys).send().await;
    assert_eq!(pressed.status, 202, "{}", pressed.text());
    for down in [1, 0] {
        let key = within("the key", ANSWERED, heard.recv()).await;
        let expected = [4, down, 0, 0, 0, 0, 0xff, 0xbe];
        assert_eq!(key.as_deref(), Some(&expected[..]));
    }

    // It comes back at the first with what holds for it.
    let secret = viewer.resume_secret();
    let mut back = Viewer::resume(&world.one, &minted, &secret).await.unwrap();
    world.one_is_live_at("one").await;
    back.socket.sink.binary(&CTRL).await.unwrap();
    let pressed = world.two.api("POST", &path).json(&keys).send().await;
    assert_eq!(pressed.status, 202, "{}", pressed.text());
    let key = within("the key", ANSWERED, heard.recv()).await;
    assert_eq!(key.as_deref(), Some(&[4, 1, 0, 0, 0, 0, 0xff, 0xbe][..]));
}
