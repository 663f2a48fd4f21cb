//! The world around a gateway under load: the release binary as a process of its own, a machine
//! that sends what it is asked for, and browsers. Everything runs on this machine, on ports chosen
//! at run time, and ends with this process.
#![allow(dead_code, reason = "each program uses its part of this world")]
#![allow(unreachable_pub, reason = "a program has no outside")]

pub mod browser;
pub mod gateway;
pub mod machine;
pub mod process;
