//! Locks whose guards may be dropped by another thread than the one that acquired them.
//!
//! That a guard has been sent away is seen only when the other thread drops it. Until then the lock
//! counts as held by the thread that acquired it, with two exceptions, lest it be said to hang when it
//! does not: a thread that ends leaves no such lock behind, and once a guard of a class was sent,
//! nobody is said to wait for ever for a lock of that class while other threads run.

use super::Observer;
use crate::engine::LockId;
use crate::word::{Word, class_of};

impl Observer {
    /// Guards of this class may be sent to other threads.
    pub(crate) fn guards_are_sent(&mut self, class: u32) {
        self.sent.entry(class).or_insert(false);
    }

    /// A thread drops a guard that it got from another one.
    pub(crate) fn guard_was_sent(&mut self, lock: Word) {
        self.sent.insert(lock.class(), true);
    }

    /// Whether another thread may drop a guard of this lock.
    pub(crate) fn may_be_sent(&self, lock: LockId) -> bool {
        self.sent.contains_key(&class_of(lock))
    }

    /// Whether other threads have dropped guards of locks like this one.
    pub(crate) fn is_sent(&self, lock: LockId) -> bool {
        self.sent.get(&class_of(lock)).is_some_and(|&sent| sent)
    }
}
