//! The audit log: who did what, when, from where, and why it ended, in lines that are chained so
//! that a missing or a changed one shows.
//!
//! [`Chain`] makes the lines and [`verify`] reads them, both without I/O. [`Audit`] is what the rest
//! of the gateway sees: it takes events and never waits. A thread of its own writes them
//! ([`writer`]).

mod chain;
mod event;
mod file;
mod queue;
pub mod verify;
mod writer;

pub use chain::{Chain, Digest};
pub use event::{Act, Event};
pub use queue::{Audit, Destination, Params, StartError, WhenFull};
