//! `parking_lot` 0.13, with instrumented locks in the place of its own.
//!
//! Compiled in the place of the crate of that name, which it contains under another one. All that
//! is not named here is the real thing. The modules lie where the runtime's sources are.

use std::panic::Location;

use lockdep::instrument as hooks;
use parking_lot_real as real;

pub use parking_lot_real::*;

#[path = "lockdep/parking_lot/raw.rs"]
mod raw;

#[path = "lockdep/parking_lot/lock_api_0_5.rs"]
mod lock_api_0_5;

#[path = "lockdep/parking_lot/once.rs"]
mod once;

use lock_api_0_5 as instrumented;

pub use once::Once;

pub type RawMutex = instrumented::RawMutex<real::RawMutex>;
pub type RawFairMutex = instrumented::RawMutex<real::RawFairMutex>;
pub type RawRwLock<const RECURSIVE: bool = false> =
    instrumented::RawRwLock<real::RawRwLock<RECURSIVE>, RECURSIVE>;
pub type RawRwLockRecursive = RawRwLock<true>;
pub type RawCondvar = instrumented::RawCondvar<real::RawCondvar>;

pub type Mutex<T> = lock_api::Mutex<RawMutex, T>;
pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;
pub type MappedMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawMutex, T>;

pub type FairMutex<T> = lock_api::Mutex<RawFairMutex, T>;
pub type FairMutexGuard<'a, T> = lock_api::MutexGuard<'a, RawFairMutex, T>;
pub type MappedFairMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawFairMutex, T>;

pub type ReentrantMutex<T> = lock_api::ReentrantMutex<RawMutex, RawThreadId, T>;
pub type ReentrantMutexGuard<'a, T> = lock_api::ReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;
pub type MappedReentrantMutexGuard<'a, T> =
    lock_api::MappedReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;

pub type RwLock<T> = lock_api::RwLock<RawRwLock, T>;
pub type RwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLock, T>;
pub type RwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLock, T>;
pub type MappedRwLockReadGuard<'a, T> = lock_api::MappedRwLockReadGuard<'a, RawRwLock, T>;
pub type MappedRwLockWriteGuard<'a, T> = lock_api::MappedRwLockWriteGuard<'a, RawRwLock, T>;
pub type RwLockUpgradableReadGuard<'a, T> = lock_api::RwLockUpgradableReadGuard<'a, RawRwLock, T>;

pub type RecursiveRwLock<T> = lock_api::RwLock<RawRwLockRecursive, T>;
pub type RecursiveRwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLockRecursive, T>;
pub type RecursiveRwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLockRecursive, T>;
pub type MappedRecursiveRwLockReadGuard<'a, T> =
    lock_api::MappedRwLockReadGuard<'a, RawRwLockRecursive, T>;
pub type MappedRecursiveRwLockWriteGuard<'a, T> =
    lock_api::MappedRwLockWriteGuard<'a, RawRwLockRecursive, T>;
pub type RecursiveRwLockUpgradableReadGuard<'a, T> =
    lock_api::RwLockUpgradableReadGuard<'a, RawRwLockRecursive, T>;

pub type Condvar = lock_api::Condvar<RawCondvar>;

impl Once {
    /// An initialisation that has run already.
    #[track_caller]
    pub const fn new_completed() -> Once {
        Once::of(real::Once::new_completed())
    }

    /// Whether an initialisation has run to its end.
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.inner.is_completed()
    }

    /// Blocks until the initialisation has run.
    #[track_caller]
    pub fn wait(&self) {
        if !self.is_completed() {
            self.initialize(Location::caller(), |_| self.inner.wait());
        }
    }

    /// Blocks until an initialisation has run to its end, whether or not one has panicked.
    #[track_caller]
    pub fn wait_force(&self) {
        if !self.is_completed() {
            self.initialize(Location::caller(), |_| self.inner.wait_force());
        }
    }
}
