//! The command as people use it: its help, its results, its errors, and that no secret is seen.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod audit;
mod check_config;
mod home;
mod keys;
mod tokens;
mod usage;
mod ways;
