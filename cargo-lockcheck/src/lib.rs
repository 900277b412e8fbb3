//! The stages of `cargo lockcheck`, in the order data flows through them.
//!
//! The arguments ([`args`]) become [`settings`]; the [`runtime`] is compiled and cargo is run with
//! it ([`collect`]), which calls this program back for each crate ([`wrapper`]). Traces of processes
//! are read ([`trace`]) and joined ([`merge`]); [`analyze`] makes findings of them, with the names
//! ([`naming`]) and sentences ([`wording`]) that the source gives; [`classify`] decides their
//! levels, [`render`] prints the report ([`model`]), and [`output`] says where.

// What the user is told beside the report.
pub mod failure;
pub mod status;

// What to do: the command line, cargo's configuration, the compiler.
pub mod args;
pub mod cargo_args;
pub mod cargo_config;
pub mod config;
pub mod settings;
pub mod toolchain;

// The runtime and facade, and who gets them.
pub mod places;
pub mod runtime;
pub mod std_use;
pub mod substitute;
pub mod wrapper;

// Cargo, run with them, and what ends it early.
pub mod collect;
pub mod interrupts;

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

// The source, through the compiler's MIR.
pub mod lint;

// Findings of both, as one.
pub mod joined;

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

// Files and streams.
pub mod output;
