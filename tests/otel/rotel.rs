//! Rotel, a collector that others have written. `tests/conformance/otel.sh` brings it.

use std::process::Command;

use crate::common::net::free_port;
use crate::common::process::Process;
use crate::common::wait::until;
use crate::common::xvnc::Xvnc;
use crate::{PASSWORD, PATIENCE, stop, tracing, watch};

#[ignore = "`make conformance` installs Rotel"]
#[tokio::test(flavor = "multi_thread")]
async fn rotel_takes_the_trace_of_a_console() {
    let program = std::env::var_os("ROTEL").expect("tests/conformance/otel.sh sets it");
    let dir = tempfile::tempdir().unwrap();
    let [http, grpc] = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
    let mut command = Command::new(program);
    command.args(["start", "--exporter", "blackhole", "--debug-log", "traces"]);
    command.args(["--debug-log-verbosity", "detailed"]);
    command.args(["--otlp-http-endpoint", &http, "--otlp-grpc-endpoint", &grpc]);
    let rotel = Process::spawn(&mut command, &dir.path().join("log"));
    until("Rotel starts", PATIENCE, async || {
        let log = rotel.output();
        log.contains("Starting Rotel").then_some(()).ok_or(log)
    })
    .await;

    let host = Xvnc::start(PASSWORD).await;
    let gateway =
        tracing(http.parse().unwrap()).set("traces.url", format!("http://{http}/v1/traces"));
    let mut gateway = gateway.start().await;
    let minted = watch(&gateway, &host).await;
    stop(&mut gateway).await;
    let said = until("Rotel says what came", PATIENCE, async || {
        let log = rotel.output();
        let all = log.contains("console.first_frame");
        if all { Ok(log) } else { Err(log) }
    })
    .await;
    for name in ["mint", "page", "connect", "first_frame"] {
        assert!(
            said.contains(&format!("Name           : console.{name}\n")),
            "{said}"
        );
    }
    let of_trace = said
        .matches(&format!("Trace ID       : {}\n", minted.id))
        .count();
    assert_eq!(of_trace, 4, "{said}");
    let below_mint = said
        .matches(&format!("Parent ID      : {}\n", &minted.id[..16]))
        .count();
    assert_eq!(below_mint, 2, "{said}");
}
