//! Locks with sendable guards: another thread than the one that acquired the lock may drop the guard.
//!
//! That a guard was sent is seen only when the other thread drops it. Until then the lock counts as held
//! by the thread that acquired it, also for the order graph. But a thread is reported as waiting for such a
//! lock for ever only when no thread is left that could drop the guard.

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

    /// A deferred finding about a thread that reads this lock again, which is wrong if it has sent its first
    /// guard away. `None` if the thread does not ask to read, or if that was reported before.
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

    /// Reports a deferred finding: the guard was not sent away.
    pub(crate) fn confirm(&mut self, PendingFinding { sign, finding, .. }: PendingFinding) {
        if !self.reported.contains_key(&sign) {
            self.report(sign, finding);
        }
    }

    /// A thread ends with these holds, whose guards it has sent away or leaked.
    pub(crate) fn abandon(&mut self, thread: ThreadId, held: Vec<HeldLock>) {
        let thread = self.thread(thread);
        self.abandoned.extend(held.into_iter().map(|held| Orphan { thread: thread.clone(), held }));
    }

    /// The thread held these locks in the process that this one was forked off: they are never released here.
    pub(crate) fn not_forked(&mut self, thread: ThreadId, held: Vec<HeldLock>) {
        let thread = self.thread(thread);
        self.orphans.extend(held.into_iter().map(|held| Orphan { thread: thread.clone(), held }));
    }

    /// Ends a hold that a thread has abandoned, as its guard is dropped now. Whether there is one.
    pub(crate) fn take_abandoned(&mut self, lock: LockWord, mode: Mode) -> bool {
        let is_it = |orphan: &Orphan| orphan.held.word.without_marks().is_hold(lock, mode);
        let at = self.abandoned.iter().position(is_it);
        at.map(|at| self.abandoned.swap_remove(at)).is_some()
    }
}
