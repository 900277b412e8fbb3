//! The engine as plain values: graphs of orders and waits, and the verdicts that follow from them.
//!
//! Nothing here knows a process, a `static` or a thread: tests and the live process use the same
//! types. Identities are opaque numbers that the caller chooses.
//!
//! * [`ThreadPoint`] is a step of a thread, [`VectorClock`] the epochs of threads that come before it.
//! * [`InheritedLocks`] are those that are held around a whole thread by the ones that spawned it.
//! * [`OrderGraph`] has the order of pairs of locks, and tells at once which may lie on a cycle.
//! * [`Detector`] has the dependencies behind those orders, and finds the cycles and their tiers.
//! * [`DeclaredOrder`] is the order in which a program says that it takes its locks.
//! * [`WaitGraph`] tells which threads can never go on.

#[allow(unreachable_pub, reason = "public with the feature `sources` alone")]
pub use declared::{DeclaredOrder, Reason, Step};
pub(crate) use detector::{Cycle, Dependency, Detector, Held, Link};
pub(crate) use inherited_locks::{CriticalSection, InheritedLocks};
pub(crate) use thread_point::ThreadPoint;
pub(crate) use vector_clock::{SharedClock, VectorClock};
pub(crate) use wait_graph::{WaitGraph, Waiter, WaitsFor};

mod inherited_locks;
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
