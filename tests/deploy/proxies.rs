//! HAProxy and nginx with the sample configurations: a console in Chromium through each.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::common::chromium::Chromium;
use crate::common::gateway::TestGateway;
use crate::common::haproxy::HaProxy;
use crate::common::http::Request;
use crate::common::net::{self, Family, free_port, try_connect};
use crate::common::process::Process;
use crate::common::rfb_server::Manners;
use crate::common::sample::{changed, sample};
use crate::common::wait::until;

const PATIENCE: Duration = Duration::from_secs(15);

/// A certificate for the loopback address: `console.pem` with the key in it, and `console.key`.
fn certificate(dir: &Path) -> net::Trust {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = made.signing_key.serialize_pem();
    std::fs::write(dir.join("console.key"), &key).unwrap();
    std::fs::write(dir.join("console.pem"), made.cert.pem() + &key).unwrap();
    net::trust(made.cert.der())
}

/// Runs a proxy in front of two gateways that share a key ring, and opens a console through it.
/// The proxy names requests in the file `access_log`.
async fn a_console_through(access_log: &str, start: impl Fn(&Path, u16, [String; 2]) -> Process) {
    let dir = tempfile::tempdir().unwrap();
    let trust = certificate(dir.path());
    let port = free_port();
    let url = format!("https://127.0.0.1:{port}");
    let host = Manners::default().host(Family::V4).await;
    let one = TestGateway::builder()
        .set("public_url", url.as_str())
        .set("trusted_proxies", vec!["127.0.0.0/8"])
        .start()
        .await;
    let ring = one.file("state/keyring");
    let two = TestGateway::builder()
        .set("public_url", url.as_str())
        .set("trusted_proxies", vec!["127.0.0.0/8"])
        .set("tokens.keyring_file", ring.to_str().unwrap());
    let two = two.start().await;
    let mut proxy = start(
        dir.path(),
        port,
        [&one, &two].map(|it| it.address.to_string()),
    );
    let address = (std::net::Ipv4Addr::LOCALHOST, port).into();
    until("the proxy listens", PATIENCE, async || {
        proxy.must_run();
        let refused = |error: std::io::Error| format!("{error}: {}", proxy.output());
        try_connect(address).await.map(drop).map_err(refused)
    })
    .await;

    // One mints, and whichever the proxy chooses opens.
    let browser = Chromium::start().await;
    let mut consoles = Vec::new();
    for _ in 0..2 {
        let minted = one.mint_open(host.address).await;
        assert!(minted.url.starts_with(&url), "{}", minted.url);
        browser.open(&minted.url).await;
        browser.reaches("connected").await;
        assert_eq!(browser.report().await.problems, Vec::<String>::new());
        consoles.push(minted);
    }

    for path in ["/healthz", "/readyz"] {
        let answer = Request::get(address, path)
            .over_tls(Some(&trust))
            .send()
            .await;
        assert_eq!(answer.status, 404, "{path} is not for the outside");
    }
    // The proxy names requests, whatever browsers call them.
    let named = Request::get(address, "/nowhere").over_tls(Some(&trust));
    let named = named.header("x-request-id", "forged").send().await;
    let name = named.header("x-request-id").unwrap().to_owned();
    assert_ne!(name, "forged");
    proxy.terminate();
    until("the proxy ends", PATIENCE, async || {
        proxy.ended().ok_or(proxy.output())
    })
    .await;
    for file in ["log", "access.log"] {
        let log = std::fs::read_to_string(dir.path().join(file)).unwrap_or_default();
        if file == access_log {
            assert!(log.contains(&name), "{name} in {log}");
        }
        for console in &consoles {
            assert!(!log.contains(console.token()), "a token in {file}: {log}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_opens_through_haproxy() {
    a_console_through("log", |dir, port, gateways| {
        HaProxy::spawn(dir, port, &gateways, 100).process
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_opens_through_nginx() {
    a_console_through("access.log", |dir, port, [one, two]| {
        let here = |name: &str| dir.join(name).to_str().unwrap().to_owned();
        let listen = format!("listen 127.0.0.1:{port} ssl");
        let config = changed(
            sample("proxy/nginx.conf"),
            &[
                ("listen 443 ssl", &listen),
                ("/etc/nginx/console.example.pem", &here("console.pem")),
                ("/etc/nginx/console.example.key", &here("console.key")),
                ("/var/log/nginx/fanlight.log", &here("access.log")),
                ("10.0.0.11:8080", &one),
                ("10.0.0.12:8080", &two),
            ],
        );
        // The part of nginx.conf that a distribution brings, with everything in this folder.
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("    {kind}_temp_path {};\n", here(kind)))
            .collect();
        let whole = format!(
            "daemon off;\npid {};\nerror_log stderr;\nworker_processes 1;\n\
             events {{}}\nhttp {{\n{temporary}{config}}}\n",
            here("pid")
        );
        let file = dir.join("nginx.conf");
        std::fs::write(&file, whole).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-e").arg("stderr").arg("-c").arg(&file);
        // Debian has it where only root's PATH looks.
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        Process::spawn(&mut command, &dir.join("log"))
    })
    .await;
}
