//! The units, as systemd reads them.

use std::process::Command;

use crate::{changed, output, sample};

/// The highest exposure that `systemd-analyze security` may find, in tenths: 0 is locked away, 100 is
/// without any guard.
const MAX_EXPOSURE: &str = "20";

/// The units in a folder, with the program that was built in place of the installed one.
fn units() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let service = changed(
        sample("systemd/fanlight.service"),
        &[("/usr/bin/fanlight", env!("CARGO_BIN_EXE_fanlight"))],
    );
    std::fs::write(dir.path().join("fanlight.service"), service).unwrap();
    let socket = sample("systemd/fanlight.socket");
    std::fs::write(dir.path().join("fanlight.socket"), socket).unwrap();
    dir
}

#[test]
fn systemd_has_nothing_to_say_about_them() {
    let dir = units();
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no"]);
    for unit in ["fanlight.service", "fanlight.socket"] {
        command.arg(dir.path().join(unit));
    }
    let said = output(&mut command);
    // An unknown setting is only a warning.
    assert!(said.status.success() && said.stderr.is_empty(), "{said:?}");
}

#[test]
fn the_service_has_few_rights() {
    let dir = units();
    let said = output(
        Command::new("systemd-analyze")
            .args(["security", "--no-pager", "--offline=yes"])
            .arg(format!("--threshold={MAX_EXPOSURE}"))
            .arg(dir.path().join("fanlight.service")),
    );
    assert!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stdout)
    );
}

/// What is still counted is explained in the file.
#[test]
fn what_is_left_is_explained() {
    let dir = units();
    let said = output(
        Command::new("systemd-analyze")
            .args(["security", "--no-pager", "--offline=yes"])
            .arg(dir.path().join("fanlight.service")),
    );
    let table = String::from_utf8(said.stdout).unwrap();
    let counted: Vec<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("✗ ")?.split('=').next())
        .collect();
    assert!(!counted.is_empty(), "{table}");
    let service = sample("systemd/fanlight.service");
    let explained = service.split("still counts").nth(1).unwrap();
    for setting in counted {
        assert!(explained.contains(setting), "{setting} is not explained");
    }
}
