//! QEMU's VNC server, without a machine behind it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use super::{PASSWORD, START, Secured, USER};
use crate::common::pki::{Identity, Pki};
use crate::common::process::Process;
use crate::common::qmp::Qmp;
use crate::common::wait::until;

/// Starts a server with these options of `-vnc`, among them `tls-creds=x509` and
/// `tls-creds=anonymous`, and with these SASL mechanisms where `sasl=on` is one of the options.
pub async fn start(options: &str, mechanisms: &str, pki: &Pki, identity: &Identity) -> Secured {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    pki.write(identity, dir.path());
    let mut command = Command::new("qemu-system-x86_64");
    command.args(["-machine", "none", "-nodefaults", "-display", "none"]);
    command.args([
        "-object",
        "tls-creds-x509,id=x509,dir=.,endpoint=server,verify-peer=off",
        "-object",
        "tls-creds-anon,id=anonymous,endpoint=server",
    ]);
    let comma = if options.is_empty() { "" } else { "," };
    command.args(["-vnc", &format!("127.0.0.1:0,to=2000{comma}{options}")]);
    command.args(["-qmp", "unix:qmp,server=on,wait=off"]);
    command.current_dir(dir.path());
    if options.contains("sasl=on") {
        sasl(dir.path(), mechanisms);
        command.env("SASL_CONF_PATH", dir.path());
    }
    let mut process = Process::spawn(&mut command, &path("log"));
    let mut qmp = until("QEMU's monitor", START, async || {
        process.must_run();
        Qmp::connect(&path("qmp")).await.map_err(|e| e.to_string())
    })
    .await;
    if options.contains("password=on") {
        let set = json!({ "protocol": "vnc", "password": PASSWORD });
        qmp.run("set_password", set).await;
    }
    let vnc = qmp.run("query-vnc", json!({})).await;
    let port = vnc["service"].as_str().and_then(|s| s.parse().ok());
    let port = port.unwrap_or_else(|| panic!("no port in {vnc}"));
    Secured::new(port, vec![process], dir)
}

/// Writes what Cyrus SASL reads: its settings for QEMU, and a database with the user.
fn sasl(dir: &Path, mechanisms: &str) {
    let database = dir.join("sasldb");
    let settings = format!(
        "mech_list: {mechanisms}\nsasldb_path: {}\n",
        database.display()
    );
    std::fs::write(dir.join("qemu.conf"), settings).unwrap();
    // It lives where an ordinary user's search path does not lead.
    let mut child = Command::new("/usr/sbin/saslpasswd2")
        .args(["-p", "-c", "-a", "qemu", "-f"])
        .args([database.as_os_str(), USER.as_ref()])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("saslpasswd2: {e}; `make test` installs it"));
    let mut input = child.stdin.take().unwrap();
    input.write_all(PASSWORD.as_bytes()).unwrap();
    drop(input);
    assert!(child.wait().unwrap().success());
}
