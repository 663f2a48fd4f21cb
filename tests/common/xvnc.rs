//! A real TigerVNC server with a password, on IPv4 and IPv6.

use std::net::SocketAddr;
use std::process::Command;

use tempfile::TempDir;

use super::net::{Family, free_port};
use super::process::Process;
use super::xdisplay;

/// A running server, ended on drop.
pub struct Xvnc {
    process: Process,
    port: u16,
    /// Its X display.
    pub display: String,
    _dir: TempDir,
}

impl Xvnc {
    /// Starts the server with a screen of one known colour.
    pub async fn start(password: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        xdisplay::write_password(&dir.path().join("passwd"), password);
        let port = free_port();
        let (width, height) = xdisplay::SIZE;
        let mut command = Command::new("Xtigervnc");
        command.args([
            "-displayfd",
            "1",
            "-nolisten",
            "tcp",
            "-depth",
            "24",
            "-localhost=1",
        ]);
        command.args(["-geometry", &format!("{width}x{height}")]);
        command.args(["-rfbport", &port.to_string()]);
        command.args(["-SecurityTypes", "VncAuth", "-rfbauth", "passwd"]);
        command.current_dir(dir.path());
        let (process, display) = xdisplay::start(&mut command, &dir.path().join("log")).await;
        xdisplay::paint(&display);
        Self {
            process,
            port,
            display,
            _dir: dir,
        }
    }

    /// Where it listens.
    pub fn address(&self, family: Family) -> SocketAddr {
        (family.loopback().ip(), self.port).into()
    }
}
