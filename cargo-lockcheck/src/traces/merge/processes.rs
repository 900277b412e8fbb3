//! Sets of processes, a bit for each.

use std::ops::RangeInclusive;

use fixedbitset::FixedBitSet;

/// Some of the processes of a [`Merged`](super::Merged), each by its position among all.
#[derive(Clone, Debug, Default)]
pub struct ProcessSet(FixedBitSet);

impl PartialEq for ProcessSet {
    fn eq(&self, other: &ProcessSet) -> bool {
        // Not by the room that is kept for more.
        self.0.ones().eq(other.0.ones())
    }
}

impl ProcessSet {
    /// Those at these positions.
    pub(super) fn of(positions: impl Iterator<Item = usize>) -> ProcessSet {
        let mut set = ProcessSet::default();
        positions.for_each(|position| set.insert(position));
        set
    }

    /// Adds the process at this position.
    pub(super) fn insert(&mut self, position: usize) {
        self.0.grow_and_insert(position);
    }

    /// Adds those of another set.
    pub(super) fn join(&mut self, other: &ProcessSet) {
        self.0.union_with(&other.0);
    }

    /// The same processes, among others: each position has become the one in `to`.
    pub(super) fn renumbered(&self, to: &[usize]) -> ProcessSet {
        ProcessSet::of(self.0.ones().filter_map(|position| to.get(position).copied()))
    }

    /// Whether one process is in all of these sets.
    pub fn have_one_in_common(sets: &[&ProcessSet]) -> bool {
        let Some((first, others)) = sets.split_first() else { return false };
        first.0.ones().any(|position| others.iter().all(|set| set.0.contains(position)))
    }

    /// The positions, as stretches without a gap.
    pub(super) fn stretches(&self) -> Vec<RangeInclusive<usize>> {
        let mut stretches: Vec<RangeInclusive<usize>> = Vec::new();
        for position in self.0.ones() {
            match stretches.last_mut() {
                Some(last) if *last.end() + 1 == position => *last = *last.start()..=position,
                _ => stretches.push(position..=position),
            }
        }
        stretches
    }
}
