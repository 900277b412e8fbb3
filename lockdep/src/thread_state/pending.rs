//! Findings that are deferred until it is certain that the thread has had a guard all the time.

use crate::model::finding::Finding;
use crate::model::ids::LockId;

/// A finding that supposes that a guard has not been sent away.
#[derive(Debug)]
pub(crate) struct PendingFinding {
    pub(crate) lock: LockId,
    pub(crate) sign: u64,
    pub(crate) finding: Finding,
}

impl PendingFinding {
    /// Whether it is about a guard of this lock.
    pub(crate) fn is_about(&self, lock: LockId) -> bool {
        self.lock == lock
    }

    /// Whether it says the same.
    pub(crate) fn is(&self, other: &PendingFinding) -> bool {
        self.sign == other.sign
    }
}
