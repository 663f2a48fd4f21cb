//! Checks that the web assets were built, and tells the code their hashed names.

fn main() {}
