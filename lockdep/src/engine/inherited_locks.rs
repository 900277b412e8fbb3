//! The locks that a thread inherits: those that are held around it by the thread that spawned it.
//!
//! A thread that is spawned under a lock, and joined before that lock is released, is guarded by the
//! lock as if it held it itself (multi-thread gates; Sulzmann, "Cross-thread critical sections", 2025).
//! Whether it is joined in time shows only later. Until then the lock counts as inherited; when it is
//! released before the join, the detector judges again what it had judged by it.
//!
//! Joins and releases are ordered by stamps: numbers that the detector gives out in turn.
//!
//! What it may miss: locks inherited over more than [`DEPTH`] generations of threads. They then do not
//! count as gates, so a cycle may look surer than it is.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::VectorClock;
use crate::model::ids::{LockId, ThreadId};
use crate::model::lock::Mode;

/// From how many generations of threads, each spawned by the one before, locks are inherited.
const DEPTH: u32 = 8;
/// Has not happened.
const NOT_YET: u64 = 0;
/// Cannot happen any more.
const NEVER: u64 = u64::MAX;

/// One hold of a lock, under which the holder has spawned threads.
#[derive(Debug)]
pub(crate) struct CriticalSection {
    /// The thread that holds it.
    pub owner: ThreadId,
    /// The lock.
    pub lock: LockId,
    /// How it is held.
    pub mode: Mode,
    released: AtomicU64,
    /// The epochs that were completed when it ended, if it has ended.
    end: std::sync::OnceLock<VectorClock>,
}

impl CriticalSection {
    /// A hold that has not ended.
    pub(crate) fn new(owner: ThreadId, lock: LockId, mode: Mode) -> CriticalSection {
        let (released, end) = Default::default();
        CriticalSection { owner, lock, mode, released, end }
    }

    /// The hold has ended, with `completed` before its end.
    pub(crate) fn release(&self, stamp: u64, completed: VectorClock) {
        _ = self.end.set(completed);
        self.released.store(stamp, Relaxed);
    }

    /// The epochs that are completed for a thread that acquires the lock after this hold; `None` while
    /// the hold lasts.
    pub(crate) fn end(&self) -> Option<&VectorClock> {
        self.end.get()
    }
}

/// The locks that the ancestors of a thread hold around it.
#[derive(Debug)]
pub(crate) struct InheritedLocks {
    /// The thread that spawned this one.
    parent: ThreadId,
    sections: Vec<Arc<CriticalSection>>,
    /// What the parent has inherited itself.
    above: Option<Arc<InheritedLocks>>,
    depth: u32,
    joined: AtomicU64,
}

impl InheritedLocks {
    /// What a thread inherits that `parent`, which has inherited `above`, spawns in `sections`; `None`
    /// for nothing.
    pub(crate) fn new(
        parent: ThreadId,
        sections: Vec<Arc<CriticalSection>>,
        above: Option<&Arc<InheritedLocks>>,
    ) -> Option<Arc<InheritedLocks>> {
        let above = above.filter(|a| a.depth < DEPTH && a.holds().next().is_some()).cloned();
        if sections.is_empty() && above.is_none() {
            return None;
        }
        let depth = above.as_ref().map_or(0, |a| a.depth + 1);
        Some(Arc::new(InheritedLocks {
            parent,
            sections,
            above,
            depth,
            joined: AtomicU64::new(NOT_YET),
        }))
    }

    /// The thread that has inherited these was joined by `thread`.
    pub(crate) fn join(&self, thread: ThreadId, stamp: u64) {
        if thread == self.parent {
            _ = self.joined.compare_exchange(NOT_YET, stamp, Relaxed, Relaxed);
        }
    }

    /// The parent, which alone could have joined in time, has ended without that.
    pub(crate) fn detach(&self) {
        self.join(self.parent, NEVER);
    }

    /// Whether the thread that has inherited these may still be joined in time.
    pub(crate) fn is_open(&self) -> bool {
        self.joined.load(Relaxed) == NOT_YET
    }

    /// The sections, outwards, that began before the thread did.
    pub(crate) fn sections(&self) -> impl Iterator<Item = &Arc<CriticalSection>> {
        let generations = std::iter::successors(Some(self), |g| g.above.as_deref());
        generations.flat_map(|g| &g.sections)
    }

    /// The sections that last, as far as is known, until after the thread's end; each with whether
    /// that may still turn out wrong.
    pub(super) fn holds(&self) -> impl Iterator<Item = (&Arc<CriticalSection>, bool)> {
        let mut open = false;
        let generations = std::iter::successors(Some(self), |g| {
            g.above.as_deref().filter(|_| g.joined.load(Relaxed) != NEVER)
        });
        generations.flat_map(move |generation| {
            let joined = generation.joined.load(Relaxed);
            open |= joined == NOT_YET;
            let open = open;
            generation.sections.iter().filter_map(move |section| {
                let released = section.released.load(Relaxed);
                let lasts = released == NOT_YET || (joined != NOT_YET && joined < released);
                lasts.then_some((section, open && released == NOT_YET))
            })
        })
    }
}
