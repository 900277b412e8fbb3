//! The engine as plain values: what is learnt about orders and waits, and what follows from it.
//!
//! Nothing here knows a process, a `static` or a thread: a test, a model check, the merging of
//! traces and the live process all use the same types. Identities are opaque numbers that the
//! caller gives.
//!
//! * [`Clock`] orders what threads do by spawn and join alone.
//! * [`Cover`] knows which locks are held around a whole thread, by those that spawned it.
//! * [`OrderGraph`] keeps which locks can be waited for under which, and knows at once whether a
//!   new order closes a cycle.
//! * [`Detector`] keeps the dependencies behind those orders, finds the cycles and their tier.
//! * [`DeclaredOrder`] knows in which order a program says that it takes its locks.
//! * [`WaitGraph`] tells which threads can never go on.

pub use clock::Clock;
pub use cover::{Cover, Section};
pub use declared::{DeclaredOrder, PlaceId, Reason, Step};
pub use detector::{Cycle, Dependency, Detector, Gone, Held, Link};
pub use moment::Moment;
pub use order_graph::OrderGraph;
pub use wait_graph::{WaitGraph, Waiter, WaitsFor};

mod clock;
mod cover;
mod moment;

mod detector;
mod search;

mod declared;
mod order_graph;
mod wait_graph;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod scenarios;

/// One lock object; never used again for another.
pub type LockId = u64;

/// One thread; never used again for another.
pub type ThreadId = u32;

/// A place in the source, as the caller numbers it.
pub type SiteId = u64;
