//! A real QEMU whose console is reached by other ways than TCP. It is not even booted: its console
//! answers as any does.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::process::Process;
use crate::common::qmp::Qmp;
use crate::common::wait::until;

/// How long QEMU may take to start, on a busy test machine.
const START: Duration = Duration::from_secs(20);

/// The password of its console.
pub(crate) const PASSWORD: &str = "s3cret12";

/// A running machine, ended on drop.
pub(crate) struct Machine {
    _process: Process,
    vnc: Value,
    /// What it proves its identity with, where it speaks TLS.
    pub(crate) certificate: Option<CertificateDer<'static>>,
    dir: TempDir,
}

impl Machine {
    /// A console on the Unix socket `vnc` of [`Machine::dir`].
    pub(crate) async fn on_unix_socket() -> Self {
        Self::start("unix:vnc,password=on", &[], None).await
    }

    /// A console behind QEMU's own WebSocket.
    pub(crate) async fn behind_websocket() -> Self {
        Self::start("127.0.0.1:0,to=2000,websocket=on,password=on", &[], None).await
    }

    /// The same with TLS around the WebSocket.
    pub(crate) async fn behind_secure_websocket() -> Self {
        let names = ["127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let vnc = "127.0.0.1:0,to=2000,websocket=on,tls-creds=tls,password=on";
        let tls = "tls-creds-x509,id=tls,dir=.,endpoint=server,verify-peer=off,sanity-check=off";
        Self::start(vnc, &["-object", tls], Some(&made)).await
    }

    async fn start(
        vnc: &str,
        more: &[&str],
        certified: Option<&rcgen::CertifiedKey<rcgen::KeyPair>>,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        if let Some(made) = certified {
            std::fs::write(path("ca-cert.pem"), made.cert.pem()).unwrap();
            std::fs::write(path("server-cert.pem"), made.cert.pem()).unwrap();
            std::fs::write(path("server-key.pem"), made.signing_key.serialize_pem()).unwrap();
        }
        let mut command = Command::new("qemu-system-x86_64");
        command.args(["-accel", "tcg,tb-size=8", "-m", "4", "-nodefaults", "-S"]);
        command.args(["-vga", "std", "-display", "none", "-vnc", vnc]);
        command
            .args(["-qmp", "unix:qmp,server=on,wait=off"])
            .args(more);
        command.current_dir(dir.path());
        let mut process = Process::spawn(&mut command, &path("log"));
        let mut qmp = until("QEMU's monitor", START, async || {
            process.must_run();
            Qmp::connect(&path("qmp")).await.map_err(|e| e.to_string())
        })
        .await;
        let set = json!({ "protocol": "vnc", "password": PASSWORD });
        qmp.run("set_password", set).await;
        let vnc = qmp.run("query-vnc-servers", json!({})).await;
        Self {
            _process: process,
            vnc,
            certificate: certified.map(|made| made.cert.der().clone()),
            dir,
        }
    }

    /// The folder in which the Unix socket is.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The Unix socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("vnc")
    }

    /// The port of the WebSocket.
    pub(crate) fn websocket_port(&self) -> u16 {
        let servers = self.vnc[0]["server"].as_array().unwrap();
        let websocket = servers.iter().find(|it| it["websocket"] == json!(true));
        let service = websocket.and_then(|it| it["service"].as_str());
        let port = service.and_then(|it| it.parse().ok());
        port.unwrap_or_else(|| panic!("no WebSocket in {}", self.vnc))
    }
}
