//! A thread at one of its steps, with all that decides whether another thread's step can overlap it: an
//! event with its vector clocks, in the words of Lamport (1978) and Mattern (1989).

use std::sync::Arc;

use super::InheritedLocks;
use super::vector_clock::{SharedClock, VectorClock};
use crate::model::ids::ThreadId;

/// A thread at one of its steps.
///
/// Each thread counts its *epochs* from one. A new epoch begins wherever others may order themselves
/// after what the thread has done so far: when it spawns a thread, releases a lock that it spawned
/// one under, or publishes its clock with an event.
#[derive(Clone, Debug, Default)]
pub(crate) struct ThreadPoint {
    /// The thread.
    pub thread: ThreadId,
    /// The thread's epoch.
    pub epoch: u32,
    /// The epochs that spawn and join order puts before this step, in every run.
    pub clock: SharedClock,
    /// Those of them that are so without what threads do that were spawned by nobody: the main thread, or
    /// that of a test. Another program may call the same functions from another such thread.
    pub without_outermost: SharedClock,
    /// The epochs that events put before it in this run: messages, notifications, barriers.
    pub observed: SharedClock,
    /// What is held around the whole thread.
    pub inherited: Option<Arc<InheritedLocks>>,
}

impl ThreadPoint {
    /// The epochs that spawn and join order puts before whatever comes after this step.
    pub(crate) fn completed(&self) -> VectorClock {
        let mut completed = self.clock.to_clock();
        completed.advance(self.thread, self.epoch);
        completed
    }

    /// Whether spawn and join order puts this before `later`.
    pub(crate) fn before(&self, later: &ThreadPoint) -> bool {
        later.clock.completed_epochs(self.thread) >= self.epoch
    }

    /// Whether spawn and join order puts this before `later` also without the outermost threads.
    pub(crate) fn before_without_outermost(&self, later: &ThreadPoint) -> bool {
        later.without_outermost.completed_epochs(self.thread) >= self.epoch
    }

    /// Whether events put this before `later` in this run.
    pub(crate) fn observed_before(&self, later: &ThreadPoint) -> bool {
        later.observed.completed_epochs(self.thread) >= self.epoch
    }
}
