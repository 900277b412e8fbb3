//! From what processes have left behind to findings.
//!
//! Each process's trace is read ([`trace`]), with names for its stacks ([`symbols`]), all are joined ([`merge`]), and [`analyze`] makes
//! findings of them, with the names that the source gives to locks ([`lock_names`]).

pub mod analyze;
pub mod lock_names;
pub mod merge;
pub mod symbols;
pub mod trace;
