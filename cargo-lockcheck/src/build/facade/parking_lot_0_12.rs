//! `parking_lot` 0.12, with instrumented locks in the place of its own.
//!
//! Compiled in the place of the crate of that name, which it contains under another one. All that
//! is not named here is the real thing. The modules lie where the runtime's sources are.

use lockdep::instrument as hooks;
use parking_lot_real as real;

pub use parking_lot_real::*;

#[path = "lockdep/parking_lot/raw.rs"]
mod raw;

#[path = "lockdep/parking_lot/lock_api_0_4.rs"]
mod lock_api_0_4;

#[path = "lockdep/parking_lot/condvar.rs"]
mod condvar;
#[path = "lockdep/parking_lot/once.rs"]
mod once;
#[path = "lockdep/parking_lot/types.rs"]
mod types;

pub use condvar::{Condvar, WaitTimeoutResult};
pub use once::Once;
pub use types::{
    FairMutex, FairMutexGuard, MappedFairMutexGuard, MappedMutexGuard, MappedReentrantMutexGuard,
    MappedRwLockReadGuard, MappedRwLockWriteGuard, Mutex, MutexGuard, RawFairMutex, RawMutex,
    RawRwLock, ReentrantMutex, ReentrantMutexGuard, RwLock, RwLockReadGuard,
    RwLockUpgradableReadGuard, RwLockWriteGuard, const_fair_mutex, const_mutex,
    const_reentrant_mutex, const_rwlock,
};
