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
pub mod homes;
pub mod lock_names;
pub mod merge;
pub mod not_watched;
pub mod predicted;
pub mod std_format;
pub mod symbols;
pub mod trace;
