//! The alert rules and the dashboard: they ask for what the gateway tells, and Prometheus takes them.

use std::process::Command;

use crate::common::gateway::TestGateway;
use crate::common::http::Request;
use crate::common::rfb_client::Viewer;
use crate::{output, sample};

/// What is told where traces are sent, which a build without them never does.
const OF_TRACES: [&str; 3] = [
    "fanlight_trace_queue",
    "fanlight_trace_spans_sent_total",
    "fanlight_trace_spans_lost_total",
];

/// Every name in a text that is one of our metrics.
fn names(text: &str) -> Vec<&str> {
    text.split(|it: char| !it.is_ascii_alphanumeric() && it != '_')
        .filter(|word| word.starts_with("fanlight_"))
        .collect()
}

#[tokio::test]
async fn they_ask_for_what_is_told_and_the_documents_list_it() {
    let gateway = TestGateway::builder()
        .with_tls()
        .set("metrics.listen", "127.0.0.1:0");
    let gateway = gateway.start().await;
    // A family with labels that come by themselves is there from its first on.
    let deaf = gateway.mint_open("127.0.0.1:1".parse().unwrap()).await;
    assert!(Viewer::open(&gateway, &deaf).await.is_err());
    gateway.session_end().await;
    let told = Request::get(gateway.metrics(), "/metrics").send().await;
    let text = told.text();
    let told = names(&text);
    for file in ["prometheus/alerts.yaml", "grafana/fanlight.json"] {
        let text = sample(file);
        let asked = names(&text);
        assert!(asked.len() > 5, "{file}: {asked:?}");
        for name in asked {
            if name.starts_with("fanlight_trace_") {
                // What a build with the feature `otel` tells: its tests ask for it by these names.
                assert!(OF_TRACES.contains(&name), "{file} asks for {name}");
                continue;
            }
            // A histogram has its buckets before anything is in them, but not one by label.
            let family = name.strip_suffix("_bucket").unwrap_or(name);
            assert!(
                told.contains(&name) || told.contains(&family),
                "{file} asks for {name}"
            );
        }
    }
    let operations = std::fs::read_to_string("docs/operations.md").unwrap();
    let types = text.lines().filter_map(|it| it.strip_prefix("# TYPE "));
    let types = types.map(|it| it.split_once(' ').unwrap());
    let suffix = |kind| match kind {
        "counter" => "_total",
        "info" => "_info",
        _ => "",
    };
    let names: Vec<_> = types
        .map(|(name, kind)| format!("{name}{}", suffix(kind)))
        .collect();
    assert!(names.len() > 30, "{names:?}");
    for name in &names {
        assert!(operations.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
#[ignore = "needs promtool: make deploy-test"]
fn prometheus_takes_the_rules() {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/prometheus/alerts.yaml");
    let said = output(Command::new("promtool").args(["check", "rules", rules]));
    assert!(said.status.success(), "{said:?}");
}
