//! noVNC itself as a client of a test's hosts, without any gateway (`tests/browser/stock_novnc.mjs`).

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::process::Process;
use super::wait::until;

/// How long Chromium and a few logins may take, on a busy test machine.
const DONE: Duration = Duration::from_secs(60);

/// A login to try: the host's port on the IPv4 loopback, and what noVNC calls credentials.
pub fn login(port: u16, username: &str, password: &str, target: &str) -> Value {
    let credentials = json!({ "username": username, "password": password, "target": target });
    json!({ "port": port, "credentials": credentials })
}

/// Tries one login after the other; gives what came of each.
pub async fn log_in(logins: &[Value]) -> Vec<Value> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let dir = tempfile::tempdir().unwrap();
    let said = dir.path().join("outcomes");
    let mut command = Command::new("node");
    command.arg(here.join("stock_novnc.mjs"));
    command.arg(Value::from(logins).to_string());
    let mut process = Process::spawn_split(&mut command, &said, &dir.path().join("log"));
    let status = until("noVNC has tried every login", DONE, async || {
        process.ended().ok_or_else(|| process.output())
    })
    .await;
    assert!(status.success(), "{}", process.output());
    serde_json::from_slice(&std::fs::read(&said).unwrap()).unwrap()
}
