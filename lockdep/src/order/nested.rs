//! Acquisitions at a nesting level.

use std::sync::{self as std_sync, LockResult};

#[cfg(feature = "instrument")]
use crate::sync as own_sync;

/// Acquisitions at a nesting level: of two locks of one kind that are held together, the one of the
/// lesser level is acquired first, and then nobody asks for another order between them (the
/// subclasses of Linux' lockdep). An acquisition at a lesser level than one of a lock of the same
/// class that is held is `declared-order`.
///
/// Levels are 0 to 3; a greater one counts as 3. Every other acquisition is at level 0. For longer
/// chains use a key, `#[lock_key(id)]` with [`LockOrder`](super::LockOrder).
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

    /// Locks, or write-locks, at a nesting level.
    #[track_caller]
    fn lock_nested(&self, level: u8) -> Self::Locked<'_>;
}

#[cfg(feature = "instrument")]
impl<T: ?Sized> LockNested for own_sync::Mutex<T> {
    type Locked<'a>
        = LockResult<own_sync::MutexGuard<'a, T>>
    where
        T: 'a;

    #[track_caller]
    fn lock_nested(&self, level: u8) -> Self::Locked<'_> {
        self.lock_at_level(level)
    }
}

#[cfg(feature = "instrument")]
impl<T: ?Sized> LockNested for own_sync::RwLock<T> {
    type Locked<'a>
        = LockResult<own_sync::RwLockWriteGuard<'a, T>>
    where
        T: 'a;

    #[track_caller]
    fn lock_nested(&self, level: u8) -> Self::Locked<'_> {
        self.write_at_level(level)
    }
}

impl<T: ?Sized> LockNested for std_sync::Mutex<T> {
    type Locked<'a>
        = LockResult<std_sync::MutexGuard<'a, T>>
    where
        T: 'a;

    fn lock_nested(&self, _level: u8) -> Self::Locked<'_> {
        self.lock()
    }
}

impl<T: ?Sized> LockNested for std_sync::RwLock<T> {
    type Locked<'a>
        = LockResult<std_sync::RwLockWriteGuard<'a, T>>
    where
        T: 'a;

    fn lock_nested(&self, _level: u8) -> Self::Locked<'_> {
        self.write()
    }
}
