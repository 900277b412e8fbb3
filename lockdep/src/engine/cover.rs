//! Locks that are held around a whole thread by the one that spawned it.
//!
//! A thread that is spawned under a lock, and joined before that lock is released, is guarded by
//! it as if it held it itself (multi-thread gates; Sulzmann, "Cross-thread critical sections",
//! 2025). Whether it is joined in time shows only later: until then its [`Cover`] counts, and what
//! was judged by it is judged again once a lock of it is released early.
//!
//! The order of all this is kept as stamps: numbers that the detector gives out in turn.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::VectorClock;
use crate::model::ids::{LockId, ThreadId};
use crate::model::lock::Mode;

/// How many threads, each spawned by the next, a cover reaches across.
const DEPTH: u32 = 8;
/// Has not happened.
const NOT_YET: u64 = 0;
/// Cannot happen any more.
const NEVER: u64 = u64::MAX;

/// One hold of a lock, under which its thread has spawned others.
#[derive(Debug)]
pub(crate) struct Section {
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

impl Section {
    /// A hold that goes on.
    pub(crate) fn new(owner: ThreadId, lock: LockId, mode: Mode) -> Section {
        let (released, end) = Default::default();
        Section { owner, lock, mode, released, end }
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

/// The locks that a thread's ancestors hold around it.
#[derive(Debug)]
pub(crate) struct Cover {
    /// The thread that spawned this one.
    parent: ThreadId,
    sections: Vec<Arc<Section>>,
    /// What covers the parent.
    above: Option<Arc<Cover>>,
    depth: u32,
    joined: AtomicU64,
}

impl Cover {
    /// The cover of a thread that `parent`, itself covered by `above`, spawns in `sections`;
    /// `None` where nothing covers it.
    pub(crate) fn new(
        parent: ThreadId,
        sections: Vec<Arc<Section>>,
        above: Option<&Arc<Cover>>,
    ) -> Option<Arc<Cover>> {
        let above = above.filter(|a| a.depth < DEPTH && a.holds().next().is_some()).cloned();
        if sections.is_empty() && above.is_none() {
            return None;
        }
        let depth = above.as_ref().map_or(0, |a| a.depth + 1);
        Some(Arc::new(Cover { parent, sections, above, depth, joined: AtomicU64::new(NOT_YET) }))
    }

    /// The thread that has this cover was joined by `thread`.
    pub(crate) fn join(&self, thread: ThreadId, stamp: u64) {
        if thread == self.parent {
            _ = self.joined.compare_exchange(NOT_YET, stamp, Relaxed, Relaxed);
        }
    }

    /// The thread that could have joined in time has ended.
    pub(crate) fn leave_alone(&self) {
        self.join(self.parent, NEVER);
    }

    /// Whether the thread that has this cover may still be joined in time.
    pub(crate) fn is_open(&self) -> bool {
        self.joined.load(Relaxed) == NOT_YET
    }

    /// The sections, outwards, that began before the thread did.
    pub(crate) fn sections(&self) -> impl Iterator<Item = &Arc<Section>> {
        let covers = std::iter::successors(Some(self), |c| c.above.as_deref());
        covers.flat_map(|c| &c.sections)
    }

    /// The sections that last, as far as is known, until after the thread's end; with whether that
    /// could still turn out wrong.
    pub(super) fn holds(&self) -> impl Iterator<Item = (&Arc<Section>, bool)> {
        let mut open = false;
        let covers = std::iter::successors(Some(self), |c| {
            c.above.as_deref().filter(|_| c.joined.load(Relaxed) != NEVER)
        });
        covers.flat_map(move |cover| {
            let joined = cover.joined.load(Relaxed);
            open |= joined == NOT_YET;
            let open = open;
            cover.sections.iter().filter_map(move |section| {
                let released = section.released.load(Relaxed);
                let covers = released == NOT_YET || (joined != NOT_YET && joined < released);
                covers.then_some((section, open && released == NOT_YET))
            })
        })
    }
}
