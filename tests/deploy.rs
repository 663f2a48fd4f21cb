//! What `deploy/` holds, as operators use it: the proxies' samples in front of a gateway, the units
//! under systemd's own eyes, and the manifests against the schemas of Kubernetes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

#[path = "deploy/compose.rs"]
mod compose;
#[path = "deploy/kubernetes.rs"]
mod kubernetes;
#[path = "deploy/monitoring.rs"]
mod monitoring;
#[path = "deploy/proxies.rs"]
mod proxies;
#[path = "deploy/units.rs"]
mod units;

use std::path::Path;
use std::process::{Command, Output};

use common::sample::{changed, sample};

/// A program of those that `make deploy-test` brings from PyPI.
fn validator(name: &str) -> Command {
    let folder = std::env::var_os("VALIDATORS").expect("make deploy-test sets it");
    Command::new(Path::new(&folder).join(name))
}

fn output(command: &mut Command) -> Output {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output();
    output
        .unwrap_or_else(|error| panic!("{name}: {error}; `make test` installs what the tests need"))
}
