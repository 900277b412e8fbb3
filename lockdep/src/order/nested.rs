//! Acquisitions at a nesting level.

use std::sync::{self as std_sync, LockResult};

#[cfg(feature = "instrument")]
use crate::sync as own_sync;

/// Acquisitions at a nesting level: of two locks of one kind that are held together, the one of the
/// lesser level is acquired first, and no other order between them is asked for (the subclasses of
/// Linux' lockdep). An acquisition at a lesser level than one of a lock of the same
/// class that is held is `declared-order`.
///
/// It is there for the locks of this crate, with the feature `parking_lot` those of
/// `lockdep::parking_lot` among them, and for those of `std`.
///
/// Every other acquisition is at level 0. A hold keeps its level when it is upgraded or downgraded, and
/// over a wait for a condition variable. Where the depth is not known when the program is written, or
/// can be more than 255, use a key, `#[lock_key(id)]` with [`LockOrder`](super::LockOrder).
///
/// # Examples
/// ```
/// use lockdep::order::LockNested;
/// use lockdep::sync::Mutex;
///
/// struct Node {
///     count: Mutex<u32>,
///     children: Vec<Node>,
/// }
///
/// fn total(parent: &Node) -> u32 {
///     let own = parent.count.lock().unwrap();
///     let below = parent.children.iter().map(|child| *child.count.lock_nested(1).unwrap());
///     *own + below.sum::<u32>()
/// }
///
/// let leaf = Node { count: Mutex::new(1), children: vec![] };
/// assert_eq!(total(&Node { count: Mutex::new(2), children: vec![leaf] }), 3);
/// ```
pub trait LockNested {
    /// What locking gives: a guard, or what a poisoned lock gives.
    type Locked<'a>
    where
        Self: 'a;

    /// Locks at a nesting level.
    #[track_caller]
    fn lock_nested(&self, level: u8) -> Self::Locked<'_>;
}

/// As [`LockNested`], for reader-writer locks.
///
/// # Examples
/// ```
/// use lockdep::order::RwLockNested;
/// use lockdep::sync::RwLock;
///
/// let (parent, child) = (RwLock::new(1), RwLock::new(2));
/// let outer = parent.read().unwrap();
/// let inner = child.read_nested(1).unwrap();
/// assert_eq!(*outer + *inner, 3);
/// ```
pub trait RwLockNested {
    /// What locking for reading gives.
    type Read<'a>
    where
        Self: 'a;
    /// What locking for writing gives.
    type Write<'a>
    where
        Self: 'a;

    /// Locks for reading, at a nesting level.
    #[track_caller]
    fn read_nested(&self, level: u8) -> Self::Read<'_>;

    /// Locks for writing, at a nesting level.
    #[track_caller]
    fn write_nested(&self, level: u8) -> Self::Write<'_>;
}

/// As [`LockNested`], for the reader-writer locks of `parking_lot`, whose readers can become writers.
///
/// # Examples
/// ```
/// use lockdep::order::UpgradableNested;
/// use lockdep::parking_lot::{RwLock, RwLockUpgradableReadGuard};
///
/// let (parent, child) = (RwLock::new(1), RwLock::new(2));
/// let outer = parent.read();
/// let inner = child.upgradable_read_nested(1);
/// if *inner > *outer {
///     *RwLockUpgradableReadGuard::upgrade(inner) = *outer;
/// }
/// # drop(outer);
/// assert_eq!(*child.read(), 1);
/// ```
#[cfg(feature = "parking_lot")]
pub trait UpgradableNested {
    /// What locking for reading gives, where that can be upgraded.
    type Upgradable<'a>
    where
        Self: 'a;

    /// Locks for reading with other readers, but no other upgradable one, at a nesting level.
    #[track_caller]
    fn upgradable_read_nested(&self, level: u8) -> Self::Upgradable<'_>;
}

/// Locks with the interface of `std`'s; the expressions lock `$lock` at `$level`.
macro_rules! std_locks {
    ($sync:ident, |$lock:ident, $level:ident| $mutex:expr, $read:expr, $write:expr) => {
        impl<T: ?Sized> LockNested for $sync::Mutex<T> {
            type Locked<'a>
                = LockResult<$sync::MutexGuard<'a, T>>
            where
                T: 'a;

            #[track_caller]
            fn lock_nested(&self, $level: u8) -> Self::Locked<'_> {
                let $lock = self;
                $mutex
            }
        }

        impl<T: ?Sized> RwLockNested for $sync::RwLock<T> {
            type Read<'a>
                = LockResult<$sync::RwLockReadGuard<'a, T>>
            where
                T: 'a;
            type Write<'a>
                = LockResult<$sync::RwLockWriteGuard<'a, T>>
            where
                T: 'a;

            #[track_caller]
            fn read_nested(&self, $level: u8) -> Self::Read<'_> {
                let $lock = self;
                $read
            }

            #[track_caller]
            fn write_nested(&self, $level: u8) -> Self::Write<'_> {
                let $lock = self;
                $write
            }
        }
    };
}

std_locks!(std_sync, |lock, _level| lock.lock(), lock.read(), lock.write());
#[cfg(feature = "instrument")]
std_locks!(
    own_sync,
    |lock, level| lock.lock_at_level(level),
    lock.read_at_level(level),
    lock.write_at_level(level)
);
