//! The engine as plain values: what is learnt about orders and waits, and what follows from it.
//!
//! Nothing here knows a process, a `static` or a thread: a test, a model check, the merging of
//! traces and the live process all use the same types. Identities are opaque numbers that the
//! caller gives.
//!
//! * [`ThreadPoint`] is a step of a thread, [`VectorClock`] the epochs of threads that come before it.
//! * [`Cover`] knows which locks are held around a whole thread, by those that spawned it.
//! * [`OrderGraph`] keeps which locks can be waited for under which, and knows at once whether a
//!   new order closes a cycle.
//! * [`Detector`] keeps the dependencies behind those orders, finds the cycles and their tier.
//! * [`DeclaredOrder`] knows in which order a program says that it takes its locks.
//! * [`WaitGraph`] tells which threads can never go on.

pub(crate) use cover::{Cover, Section};
#[allow(unreachable_pub, reason = "public with the feature `sources` alone")]
pub use declared::{DeclaredOrder, Reason, Step};
pub(crate) use detector::{Cycle, Dependency, Detector, Held, Link};
pub(crate) use thread_point::ThreadPoint;
pub(crate) use vector_clock::VectorClock;
pub(crate) use wait_graph::{WaitGraph, Waiter, WaitsFor};

mod cover;
mod thread_point;
mod vector_clock;

mod detector;
mod search;

#[allow(unreachable_pub, reason = "public with the feature `sources` alone")]
mod declared;
mod order_graph;
mod wait_graph;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod scenarios;
