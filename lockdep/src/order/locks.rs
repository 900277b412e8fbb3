//! What can be in a declared place: the locks of this crate and of `std`, and what leads to them;
//! those of `parking_lot` are in `parking_lot`.

use std::rc::Rc;
use std::sync as std_sync;
use std::sync::Arc;

use crate::model::lock::LockType;
use crate::model::tag::LockTag;
use crate::observer::declarations::Locks;
#[cfg(feature = "instrument")]
use crate::sync as own_sync;

/// Locks that are not watched: those of `std`, unless `cargo lockcheck` puts its own in their place.
macro_rules! unwatched {
    ($($lock:ident)*) => {$(
        impl<T: ?Sized> Locks for std_sync::$lock<T> {
            fn each_lock<'a>(&'a self, _: &mut dyn FnMut(&'a LockTag, &'static LockType)) -> bool {
                true
            }
        }
    )*};
}

unwatched!(Mutex RwLock);

#[cfg(feature = "instrument")]
macro_rules! watched {
    ($($lock:ident)*) => {$(
        impl<T: ?Sized> Locks for own_sync::$lock<T> {
            fn each_lock<'a>(
                &'a self,
                visit: &mut dyn FnMut(&'a LockTag, &'static LockType),
            ) -> bool {
                let (tag, ty) = self.tag();
                visit(tag, ty);
                true
            }
        }
    )*};
}

#[cfg(feature = "instrument")]
watched!(Mutex RwLock);

/// A semaphore of several permits is no lock, and has no order: it counts as one that is not watched.
impl Locks for crate::sync::Semaphore {
    fn each_lock<'a>(&'a self, visit: &mut dyn FnMut(&'a LockTag, &'static LockType)) -> bool {
        if let Some((tag, ty)) = self.tag() {
            visit(tag, ty);
        }
        true
    }
}

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<L: Locks + ?Sized> Locks for $pointer {
            fn each_lock<'a>(
                &'a self,
                visit: &mut dyn FnMut(&'a LockTag, &'static LockType),
            ) -> bool {
                (**self).each_lock(visit)
            }
        }
    )*};
}

pointers!(&L, Box<L>, Rc<L>, Arc<L>);

/// Values that are made on first use.
macro_rules! lazy {
    ($sync:ident, $made:expr) => {
        impl<L: Locks, F: FnOnce() -> L> Locks for $sync::LazyLock<L, F> {
            fn each_lock<'a>(
                &'a self,
                visit: &mut dyn FnMut(&'a LockTag, &'static LockType),
            ) -> bool {
                $made(self).is_some_and(|locks| locks.each_lock(visit))
            }
        }

        impl<L: Locks> Locks for $sync::OnceLock<L> {
            fn each_lock<'a>(
                &'a self,
                visit: &mut dyn FnMut(&'a LockTag, &'static LockType),
            ) -> bool {
                self.get().is_some_and(|locks| locks.each_lock(visit))
            }
        }
    };
}

/// The value of this cell, if it has been made.
#[cfg(lockdep_std = "lazy_get")]
fn made_of_std<T, F>(lazy: &std_sync::LazyLock<T, F>) -> Option<&T> {
    std_sync::LazyLock::get(lazy)
}

/// None: this `std` tells of no value without making it.
#[cfg(not(lockdep_std = "lazy_get"))]
fn made_of_std<T, F>(_lazy: &std_sync::LazyLock<T, F>) -> Option<&T> {
    None
}

lazy!(std_sync, made_of_std);

#[cfg(feature = "instrument")]
lazy!(own_sync, own_sync::LazyLock::made);

impl<L: Locks> Locks for [L] {
    fn each_lock<'a>(&'a self, visit: &mut dyn FnMut(&'a LockTag, &'static LockType)) -> bool {
        let mut are_there = true;
        for locks in self {
            are_there &= locks.each_lock(visit);
        }
        are_there
    }
}

impl<L: Locks, const N: usize> Locks for [L; N] {
    fn each_lock<'a>(&'a self, visit: &mut dyn FnMut(&'a LockTag, &'static LockType)) -> bool {
        self.as_slice().each_lock(visit)
    }
}

impl<L: Locks> Locks for Vec<L> {
    fn each_lock<'a>(&'a self, visit: &mut dyn FnMut(&'a LockTag, &'static LockType)) -> bool {
        self.as_slice().each_lock(visit)
    }
}

impl<L: Locks> Locks for Option<L> {
    fn each_lock<'a>(&'a self, visit: &mut dyn FnMut(&'a LockTag, &'static LockType)) -> bool {
        self.as_slice().each_lock(visit)
    }
}
