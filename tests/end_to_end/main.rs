//! The command on real programs, one module a topic.
fn main() {}
