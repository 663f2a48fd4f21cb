//! `GET /api/v1/sessions/events`.

use std::time::Duration;

use axum::body::BodyDataStream;
use fanlight::reason::Reason;
use fanlight::store::{BACKLOG, Event, Message, Sentence, Store, Whom};
use futures_util::StreamExt;
use serde_json::Value;

use crate::desk::{Desk, entry};

const PATH: &str = "/api/v1/sessions/events";

/// Somebody who reads events.
struct Reader(BodyDataStream);

impl Reader {
    async fn open(desk: &Desk, path: &str, key: &str) -> Self {
        let response = desk.open("GET", path, key, None).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["connection"], "close");
        let mut reader = Self(response.into_body().into_data_stream());
        let start = reader.text().await.unwrap();
        assert!(start.starts_with("retry: "), "{start}");
        reader
    }

    /// The next piece, or `None` at the end.
    async fn text(&mut self) -> Option<String> {
        let piece = self.0.next().await?.unwrap();
        Some(String::from_utf8(piece.to_vec()).unwrap())
    }

    /// The next event's name and data.
    async fn event(&mut self) -> (String, Value) {
        let text = self.text().await.unwrap();
        let (name, data) = text
            .strip_prefix("event: ")
            .and_then(|it| it.strip_suffix("\n\n"))
            .and_then(|it| it.split_once("\ndata: "))
            .unwrap_or_else(|| panic!("{text:?}"));
        (name.to_owned(), serde_json::from_str(data).unwrap())
    }
}

async fn publish(desk: &Desk, event: Event) {
    desk.store.publish(&Message::Event(event)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_happens_is_told_as_it_happens() {
    let desk = Desk::new();
    let mut all = Reader::open(&desk, PATH, "sessions:read").await;
    let mut one = Reader::open(&desk, &format!("{PATH}?label=vm=b"), "admin").await;
    let (a, b) = (entry(1, &[("vm", "a")]), entry(2, &[("vm", "b")]));
    let ended = |session| Event::Ended {
        session,
        reason: Reason::HostClosed,
        found_by: None,
    };
    // A word to gateways is none to readers.
    let whom = Whom::Session(a.id);
    let sentence = Sentence::plain(Reason::Terminated);
    desk.store.end(&whom, &sentence).await.unwrap();
    publish(&desk, Event::Opened(a.clone())).await;
    publish(&desk, Event::Resumed(b.clone())).await;
    publish(&desk, ended(b.clone())).await;

    let (name, data) = all.event().await;
    assert_eq!(
        (name.as_str(), &data["event"]),
        ("opened", &"opened".into())
    );
    assert_eq!(data["session"]["id"], a.id.to_string());
    assert_eq!(data["session"].get("target"), None);
    assert_eq!(data.get("reason"), None);
    assert_eq!(all.event().await.0, "resumed");
    let (name, data) = all.event().await;
    assert_eq!(
        (name.as_str(), &data["reason"]),
        ("ended", &"host_closed".into())
    );

    let (name, data) = one.event().await;
    assert_eq!(name, "resumed");
    assert_eq!(data["session"]["target"], "10.0.0.5:5901");
    assert_eq!(one.event().await.0, "ended");

    // Time is paused and passes when nothing else is to be done.
    let quiet = tokio::time::Instant::now();
    assert_eq!(all.text().await.unwrap(), ": alive\n\n");
    assert!(quiet.elapsed() <= Duration::from_secs(15));
    assert_eq!(all.text().await.unwrap(), ": alive\n\n");
}

#[tokio::test]
async fn who_reads_too_slowly_is_told_and_dropped() {
    let desk = Desk::new();
    let mut slow = Reader::open(&desk, PATH, "sessions:read").await;
    for _ in 0..BACKLOG + 3 {
        publish(&desk, Event::Opened(entry(1, &[]))).await;
    }
    let (name, data) = slow.event().await;
    assert_eq!((name.as_str(), &data["missed"]), ("dropped", &3.into()));
    assert_eq!(slow.text().await, None);
}

#[tokio::test]
async fn a_gateway_that_stops_says_so() {
    let desk = Desk::new();
    let mut reader = Reader::open(&desk, PATH, "sessions:read").await;
    desk.stop.cancel();
    assert_eq!(reader.event().await.0, "closing");
    assert_eq!(reader.text().await, None);
}

#[tokio::test]
async fn places_are_bounded_and_given_back() {
    let desk = Desk::new();
    let mut readers = Vec::new();
    for _ in 0..64 {
        readers.push(Reader::open(&desk, PATH, "sessions:read").await);
    }
    let refused = desk.get(PATH).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (503, "too_many_listeners")
    );
    readers.pop();
    Reader::open(&desk, PATH, "sessions:read").await;
    assert_eq!(
        desk.get(&format!("{PATH}?limit=5")).await.code(),
        "invalid_parameter"
    );
}
