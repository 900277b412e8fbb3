//! Runs in the STD format, which the tools RAPID, SPDOffline and SUnhang have in common: a step a line,
//! `thread|operation(of what)|place`.
//!
//! `docs/proof.md` has the operations. Reading never fails half-way: what is not understood is counted and
//! said, and what contradicts itself, such as a lock that two threads hold, is named with its line.

mod consistency;
mod operation;
mod reader;
mod writer;

pub use reader::StdTrace;
pub use writer::write;

/// How the names of files end that are read as STD.
pub const ENDING: &str = "std";
