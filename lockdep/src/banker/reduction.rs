//! Graph reduction over multi-unit resources: who can finish, when everybody who can finish gives
//! back what it holds.
//!
//! Both the safety check of the banker (Dijkstra 1965, Habermann 1969) and the detection of
//! Coffman, Elphick and Shoshani (1971) are this one reduction; they differ in what a task still
//! asks for: its whole remaining claim, or its pending request. Instead of scanning all tasks again
//! after each that finishes, every resource keeps the tasks that want it in the order of how much
//! they want. Giving units back moves one cursor per resource, and a task is ready when all its
//! resources have passed it: one step per want, where the scan takes a step per pair of tasks.

use std::collections::BTreeSet;

/// A task that takes no part in the reduction.
const ABSENT: u32 = u32::MAX;

/// What the tasks still want, sorted for each resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Demand {
    /// By task: how many resources it wants units of; [`ABSENT`] for one that takes no part.
    open: Vec<u32>,
    /// By resource: who wants how much (never 0), ascending.
    wants: Vec<Vec<(u64, u32)>>,
}

impl Demand {
    /// No wants yet, of `resources` resources.
    pub(super) fn new(resources: usize) -> Demand {
        Demand { open: Vec::new(), wants: vec![Vec::new(); resources] }
    }

    /// One resource more, not yet wanted.
    pub(super) fn add_resource(&mut self) {
        self.wants.push(Vec::new());
    }

    /// The demand of many tasks at once.
    ///
    /// # Cost
    /// O(w log w) for w wants.
    pub(super) fn collect<W>(resources: usize, tasks: impl Iterator<Item = (u32, W)>) -> Demand
    where
        W: Iterator<Item = (u32, u64)>,
    {
        let mut demand = Demand::new(resources);
        for (task, wants) in tasks {
            *demand.slot(task) = 0;
            for (resource, units) in wants.filter(|want| want.1 > 0) {
                demand.open[task as usize] += 1;
                demand.wants[resource as usize].push((units, task));
            }
        }
        for wants in &mut demand.wants {
            wants.sort_unstable();
        }
        demand
    }

    /// `task` takes part, and wants `wants`.
    pub(super) fn enter(&mut self, task: u32, wants: impl Iterator<Item = (u32, u64)>) {
        *self.slot(task) = 0;
        for (resource, units) in wants {
            self.change(task, resource, 0, units);
        }
    }

    /// `task`, which wants `wants`, no longer takes part.
    pub(super) fn leave(&mut self, task: u32, wants: impl Iterator<Item = (u32, u64)>) {
        for (resource, units) in wants {
            self.change(task, resource, units, 0);
        }
        *self.slot(task) = ABSENT;
    }

    /// `task` wanted `from` units of `resource`, and now wants `to`.
    ///
    /// # Cost
    /// O(log n) comparisons, and the move of the entries between the two places.
    pub(super) fn change(&mut self, task: u32, resource: u32, from: u64, to: u64) {
        if from == to {
            return;
        }
        let wants = &mut self.wants[resource as usize];
        let old = (from > 0).then(|| wants.partition_point(|want| *want < (from, task)));
        let new = (to > 0).then(|| wants.partition_point(|want| *want < (to, task)));
        let open = &mut self.open[task as usize];
        match (old, new) {
            (Some(old), Some(new)) if new > old => {
                wants[old..new].rotate_left(1);
                wants[new - 1] = (to, task);
            }
            (Some(old), Some(new)) => {
                wants[new..=old].rotate_right(1);
                wants[new] = (to, task);
            }
            (None, Some(new)) => {
                wants.insert(new, (to, task));
                *open += 1;
            }
            (Some(old), None) => {
                wants.remove(old);
                *open -= 1;
            }
            (None, None) => {}
        }
    }

    fn slot(&mut self, task: u32) -> &mut u32 {
        let index = task as usize;
        if self.open.len() <= index {
            self.open.resize(index + 1, ABSENT);
        }
        &mut self.open[index]
    }
}

/// The tasks that can finish and have not been asked to yet.
pub(super) trait Worklist {
    /// `task` can finish.
    fn push(&mut self, task: u32);
}

impl Worklist for Vec<u32> {
    fn push(&mut self, task: u32) {
        self.push(task);
    }
}

/// Yields the tasks in the textbook's order: round and round by number, from the last one on.
#[derive(Debug, Default)]
pub(super) struct RoundRobin {
    ready: BTreeSet<u32>,
    next: u32,
}

impl RoundRobin {
    /// The next task that can finish.
    pub(super) fn pop(&mut self) -> Option<u32> {
        let task = self.ready.range(self.next..).next().or_else(|| self.ready.first()).copied()?;
        self.ready.remove(&task);
        self.next = task + 1;
        Some(task)
    }
}

impl Worklist for RoundRobin {
    fn push(&mut self, task: u32) {
        self.ready.insert(task);
    }
}

/// One reduction under way.
#[derive(Debug)]
pub(super) struct Reduction<'a> {
    wants: &'a [Vec<(u64, u32)>],
    /// By resource: the units that are free by now.
    work: Vec<u64>,
    /// By resource: how many of `wants` are satisfied by `work`.
    passed: Vec<usize>,
    /// By task: how many of its wants are not satisfied yet.
    missing: Vec<u32>,
}

impl<'a> Reduction<'a> {
    /// Begins with `work` free units, and puts into `ready` who can finish with them. `without` is
    /// treated as a task that never finishes.
    pub(super) fn start(
        demand: &'a Demand,
        work: Vec<u64>,
        without: Option<u32>,
        ready: &mut impl Worklist,
    ) -> Reduction<'a> {
        let mut missing = demand.open.clone();
        if let Some(slot) = without.and_then(|task| missing.get_mut(task as usize)) {
            *slot = ABSENT;
        }
        for (task, _) in missing.iter().enumerate().filter(|(_, open)| **open == 0) {
            ready.push(task as u32);
        }
        let passed = vec![0; work.len()];
        let mut reduction = Reduction { wants: &demand.wants, work, passed, missing };
        for resource in 0..reduction.work.len() {
            reduction.advance(resource, ready);
        }
        reduction
    }

    /// `units` of `resource` are given back; puts into `ready` who can finish now. Returns the free
    /// units of the resource before and after.
    pub(super) fn put(
        &mut self,
        resource: u32,
        units: u64,
        ready: &mut impl Worklist,
    ) -> (u64, u64) {
        let resource = resource as usize;
        let before = self.work[resource];
        self.work[resource] = before + units;
        self.advance(resource, ready);
        (before, before + units)
    }

    fn advance(&mut self, resource: usize, ready: &mut impl Worklist) {
        let work = self.work[resource];
        let rest = &self.wants[resource][self.passed[resource]..];
        let mut passed = 0;
        for &(_, task) in rest.iter().take_while(|want| want.0 <= work) {
            passed += 1;
            // A task left out starts so high that its wants cannot bring it to 0.
            let missing = &mut self.missing[task as usize];
            *missing -= 1;
            if *missing == 0 {
                ready.push(task);
            }
        }
        self.passed[resource] += passed;
    }
}

#[cfg(test)]
mod tests {
    use super::Demand;

    #[test]
    fn a_change_in_place_equals_a_demand_collected_anew() {
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let mut wants = [[0_u64; 3]; 6];
        let mut demand = Demand::new(3);
        for task in 0..6 {
            demand.enter(task, std::iter::empty());
        }
        for _ in 0..2_000 {
            let (task, resource, to) = (next(6) as usize, next(3) as usize, next(5));
            demand.change(task as u32, resource as u32, wants[task][resource], to);
            wants[task][resource] = to;
            let rows = wants.iter().enumerate().map(|(task, row)| {
                (task as u32, row.iter().enumerate().map(|(r, units)| (r as u32, *units)))
            });
            assert_eq!(demand, Demand::collect(3, rows));
        }
    }
}
