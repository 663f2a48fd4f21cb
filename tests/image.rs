//! The container image, run as strictly as an engine can: nothing may be written, and there is no
//! right left. `make test` builds it and runs this; `make image-test` does nothing else.
//!
//! podman runs it with runc, in the network of the machine, so that the test leaves no bridge behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use common::chromium::Chromium;
use common::http::Request;
use common::process::Process;
use common::wait::until;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);

/// The largest image, in bytes.
const MAX_IMAGE: u64 = 25 << 20;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What `make image` left.
fn built(name: &str) -> PathBuf {
    let path = root().join("target/image").join(name);
    assert!(path.exists(), "no {path:?}: `make image-test` builds it");
    path
}

/// An engine with a storage of its own, which ends with it.
struct Engine {
    dir: tempfile::TempDir,
    image: String,
}

impl Engine {
    fn start() -> Self {
        let engine = Self {
            dir: tempfile::tempdir().unwrap(),
            image: format!("localhost/fanlight:{}", env!("CARGO_PKG_VERSION")),
        };
        let archive = built("fanlight.oci.tar");
        engine.done(&["load", "--quiet", "--input", archive.to_str().unwrap()]);
        engine
    }

    fn podman(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("podman");
        for (flag, name) in [
            ("--root", "root"),
            ("--runroot", "run"),
            ("--tmpdir", "tmp"),
        ] {
            command.arg(flag).arg(self.dir.path().join(name));
        }
        command
            .args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"])
            .args(["--events-backend", "none", "--runtime", "runc"])
            .args(arguments);
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.podman(arguments).output().expect("podman is missing")
    }

    /// Runs a command of podman that has to succeed.
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the image under a name; its output is in a file of that name.
    fn run(&self, name: &str, options: &[&str], arguments: &[&str]) -> Process {
        let strict = [
            "run",
            "--rm",
            "--name",
            name,
            "--network",
            "host",
            "--read-only",
            "--read-only-tmpfs=false",
            "--cap-drop",
            "all",
            "--security-opt",
            "no-new-privileges",
            "--pids-limit",
            "50",
            // What a container may have of these cannot be raised everywhere.
            "--ulimit",
            "nofile=20000:20000",
            "--ulimit",
            "nproc=32768:32768",
        ];
        let all = [&strict[..], options, &[self.image.as_str()], arguments].concat();
        Process::spawn(&mut self.podman(&all), &self.dir.path().join(name))
    }
}

/// What the kernel says of the process `pid`: a line of its status.
fn status(pid: &str, line: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let found = status.lines().find_map(|it| it.strip_prefix(line));
    found.unwrap().trim_start_matches(':').trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the image: make image-test"]
async fn the_demo_runs_in_it_without_any_right() {
    let engine = Engine::start();
    let mut demo = engine.run("demo", &[], &["demo", "--listen", "127.0.0.1:0"]);
    let url = until("the URL is printed", PATIENCE, async || {
        demo.must_run();
        let printed = demo.output();
        let url = printed
            .split_whitespace()
            .find(|word| word.contains("/novnc?token="));
        url.map(str::to_owned).ok_or(printed.clone())
    })
    .await;

    let pid = engine.done(&["inspect", "--format", "{{.State.Pid}}", "demo"]);
    let pid = pid.trim();
    assert_eq!(status(pid, "Uid"), "65532\t65532\t65532\t65532");
    assert_eq!(status(pid, "CapBnd"), "0000000000000000");
    assert_eq!(status(pid, "NoNewPrivs"), "1");

    let browser = Chromium::start().await;
    browser.open(&url).await;
    browser.reaches("connected").await;
    let first = browser.canvas().await.unwrap();
    until("the picture moves by itself", PATIENCE, async || {
        let now = browser.canvas().await.unwrap();
        first.difference(&now).ok_or("the same".to_owned())
    })
    .await;
    browser.type_text("hello").await;
    browser.screenshot("image").await;
    assert_eq!(browser.report().await.problems, Vec::<String>::new());

    // As process 1 of its container it hears the signal all the same.
    demo.terminate();
    let status = until("the demo ends", PATIENCE, async || {
        demo.ended().ok_or(demo.output())
    })
    .await;
    assert!(status.success(), "{status}: {}", demo.output());
    // The page knows that it may come back.
    browser.reaches("reconnecting").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the image: make image-test"]
async fn it_serves_with_a_volume_and_tells_its_health() {
    let engine = Engine::start();
    let options = [
        "--volume",
        "state:/var/lib/fanlight",
        "--env",
        "FANLIGHT_LISTEN=127.0.0.1:0",
    ];
    let mut gateway = engine.run("serve", &options, &[]);
    let address: SocketAddr = until("the gateway listens", PATIENCE, async || {
        gateway.must_run();
        let log = gateway.output();
        let lines = log
            .lines()
            .filter_map(|it| serde_json::from_str::<Value>(it).ok());
        let mut addresses = lines.filter_map(|it| it["address"].as_str()?.parse().ok());
        addresses.next_back().ok_or(log.clone())
    })
    .await;
    let ready = Request::get(address, "/readyz").send().await;
    assert_eq!(ready.status, 200, "{}", ready.text());
    let listen = address.to_string();
    let asked = |more: &[&str]| {
        let command = [&["exec", "serve", "/usr/bin/fanlight", "health"], more].concat();
        engine.output(&command)
    };
    let good = asked(&["--ready", "--listen", &listen]);
    assert!(good.status.success(), "{good:?}");
    assert!(!asked(&["--listen", "127.0.0.1:1"]).status.success());
    let first = engine.output(&["exec", "serve", "/bin/sh"]);
    assert!(!first.status.success(), "there is a shell in it: {first:?}");
    gateway.terminate();
    let status = until("the gateway ends", PATIENCE, async || {
        gateway.ended().ok_or(gateway.output())
    })
    .await;
    assert!(status.success(), "{status}: {}", gateway.output());
}

#[test]
#[ignore = "needs the image: make image-test"]
fn it_is_small_and_a_second_build_is_the_same() {
    let size = std::fs::metadata(built("fanlight.oci.tar")).unwrap().len();
    let binary = built("context/files/usr/bin/fanlight");
    let unpacked = std::fs::metadata(&binary).unwrap().len();
    assert!(unpacked < MAX_IMAGE, "{unpacked} bytes unpacked");
    assert!(size < MAX_IMAGE, "{size} bytes packed");

    // From other files with the same contents, at another time, in another folder.
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(built("sbom.cdx.json"), dir.path().join("sbom.cdx.json")).unwrap();
    let copy = dir.path().join("binary");
    std::fs::copy(&binary, &copy).unwrap();
    let output = Command::new(root().join("deploy/image/build.sh"))
        .args([&copy, dir.path()])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let digest = |path: &Path| std::fs::read_to_string(path).unwrap();
    assert_eq!(digest(&dir.path().join("digest")), digest(&built("digest")));
}

/// The list in the image names what is linked in, and nothing that is only needed to build.
#[test]
#[ignore = "needs the image: make image-test"]
fn the_bill_of_materials_lists_what_is_in_it() {
    let text = std::fs::read_to_string(built("sbom.cdx.json")).unwrap();
    let bill: Value = serde_json::from_str(&text).unwrap();
    let components = bill["components"].as_array().unwrap();
    let names: Vec<&str> = components
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    for name in ["@novnc/novnc", "aes-gcm", "aws-lc-sys", "rustls", "tokio"] {
        assert!(names.contains(&name), "no {name}");
    }
    for name in ["cc", "esbuild", "insta", "ring", "serde_derive"] {
        assert!(!names.contains(&name), "{name} is not in the image");
    }
    for component in components {
        let checksum = component["hashes"][0]["content"].as_str().unwrap();
        assert!(matches!(checksum.len(), 64 | 128), "{component}");
        let license = component["licenses"][0]["expression"].as_str();
        assert!(license.is_some(), "{component}");
    }
}
