//! What is left of who has left: nothing but that the token was used and the session is over, both
//! of which are forgotten in time. The tables of them grow in leaps, which is why visits are counted
//! between two of those.

use std::net::TcpStream;
use std::num::NonZeroU16;

use super::stage::{Stage, settled};
use super::viewer;

/// Visits before the counting starts: more than 448, from where on a table has room for 896.
const BEFORE: usize = 500;

/// Visits that are counted.
const COUNTED: usize = 300;

/// The token's list of the sessions it has opened has one of 16 bytes more for each.
const EACH: usize = 16;

/// What is made now and then, whoever comes, in bytes.
const NOISE: usize = 2_048;

/// How visits end. The machine hangs up as soon as it is left, or first.
const WAYS: [(&str, Goodbye); 3] = [
    ("the browser closes", |mut browser, machine| {
        viewer::close(&mut browser);
        drop(machine);
        viewer::read_all(&mut browser);
    }),
    ("the browser is gone", |browser, machine| {
        drop(browser);
        drop(machine);
    }),
    ("the machine is gone", |mut browser, machine| {
        drop(machine);
        viewer::hear(&mut browser);
        viewer::close(&mut browser);
        viewer::read_all(&mut browser);
    }),
];

type Goodbye = fn(TcpStream, TcpStream);

/// Whichever way somebody leaves.
pub fn nothing() {
    for (how, goodbye) in WAYS {
        let stage = Stage::set(
            "limits.connections_per_client = \"1000000/s\"\n\
             limits.handshakes_per_client = \"1000000/s\"\n",
        );
        let token = stage.mint(NonZeroU16::MAX);
        let visit = |count| {
            for _ in 0..count {
                let browser = viewer::open(stage.address(), &token, None);
                goodbye(browser, stage.let_in());
            }
        };
        visit(BEFORE);
        let before = settled();
        visit(COUNTED);
        let more = settled().saturating_sub(before);
        assert!(more <= COUNTED * EACH + NOISE, "{how}: {more} bytes");
        stage.strike();
    }
}
