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
//! # if cfg!(not(feature = "instrument")) { return }
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
//! [`Config`] says what happens then, and [`findings`] gives everything that was found.
//!
//! # Modules
//!
//! | | |
//! |---|---|
//! | [`sync`], [`thread`] | the watched types, in the place of `std`'s |
//! | [`config`] | what happens when something is found |
//! | [`finding`] | what was found, field by field |
//! | [`stats`](mod@stats) | how long locks are waited for and held |
//! | [`watchdog`] | locks that are held or waited for too long, threads that give no sign of life |
//! | [`order`] | in which order locks are to be taken, declared and checked |
//! | [`ordered`] | several locks taken at once, without deadlock |
//! | [`banker`] | resources that come in units, given out without deadlock |
//!
//! # Features
//!
//! | feature | default | what it brings |
//! |---|---|---|
//! | `instrument` | yes | `sync` and `thread` are watched; without it they are `std`'s |
//! | `library` | yes | `banker`, `order`, `ordered`, `stats`, `watchdog`, `dump`, `sync::Semaphore` |
//! | `backtrace` | yes | names and places for the frames of a stack |
//! | `macros` | no | `lock_all!` and its kin, `#[derive(LockOrder)]`, `#[lock_rank]`, `#[locks]` |
//! | `lock_api` | no | ordered acquisition of `lock_api`'s locks |
//! | `parking_lot` | no | `lockdep::parking_lot`, in the place of `parking_lot` 0.12 |
//! | `arc_lock` | no | its guards that own the lock |
//! | `sources` | no | the sources as text, for `cargo lockcheck` |
//!
//! Without `instrument` nothing is watched and nothing is paid for: a library can use these types
//! everywhere, and leave it to a feature of its own whether they watch.
//!
//! # Cost
//! An acquisition whose order its thread has seen before takes no shared lock, writes no shared cache
//! line and allocates nothing; a new order takes one lock of the whole process.
//!
//! # What it does not see
//! Waits that do not go through these types: atomics, locks of C code, async tasks, sockets, pipes.
//!
//! # Signal handlers
//! Do not use these types in a signal handler: POSIX lists no locking function as async-signal-safe, and
//! this crate is not safe there either, as the handler may interrupt the record of an acquisition half
//! way. [`dump_on_signal`](watchdog::dump_on_signal) is safe: its handler only wakes the watchdog's
//! thread, which does the work.

#![cfg_attr(
    not(all(feature = "instrument", feature = "library")),
    allow(
        dead_code,
        unreachable_pub,
        unused_imports,
        reason = "what only those features use is there without them"
    )
)]
// Says beside each item which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(lockdep_creation_order, feature(core_intrinsics, const_eval_select))]
#![cfg_attr(lockdep_creation_order, expect(internal_features, reason = "see `creation`"))]

// By this path, as the models of `tests/models` have atomics of their own there.
use std::sync::atomic;

mod hash;
mod platform;

mod model;

mod engine;

mod thread_state;

mod observer;

mod process;

mod waits;

mod rendezvous;

mod slow_path;

#[doc(hidden)]
pub mod hooks;

#[cfg(feature = "instrument")]
#[doc(hidden)]
pub mod tasks;

#[cfg(feature = "parking_lot")]
pub mod parking_lot;
pub mod sync;
#[cfg(feature = "instrument")]
pub mod thread;

#[cfg(feature = "library")]
pub mod banker;
#[cfg(feature = "library")]
pub mod order;
#[cfg(feature = "library")]
pub mod ordered;
#[cfg(feature = "library")]
mod snapshot;
#[cfg(feature = "library")]
pub mod stats;
#[cfg(feature = "library")]
pub mod watchdog;

#[cfg(feature = "macros")]
mod macros;

#[cfg(feature = "sources")]
pub mod sources;
#[cfg(feature = "sources")]
pub mod std_items;
/// The order that a program declares, as values: for `cargo lockcheck`, which reads declarations in the
/// source.
#[cfg(feature = "sources")]
#[doc(hidden)]
pub mod declared_order {
    pub use crate::engine::{DeclaredOrder, Reason, Step};
    pub use crate::model::ids::PlaceId;
}

#[cfg(not(feature = "instrument"))]
pub use std::thread;

pub use config::Config;
pub use finding::Finding;
#[doc(inline)]
pub use hooks as instrument;
#[cfg(feature = "macros")]
#[doc(hidden)]
pub use lockdep_macros as __macros;
/// Gives a static its rank: it is locked before all statics and fields of a greater rank. Ranks are
/// numbers of the whole process, and two locks of one rank have no order.
///
/// On a field of a struct with [`LockOrder`], `#[lock_rank(N)]` is part of
/// that derive and says the same. See [`order`] for what it means. Where this crate has another name,
/// `#[lock_rank(crate = path::to::lockdep, N)]` says which.
///
/// # Examples
/// ```
/// use lockdep::{lock_rank, sync::Mutex};
///
/// #[lock_rank(10)]
/// static REGISTRY: Mutex<Vec<u32>> = Mutex::new(Vec::new());
/// #[lock_rank(20)]
/// static AUDIT: Mutex<u32> = Mutex::new(0);
///
/// let registry = REGISTRY.lock().unwrap();
/// *AUDIT.lock().unwrap() += registry.len() as u32;
/// ```
#[cfg(feature = "macros")]
pub use lockdep_macros::lock_rank;
/// Says in which order a function takes its locks: an acquisition in its body that is written under
/// one of a later lock does not compile.
///
/// A lock is named as in `self.accounts.lock()`: by the field, static, variable or argumentless method
/// that is locked. A guard bound by `let` counts to the end of its block, to `drop`, or until it is
/// handed on, any other to the end of its statement; what may have been released counts as released.
/// Closures and async blocks are looked at by themselves, calls and what macros are given are not.
///
/// A name can be the path of a [level](order::Level). A parameter `level: &mut Level<'_, _>` of
/// the function then asks for a level before the first of them, so that a call with a later lock held
/// does not compile. Where this crate has another name, that comes first:
/// `#[locks(crate = path::to::lockdep, …)]`.
///
/// # Examples
/// ```
/// use lockdep::{locks, sync::Mutex};
///
/// struct Bank {
///     accounts: Vec<Mutex<u64>>,
///     audit: Mutex<Vec<u64>>,
/// }
///
/// impl Bank {
///     #[locks(accounts, audit)]
///     fn pay_in(&self, account: usize, amount: u64) {
///         let mut account = self.accounts[account].lock().unwrap();
///         *account += amount;
///         self.audit.lock().unwrap().push(amount);
///     }
/// }
/// # let bank = Bank { accounts: vec![Mutex::new(0)], audit: Mutex::default() };
/// # bank.pay_in(0, 7);
/// ```
///
/// ```compile_fail
/// # use lockdep::{locks, sync::Mutex};
/// # struct Bank { accounts: Vec<Mutex<u64>>, audit: Mutex<Vec<u64>> }
/// # impl Bank {
/// #[locks(accounts, audit)]
/// fn pay_out(&self, account: usize, amount: u64) {
///     let mut audit = self.audit.lock().unwrap();
///     *self.accounts[account].lock().unwrap() -= amount; // `audit` is held
///     audit.push(amount);
/// }
/// # }
/// ```
#[cfg(feature = "macros")]
pub use lockdep_macros::locks;
#[doc(inline)]
pub use model::finding;
#[doc(inline)]
pub use observer::config;
#[cfg(feature = "macros")]
#[doc(inline)]
pub use order::LockOrder;
pub use process::{configure, findings};
#[cfg(feature = "library")]
pub use snapshot::{assert_quiescent, dump};
#[cfg(feature = "library")]
pub use stats::stats;
