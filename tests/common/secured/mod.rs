//! Real VNC servers with every kind of security that they have, one file each.
//!
//! All listen on 127.0.0.1 and know the same user and password.

pub mod qemu;
pub mod wayvnc;
pub mod x11vnc;
pub mod xvnc;

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::process::Process;

/// The user that every server with users knows.
pub const USER: &str = "operator";
/// The password; VNC authentication has 8 bytes.
pub const PASSWORD: &str = "s3cret12";
/// How long a server may take to start, on a busy test machine.
const START: Duration = Duration::from_secs(20);

/// A running server, ended on drop, in the order of its parts.
pub struct Secured {
    /// Where it listens.
    pub address: SocketAddr,
    _parts: Vec<Process>,
    _dir: TempDir,
}

impl Secured {
    fn new(port: u16, parts: Vec<Process>, dir: TempDir) -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, port).into(),
            _parts: parts,
            _dir: dir,
        }
    }
}

/// A command for a program that sees `folder` in the place of `place`: in a mount namespace of its
/// own, so that the system never sees it and nothing of it stays.
fn with_folder(folder: &Path, place: &str, program: &str) -> Command {
    let mut command = Command::new("unshare");
    if !is_root() {
        command.arg("--map-root-user");
    }
    let bind = "mount --bind \"$0\" \"$1\" && shift && exec \"$@\"";
    command.args(["--mount", "sh", "-c", bind]);
    command.arg(folder).args([place, program]);
    command
}

/// Whether the tests run as root.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}
