//! What is new to a thread: an order, a lock, another thread, an event's news, its first and last step.

pub(crate) mod acquire;
pub(crate) mod creation;
pub(crate) mod happens_before;
pub(crate) mod identity;
pub(crate) mod life;
pub(crate) mod spawn;
