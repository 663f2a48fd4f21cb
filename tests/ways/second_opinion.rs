//! The fake XAPI host, held against an HTTP client that others wrote: Node's.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::common::process::Process;
use crate::common::wait::until;
use crate::common::xapi::{MACHINE, Quirk, SESSION, Xapi};
use crate::library::ANSWERED;

/// Goes through the tunnel with Node, and gives what it says about it.
async fn connect(xapi: &Xapi, path: &str, session: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let [out, log] = ["out", "log"].map(|name| folder.path().join(name));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ways/connect.mjs");
    let mut node = Command::new("node");
    node.arg(script).args([&xapi.port.to_string(), path]);
    node.arg(format!("session_id={session}"));
    let mut node = Process::spawn_split(&mut node, &out, &log);
    let status = until("Node is done", ANSWERED * 2, async || {
        node.ended().ok_or_else(|| node.output())
    });
    assert!(status.await.success(), "{}", node.output());
    serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap()
}

#[tokio::test]
async fn node_goes_through_the_tunnels_of_these_tests_too() {
    let console = format!("/console?uuid={MACHINE}");
    for quirk in [Quirk::None, Quirk::Drip, Quirk::Glue] {
        let xapi = Xapi::start(false, quirk).await;
        let said = connect(&xapi, &console, SESSION).await;
        let expected = json!({ "status": 200, "type": 1, "size": [64, 48], "name": "xen" });
        assert_eq!(said, expected, "{quirk:?}");
    }
    let xapi = Xapi::start(false, Quirk::None).await;
    for (path, session, status) in [
        (&*console, "OpaqueRef:over", 401),
        ("/console?uuid=0", SESSION, 500),
        ("/host", SESSION, 403),
    ] {
        let said = connect(&xapi, path, session).await;
        assert_eq!(said, json!({ "status": status }), "{path}");
    }
}
