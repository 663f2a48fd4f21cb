//! A real TightVNC server (Xtightvnc), and a way to it on which only Tight is offered.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::fake_host::FakeHost;
use super::net::{self, Family, free_port};
use super::process::Process;
use super::wait::until;
use super::xdisplay;

/// How long the server may take to listen, on a busy test machine.
const START: Duration = Duration::from_secs(15);

/// A running server, ended on drop.
pub struct Xtightvnc {
    process: Process,
    /// Where it listens, on IPv4 alone.
    pub address: SocketAddr,
    /// Its X display.
    pub display: String,
    _dir: TempDir,
}

impl Xtightvnc {
    /// Starts the server, with a password or without, and with a screen of one known colour.
    pub async fn start(password: Option<&str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // It cannot choose a display, and so gets one that is as free as its port.
        let port = free_port();
        let display = format!(":{port}");
        let (width, height) = xdisplay::SIZE;
        let mut command = Command::new("Xtightvnc");
        command.args([&display, "-nolisten", "tcp", "-depth", "24", "-localhost"]);
        command.args(["-geometry", &format!("{width}x{height}")]);
        command.args(["-rfbport", &port.to_string()]);
        if let Some(password) = password {
            xdisplay::write_password(&dir.path().join("passwd"), password);
            command.args(["-rfbauth", "passwd"]);
        }
        command.current_dir(dir.path());
        let mut process = Process::spawn(&mut command, &dir.path().join("log"));
        let address = (Family::V4.loopback().ip(), port).into();
        until("Xtightvnc listens", START, async || {
            process.must_run();
            let connected = net::try_connect(address).await;
            connected.map(drop).map_err(|error| error.to_string())
        })
        .await;
        xdisplay::paint(&display);
        Self {
            process,
            address,
            display,
            _dir: dir,
        }
    }

    /// The same server to somebody who does not see its other types: it always offers a direct one
    /// beside Tight, and that one is preferred.
    pub async fn by_tight_alone(&self) -> FakeHost {
        let server = self.address;
        FakeHost::serve(Family::V4, move |mut line| async move {
            let mut server = net::connect(server).await;
            let mut version = [0; 12];
            server.read_exact(&mut version).await.unwrap();
            line.send(&version).await;
            let Some(answer) = line.read(12).await else {
                return;
            };
            server.write_all(&answer).await.unwrap();
            let count = server.read_u8().await.unwrap();
            let mut types = vec![0; count.into()];
            server.read_exact(&mut types).await.unwrap();
            assert!(types.contains(&16), "{types:?}");
            line.send(&[1, 16]).await;
            // The end of either is the end of both; how it ended is not this test's matter.
            let _ = tokio::io::copy_bidirectional(line.stream(), &mut server).await;
        })
        .await
    }
}
