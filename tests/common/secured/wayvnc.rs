//! wayvnc in front of sway without a screen.

use std::net::Ipv4Addr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;

use super::{PASSWORD, START, Secured, USER, is_root};
use crate::common::net::{free_port, try_connect};
use crate::common::pki::{Identity, Pki};
use crate::common::process::Process;
use crate::common::wait::until;

/// Nobody's user and group: sway refuses to be root.
const NOBODY: u32 = 65534;

/// Starts both; wayvnc with `enable_auth=true` or without.
pub async fn start(with_auth: bool, pki: &Pki, identity: &Identity) -> Secured {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    pki.write(identity, dir.path());
    let port = free_port();
    let auth = format!(
        "enable_auth=true\nusername={USER}\npassword={PASSWORD}\nprivate_key_file={}\ncertificate_file={}\n",
        path("server-key.pem").display(),
        path("server-cert.pem").display()
    );
    let auth = if with_auth { &auth } else { "" };
    let settings = format!("address=127.0.0.1\nport={port}\n{auth}");
    std::fs::write(path("wayvnc.cfg"), settings).unwrap();
    let output = "xwayland disable\noutput HEADLESS-1 resolution 64x64\n";
    std::fs::write(path("sway.cfg"), output).unwrap();
    let run = path("run");
    std::fs::create_dir(&run).unwrap();
    std::fs::set_permissions(&run, PermissionsExt::from_mode(0o700)).unwrap();
    if is_root() {
        for name in std::fs::read_dir(dir.path()).unwrap() {
            chown(name.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        chown(dir.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let as_nobody = |program: &str| {
        let mut command = if is_root() {
            let id = NOBODY.to_string();
            let mut command = Command::new("setpriv");
            command.args(["--reuid", &id, "--regid", &id, "--clear-groups", program]);
            command
        } else {
            Command::new(program)
        };
        command.env("XDG_RUNTIME_DIR", &run).env("HOME", &run);
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        command.current_dir(dir.path());
        command
    };

    let mut command = as_nobody("sway");
    command.args(["-c", "sway.cfg"]);
    command.env("WLR_BACKENDS", "headless");
    command.env("WLR_LIBINPUT_NO_DEVICES", "1");
    command.env("WLR_RENDERER", "pixman");
    let mut sway = Process::spawn(&mut command, &path("sway.log"));
    // Its IPC socket comes last: by then the output is there.
    let display = until("sway listens", START, async || {
        sway.must_run();
        let names = std::fs::read_dir(&run).unwrap();
        let names: Vec<_> = names
            .map(|name| name.unwrap().file_name().into_string().unwrap())
            .collect();
        let display = names
            .iter()
            .find(|name| name.starts_with("wayland-") && !name.ends_with(".lock"));
        let is_up = names.iter().any(|name| name.starts_with("sway-ipc."));
        match display {
            Some(display) if is_up => Ok(display.clone()),
            _ => Err(format!("{names:?} and {}", sway.output())),
        }
    })
    .await;
    let mut command = as_nobody("wayvnc");
    command.args(["-C", "wayvnc.cfg"]);
    command.env("WAYLAND_DISPLAY", display);
    let mut wayvnc = Process::spawn(&mut command, &path("wayvnc.log"));
    until("wayvnc listens", START, async || {
        wayvnc.must_run();
        let connected = try_connect((Ipv4Addr::LOCALHOST, port).into()).await;
        connected.map(drop).map_err(|error| error.to_string())
    })
    .await;
    Secured::new(port, vec![wayvnc, sway], dir)
}
