//! Ways to prove to a host that one may come in, one file each.

pub mod vnc;
