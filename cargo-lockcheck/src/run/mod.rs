//! Runs cargo with every lock instrumented ([`collect`]), and ends it early when it is told to
//! ([`interrupts`]). Nothing that a run has started outlives it ([`orphans`]).

pub mod collect;
pub mod interrupts;
pub mod orphans;
