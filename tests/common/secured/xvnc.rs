//! TigerVNC's X server.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::{PASSWORD, Secured, USER, with_folder};
use crate::common::net::free_port;
use crate::common::pki::{Identity, Pki};
use crate::common::xdisplay;

/// Starts a server with these `-SecurityTypes`.
pub async fn start(types: &str, pki: &Pki, identity: &Identity) -> Secured {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    pki.write(identity, dir.path());
    xdisplay::write_password(&path("passwd"), PASSWORD);
    let mut command = if types.contains("Plain") {
        with_pam(dir.path())
    } else {
        Command::new("Xtigervnc")
    };
    let port = free_port();
    command.args(["-displayfd", "1", "-nolisten", "tcp", "-depth", "24"]);
    command.args(["-localhost=1", "-geometry", "64x64"]);
    command.args(["-rfbport", &port.to_string(), "-SecurityTypes", types]);
    command.args(["-rfbauth", "passwd", "-PlainUsers", USER]);
    command.args(["-pam_service", "fanlight-tests"]);
    command.args(["-X509Cert", "server-cert.pem", "-X509Key", "server-key.pem"]);
    command.current_dir(dir.path());
    let (process, _) = xdisplay::start(&mut command, &path("log")).await;
    Secured::new(port, vec![process], dir)
}

/// The server where `/etc/pam.d` holds one service, which knows our user.
fn with_pam(dir: &Path) -> Command {
    let services = dir.join("pam.d");
    let check = dir.join("check");
    std::fs::create_dir(&services).unwrap();
    std::fs::write(
        services.join("fanlight-tests"),
        format!(
            "auth required pam_exec.so expose_authtok quiet {}\naccount required pam_permit.so\n",
            check.display()
        ),
    )
    .unwrap();
    // PAM hands the password over with a final NUL.
    let script = format!("#!/bin/sh\n[ \"$PAM_USER:$(tr -d '\\000')\" = '{USER}:{PASSWORD}' ]\n");
    std::fs::write(&check, script).unwrap();
    std::fs::set_permissions(&check, PermissionsExt::from_mode(0o700)).unwrap();

    with_folder(&services, "/etc/pam.d", "Xtigervnc")
}
