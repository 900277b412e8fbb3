//! Which threads can never go on.
//!
//! Each thread runs, or waits for all of some threads (those that hold what it wants, the one it
//! joins) or for any of some (whoever can complete an event). Reduction (Holt, "Some deadlock
//! properties of computer systems", 1972) takes away every thread that can go on, then every thread
//! that waits for those alone; what is left is dead, and the cycle of locks is its simplest case.
//!
//! The caller must describe threads that do not move: a thread that could still go on must be given
//! as [`WaitsFor::Nothing`]. Then nothing that is called dead here can ever move again.

use std::collections::VecDeque;

use super::{LockId, ThreadId};
use crate::hash::Map;
use crate::instrument::Mode;

/// What a thread waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitsFor {
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
    /// Something that any one of these threads can do; with none of them, nobody can.
    Any(Vec<ThreadId>),
}

/// One thread at the moment that is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiter {
    /// The thread.
    pub thread: ThreadId,
    /// What it waits for.
    pub waits: WaitsFor,
    /// When its wait began, in any unit that only grows: readers queue behind earlier writers.
    pub since: u64,
    /// The locks that it holds.
    pub held: Vec<(LockId, Mode)>,
    /// It has ended; what it still holds is never released.
    pub ended: bool,
}

/// All threads at one moment.
#[derive(Clone, Debug, Default)]
pub struct WaitGraph {
    threads: Vec<Waiter>,
}

enum Needs {
    Nothing,
    All(Vec<usize>),
    Any(Vec<usize>),
}

impl WaitGraph {
    /// A graph of these threads.
    pub fn new(threads: Vec<Waiter>) -> WaitGraph {
        WaitGraph { threads }
    }

    /// The threads, as given.
    pub fn threads(&self) -> &[Waiter] {
        &self.threads
    }

    /// Indices of the threads that block `waiter` now: holders in a conflicting mode, and for a
    /// reader the writers that queue before it.
    pub fn blockers(&self, waiter: usize) -> Vec<usize> {
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
            WaitsFor::End(thread) => self
                .others(waiter)
                .filter(|(_, t)| t.thread == thread && !t.ended)
                .map(|(i, _)| i)
                .collect(),
            WaitsFor::Any(ref any) => self
                .others(waiter)
                .filter(|(_, t)| any.contains(&t.thread) && !t.ended)
                .map(|(i, _)| i)
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
            WaitsFor::Any(_) => Needs::Any(self.blockers(waiter)),
        }
    }

    /// Indices of the threads that can never go on.
    ///
    /// # Cost
    /// O(threads × (threads + locks held)).
    pub fn dead(&self) -> Vec<usize> {
        let needs: Vec<Needs> = (0..self.threads.len()).map(|i| self.needs(i)).collect();
        let mut dead: Vec<bool> = vec![true; self.threads.len()];
        loop {
            let mut moved = false;
            for (i, need) in needs.iter().enumerate().filter(|(i, _)| !self.threads[*i].ended) {
                let moves = match need {
                    Needs::Nothing => true,
                    Needs::All(all) => all.iter().all(|&b| !dead[b]),
                    Needs::Any(any) => any.iter().any(|&b| !dead[b]),
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
        (0..self.threads.len()).filter(|&i| dead[i] && !self.threads[i].ended).collect()
    }

    /// A shortest cycle of dead threads through `start`, each waiting for the next, by index.
    pub fn cycle(&self, start: usize) -> Option<Vec<usize>> {
        let dead = self.dead();
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
