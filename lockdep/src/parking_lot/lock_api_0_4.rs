//! The raw locks for `lock_api` 0.4, where a hold is not a value and an attempt returns a `bool`.

use std::fmt;
use std::panic::{Location, RefUnwindSafe};

use super::raw::raw_locks;
use super::real::lock_api;
use crate::hooks::{Conversion, LockKind, LockTag, LockType, Mode, Site};

fn attempt(acquired: bool) -> Option<()> {
    acquired.then_some(())
}

fn outcome(acquired: Option<()>) -> bool {
    acquired.is_some()
}

fn converted(done: bool) -> Result<(), ()> {
    if done { Ok(()) } else { Err(()) }
}

fn conversion(done: Result<(), ()>) -> bool {
    done.is_ok()
}

raw_locks! {
    created: #[cfg(lockcheck_places)] LOCKCHECK_PLACE,
    from_raw: const_new,
    types: [GuardMarker] [GuardMarker] [],
    guard: (), bool, (),
    shared: (), bool, (),
    exclusive: (), bool, (),
    upgradable: (), bool, (),
    upgrade: bool,
}

impl<R, const RECURSIVE: bool> RawRwLock<R, RECURSIVE> {
    pub(super) fn tag(&self) -> &LockTag {
        &self.tag
    }
}

impl<R> RawMutex<R> {
    pub(super) fn tag(&self) -> &LockTag {
        &self.tag
    }

    pub(super) fn real(&self) -> &lock_api::Mutex<R, ()> {
        &self.lock
    }
}

// SAFETY: every step is one of `R`, which excludes as it must.
unsafe impl<R: lock_api::RawRwLockRecursive> lock_api::RawRwLockRecursive for RawRwLock<R> {
    #[inline]
    #[track_caller]
    fn lock_shared_recursive(&self) {
        self.tag.acquire(
            Self::TYPE,
            Mode::RecursiveRead,
            Location::caller(),
            || attempt(self.raw.try_lock_shared_recursive()),
            || self.raw.lock_shared_recursive(),
        );
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_recursive(&self) -> bool {
        outcome(self.tag.try_acquire(Self::TYPE, Mode::RecursiveRead, Location::caller(), || {
            attempt(self.raw.try_lock_shared_recursive())
        }))
    }
}

// SAFETY: as above.
unsafe impl<R: lock_api::RawRwLockRecursiveTimed> lock_api::RawRwLockRecursiveTimed
    for RawRwLock<R>
{
    #[inline]
    #[track_caller]
    fn try_lock_shared_recursive_for(&self, timeout: R::Duration) -> bool {
        outcome(self.tag.try_acquire(Self::TYPE, Mode::RecursiveRead, Location::caller(), || {
            attempt(self.raw.try_lock_shared_recursive_for(timeout))
        }))
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_recursive_until(&self, timeout: R::Instant) -> bool {
        outcome(self.tag.try_acquire(Self::TYPE, Mode::RecursiveRead, Location::caller(), || {
            attempt(self.raw.try_lock_shared_recursive_until(timeout))
        }))
    }
}
