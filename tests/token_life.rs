//! The life of a token and of the session that it opens: once, again after a loss, and no more.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use common::fake_host::FakeHost;
use common::gateway::{Minted, TestGateway, target};
use common::net::{Family, free_port};
use common::rfb_client::{Refusal, Viewer};
use common::rfb_server::Manners;
use common::wait::{until, within};
use common::websocket::End;
use fanlight::reason::Reason;
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;

/// What a handshake or an end may take on a busy test machine.
const ANSWERED: Duration = Duration::from_secs(20);
/// Two hundred of them.
const ALL: Duration = Duration::from_secs(60);

async fn host() -> FakeHost {
    Manners::default().host(Family::V4).await
}

async fn mint(gateway: &TestGateway, host: &FakeHost, more: Value) -> Minted {
    let mut body = json!({ "target": target(host.address) });
    let body_fields = body.as_object_mut().unwrap();
    body_fields.extend(more.as_object().unwrap().clone());
    gateway.mint(&body).await
}

#[track_caller]
fn assert_refused(opened: Result<Viewer, Refusal>, reason: Reason) {
    let refusal = opened.err().expect("a refusal");
    assert_eq!(refusal.end, end(reason), "{refusal:?}");
}

fn end(reason: Reason) -> End {
    End::Close {
        code: reason.close_code(),
        reason: reason.code().to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_at_once_one_gets_in() {
    let host = host().await;
    let gateway = Arc::new(TestGateway::start().await);
    let minted = gateway.mint_open(host.address).await;
    let mut opening = JoinSet::new();
    for _ in 0..200 {
        let (gateway, minted) = (Arc::clone(&gateway), minted.clone());
        opening.spawn(async move { Viewer::open(&gateway, &minted).await });
    }
    let opened = within("all answers", ALL, opening.join_all()).await;
    let (inside, outside): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
    assert_eq!(inside.len(), 1);
    for refused in outside {
        assert_refused(refused, Reason::TokenUsed);
    }
    assert_eq!(host.visits().len(), 1, "nobody else got as far as the host");
}

#[tokio::test]
async fn a_token_opens_as_many_sessions_as_it_says() {
    let host = host().await;
    let gateway = TestGateway::start().await;
    let minted = mint(&gateway, &host, json!({ "limits": { "uses": 2 } })).await;
    let _one = Viewer::open(&gateway, &minted).await.unwrap();
    let two = Viewer::open(&gateway, &minted).await.unwrap();
    drop(two);
    gateway.session_end().await;
    assert_refused(Viewer::open(&gateway, &minted).await, Reason::TokenUsed);
}

#[tokio::test]
async fn a_use_without_a_picture_is_given_back() {
    let gateway = TestGateway::start().await;
    let nobody = (Ipv4Addr::LOCALHOST, free_port()).into();
    let minted = gateway.mint_open(nobody).await;
    for _ in 0..3 {
        let refused = Viewer::open(&gateway, &minted).await;
        assert_refused(refused, Reason::HostUnreachable);
    }
}

#[tokio::test]
async fn a_lost_session_comes_back_with_its_secret_and_each_secret_once() {
    let host = host().await;
    let gateway = TestGateway::start().await;
    let minted = gateway.mint_open(host.address).await;
    let first = Viewer::open(&gateway, &minted).await.unwrap();
    let secret = first.resume_secret();
    drop(first);
    gateway.session_end().await;

    let second = Viewer::resume(&gateway, &minted, &secret).await.unwrap();
    let newer = second.resume_secret();
    assert_ne!(secret, newer);
    drop(second);
    gateway.session_ends(2).await;

    // The one before works until the newest was used: the page may never have got the newest.
    let third = Viewer::resume(&gateway, &minted, &secret).await.unwrap();
    let newest = third.resume_secret();
    drop(third);
    gateway.session_ends(3).await;
    let _fourth = Viewer::resume(&gateway, &minted, &newest).await.unwrap();
    let late = Viewer::resume(&gateway, &minted, &newer).await;
    assert_refused(late, Reason::ResumeExpired);

    let ends = gateway.session_ends(4).await;
    let ids: Vec<_> = ends[..3].iter().map(|line| line.text("session")).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "one session: {ids:?}");
    for spent in [&secret, &newer, &newest] {
        gateway.assert_log_has_no(spent.split_once('.').unwrap().1);
    }
}

#[tokio::test]
async fn whoever_moves_is_where_they_came_back_from() {
    let host = host().await;
    let gateway = TestGateway::builder()
        .set("limits.sessions_per_client", 1)
        .start()
        .await;
    let minted = mint(&gateway, &host, json!({ "limits": { "uses": 3 } })).await;
    let first = Viewer::open(&gateway, &minted).await.unwrap();
    let secret = format!("fanlight.resume.{}", first.resume_secret());
    drop(first);
    gateway.session_end().await;

    let elsewhere = TcpSocket::new_v4().unwrap();
    elsewhere.bind(([127, 0, 0, 2], 0).into()).unwrap();
    let stream = elsewhere.connect(gateway.address).await.unwrap();
    let protocols = ["binary".to_owned(), "fanlight.1".to_owned(), secret];
    let moved = Viewer::open_over(stream, gateway.address, &minted, &protocols).await;
    let _moved = moved.unwrap();
    until("the session is where its person is", ANSWERED, async || {
        let sessions = gateway.api("GET", "/api/v1/sessions").send().await.json();
        let client = &sessions["sessions"][0]["client"];
        (*client == "127.0.0.2")
            .then_some(())
            .ok_or_else(|| sessions.to_string())
    })
    .await;
    // The quota of where they were has a place again.
    let _other = Viewer::open(&gateway, &minted).await.unwrap();
}

#[tokio::test]
async fn a_session_that_goes_on_elsewhere_ends_where_it_was() {
    let host = host().await;
    let gateway = TestGateway::start().await;
    let minted = gateway.mint_open(host.address).await;
    let mut first = Viewer::open(&gateway, &minted).await.unwrap();
    let secret = first.resume_secret();
    let _second = Viewer::resume(&gateway, &minted, &secret).await.unwrap();
    let told = within("the end", ANSWERED, first.socket.end()).await;
    assert_eq!(told, end(Reason::ResumedElsewhere));
}

#[tokio::test]
async fn whoever_disconnects_does_not_come_back() {
    let host = host().await;
    let gateway = TestGateway::start().await;
    let minted = gateway.mint_open(host.address).await;
    let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
    let secret = viewer.resume_secret();
    viewer.socket.sink.close(1000, "").await.unwrap();
    gateway.session_end().await;
    let refused = Viewer::resume(&gateway, &minted, &secret).await;
    assert_refused(refused, Reason::ResumeExpired);
}

#[tokio::test]
async fn after_the_grace_a_session_is_gone() {
    let host = host().await;
    let gateway = TestGateway::builder()
        .set("resume.grace", "1s")
        .start()
        .await;
    let minted = gateway.mint_open(host.address).await;
    let viewer = Viewer::open(&gateway, &minted).await.unwrap();
    let secret = viewer.resume_secret();
    drop(viewer);
    until("the grace is over", ANSWERED, async || {
        match Viewer::resume(&gateway, &minted, &secret).await {
            // It came back, and is lost again, with another second.
            Ok(viewer) => {
                drop(viewer);
                tokio::time::sleep(Duration::from_millis(1500)).await;
            }
            Err(refusal) if refusal.end == end(Reason::ResumeExpired) => return Ok(()),
            Err(refusal) => panic!("{refusal:?}"),
        }
        Err("still there".to_owned())
    })
    .await;
}

#[tokio::test]
async fn a_secret_of_nobody_opens_nothing() {
    let host = host().await;
    let gateway = TestGateway::start().await;
    let minted = gateway.mint_open(host.address).await;
    let forged = format!("{}.{}", "07".repeat(16), "A".repeat(43));
    let refused = Viewer::resume(&gateway, &minted, &forged).await;
    assert_refused(refused, Reason::ResumeExpired);
    // What is no secret at all is nothing.
    let refused = Viewer::resume(&gateway, &minted, "nonsense").await;
    assert_refused(refused, Reason::TokenMissing);
    assert!(host.visits().is_empty());
}

#[tokio::test]
async fn an_exclusive_session_keeps_others_out_and_finds_nobody_there() {
    let host = host().await;
    let gateway = TestGateway::start().await;
    let alone = json!({ "sharing": "exclusive" });
    let shared = json!({});
    let minted = mint(&gateway, &host, alone.clone()).await;
    let first = Viewer::open(&gateway, &minted).await.unwrap();
    for newcomer in [&alone, &shared] {
        let minted = mint(&gateway, &host, newcomer.clone()).await;
        assert_refused(Viewer::open(&gateway, &minted).await, Reason::InUse);
    }
    drop(first);
    gateway.session_ends(3).await;
    let minted = mint(&gateway, &host, shared).await;
    let _there = Viewer::open(&gateway, &minted).await.unwrap();
    let minted = mint(&gateway, &host, alone).await;
    assert_refused(Viewer::open(&gateway, &minted).await, Reason::InUse);
}

#[tokio::test]
async fn whoever_takes_over_gets_in_and_the_other_is_told_by_whom() {
    let host = host().await;
    let gateway = TestGateway::start().await;
    let minted = gateway.mint_open(host.address).await;
    let mut first = Viewer::open(&gateway, &minted).await.unwrap();
    let takes_over = json!({ "sharing": "take_over", "labels": { "user": "ada" } });
    let minted = mint(&gateway, &host, takes_over).await;
    let _second = Viewer::open(&gateway, &minted).await.unwrap();
    let told = within("the end", ANSWERED, first.socket.end()).await;
    assert_eq!(told, end(Reason::TakenOver));
    let said = first.socket.source.texts.last().unwrap();
    let said: Value = serde_json::from_str(said).unwrap();
    assert_eq!(said["note"], "By ada.", "{said}");
}

#[tokio::test]
async fn quotas_hold_for_clients_and_labels() {
    let host = host().await;
    let gateway = TestGateway::builder()
        .set("limits.sessions_per_client", 3)
        .set("limits.sessions_per_label", vec!["tenant=1"])
        .start()
        .await;
    let of_acme = json!({ "labels": { "tenant": "acme" }, "limits": { "uses": 5 } });
    let acme = mint(&gateway, &host, of_acme).await;
    let of_none = json!({ "limits": { "uses": 5 } });
    let others = mint(&gateway, &host, of_none).await;
    let _first = Viewer::open(&gateway, &acme).await.unwrap();
    assert_refused(Viewer::open(&gateway, &acme).await, Reason::LimitReached);
    let _second = Viewer::open(&gateway, &others).await.unwrap();
    let _third = Viewer::open(&gateway, &others).await.unwrap();
    assert_refused(Viewer::open(&gateway, &others).await, Reason::LimitReached);
}
