//! The locks of `lock_api`, which those of `parking_lot` are. They know no poison: locking gives
//! the guard.

use lock_api::{Mutex, MutexGuard, RawMutex, RawRwLock, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::ordered::key::{self, OrderKey};
use crate::ordered::lockable::{Handle, Lockable, RwHandle, RwLockable};

impl<R: RawMutex, T: ?Sized> Lockable for Mutex<R, T> {
    type Locked<'a>
        = MutexGuard<'a, R, T>
    where
        Self: 'a;

    #[inline]
    fn order_key(&self) -> OrderKey {
        OrderKey::of_address(self)
    }

    #[inline(always)]
    fn quick_key(&self) -> u64 {
        key::quick_address(self)
    }

    #[inline(always)]
    #[track_caller]
    fn acquire(&self) -> Self::Locked<'_> {
        self.lock()
    }

    #[inline]
    #[track_caller]
    fn try_acquire(&self) -> Option<Self::Locked<'_>> {
        self.try_lock()
    }
}

impl<R: RawRwLock, T: ?Sized> RwLockable for RwLock<R, T> {
    type Read<'a>
        = RwLockReadGuard<'a, R, T>
    where
        Self: 'a;
    type Write<'a>
        = RwLockWriteGuard<'a, R, T>
    where
        Self: 'a;

    #[inline]
    fn order_key(&self) -> OrderKey {
        OrderKey::of_address(self)
    }

    #[inline(always)]
    fn quick_key(&self) -> u64 {
        key::quick_address(self)
    }

    #[inline(always)]
    #[track_caller]
    fn acquire_read(&self) -> Self::Read<'_> {
        self.read()
    }

    #[inline]
    #[track_caller]
    fn try_acquire_read(&self) -> Option<Self::Read<'_>> {
        self.try_read()
    }

    #[inline(always)]
    #[track_caller]
    fn acquire_write(&self) -> Self::Write<'_> {
        self.write()
    }

    #[inline]
    #[track_caller]
    fn try_acquire_write(&self) -> Option<Self::Write<'_>> {
        self.try_write()
    }
}

impl<'a, R: RawMutex, T: ?Sized> Handle<'a> for &'a Mutex<R, T> {
    type Lock = Mutex<R, T>;

    fn lock_ref(self) -> &'a Mutex<R, T> {
        self
    }
}

impl<'a, R: RawRwLock, T: ?Sized> RwHandle<'a> for &'a RwLock<R, T> {
    type Lock = RwLock<R, T>;

    fn lock_ref(self) -> &'a RwLock<R, T> {
        self
    }
}
