//! `fanlight probe` against a real machine, and against none.
#![allow(
    clippy::unwrap_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::net::SocketAddr;
use std::process::{Command, Output};

use common::net::{Family, deaf_address};
use common::qemu::Qemu;

const PASSWORD: &str = "s3cret12";

fn probe(address: SocketAddr, password: Option<&str>) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_fanlight"));
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    command.env("FANLIGHT_TARGETS_ALLOW", "127.0.0.1,::1");
    command.args(["probe", "--timeout", "2s", "--host", &host, "--port", &port]);
    if let Some(password) = password {
        let file = dir.path().join("password");
        std::fs::write(&file, format!("{password}\n")).unwrap();
        command.arg("--password-file").arg(file);
    }
    let output = command.output().unwrap();
    let said = [&output.stdout[..], &output.stderr].concat();
    assert!(
        !String::from_utf8_lossy(&said).contains(PASSWORD),
        "{output:?}"
    );
    output
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_machine_is_described_as_far_as_it_lets_in() {
    for family in [Family::V4, Family::V6] {
        let machine = Qemu::start(family, PASSWORD).await;
        let output = probe(machine.address, Some(PASSWORD));
        let said = text(&output.stdout);
        assert!(output.status.success(), "{output:?}");
        for line in [
            "version     RFB 3.8\n",
            "offers      2 (VNC Authentication), chosen\n",
            "desktop     640 x 400 pixels of 32 bits\n",
            "name        QEMU\n",
            "a console of this machine would open\n",
        ] {
            assert!(said.contains(line), "{line:?} is not in {said}");
        }

        let output = probe(machine.address, None);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(
            text(&output.stdout).ends_with("offers      2 (VNC Authentication)\n"),
            "{output:?}"
        );
        assert!(
            text(&output.stderr).contains("[host_credentials_missing]"),
            "{output:?}"
        );

        let output = probe(machine.address, Some("wrong"));
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(
            text(&output.stderr).contains("[host_auth_failed]"),
            "{output:?}"
        );
    }
}

#[tokio::test]
async fn a_machine_that_is_off_is_named_as_such() {
    let (address, _held) = deaf_address(Family::V4);
    let output = probe(address, Some(PASSWORD));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        text(&output.stderr).contains("[host_unreachable]"),
        "{output:?}"
    );
}
