//! The names of `parking_lot` 0.12, over instrumented raw locks.

use super::lock_api_0_4 as raw;
use super::real::{self, RawThreadId, lock_api};

/// A raw mutex.
pub type RawMutex = raw::RawMutex<real::RawMutex>;
/// A raw mutex that is handed over in the order of arrival.
pub type RawFairMutex = raw::RawMutex<real::RawFairMutex>;
/// A raw reader-writer lock.
pub type RawRwLock = raw::RawRwLock<real::RawRwLock>;

/// A mutual exclusion lock.
pub type Mutex<T> = lock_api::Mutex<RawMutex, T>;
/// The hold of a [`Mutex`].
pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;
/// The hold of a [`Mutex`], with access to a part of its value.
pub type MappedMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawMutex, T>;

/// A mutual exclusion lock that is handed over in the order of arrival.
pub type FairMutex<T> = lock_api::Mutex<RawFairMutex, T>;
/// The hold of a [`FairMutex`].
pub type FairMutexGuard<'a, T> = lock_api::MutexGuard<'a, RawFairMutex, T>;
/// The hold of a [`FairMutex`], with access to a part of its value.
pub type MappedFairMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawFairMutex, T>;

/// A mutual exclusion lock that its holder can lock again. Only the outermost of its holds counts.
pub type ReentrantMutex<T> = lock_api::ReentrantMutex<RawMutex, RawThreadId, T>;
/// A hold of a [`ReentrantMutex`].
pub type ReentrantMutexGuard<'a, T> = lock_api::ReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;
/// A hold of a [`ReentrantMutex`], with access to a part of its value.
pub type MappedReentrantMutexGuard<'a, T> =
    lock_api::MappedReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;

/// A reader-writer lock.
pub type RwLock<T> = lock_api::RwLock<RawRwLock, T>;
/// A shared hold of an [`RwLock`].
pub type RwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLock, T>;
/// The exclusive hold of an [`RwLock`].
pub type RwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLock, T>;
/// A shared hold of an [`RwLock`], with access to a part of its value.
pub type MappedRwLockReadGuard<'a, T> = lock_api::MappedRwLockReadGuard<'a, RawRwLock, T>;
/// The exclusive hold of an [`RwLock`], with access to a part of its value.
pub type MappedRwLockWriteGuard<'a, T> = lock_api::MappedRwLockWriteGuard<'a, RawRwLock, T>;
/// The hold of an [`RwLock`] that is shared with readers and can become exclusive.
pub type RwLockUpgradableReadGuard<'a, T> = lock_api::RwLockUpgradableReadGuard<'a, RawRwLock, T>;

/// A new unlocked [`Mutex`], in a constant too.
#[track_caller]
pub const fn const_mutex<T>(val: T) -> Mutex<T> {
    Mutex::new(val)
}

/// A new unlocked [`FairMutex`], in a constant too.
#[track_caller]
pub const fn const_fair_mutex<T>(val: T) -> FairMutex<T> {
    FairMutex::new(val)
}

/// A new unlocked [`ReentrantMutex`], in a constant too.
#[track_caller]
pub const fn const_reentrant_mutex<T>(val: T) -> ReentrantMutex<T> {
    ReentrantMutex::new(val)
}

/// A new unlocked [`RwLock`], in a constant too.
#[track_caller]
pub const fn const_rwlock<T>(val: T) -> RwLock<T> {
    RwLock::new(val)
}
