//! Instrumented locks that find deadlocks.

pub mod finding;
pub mod instrument;
