//! What each thread keeps of itself, and how other threads read it.

pub(crate) mod bell;
pub(crate) mod captured;
pub(crate) mod counters;
pub(crate) mod current;
pub(crate) mod demand;
pub(crate) mod familiar;
pub(crate) mod held_stack;
pub(crate) mod pending;
pub(crate) mod permits;
pub(crate) mod polling;
pub(crate) mod position;
pub(crate) mod record;
pub(crate) mod registry;
pub(crate) mod retries;
pub(crate) mod serials;
pub(crate) mod sleeper;
pub(crate) mod snapshot;
pub(crate) mod wait;

mod known;
mod recent;
mod remote_release;
