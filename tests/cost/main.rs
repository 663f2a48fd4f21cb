//! What the data path costs, as far as no clock is needed to tell: allocations, reads and writes
//! for what is relayed, heap for each session at rest, and what is left of it when it is over.
//!
//! The allocator counts for the whole process, so everything here is one test, and the only one of
//! its binary. Where a figure changes for the better, change it here too, so that it stays.

#![allow(
    clippy::unwrap_used,
    reason = "a test that meets something unexpected stops and says where"
)]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod left;
mod relayed;
mod rest;
mod scripted;
mod stage;
mod viewer;

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn the_data_path_costs_what_it_should() {
    relayed::down();
    relayed::up();
    rest::plain();
    rest::tls();
    left::nothing();
}
