//! Traces of a build with the feature `otel`: what a collector gets, and that nobody waits for one.
//! `make otel-test` builds it and brings what reads OTLP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

#[path = "../common/mod.rs"]
mod common;

mod collector;
mod message;
mod rotel;
mod spans;

use std::time::{Duration, SystemTime};

use common::fake_host::FakeHost;
use common::gateway::{Builder, TestGateway, target};
use common::http::Request;
use common::minted::Minted;
use common::net::Family;
use common::receiver::Receiver;
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::wait::until;
use common::xvnc::Xvnc;
use fanlight::host::resolve::Resolver;
use fanlight::id::ConsoleId;
use fanlight::metrics::Metrics;
use fanlight::otlp::Exporter;
use fanlight::tls::connect::{Connector, Trust};
use serde_json::{Value, json};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

const PASSWORD: &str = "s3cret12";
const HEADER: &str = "Bearer k3y-of-the-tests";
/// The trace and the span of whoever mints.
const PORTAL: [&str; 2] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
const PATIENCE: Duration = Duration::from_secs(30);

/// A gateway that sends its traces there.
fn tracing(collector: std::net::SocketAddr) -> Builder {
    TestGateway::builder()
        .file("headers", &format!("authorization: {HEADER}\n"))
        .set("traces.url", format!("http://{collector}/otlp/v1/traces"))
        .set("traces.headers_file", "headers")
        .set("shutdown.grace", "10s")
}

/// Stops the gateway, which sends what it has not sent yet.
async fn stop(gateway: &mut TestGateway) {
    gateway.process().terminate();
    let status = until("the gateway stops", PATIENCE, async || {
        let ended = gateway.process().ended();
        ended.ok_or_else(|| "it runs".to_owned())
    })
    .await;
    assert!(status.success(), "{}", gateway.log());
}

async fn open_page(gateway: &TestGateway, minted: &Minted) {
    let path = format!("/novnc?token={}", minted.token());
    let page = Request::get(gateway.address, &path).send().await;
    assert_eq!(page.status, 200);
}

/// Mints a console, opens its page, and sees its picture.
async fn watch(gateway: &TestGateway, host: &Xvnc) -> Minted {
    let order = json!({
        "target": target(host.address(Family::V4)),
        "credentials": { "password": PASSWORD },
        "labels": { "vm": "web-01" },
    });
    let minted = gateway
        .api("POST", "/api/v1/consoles")
        .header("traceparent", &format!("00-{}-{}-01", PORTAL[0], PORTAL[1]))
        .json(&order)
        .send()
        .await;
    let minted = Minted::from_answer(&minted.json());
    open_page(gateway, &minted).await;
    let mut viewer = Viewer::open(gateway, &minted).await.unwrap();
    viewer.ask_for_raw().await;
    viewer.fetch().await;
    minted
}

/// The one span of a console with this name.
fn span<'s>(spans: &'s [Value], console: &str, name: &str) -> &'s Value {
    let found: Vec<_> = spans
        .iter()
        .filter(|it| it["trace"] == console && it["name"] == name)
        .collect();
    assert_eq!(found.len(), 1, "{name} of {console} in {spans:#?}");
    found[0]
}

fn nanos(span: &Value, at: &str) -> u64 {
    span[at].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_mint_to_the_first_frame_is_one_trace() {
    let host = Xvnc::start(PASSWORD).await;
    let collector = Receiver::start(&[], 200).await;
    let begun = SystemTime::now();
    let mut gateway = tracing(collector.address)
        .set("name", "west-1")
        .start()
        .await;
    let minted = watch(&gateway, &host).await;
    stop(&mut gateway).await;
    let spans = collector.spans(4).await;
    let took = begun.elapsed().unwrap();
    assert_eq!(spans.len(), 4, "{spans:#?}");

    let [mint, page, connect, frame] = ["mint", "page", "connect", "first_frame"]
        .map(|name| span(&spans, &minted.id, &format!("console.{name}")));
    assert_eq!(mint["parent"], "");
    assert_eq!(mint["id"], minted.id[..16]);
    for below in [page, connect] {
        assert_eq!(below["parent"], mint["id"]);
    }
    assert_eq!(frame["parent"], connect["id"]);
    let mut ids: Vec<_> = spans.iter().map(|it| it["id"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);

    let mut before = begun
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_nanos() as u64;
    let last = before + took.as_nanos() as u64;
    for step in [mint, page, connect, frame] {
        let (start, end) = (nanos(step, "start"), nanos(step, "end"));
        assert!(before <= start && start < end, "{spans:#?}");
        before = start;
        assert!(end <= last, "{spans:#?}");
        assert_eq!(step["status"], json!({}));
    }
    assert_eq!(connect["end"], frame["start"]);
    let kinds = [mint, page, connect, frame].map(|it| it["kind"].as_str().unwrap());
    let (server, internal) = ("SPAN_KIND_SERVER", "SPAN_KIND_INTERNAL");
    assert_eq!(kinds, [server, server, server, internal]);

    let session = gateway.session_end().await.text("session");
    let attributes = json!({
        "fanlight.session": session,
        "fanlight.resumed": false,
        "fanlight.host_security": "2 (VNC Authentication)",
    });
    assert_eq!(connect["attributes"], attributes);
    assert_eq!(frame["attributes"], attributes);
    assert_eq!(mint["attributes"], json!({}));
    assert_eq!(mint["links"], json!([PORTAL]));
    assert_eq!(connect["links"], json!([]));
    let resource = json!({
        "service.name": "fanlight",
        "service.version": env!("CARGO_PKG_VERSION"),
        "service.instance.id": "west-1",
    });
    assert!(spans.iter().all(|it| it["resource"] == resource));

    for told in collector.told() {
        assert!(
            told.head.starts_with("POST /otlp/v1/traces HTTP/1.1\r\n"),
            "{told:?}"
        );
        for header in [
            "content-type: application/x-protobuf",
            &format!("authorization: {HEADER}"),
        ] {
            assert!(told.head.lines().any(|it| it == header), "{told:?}");
        }
        let text = String::from_utf8_lossy(&told.body);
        for secret in [minted.token(), PASSWORD, "127.0.0.1", "web-01"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    gateway.assert_log_has_no(HEADER);
}

#[tokio::test]
async fn gateways_with_the_same_keys_tell_of_one_trace() {
    let host = Manners::default().host(Family::V4).await;
    let collector = Receiver::start(&[], 200).await;
    let first = tracing(collector.address).set("name", "first");
    let mut first = first.start().await;
    let keys = first.file("state/keyring").to_str().unwrap().to_owned();
    let second = tracing(collector.address)
        .set("name", "second")
        .set("tokens.keyring_file", keys);
    let mut second = second.start().await;
    let minted = first.mint_open(host.address).await;
    let viewer = Viewer::open(&second, &minted).await.unwrap();
    drop(viewer);
    second.session_end().await;
    stop(&mut first).await;
    stop(&mut second).await;
    let spans = collector.spans(3).await;
    let mint = span(&spans, &minted.id, "console.mint");
    let connect = span(&spans, &minted.id, "console.connect");
    assert_eq!(connect["parent"], mint["id"]);
    assert_eq!(mint["resource"]["service.instance.id"], "first");
    assert_eq!(connect["resource"]["service.instance.id"], "second");
    // It left before there was a picture.
    let frame = span(&spans, &minted.id, "console.first_frame");
    assert_eq!(frame["status"]["code"], "STATUS_CODE_ERROR");
}

#[tokio::test]
async fn a_refusal_fails_the_connect_and_a_bad_token_leaves_no_trace() {
    let host = Manners::with_password(PASSWORD).host(Family::V4).await;
    let collector = Receiver::start(&[], 200).await;
    let mut gateway = tracing(collector.address).start().await;
    let mut forged = gateway.mint_open(host.address).await;
    let wrong = gateway.mint_for(host.address, "wr0ngpwd").await;
    assert!(Viewer::open(&gateway, &wrong).await.is_err());
    forged.url.push('x');
    assert!(Viewer::open(&gateway, &forged).await.is_err());
    gateway.session_ends(2).await;
    stop(&mut gateway).await;
    let spans = collector.spans(3).await;
    assert_eq!(spans.len(), 3, "two mints and a connect: {spans:#?}");
    let connect = span(&spans, &wrong.id, "console.connect");
    assert_eq!(connect["attributes"]["error.type"], "host_auth_failed");
    assert_eq!(
        connect["attributes"]["fanlight.host_security"],
        "2 (VNC Authentication)"
    );
    assert_eq!(connect["status"]["code"], "STATUS_CODE_ERROR");
    let words = connect["status"]["message"].as_str().unwrap();
    assert!(!words.is_empty());
}

#[tokio::test]
async fn a_session_that_comes_back_connects_once_more() {
    let host = Manners::default().host(Family::V4).await;
    let collector = Receiver::start(&[], 200).await;
    let mut gateway = tracing(collector.address).start().await;
    let minted = gateway.mint_open(host.address).await;
    let viewer = Viewer::open(&gateway, &minted).await.unwrap();
    let secret = viewer.resume_secret();
    drop(viewer);
    gateway.session_end().await;
    let again = Viewer::resume(&gateway, &minted, &secret).await.unwrap();
    drop(again);
    gateway.session_ends(2).await;
    stop(&mut gateway).await;
    let spans = collector.spans(5).await;
    let connects: Vec<_> = spans
        .iter()
        .filter(|it| it["name"] == "console.connect")
        .map(|it| &it["attributes"])
        .collect();
    assert_eq!(connects.len(), 2, "{spans:#?}");
    assert_eq!(
        connects[0]["fanlight.session"],
        connects[1]["fanlight.session"]
    );
    let resumed: Vec<_> = connects.iter().map(|it| &it["fanlight.resumed"]).collect();
    assert_eq!(resumed, [&json!(false), &json!(true)]);
}

/// What a scraper is told under this name.
async fn counted(gateway: &TestGateway, name: &str) -> u64 {
    let answer = Request::get(gateway.metrics(), "/metrics").send().await;
    let text = answer.text();
    let line = text.lines().find_map(|it| it.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {text}"))
        .trim()
        .parse()
        .unwrap()
}

#[tokio::test]
async fn what_is_not_taken_now_is_sent_again_and_what_is_refused_is_lost() {
    let collector = Receiver::start(&[503, 200, 400], 200).await;
    let gateway = tracing(collector.address).set("metrics.listen", "127.0.0.1:0");
    let gateway = gateway.start().await;
    let nowhere = "127.0.0.1:1".parse().unwrap();
    gateway.mint_open(nowhere).await;
    let taken = async || match counted(&gateway, "fanlight_trace_spans_sent_total ").await {
        1 => Ok(()),
        _ => Err(gateway.log()),
    };
    until("the span is taken", PATIENCE, taken).await;
    let told = collector.told();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].body, told[1].body);
    assert_eq!(
        counted(&gateway, "fanlight_trace_spans_lost_total ").await,
        0
    );

    gateway.mint_open(nowhere).await;
    let lost = async || match counted(&gateway, "fanlight_trace_spans_lost_total ").await {
        1 => Ok(()),
        _ => Err(gateway.log()),
    };
    until("the span is lost", PATIENCE, lost).await;
    assert_eq!(collector.told().len(), 3, "it was asked once");
    assert_eq!(counted(&gateway, "fanlight_trace_queue ").await, 0);
    until("that is said", PATIENCE, async || {
        let lines = gateway.log_lines();
        let said = lines
            .iter()
            .find(|it| it.text("message") == "traces are lost");
        said.map(|it| assert!(it.text("error").contains("400"), "{it:?}"))
            .ok_or_else(|| gateway.log())
    })
    .await;
}

#[tokio::test]
async fn a_collector_that_never_answers_holds_nobody_up() {
    let host = Manners::default().host(Family::V4).await;
    // It takes connections and says nothing.
    let silent = FakeHost::script(Vec::new()).await;
    let mut gateway = tracing(silent.address).start().await;
    for _ in 0..3 {
        let minted = gateway.mint_open(host.address).await;
        open_page(&gateway, &minted).await;
        Viewer::open(&gateway, &minted).await.unwrap();
    }
    gateway.session_ends(3).await;
    stop(&mut gateway).await;
    let log = gateway.log();
    for (words, count) in [
        ("the last traces were not sent", 1),
        ("stopped before everything had ended", 0),
    ] {
        assert_eq!(log.matches(words).count(), count, "{words} in {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_that_trickle_in_do_not_hold_up_the_last() {
    let collector = Receiver::start(&[], 200).await;
    let (traces, exporter) = Exporter::new(
        format!("http://{}/", collector.address).parse().unwrap(),
        None,
        "trickle".to_owned(),
        Resolver::from_system().unwrap(),
        Connector::new(&Trust::default()).unwrap(),
        &Metrics::new(),
    )
    .unwrap();
    let stop = CancellationToken::new();
    let trickle = async {
        for count in 0.. {
            if count == 10 {
                stop.cancel();
            }
            traces
                .request()
                .minted(ConsoleId::from_random([7; 16]), None);
            sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = exporter.run(stop.clone()) => {}
        () = trickle => {}
    }
    assert_ne!(collector.told().len(), 0, "nothing was sent");
}

#[tokio::test]
async fn headers_that_are_none_are_refused_and_not_repeated() {
    for (text, line) in [
        ("s3cr3t\n", 1),
        ("a: b\n\ns3cr3t s3cr3t: x", 3),
        ("a: s3cr3t\u{7f}", 1),
        ("a: b\nContent-Length: 0\n", 2),
        ("transfer-encoding: chunked", 1),
        ("host: s3cr3t", 1),
        ("content-encoding: gzip", 1),
    ] {
        let builder = tracing("127.0.0.1:1".parse().unwrap()).file("headers", text);
        let said = builder.start_in_vain().await;
        let words = format!("(setting traces.headers_file): line {line}");
        assert!(said.contains(&words), "{said}");
        // As check-config and a reload say it: before anything is begun.
        assert!(
            said.contains(": traces.headers_file: the headers "),
            "{said}"
        );
        assert!(!said.contains("s3cr3t"), "{said}");
    }
}
