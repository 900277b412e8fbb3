//! Instrumented locks that find deadlocks: what `cargo lockcheck` puts under a program, and a library.
//!
//! [`sync`] and [`thread`] have the names and behaviour of `std::sync` and `std::thread`. What threads
//! do with them is watched: an order of two locks that could end in a deadlock is found without one,
//! and what would hang is reported at once, by the thread that would complete it, which then panics.
//!
//! ```
//! use lockdep::config::{Config, Print};
//! use lockdep::finding::{Rule, Tier};
//! use lockdep::sync::Mutex;
//!
//! lockdep::configure(Config::from_env().print(Print::None));
//! let (accounts, audit) = (Mutex::new(150), Mutex::new(Vec::new()));
//! {
//!     let balance = accounts.lock().unwrap();
//!     audit.lock().unwrap().push(*balance);
//! }
//! {
//!     let log = audit.lock().unwrap();
//!     assert_eq!(log[0], *accounts.lock().unwrap());
//! }
//! // One thread did this, which is safe; it hangs when two threads do it at once.
//! let findings = lockdep::findings();
//! assert_eq!((findings[0].rule, findings[0].tier), (Rule::LockOrder, Tier::NeedsThread));
//! ```
//!
//! [`Config`] says what happens then, and [`findings`] gives everything that was found. Without the
//! default feature `instrument`, `sync` and `thread` *are* `std::sync` and `std::thread`, and nothing
//! is watched. [`order`] declares in which order locks are taken; [`ordered`] takes several locks
//! without deadlock; [`banker`] gives out resources that come in units.
//!
//! # Cost
//! An acquisition whose order its thread has seen before takes no shared lock, writes no shared cache
//! line and allocates nothing; a new order takes one lock of the whole process.
//!
//! # What it does not see
//! Waits that do not go through these types: atomics, locks of C code, async tasks, sockets, pipes.

#![cfg_attr(lockdep_creation_order, feature(core_intrinsics, const_eval_select))]
#![cfg_attr(lockdep_creation_order, expect(internal_features, reason = "see `creation`"))]

#[cfg(feature = "parking_lot")]
pub mod parking_lot;
#[cfg(feature = "instrument")]
pub mod sync;
#[cfg(feature = "instrument")]
pub mod thread;

pub mod instrument;

mod creation;
mod record;
mod word;

mod identity;
mod learning;
mod parking;
mod permits;
mod process;
mod spawning;
mod waiting;

mod livelock;
mod snapshot;
mod timing;

mod platform;

pub mod config;
pub mod engine;
pub mod finding;
mod hash;
mod observer;
mod stack;
mod trace;

pub mod stats;
pub mod watchdog;

pub mod banker;
pub mod order;
pub mod ordered;

#[cfg(feature = "macros")]
mod macros;

#[cfg(feature = "sources")]
pub mod sources;

pub use config::Config;
pub use finding::Finding;
#[cfg(feature = "macros")]
#[doc(hidden)]
pub use lockdep_macros as __macros;
#[cfg(feature = "macros")]
pub use lockdep_macros::{LockOrder, lock_rank, locks};
pub use process::{configure, findings};
pub use snapshot::{assert_quiescent, dump};
pub use stats::stats;
#[cfg(not(feature = "instrument"))]
pub use std::{sync, thread};
