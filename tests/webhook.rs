//! The webhook: who is told, how they know that it is us, and that nobody waits for them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::fake_host::FakeHost;
use common::gateway::{TestGateway, target};
use common::net::Family;
use common::receiver::{Receiver, Told};
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::wait::until;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

const SECRET: &str = "a secret of the tests";

/// What an event may take on a busy test machine, one more attempt included.
const TOLD: Duration = Duration::from_secs(30);

impl Told {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The value of the signature's header, once it was checked.
    fn assert_signed(&self) {
        let line = self
            .head
            .lines()
            .find_map(|line| line.strip_prefix("fanlight-signature: "));
        let (time, tag) = line.and_then(|it| it.split_once(",v1=")).unwrap();
        let seconds: u64 = time.strip_prefix("t=").unwrap().parse().unwrap();
        assert!(seconds > 1_700_000_000);
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(format!("{seconds}.").as_bytes());
        mac.update(&self.body);
        let expected = data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes());
        assert_eq!(tag, expected);
    }
}

impl Receiver {
    /// Waits until so many requests have come.
    async fn at_least(&self, count: usize) -> Vec<Told> {
        until("the receiver is told", TOLD, async || {
            let told = self.told();
            (told.len() >= count)
                .then_some(told.clone())
                .ok_or_else(|| format!("{told:?}"))
        })
        .await
    }
}

async fn gateway(receiver: SocketAddr) -> TestGateway {
    let builder = TestGateway::builder().file("webhook.secret", &format!("{SECRET}\n"));
    builder
        .set("webhook.url", format!("http://{receiver}/hooks/fanlight"))
        .set("webhook.secret_file", "webhook.secret")
        .set("shutdown.grace", "5s")
        .start()
        .await
}

#[tokio::test]
async fn openings_and_ends_are_told_signed_and_again_until_they_are_taken() {
    let host = Manners::default().host(Family::V4).await;
    let receiver = Receiver::start(&[503], 204).await;
    let mut gateway = gateway(receiver.address).await;
    let body = json!({ "target": target(host.address), "labels": { "vm": "web-01" } });
    let minted = gateway.mint(&body).await;
    let viewer = Viewer::open(&gateway, &minted).await.unwrap();
    let told = receiver.at_least(2).await;
    for attempt in &told {
        assert!(
            attempt
                .head
                .starts_with("POST /hooks/fanlight HTTP/1.1\r\n"),
            "{attempt:?}"
        );
        assert!(
            attempt.head.contains("content-type: application/json\r\n"),
            "{attempt:?}"
        );
        attempt.assert_signed();
    }
    assert_eq!(told[0].body, told[1].body, "the same delivery");
    let opened = told[0].json();
    assert_eq!(opened["event"], "opened");
    assert_eq!(opened["session"]["labels"], json!({ "vm": "web-01" }));
    assert_eq!(opened["session"]["console"], minted.id);
    assert_eq!(opened["session"].get("target"), None);

    // The end of a session that ends with the gateway is told as well.
    gateway.process().terminate();
    let told = receiver.at_least(3).await;
    told[2].assert_signed();
    let ended = told[2].json();
    assert_eq!(
        (&ended["event"], &ended["reason"]),
        (&json!("ended"), &json!("draining"))
    );
    assert_eq!(ended["session"]["id"], opened["session"]["id"]);
    assert_ne!(ended["delivery"], opened["delivery"]);
    drop(viewer);
    gateway.assert_log_has_no(SECRET);
}

#[tokio::test]
async fn an_answer_counts_by_its_status_alone() {
    let host = Manners::default().host(Family::V4).await;
    // A body that breaks off.
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf";
    let receiver = Receiver::answering(|_| half.to_owned()).await;
    let gateway = gateway(receiver.address).await;
    let minted = gateway.mint_open(host.address).await;
    drop(Viewer::open(&gateway, &minted).await.unwrap());
    let events = until("both events come", TOLD, async || {
        let told = receiver.told();
        let events: Vec<_> = told.iter().map(|it| it.json()["event"].clone()).collect();
        let over = events.contains(&json!("ended"));
        over.then_some(events).ok_or_else(|| format!("{told:?}"))
    })
    .await;
    assert_eq!(events, ["opened", "ended"], "each once");
}

#[tokio::test]
async fn a_receiver_that_is_not_there_holds_nobody_up() {
    let host = Manners::default().host(Family::V4).await;
    // It takes connections and says nothing.
    let silent = FakeHost::script(Vec::new()).await;
    let gateway = gateway(silent.address).await;
    for _ in 0..3 {
        let minted = gateway.mint_open(host.address).await;
        Viewer::open(&gateway, &minted).await.unwrap();
    }
    gateway.session_ends(3).await;
}

#[tokio::test]
async fn a_short_secret_is_refused() {
    let builder = TestGateway::builder().file("webhook.secret", "too short\n");
    let said = builder
        .set("webhook.url", "https://cloud.example/hook")
        .set("webhook.secret_file", "webhook.secret")
        .start_in_vain()
        .await;
    assert!(
        said.contains("has less than 16 bytes (setting webhook.secret_file)"),
        "{said}"
    );
    assert!(!said.contains("too short"), "{said}");
}
