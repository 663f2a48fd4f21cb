//! The Autobahn suite against the codec, through the echo endpoint.
//!
//! It needs a Python 2.7 with the suite, which few machines have: `tests/conformance/autobahn.sh`
//! finds the one, installs the other and runs this test. What it showed is in
//! `docs/conformance.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

#[path = "conformance/echo.rs"]
mod echo;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use echo::Echo;
use serde_json::{Value, json};

/// Everything but 12 and 13, which are about compression: Fanlight does not negotiate it.
const CASES: [&str; 9] = [
    "1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*",
];

/// How many cases that is. Fewer would mean that the suite did not run through.
const COUNT: usize = 301;

/// How long all of them may take.
const DEADLINE: Duration = Duration::from_secs(900);

/// Starts the suite as its `wstest` command would.
const RUN: &str = "import sys
sys.argv = ['wstest', '-m', 'fuzzingclient', '-s', sys.argv[1]]
from autobahntestsuite.wstest import run
run()";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python 2.7: run tests/conformance/autobahn.sh"]
async fn every_case_passes() {
    let variable = |name| std::env::var(name).expect("run tests/conformance/autobahn.sh");
    let (python, suite) = (variable("AUTOBAHN_PYTHON"), variable("AUTOBAHN_SUITE"));
    let echo = Echo::start().await.unwrap();

    let reports = Path::new(env!("CARGO_TARGET_TMPDIR")).join("autobahn");
    if reports.exists() {
        std::fs::remove_dir_all(&reports).unwrap();
    }
    std::fs::create_dir_all(&reports).unwrap();
    let spec = reports.join("fuzzingclient.json");
    let url = format!("ws://{}", echo.address);
    let content = json!({
        "options": { "failByDrop": false },
        "outdir": reports,
        "servers": [{ "agent": "fanlight", "url": url, "options": { "version": 18 } }],
        "cases": CASES,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    });
    std::fs::write(&spec, content.to_string()).unwrap();

    let mut client = tokio::process::Command::new(python)
        .args(["-W", "ignore", "-c", RUN])
        .arg(&spec)
        .env("PYTHONPATH", suite)
        .current_dir(&reports)
        .stdout(std::fs::File::create(reports.join("wstest.log")).unwrap())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let status = tokio::time::timeout(DEADLINE, client.wait()).await;
    assert!(status.expect("the suite takes too long").unwrap().success());

    let index = std::fs::read(reports.join("index.json")).unwrap();
    let index: Value = serde_json::from_slice(&index).unwrap();
    let cases = index["fanlight"].as_object().unwrap();
    let mut verdicts = BTreeMap::<_, Vec<_>>::new();
    for (case, result) in cases {
        for of in ["behavior", "behaviorClose"] {
            let verdict = result[of].as_str().unwrap();
            verdicts.entry((of, verdict)).or_default().push(case);
        }
    }
    println!("{} cases, reports in {}", cases.len(), reports.display());
    for ((of, verdict), cases) in &verdicts {
        let named = if *verdict == "OK" {
            vec![]
        } else {
            cases.clone()
        };
        println!("{of} {verdict}: {} {named:?}", cases.len());
    }
    assert_eq!(cases.len(), COUNT);
    let good = ["OK", "NON-STRICT", "INFORMATIONAL"];
    assert!(verdicts.keys().all(|(_, verdict)| good.contains(verdict)));
}
