//! Who comes too often.

use fanlight::reason::Reason;
use serde_json::json;

use crate::common::gateway::TestGateway;
use crate::common::http::Request;
use crate::{host, open, words};

#[tokio::test]
async fn a_client_that_opens_too_many_consoles_is_told_and_others_are_not() {
    let gateway = TestGateway::builder()
        .set("limits.handshakes_per_client", "2/h")
        .set("trusted_proxies", vec!["127.0.0.1"])
        .start()
        .await;
    let host = host().await;
    let opened = async |client: &str| {
        let minted = gateway.mint_open(host.address).await;
        open(&gateway, &minted, &[("x-forwarded-for", client)]).await
    };
    let (yes, no) = (Ok(()), words(Reason::RateLimited));
    for client in [
        "203.0.113.5",
        "203.0.113.5:1",
        "203.0.113.5",
        "::ffff:203.0.113.5",
    ]
    .into_iter()
    .enumerate()
    {
        let expected = if client.0 < 2 { &yes } else { &no };
        assert_eq!(opened(client.1).await, *expected, "{client:?}");
    }
    assert_eq!(opened("203.0.113.6").await, yes);
    // In IPv6 a network of 64 bits is one client.
    for (client, expected) in [
        ("2001:db8:0:1::1", &yes),
        ("2001:db8:0:1::2", &yes),
        ("2001:db8:0:1:ffff::3", &no),
        ("2001:db8:0:2::1", &yes),
    ] {
        assert_eq!(opened(client).await, *expected, "{client}");
    }
    let ends = gateway.log();
    assert!(ends.contains("limits.handshakes_per_client"), "{ends}");
}

#[tokio::test]
async fn a_key_that_mints_too_often_has_to_wait() {
    let builder = TestGateway::builder().set("limits.mints_per_key", "2/h");
    let gateway = builder.start().await;
    let body = json!({ "target": { "host": "10.0.0.5", "port": 5900 } });
    for _ in 0..2 {
        assert_eq!(gateway.try_mint(&body).await.status, 201);
    }
    let refused = gateway.try_mint(&body).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json()["code"], "rate_limited");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=1800).contains(&wait), "{wait}");
    // Whoever has no key spends nobody's budget and learns nothing of it.
    let request = Request::new(gateway.address, "POST", "/api/v1/consoles");
    let stranger = request.header("authorization", "Bearer x").json(&body);
    assert_eq!(stranger.send().await.status, 401);
}

#[tokio::test]
async fn handshakes_on_their_way_are_bounded() {
    let gateway = TestGateway::builder()
        .set("limits.handshakes", 1)
        .start()
        .await;
    // A host that is silent keeps a console on its way.
    let silent = crate::common::fake_host::FakeHost::script(Vec::new()).await;
    let host = host().await;
    let waiting = gateway.mint_open(silent.address).await;
    let waiting = crate::common::websocket::WebSocket::open(
        &gateway,
        waiting.websocket_path(),
        &waiting.page_protocols(),
    )
    .await;
    let waiting = waiting.unwrap_or_else(|it| panic!("{}", it.text()));
    crate::common::wait::until("the host is reached", crate::ANSWERED, async || {
        let reached = gateway.log().contains("host connected");
        reached.then_some(()).ok_or_else(|| gateway.log())
    })
    .await;
    let minted = gateway.mint_open(host.address).await;
    let opened = open(&gateway, &minted, &[]).await;
    assert_eq!(opened, words(Reason::LimitReached));
    drop(waiting);
    gateway.session_ends(2).await;
    let minted = gateway.mint_open(host.address).await;
    assert_eq!(open(&gateway, &minted, &[]).await, Ok(()));
}
