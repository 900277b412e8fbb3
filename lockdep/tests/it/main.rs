//! The integration tests of the crate, one module a topic.

#![cfg(feature = "instrument")]
#![expect(clippy::duplicate_mod, reason = "what std and lockdep must both do is written once")]

mod allocator;
mod banker;
mod behaviour;
mod claims;
mod compile_errors;
mod covers;
mod documented;
mod handing_over;
mod isolated;
mod livelock;
mod order;
mod ordered;
mod orphans;
mod parity;
mod parking;
#[cfg(feature = "parking_lot")]
mod parking_lot;
mod patience;
mod peers;
mod process;
mod quiescence;
mod semaphore;
#[cfg(feature = "parking_lot")]
mod sent_guards;
mod sizes;
mod soundness;
mod starvation;
mod stats;
mod tasks;
mod waits;
mod watchdog;
