//! The stages of `cargo lockcheck`, in the order data flows through them.
//!
//! Traces of processes are read ([`trace`]) and joined ([`merge`]); [`analyze`] makes findings of
//! them, with the names ([`naming`]) and sentences ([`wording`]) that the source gives;
//! [`classify`] decides their levels, and [`render`] prints the report ([`model`]).

// Quotable source files and their short names.
pub mod sources;

// What one process has left behind.
pub mod trace;

// All processes as one.
pub mod merge;

// Names of locks, functions and findings.
pub mod naming;

// Findings of single processes and across them.
pub mod analyze;

// The table of rules.
pub mod rules;

// Sentences of findings.
pub mod wording;

// The report itself.
pub mod model;

// Levels.
pub mod classify;

// Formats.
pub mod render;
