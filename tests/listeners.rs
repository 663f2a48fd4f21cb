//! Several listeners, each with its roles: TCP ports and Unix sockets, with TLS and without, behind a
//! load balancer and beside it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::curl::{Answer, curl, curl_with_key};
use common::gateway::{Minted, TestGateway};
use common::net::{Family, free_port, try_connect};
use common::process::Process;
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::wait::until;
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(20);

/// A machine that a console can be minted for; nobody looks whether it is there.
const BODY: &str = r#"{"target": {"host": "10.0.0.5", "port": 5900}}"#;

/// A folder for sockets, whose paths may be no longer than 107 bytes.
struct Sockets(tempfile::TempDir);

impl Sockets {
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("fl").tempdir_in("/tmp");
        Self(dir.unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// As the configuration has it.
    fn address(&self, name: &str) -> String {
        format!("unix:{}", self.path(name).display())
    }
}

fn mint_at(arguments: &[&str], url: &str) -> Result<Answer, String> {
    let json = "Content-Type: application/json";
    curl_with_key(&[&["-d", BODY, "-H", json], arguments, &[url]].concat())
}

/// The clients that consoles were minted for so far.
fn minted_by(gateway: &TestGateway) -> Vec<String> {
    let lines = gateway.log_lines().into_iter();
    let minted = lines.filter(|line| line.text("message") == "console minted");
    minted.map(|line| line.text("client")).collect()
}

#[tokio::test]
async fn each_listener_has_the_paths_of_its_roles_and_no_others() {
    let any = "127.0.0.1:0";
    let gateway = TestGateway::builder()
        .without("listen")
        .listeners(&[
            (any, &["public"], ""),
            (any, &["api"], ""),
            (any, &["public", "metrics"], ""),
        ])
        .set("metrics.listen", any)
        .start()
        .await;
    let statuses = |roles: &str| {
        let base = format!("http://{}", gateway.listens_as(roles));
        let unknown = curl(&[&format!("{base}/nothing")]).unwrap();
        let ask = |path: &str| {
            let answer = curl_with_key(&[&format!("{base}{path}")]).unwrap();
            if answer.status == 404 {
                assert_eq!(answer, unknown, "{roles} {path}");
            }
            answer.status
        };
        [
            "/novnc",
            "/websockify",
            "/api/v1/sessions",
            "/api/openapi.json",
            "/metrics",
            "/readyz",
        ]
        .map(ask)
    };
    assert_eq!(statuses("public"), [200, 426, 404, 404, 404, 200]);
    assert_eq!(statuses("api"), [404, 404, 200, 200, 404, 200]);
    assert_eq!(statuses("metrics"), [404, 404, 404, 404, 200, 200]);
    assert_eq!(statuses("public+metrics"), [200, 426, 404, 404, 200, 200]);
}

#[tokio::test]
async fn a_console_is_minted_at_a_unix_socket_and_opened_where_people_come() {
    let sockets = Sockets::new();
    let mut gateway = TestGateway::builder()
        .without("listen")
        .listeners(&[
            ("127.0.0.1:0", &["public"], ""),
            (&sockets.address("api"), &["api"], "mode = '600'"),
        ])
        .start()
        .await;
    let path = sockets.path("api");
    let file = std::fs::symlink_metadata(&path).unwrap();
    assert!(file.file_type().is_socket());
    assert_eq!(file.permissions().mode() & 0o777, 0o600);

    let host = Manners::default().host(Family::V4).await;
    let target = json!({"target": {"host": "127.0.0.1", "port": host.address.port()}});
    let socket = path.to_str().unwrap();
    let minted = curl_with_key(&[
        "--unix-socket",
        socket,
        "-d",
        &target.to_string(),
        "-H",
        "Content-Type: application/json",
        "http://fanlight/api/v1/consoles",
    ]);
    let minted = minted.unwrap();
    assert_eq!(minted.status, 201, "{}", minted.body);
    let minted = Minted::from_answer(&minted.json());
    let public = format!("http://{}/novnc", gateway.address);
    assert!(minted.url.starts_with(&public), "{}", minted.url);
    let viewer = Viewer::open(&gateway, &minted).await.unwrap();
    assert_eq!(minted_by(&gateway), ["127.0.0.1"]);
    drop(viewer);
    let health = gateway.command(&["health", "--listen", &sockets.address("api")]);
    assert!(health.status.success(), "{health:?}");

    gateway.process().terminate();
    until("the gateway ends", PATIENCE, async || {
        gateway.process().ended().ok_or("still running".to_owned())
    })
    .await;
    assert!(!path.exists(), "the socket's file is removed");
}

#[tokio::test]
async fn a_unix_socket_is_taken_from_the_dead_alone() {
    let sockets = Sockets::new();
    let address = sockets.address("s");
    let listening = || TestGateway::builder().listeners(&[(&address, &["api"], "")]);
    let mut gateway = listening().start().await;
    let said = listening().start_in_vain().await;
    assert!(
        said.contains("address in use") && said.contains(&address),
        "{said}"
    );
    gateway.kill();
    until("the gateway is dead", PATIENCE, async || {
        gateway.process().ended().ok_or("still running".to_owned())
    })
    .await;
    assert!(sockets.path("s").exists());
    gateway.again().await;
    let socket = sockets.path("s");
    let alive = curl(&[
        "--unix-socket",
        socket.to_str().unwrap(),
        "http://x/healthz",
    ]);
    assert_eq!(alive.unwrap().status, 200);

    let file = sockets.path("file");
    std::fs::write(&file, "kept").unwrap();
    std::os::unix::fs::symlink(&file, sockets.path("link")).unwrap();
    for name in ["file", "link"] {
        let builder = TestGateway::builder().set("listen", sockets.address(name));
        let builder = builder.set("public_url", "https://console.example");
        let said = builder.start_in_vain().await;
        assert!(said.contains("that is no socket"), "{said}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"kept");
}

#[tokio::test]
async fn a_proxy_at_a_unix_socket_is_believed_where_this_machine_is() {
    for (trusted, client) in [("10.0.0.1", "127.0.0.1"), ("127.0.0.1", "203.0.113.5")] {
        let sockets = Sockets::new();
        let gateway = TestGateway::builder()
            .set("trusted_proxies", vec![trusted])
            .listeners(&[(&sockets.address("s"), &["api"], "")])
            .start()
            .await;
        let socket = sockets.path("s");
        let minted = mint_at(
            &[
                "--unix-socket",
                socket.to_str().unwrap(),
                "-H",
                "X-Forwarded-For: 192.0.2.1, 203.0.113.5",
            ],
            "http://fanlight/api/v1/consoles",
        );
        assert_eq!(minted.unwrap().status, 201);
        assert_eq!(minted_by(&gateway), [client]);
    }
}

/// A load balancer that passes connections on as they are, behind a header of the PROXY protocol.
async fn load_balancer(dir: &Path, port: u16, server: &str) -> Process {
    let config = format!(
        "defaults\n    mode tcp\n    timeout connect 5s\n    timeout client 30s\n    timeout server 30s\n\
         listen proxy\n    bind 127.0.0.1:{port}\n    server gateway {server} send-proxy-v2\n"
    );
    let file = dir.join(format!("haproxy-{port}.cfg"));
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new("haproxy");
    command.args(["-dW", "-db", "-f"]).arg(&file);
    let mut process = Process::spawn(&mut command, &dir.join(format!("haproxy-{port}.log")));
    until("the load balancer listens", PATIENCE, async || {
        process.must_run();
        let address = ([127, 0, 0, 1], port).into();
        try_connect(address)
            .await
            .map(drop)
            .map_err(|e| e.to_string())
    })
    .await;
    process
}

#[tokio::test(flavor = "multi_thread")]
async fn haproxy_says_the_client_at_one_listener_and_none_is_needed_at_another() {
    let sockets = Sockets::new();
    let proxied = "proxy_protocol = true";
    let gateway = TestGateway::builder()
        .set("trusted_proxies", vec!["127.0.0.1"])
        .listeners(&[
            ("127.0.0.1:0", &["api"], proxied),
            (&sockets.address("s"), &["api", "metrics"], proxied),
        ])
        .start()
        .await;
    let (tcp, unix) = (free_port(), free_port());
    let behind = gateway.listens_as("api");
    let _tcp = load_balancer(sockets.0.path(), tcp, &behind).await;
    let socket = format!("unix@{}", sockets.path("s").display());
    let _unix = load_balancer(sockets.0.path(), unix, &socket).await;

    let url = |address: &str| format!("http://{address}/api/v1/consoles");
    for (port, from) in [(tcp, "127.0.0.2"), (unix, "127.0.0.3")] {
        let minted = mint_at(&["--interface", from], &url(&format!("127.0.0.1:{port}")));
        assert_eq!(minted.unwrap().status, 201, "{}", gateway.log());
        let clients = minted_by(&gateway);
        let client = clients.last().unwrap();
        assert!(client.starts_with(&format!("{from}:")), "{clients:?}");
    }
    // The one that the settings of all are for takes none.
    let direct = mint_at(
        &["--interface", "127.0.0.4"],
        &url(&gateway.address.to_string()),
    );
    assert_eq!(direct.unwrap().status, 201);
    assert!(minted_by(&gateway)[2].starts_with("127.0.0.4:"));
    // And where one is due, a trusted proxy without it is closed.
    assert!(mint_at(&[], &url(&behind)).is_err());
    let path = sockets.path("s");
    let bare = ["--unix-socket", path.to_str().unwrap()];
    assert!(mint_at(&bare, "http://x/api/v1/consoles").is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_spoken_where_it_is_said() {
    let sockets = Sockets::new();
    let port = free_port();
    let any = "127.0.0.1:0";
    let gateway = TestGateway::builder()
        .with_tls()
        .set("public_url", "https://console.example")
        .listeners(&[
            (any, &["api"], "tls = 'off'"),
            (&sockets.address("plain"), &["public", "metrics"], ""),
            (&sockets.address("tls"), &["api", "metrics"], "tls = 'on'"),
            (&format!("127.0.0.1:{port}"), &["redirect"], ""),
        ])
        .start()
        .await;
    let certificate = gateway.file("certificate.pem");
    let trust = [
        "--cacert",
        certificate.to_str().unwrap(),
        "-D",
        "-",
        "-o",
        "/dev/null",
    ];
    let head = |arguments: &[&str]| {
        let answer = curl(&[&trust, arguments].concat()).unwrap();
        assert_ne!(answer.status, 0);
        answer
    };
    let year = "strict-transport-security: max-age";
    let main = head(&[&format!("https://{}/readyz", gateway.address)]);
    assert!(main.status == 200 && main.body.contains(year), "{main:?}");
    let plain = head(&[&format!("http://{}/readyz", gateway.listens_as("api"))]);
    assert!(
        plain.status == 200 && !plain.body.contains(year),
        "{plain:?}"
    );
    let path = |name| sockets.path(name).to_str().unwrap().to_owned();
    let unix = head(&["--unix-socket", &path("plain"), "http://localhost/novnc"]);
    assert_eq!(unix.status, 200);
    let unix = head(&["--unix-socket", &path("tls"), "https://localhost/metrics"]);
    assert_eq!(unix.status, 200);
    assert!(curl(&["--unix-socket", &path("tls"), "http://localhost/metrics"]).is_err());
    let away = head(&[&format!("http://127.0.0.1:{port}/novnc?token=x")]);
    assert_eq!(away.status, 308);
    assert!(
        away.body
            .contains("location: https://console.example/novnc\r\n"),
        "{away:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_closes_every_listener_but_the_one_that_tells_of_it() {
    let sockets = Sockets::new();
    let mut gateway = TestGateway::builder()
        .listeners(&[(&sockets.address("s"), &["api"], "")])
        .set("metrics.listen", "127.0.0.1:0")
        .set("shutdown.drain_timeout", "10m")
        .start()
        .await;
    let host = Manners::default().host(Family::V4).await;
    let minted = gateway.mint_open(host.address).await;
    let viewer = Viewer::open(&gateway, &minted).await.unwrap();
    gateway.process().terminate();
    until("the others are closed", PATIENCE, async || {
        let open = try_connect(gateway.address).await.is_ok();
        let there = sockets.path("s").exists();
        (!open && !there).then_some(()).ok_or_else(|| gateway.log())
    })
    .await;
    let metrics = format!("http://{}", gateway.listens_as("metrics"));
    let told = curl(&[&format!("{metrics}/metrics")]).unwrap();
    assert!(told.body.contains("fanlight_sessions 1\n"), "{}", told.body);
    let ready = curl(&[&format!("{metrics}/readyz")]).unwrap();
    assert_eq!(ready.status, 503);
    assert!(
        ready.body.contains("the gateway is being stopped"),
        "{}",
        ready.body
    );
    drop(viewer);
    gateway.process().terminate();
    until("the gateway ends", PATIENCE, async || {
        gateway.process().ended().ok_or("still running".to_owned())
    })
    .await;
}
