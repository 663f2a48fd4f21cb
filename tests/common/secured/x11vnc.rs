//! x11vnc, which is libvncserver, in front of a virtual X server.

use std::process::Command;

use super::{PASSWORD, START, Secured, with_folder};
use crate::common::net::free_port;
use crate::common::pki::{Identity, Pki};
use crate::common::process::Process;
use crate::common::wait::until;
use crate::common::xdisplay;

/// Starts both, x11vnc with these options: `-rfbauth passwd` for our password, `-ssl server.pem`
/// for the certificate.
pub async fn start(options: &str, pki: &Pki, identity: &Identity) -> Secured {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    pki.write(identity, dir.path());
    xdisplay::write_password(&path("passwd"), PASSWORD);
    let mut command = Command::new("Xvfb");
    command.args(["-displayfd", "1", "-nolisten", "tcp", "-noreset"]);
    command.args(["-screen", "0", "64x64x24"]);
    let (xvfb, display) = xdisplay::start(&mut command, &path("xvfb.log")).await;
    let port = free_port();
    // It leaves temporary files behind, and where they go cannot be said otherwise. The display is
    // found all the same: its socket has an abstract name too.
    std::fs::create_dir(path("tmp")).unwrap();
    let mut command = with_folder(&path("tmp"), "/tmp", "x11vnc");
    command.args(["-display", &display, "-rfbport", &port.to_string()]);
    command.args(["-localhost", "-forever", "-shared", "-quiet"]);
    command.args(["-noxdamage", "-nocursor", "-noxrecord"]);
    command.args(options.split(' ').filter(|option| !option.is_empty()));
    command.current_dir(dir.path()).env_remove("DISPLAY");
    let mut process = Process::spawn(&mut command, &path("x11vnc.log"));
    // Where somebody else was faster to take the port it chooses another.
    let port = until("x11vnc listens", START, async || {
        process.must_run();
        let said = process.output();
        let port = said.lines().find_map(|line| line.strip_prefix("PORT="));
        // It may say so a moment before it listens, and a connection to try would count as a login.
        port.and_then(|port| port.parse().ok())
            .filter(|&port| listens(port))
            .ok_or(said)
    })
    .await;
    Secured::new(port, vec![process, xvfb], dir)
}

/// Whether somebody listens on this TCP port, as the kernel has it: state 0A.
fn listens(port: u16) -> bool {
    let ends = format!(":{port:04X}");
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .any(|table| {
            let table = std::fs::read_to_string(table).unwrap();
            table.lines().any(|line| {
                let mut words = line.split_ascii_whitespace().skip(1);
                let local = words.next().is_some_and(|local| local.ends_with(&ends));
                local && words.nth(1) == Some("0A")
            })
        })
}
