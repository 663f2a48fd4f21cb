//! The gateway as a service of systemd: its socket waits before the gateway does, and the manager is
//! told what it does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use common::curl::curl;
use common::gateway::TestGateway;
use common::http::Request;
use common::net::free_port;
use common::process::Process;
use common::wait::until;

const PATIENCE: Duration = Duration::from_secs(15);

/// What the manager is told next, within the socket's time limit.
fn told(manager: &UnixDatagram) -> String {
    let mut bytes = [0; 4096];
    let length = manager.recv(&mut bytes).expect("the manager is told");
    String::from_utf8_lossy(&bytes[..length]).trim().to_owned()
}

#[test]
fn the_manager_is_told_of_start_life_and_end() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_fanlight"));
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--state-dir"])
        .arg(dir.path())
        .env_clear()
        .env("NOTIFY_SOCKET", &socket)
        .env("WATCHDOG_USEC", "200000");
    let gateway = Process::spawn(&mut command, &dir.path().join("log"));
    // The watchdog's task may be faster than the task that starts it.
    let mut news: Vec<String> = Vec::new();
    while news.iter().filter(|it| *it == "WATCHDOG=1").count() < 3 {
        news.push(told(&manager));
    }
    assert_eq!(
        news.iter().filter(|it| *it == "READY=1").count(),
        1,
        "{news:?}"
    );
    gateway.terminate();
    let mut last = told(&manager);
    while last == "WATCHDOG=1" {
        last = told(&manager);
    }
    assert_eq!(last, "STOPPING=1");
}

/// The connection is made before the gateway runs: the manager holds the socket, and what waits in it
/// is answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_unit_keeps_connections_for_the_gateway() {
    let dir = tempfile::tempdir().unwrap();
    let listen = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new("systemd-socket-activate");
    command
        .args(["--listen", &listen, env!("CARGO_BIN_EXE_fanlight")])
        .args(["serve", "--listen", "192.0.2.1:1", "--state-dir"])
        .arg(dir.path())
        .env_clear();
    let mut manager = Process::spawn(&mut command, &dir.path().join("log"));
    until("the manager listens", PATIENCE, async || {
        manager.must_run();
        let said = manager.output();
        said.contains("Listening on").then_some(()).ok_or(said)
    })
    .await;
    let answer = Request::get(listen.parse().unwrap(), "/healthz")
        .send()
        .await;
    assert_eq!(answer.status, 200, "{}", manager.output());
    assert!(manager.output().contains(&listen), "{}", manager.output());
}

/// Three sockets of two units, each by its name, and one that no listener names.
#[tokio::test(flavor = "multi_thread")]
async fn sockets_come_to_the_listeners_that_name_them() {
    let dir = tempfile::Builder::new().prefix("fl").tempdir_in("/tmp");
    let dir = dir.unwrap();
    let [public, more, rest] = [(); 3].map(|()| format!("127.0.0.1:{}", free_port()));
    let api = dir.path().join("api");
    let file = dir.path().join("fanlight.toml");
    let settings = r#"
        listen = "192.0.2.1:1"
        listeners = [
            { address = "systemd:public", roles = ["public"] },
            { address = "systemd:api", roles = ["api"] },
        ]
    "#;
    std::fs::write(&file, settings).unwrap();
    let mut command = Command::new("systemd-socket-activate");
    command
        .args(["--listen", &public, "--listen", &rest])
        .args(["--listen", &more, "--listen"])
        .arg(&api)
        .arg("--fdname=public:fanlight.socket:public:api")
        .arg(env!("CARGO_BIN_EXE_fanlight"))
        .args(["serve", "--state-dir"])
        .arg(dir.path())
        .arg("--config")
        .arg(&file)
        .env_clear();
    let mut manager = Process::spawn(&mut command, &dir.path().join("log"));
    until("the manager listens", PATIENCE, async || {
        manager.must_run();
        let said = manager.output();
        said.contains(&more).then_some(()).ok_or(said)
    })
    .await;
    let api = api.to_str().unwrap();
    let status = |arguments: &[&str]| curl(arguments).unwrap().status;
    for (address, page, openapi) in [(&public, 200, 404), (&more, 200, 404), (&rest, 200, 200)] {
        let url = |path: &str| format!("http://{address}{path}");
        assert_eq!(status(&[&url("/novnc")]), page, "{}", manager.output());
        assert_eq!(status(&[&url("/api/openapi.json")]), openapi);
    }
    let by_socket = |path: &str| status(&["--unix-socket", api, &format!("http://x{path}")]);
    assert_eq!(by_socket("/novnc"), 404);
    assert_eq!(by_socket("/api/openapi.json"), 200);
    drop(manager);
    assert!(
        std::path::Path::new(api).exists(),
        "it is not ours to remove"
    );
}

#[tokio::test]
async fn a_socket_that_is_not_handed_over_is_missed() {
    let gateway = TestGateway::builder().listeners(&[("systemd:api", &["api"], "")]);
    let said = gateway.start_in_vain().await;
    assert!(
        said.contains("cannot listen on systemd:api (setting listeners)"),
        "{said}"
    );
}
