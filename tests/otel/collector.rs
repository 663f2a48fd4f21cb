//! The spans that a receiver was told, read with OpenTelemetry's own messages.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::common::receiver::Receiver;
use crate::common::wait::until;

/// What spans may take on a busy test machine, the time that they are gathered for included.
const TOLD: Duration = Duration::from_secs(30);

impl Receiver {
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
