//! From what processes have left behind to findings.
//!
//! Each process's trace is read ([`trace`]), with names for its stacks ([`symbols`]) and the lines of examples
//! in documentation (`doc_examples`); what only a test kept apart is taken as that (`by_tests`), all are
//! joined ([`merge`]), locks get the fields that they live in (`homes`), and [`analyze`] makes findings of
//! them, with the names that the source gives to locks ([`lock_names`]). What the run did not watch is kept beside them
//! ([`not_watched`]). Runs of which every step is recorded ([`std_format`]) are analysed for themselves
//! ([`predicted`]).

pub mod analyze;
mod by_tests;
mod doc_examples;
mod homes;
pub mod lock_names;
pub mod merge;
pub mod not_watched;
pub mod predicted;
pub mod std_format;
pub mod symbols;
pub mod trace;

use std::path::PathBuf;

use crate::report::naming::Syntax;
use crate::report::sources::Sources;
use merge::{Merged, Unread};

/// What the traces at these places tell together, with the fields that the source shows locks in, and what
/// of them cannot be used. `tell` is told how many files have been read of how many.
pub fn read(
    places: &[PathBuf],
    sources: &Sources,
    tell: &(dyn Fn(usize, usize) + Sync),
) -> (Merged, Unread) {
    let (mut merged, unread) = Merged::gather(places, sources, tell);
    homes::tell(&mut merged, &Syntax::new(sources));
    (merged, unread)
}
