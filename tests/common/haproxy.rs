//! A real HAProxy with the sample configuration, in front of gateways of a test.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::process::Process;
use super::sample::{changed, sample};
use super::wait::until;

/// How long it may take to answer a question.
const ANSWERED: Duration = Duration::from_secs(5);

/// A running HAProxy, ended on drop.
pub struct HaProxy {
    /// The process.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    socket: PathBuf,
}

impl HaProxy {
    /// Starts it on `port` in front of the gateways `one` and `two`, with its files in `dir`: with TLS
    /// where the certificate is there as `console.pem`. It may have so many connections.
    pub fn spawn(dir: &Path, port: u16, gateways: &[String; 2], connections: usize) -> Self {
        let pem = dir.join("console.pem");
        let socket = dir.join("haproxy.sock");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let bind = if pem.exists() {
            format!("bind {address} ssl crt {} alpn", pem.display())
        } else {
            format!("bind {address} #")
        };
        let config = changed(
            sample("proxy/haproxy.cfg"),
            &[
                (
                    "bind :443 ssl crt /etc/haproxy/console.example.pem alpn",
                    &bind,
                ),
                ("10.0.0.11:8080", &gateways[0]),
                ("10.0.0.12:8080", &gateways[1]),
                // As many files as this takes cannot be opened everywhere.
                ("maxconn 20000", &format!("maxconn {connections}")),
                // What it would log goes where the test can look, and it answers questions.
                (
                    "global\n",
                    &format!(
                        "global\n    log stdout format raw local0\n    stats socket {}\n",
                        socket.display()
                    ),
                ),
                ("defaults\n", "defaults\n    log global\n"),
            ],
        );
        let file = dir.join("haproxy.cfg");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new("haproxy");
        // A warning is a failure.
        command.args(["-dW", "-db", "-f"]).arg(&file);
        let process = Process::spawn(&mut command, &dir.join("log"));
        Self {
            process,
            address,
            socket,
        }
    }

    /// Waits until it takes a gateway for one that answers: `one` or `two`.
    pub async fn has_up(&self, server: &str, within: Duration) {
        until("the proxy sees the gateway", within, async || {
            let stat = self.ask("show stat\n").map_err(|error| error.to_string())?;
            let line = stat.lines().find_map(|line| {
                let rest = line.strip_prefix(&format!("gateways,{server},"))?;
                // The columns of 2.6: pxname, svname, then status as the eighteenth.
                rest.split(',').nth(15)
            });
            if line == Some("UP") {
                Ok(())
            } else {
                Err(stat)
            }
        })
        .await;
    }

    fn ask(&self, question: &str) -> std::io::Result<String> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(ANSWERED))?;
        stream.write_all(question.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}
