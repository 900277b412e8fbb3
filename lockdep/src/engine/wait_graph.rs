//! Which threads can never go on.
//!
//! A thread runs, or it waits for other threads: for all that hold the lock it wants, for the one it joins,
//! or for enough holders of a semaphore's permits. Reduction (Holt, "Some deadlock properties of computer
//! systems", 1972) removes every thread that can go on, then every thread that waits for those alone; the
//! threads that remain are deadlocked. A cycle of locks is the simplest case.
//!
//! The caller promises that no thread moves while it is described: one that can still go on is described as
//! [`WaitsFor::Nothing`]. Then no thread that is called deadlocked here can ever move again.

use std::collections::VecDeque;

use crate::hash::Map;
use crate::model::ids::{LockId, ThreadId};
use crate::model::lock::Mode;

/// What a thread waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WaitsFor {
    /// It runs, or its wait ends by itself.
    Nothing,
    /// A lock.
    Lock {
        /// The lock.
        lock: LockId,
        /// The mode it is asked for in.
        mode: Mode,
    },
    /// The end of a thread.
    End(ThreadId),
    /// Permits of a semaphore. Who asked first is served first, which is left out here: then fewer
    /// threads are dead, never more.
    Permits {
        /// The semaphore.
        semaphore: LockId,
        /// How many are asked for.
        count: usize,
        /// How many there are in all.
        total: usize,
    },
}

/// One thread at the moment that is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiter {
    /// The thread.
    pub thread: ThreadId,
    /// The task that the thread polls: that does not end before the thread goes on.
    pub polls: Option<ThreadId>,
    /// What it waits for.
    pub waits: WaitsFor,
    /// When its wait began, in any unit that only grows: readers queue behind earlier writers.
    pub since: u64,
    /// The locks that it holds.
    pub held: Vec<(LockId, Mode)>,
    /// The permits that it holds, by semaphore.
    pub permits: Vec<(LockId, usize)>,
}

/// All threads at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct WaitGraph {
    threads: Vec<Waiter>,
}

enum Needs {
    Nothing,
    All(Vec<usize>),
    Permits { semaphore: LockId, count: usize, total: usize },
}

impl WaitGraph {
    /// A graph of these threads.
    pub(crate) fn new(threads: Vec<Waiter>) -> WaitGraph {
        WaitGraph { threads }
    }

    /// From here on the threads that wait for such things count as running. Whether there are any.
    pub(crate) fn let_go_on(&mut self, such: impl Fn(&WaitsFor) -> bool) -> bool {
        let mut any = false;
        for thread in self.threads.iter_mut().filter(|t| such(&t.waits)) {
            thread.waits = WaitsFor::Nothing;
            any = true;
        }
        any
    }

    /// The threads, as given.
    pub(crate) fn threads(&self) -> &[Waiter] {
        &self.threads
    }

    /// Indices of the threads that block `waiter` now: holders in a conflicting mode, for a reader
    /// the writers that queue before it, and all holders of permits, of which it may be one itself.
    pub(crate) fn blockers(&self, waiter: usize) -> Vec<usize> {
        let me = &self.threads[waiter];
        match me.waits {
            WaitsFor::Nothing => Vec::new(),
            WaitsFor::Lock { lock, mode } => self
                .others(waiter)
                .filter(|(i, t)| {
                    t.held.iter().any(|&(l, m)| l == lock && Mode::conflicts(m, mode))
                        || (mode.queues() && t.since < me.since && self.bars_readers(*i, lock))
                })
                .map(|(i, _)| i)
                .collect(),
            WaitsFor::End(thread) => {
                let is_it = |t: &Waiter| t.thread == thread || t.polls == Some(thread);
                self.others(waiter).filter(|(_, t)| is_it(t)).map(|(i, _)| i).collect()
            }
            WaitsFor::Permits { semaphore, .. } => (0..self.threads.len())
                .filter(|&i| self.threads[i].permits.iter().any(|p| p.0 == semaphore))
                .collect(),
        }
    }

    /// Whether the thread queues as a writer so that readers wait behind it. Only a writer that
    /// has none but readers before it does.
    fn bars_readers(&self, writer: usize, lock: LockId) -> bool {
        self.threads[writer].waits == WaitsFor::Lock { lock, mode: Mode::Write }
            && !self.others(writer).any(|(_, t)| t.held.contains(&(lock, Mode::Upgradable)))
    }

    fn others(&self, me: usize) -> impl Iterator<Item = (usize, &Waiter)> {
        self.threads.iter().enumerate().filter(move |(i, _)| *i != me)
    }

    fn needs(&self, waiter: usize) -> Needs {
        match self.threads[waiter].waits {
            WaitsFor::Nothing => Needs::Nothing,
            WaitsFor::Lock { .. } | WaitsFor::End(_) => Needs::All(self.blockers(waiter)),
            WaitsFor::Permits { semaphore, count, total } => {
                Needs::Permits { semaphore, count, total }
            }
        }
    }

    /// The permits that dead threads keep.
    fn kept(&self, semaphore: LockId, dead: &[bool]) -> usize {
        let keepers = self.threads.iter().zip(dead).filter(|(_, dead)| **dead);
        let permits = keepers.flat_map(|(t, _)| &t.permits).filter(|p| p.0 == semaphore);
        permits.map(|p| p.1).sum()
    }

    /// Indices of the threads that can never go on.
    ///
    /// # Cost
    /// O(threads × (threads + locks held)).
    pub(crate) fn dead(&self) -> Vec<usize> {
        let needs: Vec<Needs> = (0..self.threads.len()).map(|i| self.needs(i)).collect();
        let mut dead: Vec<bool> = vec![true; self.threads.len()];
        loop {
            let mut moved = false;
            for (i, need) in needs.iter().enumerate() {
                let moves = match need {
                    Needs::Nothing => true,
                    Needs::All(all) => all.iter().all(|&b| !dead[b]),
                    Needs::Permits { semaphore, count, total } => {
                        self.kept(*semaphore, &dead).saturating_add(*count) <= *total
                    }
                };
                if dead[i] && moves {
                    dead[i] = false;
                    moved = true;
                }
            }
            if !moved {
                break;
            }
        }
        (0..self.threads.len()).filter(|&i| dead[i]).collect()
    }

    /// Indices of all dead threads that `start` waits for, directly or through others.
    pub(crate) fn behind(&self, start: usize) -> Vec<usize> {
        let dead = self.dead();
        let mut behind = Vec::new();
        let mut todo = vec![start];
        while let Some(at) = todo.pop() {
            for next in self.blockers(at) {
                if dead.contains(&next) && !behind.contains(&next) {
                    behind.push(next);
                    todo.push(next);
                }
            }
        }
        behind
    }

    /// A shortest cycle of dead threads through `start`, each waiting for the next, by index.
    pub(crate) fn cycle(&self, start: usize) -> Option<Vec<usize>> {
        let dead = self.dead();
        if !dead.contains(&start) {
            return None;
        }
        let mut came: Map<usize, usize> = Map::default();
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for next in self.blockers(at) {
                if next == start {
                    let mut cycle = vec![at];
                    let mut back = at;
                    while back != start {
                        back = came[&back];
                        cycle.push(back);
                    }
                    cycle.reverse();
                    return Some(cycle);
                }
                if dead.contains(&next) && !came.contains_key(&next) {
                    came.insert(next, at);
                    queue.push_back(next);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{WaitGraph, Waiter, WaitsFor};
    use crate::model::ids::{LockId, ThreadId};
    use crate::model::lock::Mode;

    const A: LockId = 1;
    const B: LockId = 2;

    fn thread(thread: ThreadId, waits: WaitsFor, held: &[(LockId, Mode)]) -> Waiter {
        let (held, permits) = (held.to_vec(), Vec::new());
        Waiter { thread, polls: None, waits, since: u64::from(thread), held, permits }
    }

    fn writes(lock: LockId) -> WaitsFor {
        WaitsFor::Lock { lock, mode: Mode::Write }
    }

    /// A thread that has one permit of the first and asks for one of the second.
    fn crosses(thread: ThreadId, has: LockId, asks: LockId, total: usize) -> Waiter {
        Waiter {
            thread,
            polls: None,
            waits: WaitsFor::Permits { semaphore: asks, count: 1, total },
            since: 0,
            held: Vec::new(),
            permits: vec![(has, 1)],
        }
    }

    #[test]
    fn a_thread_behind_a_cycle_is_dead_and_not_on_it() {
        let graph = WaitGraph::new(vec![
            thread(1, writes(B), &[(A, Mode::Write)]),
            thread(2, writes(3), &[(B, Mode::Write)]),
            thread(3, writes(A), &[(3, Mode::Write)]),
            thread(4, writes(A), &[]),
        ]);
        assert_eq!(graph.dead(), [0, 1, 2, 3]);
        assert_eq!(graph.cycle(0), Some(vec![0, 1, 2]));
        assert_eq!(graph.cycle(3), None, "nobody waits for the fourth");
    }

    #[test]
    fn a_writer_waits_for_every_reader() {
        let readers = |third: WaitsFor| {
            WaitGraph::new(vec![
                thread(1, writes(A), &[(B, Mode::Write)]),
                thread(2, WaitsFor::Nothing, &[(A, Mode::Read)]),
                thread(3, WaitsFor::Nothing, &[(A, Mode::Read)]),
                thread(4, third, &[(A, Mode::Read)]),
            ])
        };
        assert_eq!(readers(WaitsFor::Nothing).dead(), [0; 0]);
        assert_eq!(readers(writes(B)).dead(), [0, 3]);
    }

    #[test]
    fn a_holder_that_runs_frees_those_who_wait() {
        let graph = WaitGraph::new(vec![
            thread(1, WaitsFor::Nothing, &[(A, Mode::Write)]),
            thread(2, writes(A), &[(B, Mode::Write)]),
            thread(3, writes(B), &[]),
        ]);
        assert_eq!(graph.dead(), [0; 0]);
    }

    #[test]
    fn a_join_counts_as_a_wait() {
        let graph = |second: WaitsFor| {
            WaitGraph::new(vec![
                thread(1, writes(B), &[(A, Mode::Write)]),
                thread(2, second, &[(B, Mode::Write)]),
            ])
        };
        assert_eq!(graph(WaitsFor::Nothing).dead(), [0; 0]);
        assert_eq!(graph(WaitsFor::End(1)).dead(), [0, 1]);
    }

    #[test]
    fn a_task_does_not_end_before_the_thread_goes_on_that_polls_it() {
        let polled = |waits: WaitsFor| Waiter { polls: Some(7), ..thread(2, waits, &[]) };
        let graph = |polled: Waiter| {
            WaitGraph::new(vec![thread(1, WaitsFor::End(7), &[(A, Mode::Write)]), polled])
        };
        assert_eq!(graph(polled(WaitsFor::Nothing)).dead(), [0; 0]);
        assert_eq!(graph(polled(writes(B))).dead(), [0; 0]);
        assert_eq!(graph(polled(writes(A))).cycle(0), Some(vec![0, 1]));
    }

    #[test]
    fn permits_are_counted() {
        let dead = |threads: Vec<Waiter>| WaitGraph::new(threads).dead();
        assert_eq!(dead(vec![crosses(1, A, B, 2), crosses(2, B, A, 2)]), [0; 0]);
        assert_eq!(dead(vec![crosses(1, A, B, 1), crosses(2, B, A, 1)]), [0, 1]);
        let four = [(1, A, B), (2, A, B), (3, B, A), (4, B, A)];
        let four = |total| four.map(|(t, has, asks)| crosses(t, has, asks, total)).to_vec();
        assert_eq!(dead(four(2)), [0, 1, 2, 3]);
        assert_eq!(dead(four(3)), [0; 0]);
        assert_eq!(WaitGraph::new(four(2)).cycle(0).map(|c| c.len()), Some(2));
        assert_eq!(dead(vec![crosses(1, A, A, 1)]), [0], "its own permit is the one it waits for");
        assert_eq!(WaitGraph::new(vec![crosses(1, A, A, 1)]).cycle(0), Some(vec![0]));
    }
}
