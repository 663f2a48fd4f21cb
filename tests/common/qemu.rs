//! A real QEMU with our guest and a VNC password.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::guest;
use super::net::Family;
use super::picture::Picture;
use super::process::Process;
use super::qmp::Qmp;
use super::wait::until;

/// How long a machine may take to boot and paint, on a busy test machine.
const BOOT: Duration = Duration::from_secs(20);
/// How long a key may take to reach the guest.
const KEY: Duration = Duration::from_secs(5);

/// A running machine, ended on drop.
pub struct Qemu {
    process: Process,
    qmp: Mutex<Qmp>,
    /// Where its VNC server listens.
    pub address: SocketAddr,
    dir: TempDir,
}

impl Qemu {
    /// Boots the guest and waits until it has painted.
    pub async fn start(family: Family, password: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), family, password, None).await
    }

    /// The same with VeNCrypt, and QEMU's names for the certificates and the key in `dir`.
    pub async fn start_with_tls(dir: TempDir, family: Family, password: &str) -> Self {
        let tls = "tls-creds-x509,id=x509,dir=.,endpoint=server,verify-peer=off";
        Self::start_in(dir, family, password, Some(tls)).await
    }

    /// The same with a VNC server that lets viewers switch the machine off.
    pub async fn start_with_power(family: Family, password: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::start_as(dir, family, password, &[], ",power-control=on").await
    }

    /// The same, which writes down each key that its VNC server is told, and each move and button of the
    /// mouse.
    pub async fn start_tracing_input(family: Family, password: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let events = [
            "vnc_key_event_ext",
            "vnc_key_event_map",
            "input_event_btn",
            "input_event_rel",
            "input_event_abs",
        ];
        let trace = events.map(|event| ["-trace", event]).concat();
        Self::start_as(dir, family, password, &trace, "").await
    }

    async fn start_in(dir: TempDir, family: Family, password: &str, tls: Option<&str>) -> Self {
        match tls {
            Some(tls) => {
                let object = ["-object", tls];
                Self::start_as(dir, family, password, &object, ",tls-creds=x509").await
            }
            None => Self::start_as(dir, family, password, &[], "").await,
        }
    }

    async fn start_as(
        dir: TempDir,
        family: Family,
        password: &str,
        more: &[&str],
        display: &str,
    ) -> Self {
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("boot.img"), guest::floppy()).unwrap();
        let host = match family {
            Family::V4 => "127.0.0.1",
            Family::V6 => "[::1]",
        };
        let mut command = Command::new("qemu-system-x86_64");
        // Never KVM: where it exists but cannot run, the guest would stop at once.
        command.args([
            "-accel",
            "tcg,tb-size=8",
            "-m",
            "4",
            "-nodefaults",
            "-vga",
            "std",
        ]);
        command.args(["-display", "none", "-boot", "a"]);
        command.args(["-drive", "file=boot.img,format=raw,if=floppy,readonly=on"]);
        // QEMU takes the first free port itself.
        command.args(more);
        command.args(["-vnc", &format!("{host}:0,to=2000,password=on{display}")]);
        command.args(["-qmp", "unix:qmp,server=on,wait=off"]);
        command.args(["-debugcon", "file:keys"]);
        command.current_dir(dir.path());
        let mut process = Process::spawn(&mut command, &path("log"));
        let mut qmp = until("QEMU's monitor", BOOT, async || {
            process.must_run();
            Qmp::connect(&path("qmp")).await.map_err(|e| e.to_string())
        })
        .await;
        let set = json!({ "protocol": "vnc", "password": password });
        qmp.run("set_password", set).await;
        let vnc = qmp.run("query-vnc", json!({})).await;
        let port = vnc["service"].as_str().and_then(|s| s.parse().ok());
        let port = port.unwrap_or_else(|| panic!("no port in {vnc}"));
        let machine = Self {
            process,
            qmp: Mutex::new(qmp),
            address: (family.loopback().ip(), port).into(),
            dir,
        };
        until("the guest has painted", BOOT, async || {
            let said = machine.debug_console();
            said.contains(&guest::READY)
                .then_some(())
                .ok_or(format!("{said:?}"))
        })
        .await;
        machine
    }

    /// Everything that the guest has written to its debug console.
    fn debug_console(&self) -> Vec<u8> {
        std::fs::read(self.dir.path().join("keys")).unwrap_or_default()
    }

    /// The characters of the keys that have reached the guest.
    pub fn keys(&self) -> String {
        let said = self.debug_console();
        let start = said.iter().position(|b| *b == guest::READY);
        String::from_utf8_lossy(&said[start.unwrap() + 1..]).into_owned()
    }

    /// The keys that its VNC server was told, in their order: how (`ext` by their place, `map` by
    /// their meaning), whether down, and their names. Of one that traces them.
    pub fn told_keys(&self) -> Vec<(String, bool, String)> {
        let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap();
        let told = log.lines().filter_map(|line| {
            let (how, rest) = line.split_once("vnc_key_event_")?.1.split_once(' ')?;
            let down = rest.split_once("down ")?.1.starts_with('1');
            let name = rest.split_once('[')?.1.split_once(']')?.0;
            Some((how.to_owned(), down, name.to_owned()))
        });
        told.collect()
    }

    /// What its mouse was told, in order, as QEMU words it. Of one that traces it.
    pub fn pointed(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap();
        let told = log.lines().filter(|line| line.contains("input_event_"));
        told.map(str::to_owned).collect()
    }

    /// Waits until exactly these keys have reached the guest.
    pub async fn typed(&self, keys: &str) {
        until(&format!("{keys:?} reaches the guest"), KEY, async || {
            let seen = self.keys();
            if seen == keys { Ok(()) } else { Err(seen) }
        })
        .await;
    }

    /// The guest's screen as QEMU itself has it.
    pub async fn screendump(&self) -> Picture {
        let path = self.dir.path().join("screen.ppm");
        let mut qmp = self.qmp.lock().await;
        qmp.run("screendump", json!({ "filename": path })).await;
        Picture::from_ppm(&std::fs::read(&path).unwrap()).unwrap()
    }

    /// How many viewers QEMU has.
    pub async fn viewers(&self) -> usize {
        let vnc = self.qmp.lock().await.run("query-vnc", json!({})).await;
        vnc["clients"].as_array().unwrap().len()
    }

    /// Ends the machine as a power cut does, and waits until it is gone.
    pub async fn power_off(mut self) {
        self.qmp.lock().await.run("quit", json!({})).await;
        until("QEMU ends", KEY, async || {
            self.process
                .ended()
                .map(drop)
                .ok_or("still running".to_owned())
        })
        .await;
    }
}
