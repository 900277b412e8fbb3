//! A thread that waits, fails to get on, or is late.

pub(crate) mod block;
pub(crate) mod livelock;
pub(crate) mod parking;
pub(crate) mod starvation;
pub(crate) mod times;
