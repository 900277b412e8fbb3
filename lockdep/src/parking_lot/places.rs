//! These locks in the declared order, and `parking_lot`'s own, which are not tracked.

use super::lock_api_0_4::{RawMutex, RawRwLock};
use super::real;
use super::real::lock_api::{self, GetThreadId};
use crate::hooks::{LockTag, LockType};
use crate::order::Locks;

impl<R: lock_api::RawMutex, T: ?Sized> Locks for lock_api::Mutex<RawMutex<R>, T> {
    fn each_lock<'a>(&'a self, visit: &mut dyn FnMut(&'a LockTag, &'static LockType)) -> bool {
        // SAFETY: nothing is locked or unlocked.
        visit(unsafe { self.raw() }.tag(), RawMutex::<R>::TYPE);
        true
    }
}

impl<R, G, T> Locks for lock_api::ReentrantMutex<RawMutex<R>, G, T>
where
    R: lock_api::RawMutex,
    G: GetThreadId,
    T: ?Sized,
{
    fn each_lock<'a>(&'a self, visit: &mut dyn FnMut(&'a LockTag, &'static LockType)) -> bool {
        // SAFETY: as above.
        visit(unsafe { self.raw() }.tag(), RawMutex::<R>::TYPE);
        true
    }
}

impl<R, const RECURSIVE: bool, T> Locks for lock_api::RwLock<RawRwLock<R, RECURSIVE>, T>
where
    R: lock_api::RawRwLock,
    T: ?Sized,
{
    fn each_lock<'a>(&'a self, visit: &mut dyn FnMut(&'a LockTag, &'static LockType)) -> bool {
        // SAFETY: as above.
        visit(unsafe { self.raw() }.tag(), RawRwLock::<R, RECURSIVE>::TYPE);
        true
    }
}

macro_rules! unwatched {
    ($($lock:ty),*) => {$(
        impl<T: ?Sized> Locks for $lock {
            fn each_lock<'a>(&'a self, _: &mut dyn FnMut(&'a LockTag, &'static LockType)) -> bool {
                true
            }
        }
    )*};
}
unwatched!(real::Mutex<T>, real::FairMutex<T>, real::ReentrantMutex<T>, real::RwLock<T>);
