//! The rooms of `cargo lockcheck`, each of which uses only those before it.
//!
//! Arguments become settings ([`cli`]). A check of the source goes through the compiler's MIR
//! ([`lint`]). A check that runs the program compiles a runtime under it ([`build`]), runs cargo
//! ([`run`]) and reads what the processes leave behind ([`traces`]). Where each step is recorded, other
//! schedules are looked at, too ([`predict`]). Either ends as a [`report`];
//! [`with_trace`] makes one of both. [`confirm`] runs tests once more, so that what was found comes about. [`accept`] takes out what the program's people have accepted. What
//! was reported is asked about later ([`explain`]) and compared ([`compare`]).

// What is found: the model, names, sentences, levels, formats.
pub mod report;

// What to do, and where to say it.
pub mod cli;

// Findings that the program's people accept.
pub mod accept;

// Deadlocks that another schedule of a recorded run leads to.
pub mod predict;

// Deadlocks in the source.
pub mod lint;

// Deadlocks that recorded runs show.
pub mod traces;

// The runtime under the program.
pub mod build;

// Cargo, run with it.
pub mod run;

// Findings of the source and of runs, as one.
pub mod with_trace;

// What a rule or a finding means.
pub mod explain;

// Runs in which threads are made to meet where they would deadlock.
pub mod confirm;

// Two reports, side by side.
pub mod compare;
