//! The alert rules and the dashboard: they ask for what the gateway tells, and Prometheus takes them.

use std::process::Command;

use fanlight::clock::UnixTime;
use fanlight::id::KeyId;
use fanlight::metrics::Metrics;

use crate::{output, sample};

/// Every name in a text that is one of our metrics.
fn names(text: &str) -> Vec<&str> {
    text.split(|it: char| !it.is_ascii_alphanumeric() && it != '_')
        .filter(|word| word.starts_with("fanlight_"))
        .collect()
}

#[test]
fn they_ask_for_what_is_told() {
    let metrics = Metrics::new();
    let key = KeyId::from_random([1; 4]);
    metrics.key(key, UnixTime::from_secs(1));
    metrics.certificate_ends(UnixTime::from_secs(1));
    let told = metrics.to_text().unwrap();
    let told = names(&told);
    for file in ["prometheus/alerts.yaml", "grafana/fanlight.json"] {
        let text = sample(file);
        let asked = names(&text);
        assert!(asked.len() > 5, "{file}: {asked:?}");
        for name in asked {
            assert!(told.contains(&name), "{file} asks for {name}");
        }
    }
}

#[test]
#[ignore = "needs promtool: make deploy-test"]
fn prometheus_takes_the_rules() {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/prometheus/alerts.yaml");
    let said = output(Command::new("promtool").args(["check", "rules", rules]));
    assert!(said.status.success(), "{said:?}");
}
