//! Somebody who takes OTLP over HTTP, and reads it with OpenTelemetry's own messages.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::common::fake_host::{FakeHost, Line};
use crate::common::net::Family;
use crate::common::wait::until;

/// What spans may take on a busy test machine, the time that they are gathered for included.
const TOLD: Duration = Duration::from_secs(30);

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// Answers the first requests with these statuses, and all others with 200.
pub(crate) struct Collector {
    _host: FakeHost,
    pub(crate) address: SocketAddr,
    told: Arc<Mutex<Vec<Told>>>,
}

impl Collector {
    pub(crate) async fn start(statuses: &[u16]) -> Self {
        let told = Arc::<Mutex<Vec<Told>>>::default();
        let (book, statuses) = (Arc::clone(&told), Arc::new(statuses.to_vec()));
        let host = FakeHost::serve(Family::V4, move |mut line| {
            let (book, statuses) = (Arc::clone(&book), Arc::clone(&statuses));
            async move {
                let request = read_request(&mut line).await;
                let number = {
                    let mut book = book.lock().unwrap();
                    book.push(request);
                    book.len() - 1
                };
                let status = statuses.get(number).copied().unwrap_or(200);
                let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n");
                line.send(answer.as_bytes()).await;
            }
        })
        .await;
        Self {
            address: host.address,
            _host: host,
            told,
        }
    }

    /// What has come so far.
    pub(crate) fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// Waits until there are so many spans, and gives all, each with the resource that it is of.
    pub(crate) async fn spans(&self, count: usize) -> Vec<Value> {
        until("the spans come", TOLD, async || {
            let told = self.told();
            let bodies: Vec<_> = told.iter().map(|it| it.body.clone()).collect();
            let spans = spans_of(&bodies);
            (spans.len() >= count)
                .then_some(spans)
                .ok_or_else(|| format!("{told:?}"))
        })
        .await
    }
}

async fn read_request(line: &mut Line) -> Told {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(line.read(1).await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|it| it.strip_prefix("content-length: "))
        .unwrap();
    let body = line.read(length.parse().unwrap()).await.unwrap();
    Told { head, body }
}

/// All spans of these requests, each with its `resource`.
pub(crate) fn spans_of(requests: &[Vec<u8>]) -> Vec<Value> {
    if requests.is_empty() {
        return Vec::new();
    }
    let each = decode(requests).into_iter().flat_map(|request| {
        let parts = request.as_array().unwrap().clone();
        parts.into_iter().flat_map(|part| {
            assert_eq!(part["scope"], "fanlight");
            let spans = part["spans"].as_array().unwrap().clone();
            spans.into_iter().map(move |mut span| {
                span["resource"] = part["resource"].clone();
                span
            })
        })
    });
    each.collect()
}

fn decode(requests: &[Vec<u8>]) -> Vec<Value> {
    let packages = std::env::var_os("OPENTELEMETRY").expect("make otel-test sets it");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/otel/decode.py");
    let mut python = Command::new(Path::new(&packages).join("bin/python"))
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("make otel-test installs it");
    let lines: String = requests
        .iter()
        .map(|it| data_encoding::HEXLOWER.encode(it) + "\n")
        .collect();
    let mut input = python.stdin.take().unwrap();
    input.write_all(lines.as_bytes()).unwrap();
    drop(input);
    let output = python.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
