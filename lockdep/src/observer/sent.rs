//! Locks whose guards may be dropped by another thread than the one that acquired them.
//!
//! That a guard has been sent away is seen only when the other thread drops it. Until then the lock
//! counts as held by the thread that acquired it, and orders are learnt so; but that a thread waits
//! for ever for such a lock is said only when no thread is left that could drop the guard.

use super::{Observer, Orphan, Request};
use crate::engine::{LockId, ThreadId};
use crate::finding::Finding;
use crate::instrument::Mode;
use crate::record::HeldLock;
use crate::word::{Word, class_of};

/// A finding that supposes that a guard has not been sent away.
#[derive(Debug)]
pub(crate) struct Unsure {
    lock: LockId,
    sign: u64,
    finding: Finding,
}

impl Unsure {
    /// Whether it is about a guard of this lock.
    pub(crate) fn is_about(&self, lock: LockId) -> bool {
        self.lock == lock
    }

    /// Whether it says the same.
    pub(crate) fn is(&self, other: &Unsure) -> bool {
        self.sign == other.sign
    }
}

impl Observer {
    /// Guards of this class may be sent to other threads.
    pub(crate) fn guards_are_sent(&mut self, class: u32) {
        self.sent.insert(class);
    }

    /// Whether another thread may drop a guard of this lock.
    pub(crate) fn may_be_sent(&self, lock: LockId) -> bool {
        self.sent.contains(&class_of(lock))
    }

    /// The thread reads this lock again, unless it has sent away the guard that it had. `None` if it
    /// asks for more, or if that was said before.
    pub(crate) fn read_again(&mut self, request: &Request<'_>, first: &HeldLock) -> Option<Unsure> {
        if Mode::conflicts(first.word.mode(), request.word.mode()) {
            return None;
        }
        let (sign, finding) = self.relocks(request, first)?;
        Some(Unsure { lock: request.word.lock(), sign, finding })
    }

    /// It has not.
    pub(crate) fn sure(&mut self, Unsure { sign, finding, .. }: Unsure) {
        if !self.reported.contains_key(&sign) {
            self.report(sign, finding);
        }
    }

    /// A thread ends; these guards of its are elsewhere, or lost.
    pub(crate) fn leave(&mut self, thread: ThreadId, held: Vec<HeldLock>) {
        let thread = self.thread(thread);
        self.left.extend(held.into_iter().map(|held| Orphan { thread: thread.clone(), held }));
    }

    /// A guard that a thread has left when it ended is dropped now. Whether there is one.
    pub(crate) fn take_left(&mut self, lock: Word, mode: Mode) -> bool {
        let is_it = |left: &Orphan| left.held.word.without_marks().is_hold(lock, mode);
        let at = self.left.iter().position(is_it);
        at.map(|at| self.left.swap_remove(at)).is_some()
    }
}
