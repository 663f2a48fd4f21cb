//! Gateways that share a key ring and a real Redis are one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that meets something unexpected stops and says where, and what it measured"
)]

#[path = "../common/mod.rs"]
mod common;

mod across;
mod changed;
mod killed;
mod store_away;
mod world;

use std::time::Duration;

use common::rfb_client::{Refusal, Viewer};
use common::websocket::End;
use fanlight::reason::Reason;

/// What a handshake or an end may take on a busy test machine.
const ANSWERED: Duration = Duration::from_secs(20);
/// What takes a lease to be over, or two hundred handshakes.
const LONG: Duration = Duration::from_secs(60);

fn end(reason: Reason) -> End {
    End::Close {
        code: reason.close_code(),
        reason: reason.code().to_owned(),
    }
}

fn refusal(opened: Result<Viewer, Refusal>) -> End {
    opened.err().expect("a refusal").end
}
