//! A real x11vnc with a password in front of a virtual X server, on IPv4 and IPv6.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::net::{Family, free_port};
use super::process::Process;
use super::wait::until;
use super::xdisplay;

/// How long x11vnc may take to listen, on a busy test machine.
const START: Duration = Duration::from_secs(15);

/// A running pair of servers, ended on drop: first the one that shows, then the one shown.
pub struct X11vnc {
    process: Process,
    _xvfb: Process,
    port: u16,
    /// The X display.
    pub display: String,
    _dir: TempDir,
}

impl X11vnc {
    /// Starts both with a screen of one known colour.
    pub async fn start(password: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        xdisplay::write_password(&path("passwd"), password);
        let (width, height) = xdisplay::SIZE;
        let mut command = Command::new("Xvfb");
        // Without -noreset the screen is black again once the program that painted it is gone.
        command.args(["-displayfd", "1", "-nolisten", "tcp", "-noreset"]);
        command.args(["-screen", "0", &format!("{width}x{height}x24")]);
        let (xvfb, display) = xdisplay::start(&mut command, &path("xvfb.log")).await;
        xdisplay::paint(&display);
        let port = free_port();
        let mut command = Command::new("x11vnc");
        command.args(["-display", &display, "-rfbport", &port.to_string()]);
        command.args([
            "-6",
            "-localhost",
            "-rfbauth",
            "passwd",
            "-forever",
            "-shared",
        ]);
        command.args(["-noxdamage", "-nocursor", "-quiet", "-noxrecord"]);
        command.current_dir(dir.path()).env_remove("DISPLAY");
        let mut process = Process::spawn(&mut command, &path("x11vnc.log"));
        until("x11vnc listens", START, async || {
            process.must_run();
            let said = process.output();
            said.contains("PORT=").then_some(()).ok_or(said)
        })
        .await;
        Self {
            process,
            _xvfb: xvfb,
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
