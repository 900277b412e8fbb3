//! Vector clocks: which steps of two threads can never overlap.
//!
//! A vector clock in the sense of Mattern (1989), with one number a thread. An entry `(t, n)` says
//! that the first `n` epochs of thread `t` are completed. The caller may leave out a thread that the
//! detector remembers nothing of, as its entry could order nothing: whatever the thread records later
//! belongs to a later epoch. So a clock grows with the number of threads that are remembered, not with the
//! number that came and went.

use std::sync::Arc;

use crate::model::ids::ThreadId;

/// The completed epochs of each thread, as known at some step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VectorClock {
    /// Sorted by thread.
    epochs: Vec<(ThreadId, u32)>,
}

impl VectorClock {
    /// How many epochs of `thread` are completed.
    pub(crate) fn completed_epochs(&self, thread: ThreadId) -> u32 {
        self.epochs.binary_search_by_key(&thread, |e| e.0).map_or(0, |at| self.epochs[at].1)
    }

    /// Adds that the first `epochs` epochs of `thread` are completed.
    pub(crate) fn advance(&mut self, thread: ThreadId, epochs: u32) {
        match self.epochs.binary_search_by_key(&thread, |e| e.0) {
            Ok(at) => self.epochs[at].1 = self.epochs[at].1.max(epochs),
            Err(at) => self.epochs.insert(at, (thread, epochs)),
        }
    }

    /// Adds what is completed in `other`.
    ///
    /// # Cost
    /// A binary search for each entry of `other`; where one is new, and its thread not the newest, both are
    /// merged.
    pub(crate) fn join(&mut self, other: &VectorClock) {
        self.join_filtered(other, |_| true);
    }

    /// Both are sorted, so each entry of `other` is looked for behind the one before it. What is missing is
    /// added at the end and sorted in once.
    fn join_filtered(&mut self, other: &VectorClock, mut keep: impl FnMut(ThreadId) -> bool) {
        let known = self.epochs.len();
        let mut from = 0;
        for &(thread, epochs) in other.epochs.iter().filter(|e| keep(e.0)) {
            from += self.epochs[from..known].partition_point(|e| e.0 < thread);
            match self.epochs[..known].get_mut(from).filter(|e| e.0 == thread) {
                Some(entry) => entry.1 = entry.1.max(epochs),
                None => self.epochs.push((thread, epochs)),
            }
        }
        // Two sorted runs: the sort of the standard library merges them.
        let (old, new) = self.epochs.split_at(known);
        if old.last().zip(new.first()).is_some_and(|(last, first)| first.0 < last.0) {
            self.epochs.sort_by_key(|e| e.0);
        }
    }

    /// Adds what is completed in `other`, of threads for which `keep` is true. Before the clock grows beyond
    /// its room, it forgets all others, so that it stays within twice what is to be kept.
    ///
    /// # Cost
    /// Grows with what is added, if many calls are taken together.
    pub(crate) fn join_kept(
        &mut self,
        other: &VectorClock,
        mut keep: impl FnMut(ThreadId) -> bool,
    ) {
        self.make_room(other.epochs.len(), &mut keep);
        self.join_filtered(other, keep);
    }

    /// Adds that the first `epochs` epochs of `thread` are completed, and forgets others as
    /// [`VectorClock::join_kept`] does.
    pub(crate) fn advance_kept(
        &mut self,
        thread: ThreadId,
        epochs: u32,
        keep: impl FnMut(ThreadId) -> bool,
    ) {
        self.make_room(1, keep);
        self.advance(thread, epochs);
    }

    fn make_room(&mut self, more: usize, keep: impl FnMut(ThreadId) -> bool) {
        if self.epochs.capacity() - self.epochs.len() < more {
            self.retain(keep);
            self.epochs.reserve_exact(self.epochs.len().max(more));
        }
    }

    /// Whether no epoch is known to be completed.
    pub(crate) fn is_empty(&self) -> bool {
        self.epochs.is_empty()
    }

    /// Forgets the threads for which `keep` is false.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(ThreadId) -> bool) {
        self.epochs.retain(|e| keep(e.0));
    }
}

/// A clock that many steps share, with one entry of its own: that of the thread that had the shared clock and
/// spawned this one. So a spawn copies no clock, however many threads are remembered; and the empty clock,
/// which most threads and tasks have, takes no memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedClock {
    /// `None` is an empty one.
    shared: Option<Arc<VectorClock>>,
    /// So many epochs of this thread are completed as well; none of them says nothing.
    spawner: (ThreadId, u32),
}

impl SharedClock {
    /// How many epochs of `thread` are completed.
    pub(crate) fn completed_epochs(&self, thread: ThreadId) -> u32 {
        let known = self.shared.as_ref().map_or(0, |clock| clock.completed_epochs(thread));
        if self.spawner.0 == thread { known.max(self.spawner.1) } else { known }
    }

    /// Whether no epoch is known to be completed.
    pub(crate) fn is_empty(&self) -> bool {
        self.spawner.1 == 0 && self.shared.as_ref().is_none_or(|clock| clock.is_empty())
    }

    /// Whether both are known to be of one clock, and not only alike.
    pub(crate) fn is(&self, other: &SharedClock) -> bool {
        let is_shared = match (&self.shared, &other.shared) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        is_shared && self.spawner == other.spawner
    }

    /// A copy of all that it says.
    pub(crate) fn to_clock(&self) -> VectorClock {
        let mut copy = self.clone();
        std::mem::take(copy.make_mut())
    }

    /// The clock, for a change that only the owner of this value sees.
    ///
    /// # Cost
    /// That of a copy, if it is shared.
    pub(crate) fn make_mut(&mut self) -> &mut VectorClock {
        let (thread, epochs) = std::mem::take(&mut self.spawner);
        let clock = Arc::make_mut(self.shared.get_or_insert_default());
        if epochs > 0 {
            clock.advance(thread, epochs);
        }
        clock
    }

    /// The clock of what a thread with this one spawns after it has completed so many epochs.
    ///
    /// # Cost
    /// That of a copy for the first that a thread spawns which was itself spawned.
    pub(crate) fn descend(&mut self, thread: ThreadId, epochs: u32) -> SharedClock {
        if self.spawner.1 > 0 {
            self.make_mut();
        }
        SharedClock { shared: self.shared.clone(), spawner: (thread, epochs) }
    }

    /// Adds what is completed in `other`, as [`VectorClock::join_kept`] does.
    ///
    /// # Cost
    /// Nothing where both are one clock.
    pub(crate) fn join_kept(
        &mut self,
        other: &SharedClock,
        mut keep: impl FnMut(ThreadId) -> bool,
    ) {
        if self.is(other) {
            return;
        }
        if let Some(shared) = other.shared.as_ref().filter(|shared| !shared.is_empty()) {
            self.make_mut().join_kept(shared, &mut keep);
        }
        let (thread, epochs) = other.spawner;
        self.advance_kept(thread, epochs, keep);
    }

    /// Adds that the first `epochs` epochs of `thread` are completed, as [`VectorClock::advance_kept`] does.
    ///
    /// # Cost
    /// Nothing where that is known.
    pub(crate) fn advance_kept(
        &mut self,
        thread: ThreadId,
        epochs: u32,
        mut keep: impl FnMut(ThreadId) -> bool,
    ) {
        if epochs > self.completed_epochs(thread) && keep(thread) {
            self.make_mut().advance_kept(thread, epochs, keep);
        }
    }
}

impl PartialEq for SharedClock {
    fn eq(&self, other: &SharedClock) -> bool {
        self.is(other) || self.to_clock() == other.to_clock()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{SharedClock, VectorClock};

    #[test]
    fn a_change_of_a_shared_clock_is_its_owners() {
        let mut one = SharedClock::default();
        assert!(one.is_empty());
        one.make_mut().advance(3, 1);
        let other = one.clone();
        assert!(one.is(&other));
        one.make_mut().advance(3, 2);
        assert_eq!((one.completed_epochs(3), other.completed_epochs(3)), (2, 1));
        assert!(!one.is(&other));
    }

    #[test]
    fn what_is_spawned_shares_the_clock_of_its_spawner() {
        let mut parent = SharedClock::default();
        parent.make_mut().advance(7, 2);
        let mut child = parent.descend(1, 4);
        assert!(Arc::ptr_eq(parent.shared.as_ref().unwrap(), child.shared.as_ref().unwrap()));
        let known = |clock: &SharedClock| [7, 1, 2].map(|thread| clock.completed_epochs(thread));
        assert_eq!((known(&parent), known(&child)), ([2, 0, 0], [2, 4, 0]));
        let grandchild = child.descend(2, 1);
        assert_eq!((known(&child), known(&grandchild)), ([2, 4, 0], [2, 4, 1]));
        assert_eq!(grandchild.to_clock().epochs, [(1, 4), (2, 1), (7, 2)]);

        let mut joined = parent.clone();
        joined.join_kept(&grandchild, |thread| thread != 1);
        assert_eq!(known(&joined), [2, 0, 1]);
        let before = joined.clone();
        joined.join_kept(&parent, |_| true);
        joined.advance_kept(2, 1, |_| true);
        assert_eq!(known(&joined), known(&before));
    }

    #[test]
    fn a_join_is_that_of_its_entries_one_by_one() {
        let mut random = 7_u64;
        let mut some = |most: u64| {
            let mut clock = VectorClock::default();
            for _ in 0..most {
                random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                clock.advance((random >> 40) as u32 % 40, (random >> 33) as u32 % 9);
            }
            clock
        };
        for round in 0..400 {
            let (mut joined, other) = (some(round % 37), some(round % 11));
            let mut expected = joined.clone();
            for &(thread, epochs) in &other.epochs {
                expected.advance(thread, epochs);
            }
            joined.join(&other);
            assert_eq!(joined, expected);
        }
    }

    #[test]
    fn a_join_takes_the_later_of_both() {
        let (mut a, mut b) = (VectorClock::default(), VectorClock::default());
        a.advance(1, 3);
        b.advance(1, 2);
        b.advance(7, 1);
        a.join(&b);
        assert_eq!(
            (a.completed_epochs(1), a.completed_epochs(7), a.completed_epochs(9)),
            (3, 1, 0)
        );
    }

    #[test]
    fn a_clock_stays_within_twice_what_it_must_keep() {
        let mut all = VectorClock::default();
        for thread in 1..10_000 {
            let mut one = VectorClock::default();
            one.advance(thread, 2);
            if thread % 2 == 0 {
                all.join_kept(&one, |other| other + 10 > thread);
            } else {
                all.advance_kept(thread, 2, |other| other + 10 > thread);
            }
            assert_eq!(all.completed_epochs(thread), 2);
            assert!(all.epochs.len() <= 20, "{} at {thread}", all.epochs.len());
        }
        assert!((9_990..10_000).all(|thread| all.completed_epochs(thread) == 2));
        all.join_kept(&VectorClock { epochs: vec![(1, 7), (9_999, 3)] }, |thread| thread > 1);
        assert_eq!((all.completed_epochs(1), all.completed_epochs(9_999)), (0, 3));
    }

    #[test]
    fn retain_forgets() {
        let mut a = VectorClock::default();
        a.advance(1, 3);
        a.advance(2, 1);
        a.retain(|t| t != 1);
        assert_eq!((a.completed_epochs(1), a.completed_epochs(2)), (0, 1));
    }
}
