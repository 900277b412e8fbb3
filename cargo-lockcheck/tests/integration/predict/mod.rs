//! Deadlocks that are predicted: small runs with their verdicts, recorded ones, and random ones against
//! all of their schedules.

mod all_schedules;
mod notation;
mod random;
mod recorded;
mod reported;
mod runs;
mod std_format;
mod verdicts;
