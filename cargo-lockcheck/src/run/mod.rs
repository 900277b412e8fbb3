//! Runs cargo with every lock instrumented ([`collect`]), and ends it early when it is told to
//! ([`interrupts`]) or when a program does not get on ([`progress`]). Nothing that a run has started
//! outlives it ([`orphans`]).

pub mod collect;
pub mod interrupts;
pub mod orphans;
pub mod progress;
