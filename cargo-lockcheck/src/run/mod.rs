//! Runs cargo with every lock instrumented ([`collect`]), and ends it early when it is told to
//! ([`interrupts`]).

pub mod collect;
pub mod interrupts;
