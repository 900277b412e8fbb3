//! A thread that waits, fails to get on, or is late.

pub(crate) mod block;
pub(crate) mod cycle;
pub(crate) mod hang;
pub(crate) mod livelock;
mod look;
pub(crate) mod orphan;
pub(crate) mod parking;
pub(crate) mod starvation;
pub(crate) mod times;
