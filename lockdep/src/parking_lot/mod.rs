//! Drop-in for `parking_lot` 0.12: the same types and methods, with every acquisition, wait and
//! notification recorded.
//!
//! The types are `lock_api`'s own over instrumented raw locks, so all of their methods are there,
//! and a raw lock of another crate can be wrapped in the same way ([`lock_api_0_4`]).
//!
//! [`LockNested`](crate::order::LockNested) and its kin lock them at a nesting level. What `unlocked`
//! acquires again is at level 0.
//!
//! What differs: a lock belongs to the class of the place that *uses* it first, as `lock_api` makes
//! locks of a constant that knows no place. `cargo lockcheck` compiles `lock_api` so that it does.
//!
//! # Examples
//! ```
//! use lockdep::parking_lot::{Mutex, RwLock};
//!
//! let (jobs, limit) = (Mutex::new(vec![1]), RwLock::new(8));
//! {
//!     let mut jobs = jobs.lock();
//!     if jobs.len() < *limit.read() {
//!         jobs.push(2);
//!     }
//! }
//! assert_eq!(jobs.into_inner(), [1, 2]);
//! ```

use ::parking_lot as real;

mod raw;

pub mod lock_api_0_4;

mod condvar;
mod nested;
mod once;
mod places;
mod types;

pub use condvar::{Condvar, WaitTimeoutResult};
pub use once::Once;
#[cfg(feature = "arc_lock")]
pub use real::lock_api::{
    ArcMutexGuard, ArcReentrantMutexGuard, ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard,
    ArcRwLockWriteGuard,
};
pub use real::{OnceState, RawThreadId, lock_api};
pub use types::{
    FairMutex, FairMutexGuard, MappedFairMutexGuard, MappedMutexGuard, MappedReentrantMutexGuard,
    MappedRwLockReadGuard, MappedRwLockWriteGuard, Mutex, MutexGuard, RawFairMutex, RawMutex,
    RawRwLock, ReentrantMutex, ReentrantMutexGuard, RwLock, RwLockReadGuard,
    RwLockUpgradableReadGuard, RwLockWriteGuard, const_fair_mutex, const_mutex,
    const_reentrant_mutex, const_rwlock,
};
