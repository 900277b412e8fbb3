//! These locks at nesting levels.

use std::panic::Location;

use super::lock_api_0_4::{RawMutex, RawRwLock};
use super::real::lock_api::{self, GetThreadId};
use crate::hooks::Mode;
use crate::order::{LockNested, RwLockNested, UpgradableNested};
use crate::thread_state::current::Busy;

impl<R: lock_api::RawMutex, T: ?Sized> LockNested for lock_api::Mutex<RawMutex<R>, T> {
    type Locked<'a>
        = lock_api::MutexGuard<'a, RawMutex<R>, T>
    where
        Self: 'a;

    #[track_caller]
    fn lock_nested(&self, level: u8) -> Self::Locked<'_> {
        // SAFETY: the guard is of the hold that begins here, and ends it.
        unsafe {
            self.raw().lock_at(level, Location::caller());
            self.make_guard_unchecked()
        }
    }
}

/// Only the outermost hold has a level, as it alone counts.
impl<R, G, T> LockNested for lock_api::ReentrantMutex<RawMutex<R>, G, T>
where
    R: lock_api::RawMutex,
    G: GetThreadId,
    T: ?Sized,
{
    type Locked<'a>
        = lock_api::ReentrantMutexGuard<'a, RawMutex<R>, G, T>
    where
        Self: 'a;

    #[track_caller]
    fn lock_nested(&self, level: u8) -> Self::Locked<'_> {
        if self.is_owned_by_current_thread() {
            return self.lock();
        }
        // Only the lock itself can note its owner, so it locks itself. Its raw lock is recorded here, so
        // the raw lock's own hooks are suspended.
        let attempt = || {
            let _busy = Busy::recorded();
            self.try_lock()
        };
        let block = || {
            let _busy = Busy::recorded();
            self.lock()
        };
        // SAFETY: nothing is locked or unlocked by what is had here.
        let tag = unsafe { self.raw() }.tag();
        tag.acquire_nested(
            RawMutex::<R>::TYPE,
            Mode::Write,
            level,
            Location::caller(),
            attempt,
            block,
        )
    }
}

impl<R, const RECURSIVE: bool, T> RwLockNested for lock_api::RwLock<RawRwLock<R, RECURSIVE>, T>
where
    R: lock_api::RawRwLock,
    T: ?Sized,
{
    type Read<'a>
        = lock_api::RwLockReadGuard<'a, RawRwLock<R, RECURSIVE>, T>
    where
        Self: 'a;
    type Write<'a>
        = lock_api::RwLockWriteGuard<'a, RawRwLock<R, RECURSIVE>, T>
    where
        Self: 'a;

    #[track_caller]
    fn read_nested(&self, level: u8) -> Self::Read<'_> {
        // SAFETY: as above.
        unsafe {
            self.raw().lock_shared_at(level, Location::caller());
            self.make_read_guard_unchecked()
        }
    }

    #[track_caller]
    fn write_nested(&self, level: u8) -> Self::Write<'_> {
        // SAFETY: as above.
        unsafe {
            self.raw().lock_exclusive_at(level, Location::caller());
            self.make_write_guard_unchecked()
        }
    }
}

impl<R, const RECURSIVE: bool, T> UpgradableNested for lock_api::RwLock<RawRwLock<R, RECURSIVE>, T>
where
    R: lock_api::RawRwLockUpgrade,
    T: ?Sized,
{
    type Upgradable<'a>
        = lock_api::RwLockUpgradableReadGuard<'a, RawRwLock<R, RECURSIVE>, T>
    where
        Self: 'a;

    #[track_caller]
    fn upgradable_read_nested(&self, level: u8) -> Self::Upgradable<'_> {
        // SAFETY: as above.
        unsafe {
            self.raw().lock_upgradable_at(level, Location::caller());
            self.make_upgradable_guard_unchecked()
        }
    }
}
