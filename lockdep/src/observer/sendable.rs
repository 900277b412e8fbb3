//! Locks whose guards may be dropped by another thread than the one that acquired them.
//!
//! That a guard has been sent away is seen only when the other thread drops it. Until then the lock
//! counts as held by the thread that acquired it, and orders are learnt so; but that a thread waits
//! for ever for such a lock is said only when no thread is left that could drop the guard.

use crate::model::held::HeldLock;
use crate::model::ids::{LockId, ThreadId};
use crate::model::lock::Mode;
use crate::model::word::{LockWord, class_of};
use crate::observer::Observer;
use crate::observer::facts::{Orphan, Request};
use crate::thread_state::pending::PendingFinding;

impl Observer {
    /// Guards of this class may be sent to other threads.
    pub(crate) fn mark_sendable(&mut self, class: u32) {
        self.sendable.insert(class);
    }

    /// Whether another thread may drop a guard of this lock.
    pub(crate) fn is_sendable(&self, lock: LockId) -> bool {
        self.sendable.contains(&class_of(lock))
    }

    /// The thread reads this lock again, unless it has sent away the guard that it had. `None` if it
    /// asks for more, or if that was said before.
    pub(crate) fn read_again(
        &mut self,
        request: &Request<'_>,
        first: &HeldLock,
    ) -> Option<PendingFinding> {
        if Mode::conflicts(first.word.mode(), request.word.mode()) {
            return None;
        }
        let (sign, finding) = self.relocks(request, first)?;
        Some(PendingFinding { lock: request.word.lock(), sign, finding })
    }

    /// It has not.
    pub(crate) fn confirm(&mut self, PendingFinding { sign, finding, .. }: PendingFinding) {
        if !self.reported.contains_key(&sign) {
            self.report(sign, finding);
        }
    }

    /// A thread ends; these guards of its are elsewhere, or lost.
    pub(crate) fn abandon(&mut self, thread: ThreadId, held: Vec<HeldLock>) {
        let thread = self.thread(thread);
        self.abandoned.extend(held.into_iter().map(|held| Orphan { thread: thread.clone(), held }));
    }

    /// This process was forked off one in which the thread held these locks: here nobody releases them.
    pub(crate) fn not_forked(&mut self, thread: ThreadId, held: Vec<HeldLock>) {
        let thread = self.thread(thread);
        self.orphans.extend(held.into_iter().map(|held| Orphan { thread: thread.clone(), held }));
    }

    /// A guard that a thread has left when it ended is dropped now. Whether there is one.
    pub(crate) fn take_abandoned(&mut self, lock: LockWord, mode: Mode) -> bool {
        let is_it = |orphan: &Orphan| orphan.held.word.without_marks().is_hold(lock, mode);
        let at = self.abandoned.iter().position(is_it);
        at.map(|at| self.abandoned.swap_remove(at)).is_some()
    }
}
