//! The `cargo lockcheck` subcommand.
fn main() {}
