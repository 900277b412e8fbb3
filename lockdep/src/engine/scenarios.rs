//! Traces in a short notation, with the tiers of the cycles that the detector finds in them.
//!
//! `T op(lock) op(lock); U ...` lists the steps in the order in which they happened. `fork(T)` and
//! `join(T)` order threads, `send(c)` and `recv(c)` show an order; `acq`/`rel` hold exclusively,
//! `racq`/`rrel` shared, `rracq` shared without a queue, `uacq` upgradable, and `up` upgrades; `try`
//! acquires without blocking; `drop` ends a lock's life. The cases follow the literature that each names.

use std::collections::HashMap;
use std::sync::Arc;

use super::{
    CriticalSection, Cycle, Dependency, Detector, Held, InheritedLocks, ThreadPoint, VectorClock,
};
use crate::model::finding::Tier::{
    self, Guarded, NeedsThread, NeedsWriter, Ordered, Potential, Reachable,
};
use crate::model::ids::{LockId, ThreadId};
use crate::model::lock::Mode;

struct Case {
    name: &'static str,
    trace: &'static str,
    /// The tiers of all cycles, each set of locks with its surest tier, from the surest down.
    expected: &'static [Tier],
}

const CASES: &[Case] = &[
    Case {
        name: "opposite orders",
        trace: "M fork(T0) fork(T1); T0 acq(A) acq(B) rel(B) rel(A); \
                T1 acq(B) acq(A) rel(A) rel(B); M join(T0) join(T1)",
        expected: &[Reachable],
    },
    Case {
        name: "gate lock (Bensalem and Havelund)",
        trace: "M fork(T0) fork(T1); T0 acq(G) acq(A) acq(B) rel(B) rel(A) rel(G); \
                T1 acq(G) acq(B) acq(A) rel(A) rel(B) rel(G); M join(T0) join(T1)",
        expected: &[Guarded],
    },
    Case {
        name: "the gate is released before the child runs to its end",
        trace: "M fork(T1) fork(T2); T1 acq(G) fork(T3) rel(G); \
                T3 acq(L1) acq(L2) rel(L2) rel(L1); T1 join(T3); \
                T2 acq(G) acq(L2) acq(L1) rel(L1) rel(L2) rel(G); M join(T2) join(T1)",
        expected: &[Reachable],
    },
    Case {
        name: "the gate is released and taken again before the child ends",
        trace: "M fork(T1) fork(T2); T1 acq(G) fork(T3) rel(G) acq(G); \
                T3 acq(L1) acq(L2) rel(L2) rel(L1); T1 join(T3) rel(G); \
                T2 acq(G) acq(L2) acq(L1) rel(L1) rel(L2) rel(G); M join(T2) join(T1)",
        expected: &[Reachable],
    },
    Case {
        name: "a gate around the whole child (Sulzmann)",
        trace: "T0 fork(T2) acq(G) fork(T1); T1 acq(A) acq(B) rel(B) rel(A); T0 join(T1) rel(G); \
                T2 acq(G) acq(B) acq(A) rel(A) rel(B) rel(G)",
        expected: &[Guarded],
    },
    Case {
        name: "a gate around the whole child, which comes second",
        trace: "T0 fork(T2); T2 acq(G) acq(B) acq(A) rel(A) rel(B) rel(G); \
                T0 acq(G) fork(T1); T1 acq(A) acq(B) rel(B) rel(A); T0 join(T1) rel(G)",
        expected: &[Guarded],
    },
    Case {
        name: "a gate around the child that is released before the join, seen late",
        trace: "T0 fork(T2); T2 acq(G) acq(B) acq(A) rel(A) rel(B) rel(G); \
                T0 acq(G) fork(T1); T1 acq(A) acq(B) rel(B) rel(A); T0 rel(G) join(T1)",
        expected: &[Reachable],
    },
    Case {
        name: "a gate around the child of a child",
        trace: "T0 fork(T2); T2 acq(G) acq(B) acq(A) rel(A) rel(B) rel(G); \
                T0 acq(G) fork(T1); T1 fork(T3); T3 acq(A) acq(B) rel(B) rel(A); T1 join(T3); \
                T0 join(T1) rel(G)",
        expected: &[Guarded],
    },
    Case {
        name: "a gate around a child whose own child nobody joins",
        trace: "T0 fork(T2); T2 acq(G) acq(B) acq(A) rel(A) rel(B) rel(G); \
                T0 acq(G) fork(T1); T1 fork(T3); T3 acq(A) acq(B) rel(B) rel(A); \
                T0 join(T1) rel(G)",
        expected: &[Reachable],
    },
    Case {
        name: "two children under one gate",
        trace: "T0 acq(G) fork(T1) fork(T2); T1 acq(A) acq(B) rel(B) rel(A); \
                T2 acq(B) acq(A) rel(A) rel(B); T0 join(T1) join(T2) rel(G)",
        expected: &[Reachable],
    },
    Case {
        name: "children of two threads, each under the gate",
        trace: "M fork(T0) fork(T3); T0 acq(G) fork(T1); T1 acq(A) acq(B) rel(B) rel(A); \
                T0 join(T1) rel(G); T3 acq(G) fork(T4); T4 acq(B) acq(A) rel(A) rel(B); \
                T3 join(T4) rel(G)",
        expected: &[Guarded],
    },
    Case {
        name: "readers of the gate around the child keep nobody out",
        trace: "T0 fork(T2) racq(G) fork(T1); T1 acq(A) acq(B) rel(B) rel(A); \
                T0 join(T1) rrel(G); T2 racq(G) acq(B) acq(A) rel(A) rel(B) rrel(G)",
        expected: &[Reachable],
    },
    Case {
        name: "whoever holds the gate around its child is not kept out itself",
        trace: "T0 acq(G) fork(T1); T1 acq(A) acq(B) rel(B) rel(A); \
                T0 acq(B) acq(A) rel(A) rel(B) join(T1) rel(G)",
        expected: &[Reachable],
    },
    Case {
        name: "the child begins with the lock under which it was spawned",
        trace: "T1 acq(G) fork(T2) acq(A) acq(B) rel(B) rel(A) rel(G); \
                T2 acq(G) rel(G) acq(B) acq(A) rel(A) rel(B); T1 join(T2)",
        expected: &[Ordered],
    },
    Case {
        name: "the child takes the lock under which it was spawned too late",
        trace: "T1 acq(G) fork(T2) acq(A) acq(B) rel(B) rel(A) rel(G); \
                T2 acq(B) acq(A) rel(A) rel(B) acq(G) rel(G); T1 join(T2)",
        expected: &[Reachable],
    },
    Case {
        name: "the child begins with the lock, and its parent goes on without it",
        trace: "T1 acq(G) fork(T2) rel(G) acq(A) acq(B) rel(B) rel(A); \
                T2 acq(G) rel(G) acq(B) acq(A) rel(A) rel(B); T1 join(T2)",
        expected: &[Reachable],
    },
    Case {
        name: "a message in between",
        trace: "M fork(T0) fork(T1); T0 acq(A) acq(B) rel(B) rel(A) send(c); \
                T1 recv(c) acq(B) acq(A) rel(A) rel(B)",
        expected: &[Potential],
    },
    Case {
        name: "a message in between, passed on",
        trace: "M fork(T0) fork(T1) fork(T2); T0 acq(A) acq(B) rel(B) rel(A) send(c); \
                T2 recv(c) send(d); T1 recv(d) acq(B) acq(A) rel(A) rel(B)",
        expected: &[Potential],
    },
    Case {
        name: "a message before the first of both",
        trace: "M fork(T0) fork(T1); T0 send(c) acq(A) acq(B) rel(B) rel(A); \
                T1 recv(c) acq(B) acq(A) rel(A) rel(B)",
        expected: &[Reachable],
    },
    Case {
        name: "a message in between, and the same again after it",
        trace: "M fork(T0) fork(T1); T0 acq(A) acq(B) rel(B) rel(A) send(c) acq(A) acq(B) rel(B) \
                rel(A); T1 recv(c) acq(B) acq(A) rel(A) rel(B)",
        expected: &[Reachable],
    },
    Case {
        name: "release in any order",
        trace: "M fork(T0) fork(T1); T0 acq(A) acq(B) rel(A) rel(B); \
                T1 acq(B) acq(A) rel(A) rel(B); M join(T0) join(T1)",
        expected: &[Reachable],
    },
    Case {
        name: "a join orders the threads",
        trace: "M fork(T0); T0 acq(A) acq(B) rel(B) rel(A); M join(T0) fork(T1); \
                T1 acq(B) acq(A) rel(A) rel(B); M join(T1)",
        expected: &[Ordered],
    },
    Case {
        name: "one of three is joined early",
        trace: "M fork(T0) fork(T1); T0 acq(A) acq(B) rel(B) rel(A); \
                T1 acq(B) acq(C) rel(C) rel(B); M join(T0) fork(T2); \
                T2 acq(C) acq(A) rel(A) rel(C); M join(T1) join(T2)",
        expected: &[Ordered],
    },
    Case {
        name: "one of two candidates is real (Agarwal et al. 2010)",
        trace: "M fork(T1) fork(T2); T1 acq(G) acq(L1) acq(L2) rel(L2) rel(L1) rel(G) fork(T3); \
                T3 acq(L1) acq(L2) rel(L2) rel(L1); T1 join(T3) acq(L2) acq(L1) rel(L1) rel(L2); \
                T2 acq(G) acq(L2) acq(L1) rel(L1) rel(L2) rel(G); M join(T2) join(T1)",
        expected: &[Reachable],
    },
    Case {
        name: "four locks, one thread twice (Agarwal and Stoller)",
        trace: "M fork(T0) fork(T1) fork(T2); \
                T0 acq(L1) acq(L2) rel(L2) rel(L1) acq(L3) acq(L4) rel(L4) rel(L3); \
                T1 acq(L2) acq(L3) rel(L3) rel(L2); T2 acq(L4) acq(L1) rel(L1) rel(L4); \
                M join(T0) join(T1) join(T2)",
        expected: &[NeedsThread],
    },
    Case {
        name: "a lock in the middle of the held ones (Agarwal and Stoller)",
        trace: "M fork(T0) fork(T1); \
                T0 acq(L1) acq(L2) rel(L2) rel(L1) acq(L3) acq(L4) rel(L4) rel(L3); \
                T1 acq(L2) acq(L4) acq(L3) rel(L3) rel(L4) rel(L2); M join(T0) join(T1)",
        expected: &[Reachable],
    },
    Case {
        name: "the outermost lock counts",
        trace: "M fork(T0) fork(T1); T0 acq(A) acq(B) acq(C) rel(C) rel(B) rel(A); \
                T1 acq(C) acq(A) rel(A) rel(C)",
        expected: &[Reachable],
    },
    Case {
        name: "child forked inside (CalFuzzer)",
        trace: "M fork(T1); T1 fork(T4) acq(o1) acq(o2) rel(o2) rel(o1) acq(o3) acq(o4) rel(o4) \
                rel(o3); T4 acq(o4) acq(o3) rel(o3) rel(o4); T1 join(T4); M join(T1)",
        expected: &[Reachable],
    },
    Case {
        name: "one thread does both",
        trace: "T0 acq(L1) acq(L2) rel(L2) rel(L1) acq(L2) acq(L1) rel(L1) rel(L2)",
        expected: &[NeedsThread],
    },
    Case {
        name: "a lock passed through on the way",
        trace: "M fork(T0) fork(T1); T0 acq(m) acq(n) rel(n) acq(q) rel(q) rel(m); \
                T1 acq(q) acq(n) rel(n) acq(m) rel(m) rel(q); M join(T0) join(T1)",
        expected: &[Reachable],
    },
    Case {
        name: "a hierarchy",
        trace: "M fork(T0) fork(T1) fork(T2); \
                T0 acq(A) acq(B) acq(C) acq(D) rel(D) rel(C) rel(B) rel(A); \
                T1 acq(A) acq(C) acq(D) rel(D) rel(C) rel(A); T2 acq(B) acq(D) rel(D) rel(B)",
        expected: &[],
    },
    Case {
        name: "readers that never queue",
        trace: "M fork(T0) fork(T1); T0 rracq(A) rracq(B) rrel(B) rrel(A); \
                T1 rracq(B) rracq(A) rrel(A) rrel(B); M join(T0) join(T1)",
        expected: &[],
    },
    Case {
        name: "a reader that does not queue still bars a writer",
        trace: "M fork(T0) fork(T1); T0 rracq(A) acq(B) rel(B) rrel(A); \
                T1 acq(B) acq(A) rel(A) rel(B); M join(T0) join(T1)",
        expected: &[Reachable],
    },
    Case {
        name: "upgradable holders exclude each other",
        trace: "M fork(T0) fork(T1); T0 uacq(A) acq(B) rel(B) rel(A); \
                T1 acq(B) uacq(A) rel(A) rel(B); M join(T0) join(T1)",
        expected: &[Reachable],
    },
    Case {
        name: "no writer queues before a reader while there is an upgradable holder",
        trace: "M fork(T0) fork(T1); T0 uacq(A) acq(B) rel(B) rel(A); \
                T1 acq(B) racq(A) rrel(A) rel(B); M join(T0) join(T1)",
        expected: &[],
    },
    Case {
        name: "an upgradable gate",
        trace: "M fork(T0) fork(T1); T0 uacq(G) acq(A) acq(B) rel(B) rel(A) rel(G); \
                T1 uacq(G) acq(B) acq(A) rel(A) rel(B) rel(G); M join(T0) join(T1)",
        expected: &[Guarded],
    },
    Case {
        name: "a gate that is read on one side and upgradable on the other",
        trace: "M fork(T0) fork(T1); T0 uacq(G) acq(A) acq(B) rel(B) rel(A) rel(G); \
                T1 racq(G) acq(B) acq(A) rel(A) rel(B) rrel(G); M join(T0) join(T1)",
        expected: &[Reachable],
    },
    Case {
        name: "an upgrade waits for a reader",
        trace: "M fork(T0) fork(T1); T0 uacq(A) acq(B) up(A) rel(B) rel(A); \
                T1 racq(A) acq(B) rel(B) rrel(A); M join(T0) join(T1)",
        expected: &[Reachable],
    },
    Case {
        name: "an upgrade against the same path",
        trace: "M fork(T0) fork(T1); T0 uacq(A) acq(B) up(A) rel(B) rel(A); \
                T1 uacq(A) acq(B) up(A) rel(B) rel(A); M join(T0) join(T1)",
        expected: &[],
    },
    Case {
        name: "readers only",
        trace: "M fork(T0) fork(T1); T0 racq(A) racq(B) rrel(B) rrel(A); \
                T1 racq(B) racq(A) rrel(A) rrel(B); M join(T0) join(T1)",
        expected: &[NeedsWriter],
    },
    Case {
        name: "a gate that both read is none",
        trace: "M fork(T0) fork(T1); T0 racq(G) acq(A) acq(B) rel(B) rel(A) rrel(G); \
                T1 racq(G) acq(B) acq(A) rel(A) rel(B) rrel(G); M join(T0) join(T1)",
        expected: &[Reachable],
    },
    Case {
        name: "a gate that one reads and one writes",
        trace: "M fork(T0) fork(T1); T0 racq(G) acq(A) acq(B) rel(B) rel(A) rrel(G); \
                T1 acq(G) acq(B) acq(A) rel(A) rel(B) rel(G); M join(T0) join(T1)",
        expected: &[Guarded],
    },
    Case {
        name: "each reads what the other writes",
        trace: "M fork(T0) fork(T1); T0 racq(A) acq(B) rel(B) rrel(A); \
                T1 racq(B) acq(A) rel(A) rrel(B); M join(T0) join(T1)",
        expected: &[Reachable],
    },
    Case {
        name: "try on both sides",
        trace: "M fork(T0) fork(T1); T0 acq(A) try(B) rel(B) rel(A); \
                T1 acq(B) try(A) rel(A) rel(B); M join(T0) join(T1)",
        expected: &[],
    },
    Case {
        name: "try outside, blocking inside",
        trace: "M fork(T0) fork(T1); T0 try(A) acq(B) rel(B) rel(A); \
                T1 acq(B) acq(A) rel(A) rel(B); M join(T0) join(T1)",
        expected: &[Reachable],
    },
    Case {
        name: "try on one side",
        trace: "M fork(T0) fork(T1); T0 acq(A) try(B) rel(B) rel(A); \
                T1 acq(B) acq(A) rel(A) rel(B); M join(T0) join(T1)",
        expected: &[],
    },
    Case {
        name: "an order over a lock that was tried in between",
        trace: "M fork(T0) fork(T1); T0 acq(A) try(B) acq(C) rel(C) rel(B) rel(A); \
                T1 acq(C) acq(A) rel(A) rel(C)",
        expected: &[Reachable],
    },
    Case {
        name: "five philosophers",
        trace: "M fork(P0) fork(P1) fork(P2) fork(P3) fork(P4); \
                P0 acq(f0) acq(f1) rel(f1) rel(f0); P1 acq(f1) acq(f2) rel(f2) rel(f1); \
                P2 acq(f2) acq(f3) rel(f3) rel(f2); P3 acq(f3) acq(f4) rel(f4) rel(f3); \
                P4 acq(f4) acq(f0) rel(f0) rel(f4)",
        expected: &[Reachable],
    },
    Case {
        name: "sections that would have to run the other way round",
        trace: "M fork(T0) fork(T1); T0 acq(C) rel(C) acq(A) acq(B) rel(B) rel(A); \
                T1 acq(B) acq(C) rel(C) acq(A) rel(A) rel(B); M join(T0) join(T1)",
        expected: &[Reachable],
    },
    Case {
        name: "hand over hand in one direction",
        trace: "M fork(T0) fork(T1); T0 acq(n1) acq(n2) rel(n1) acq(n3) rel(n2) rel(n3); \
                T1 acq(n1) acq(n2) rel(n1) acq(n3) rel(n2) rel(n3); M join(T0) join(T1)",
        expected: &[],
    },
    Case {
        name: "set-up before the thread is spawned",
        trace: "M acq(A) acq(B) rel(B) rel(A) fork(T1); T1 acq(B) acq(A) rel(A) rel(B); M join(T1)",
        expected: &[Ordered],
    },
    Case {
        name: "set-up, then the same while the thread lives",
        trace: "M acq(A) acq(B) rel(B) rel(A) fork(T1); T1 acq(B) acq(A) rel(A) rel(B); \
                M acq(A) acq(B) rel(B) rel(A) join(T1)",
        expected: &[Reachable],
    },
    Case {
        name: "the gate is released after the inner lock is taken",
        trace: "M fork(T1) fork(T2); T1 acq(G) acq(A) acq(B) rel(G) rel(B) rel(A); \
                T2 acq(G) acq(B) acq(A) rel(G) rel(A) rel(B); M join(T1) join(T2)",
        expected: &[Guarded],
    },
    Case {
        name: "a gate at first, and none later: no new edge, but a new dependency",
        trace: "M fork(T0) fork(T1); T0 acq(G) acq(A) acq(B) rel(B) rel(A) rel(G); \
                T1 acq(G) acq(B) acq(A) rel(A) rel(B) rel(G); T0 acq(A) acq(B) rel(B) rel(A); \
                T1 acq(B) acq(A) rel(A) rel(B)",
        expected: &[Reachable],
    },
    Case {
        name: "an order through a lock that is gone",
        trace: "M fork(T0) fork(T1); T0 acq(A) acq(B) rel(B) rel(A) acq(B) acq(C) rel(C) rel(B) \
                drop(B); T1 acq(C) acq(A) rel(A) rel(C)",
        expected: &[Potential],
    },
    Case {
        name: "an order through a lock that is gone, by one thread",
        trace: "T0 acq(A) acq(B) rel(B) rel(A) acq(B) acq(C) rel(C) rel(B) drop(B) \
                acq(C) acq(A) rel(A) rel(C)",
        expected: &[NeedsThread],
    },
    Case {
        name: "a lock that is gone ends its own cycles",
        trace: "M fork(T0) fork(T1); T0 acq(A) acq(B) rel(B) rel(A) drop(B); \
                T1 acq(B2) acq(A) rel(A) rel(B2)",
        expected: &[],
    },
    Case {
        name: "a gate that is gone leaves the order under it",
        trace: "M fork(T0) fork(T1); T0 acq(G) acq(A) acq(B) rel(B) rel(A) rel(G) drop(G); \
                T1 acq(B) acq(A) rel(A) rel(B)",
        expected: &[Reachable],
    },
];

struct Thread {
    at: ThreadPoint,
    held: Vec<Held>,
    sections: Vec<Arc<CriticalSection>>,
    children: Vec<Arc<InheritedLocks>>,
}

impl Thread {
    fn new(thread: ThreadId) -> Thread {
        let at = ThreadPoint { thread, epoch: 1, ..ThreadPoint::default() };
        Thread { at, held: Vec::new(), sections: Vec::new(), children: Vec::new() }
    }
}

/// The surest tier for each set of locks.
fn add(found: &mut HashMap<Vec<LockId>, Tier>, cycles: Vec<Cycle>) {
    for cycle in cycles {
        let mut set: Vec<LockId> = cycle.links.iter().map(|l| l.held.lock).collect();
        set.sort_unstable();
        let tier = found.entry(set).or_insert(cycle.tier);
        *tier = (*tier).max(cycle.tier);
    }
}

/// Runs a trace; the surest tier for each set of locks.
pub(super) fn tiers(trace: &str) -> Vec<Tier> {
    let mut detector = Detector::new();
    let mut threads: HashMap<&str, Thread> = HashMap::new();
    let mut locks: HashMap<&str, LockId> = HashMap::new();
    let mut found: HashMap<Vec<LockId>, Tier> = HashMap::new();
    for run in trace.split(';').map(str::trim).filter(|r| !r.is_empty()) {
        let mut words = run.split_whitespace();
        let name = words.next().unwrap_or_default();
        for word in words {
            let (op, rest) = word.split_once('(').expect("an operation");
            let object = rest.trim_end_matches(')');
            let next = threads.len() as ThreadId + 1;
            let thread = threads.entry(name).or_insert_with(|| Thread::new(next));
            match op {
                "fork" => {
                    for held in &thread.held {
                        if !thread.sections.iter().any(|s| s.lock == held.lock) {
                            let section =
                                CriticalSection::new(thread.at.thread, held.lock, held.mode);
                            thread.sections.push(Arc::new(section));
                        }
                    }
                    let sections = thread.sections.clone();
                    let inherited = InheritedLocks::new(
                        thread.at.thread,
                        sections,
                        thread.at.inherited.as_ref(),
                    );
                    thread.children.extend(inherited.clone());
                    let clock = thread.at.clock.descend(thread.at.thread, thread.at.epoch);
                    thread.at.epoch += 1;
                    let id = threads.len() as ThreadId + 1;
                    let mut child = Thread::new(id);
                    (child.at.clock, child.at.inherited) = (clock, inherited);
                    threads.insert(object, child);
                }
                "join" => {
                    let child = &threads[object];
                    let completed = child.at.completed();
                    let (inherited, unjoined) =
                        (child.at.inherited.clone(), child.children.clone());
                    let cycles = detector.detached(&unjoined);
                    add(&mut found, cycles);
                    let thread = threads.get_mut(name).expect("the joining thread");
                    if let Some(inherited) = inherited {
                        detector.joined(&inherited, thread.at.thread);
                    }
                    thread.at.clock.make_mut().join(&completed);
                }
                "drop" => detector.remove(locks[object]),
                "send" => {
                    let next = locks.len() as LockId + 1;
                    let event = *locks.entry(object).or_insert(next);
                    detector.publish(event, &thread.at);
                    thread.at.epoch += 1;
                }
                "recv" => {
                    let sent = detector.published(locks[object]).expect("something was sent");
                    thread.at.observed.join_kept(sent, |_| true);
                }
                "rel" | "rrel" => {
                    let lock = locks[object];
                    let at = thread.held.iter().rposition(|h| h.lock == lock);
                    thread.held.remove(at.expect("a held lock"));
                    if let Some(at) = thread.sections.iter().position(|s| s.lock == lock) {
                        let section = thread.sections.remove(at);
                        let completed = thread.at.completed();
                        thread.at.epoch += 1;
                        let cycles = detector.released(&section, completed);
                        add(&mut found, cycles);
                    }
                }
                _ => {
                    let next = locks.len() as LockId + 1;
                    let lock = *locks.entry(object).or_insert(next);
                    let mode = match op {
                        "racq" => Mode::Read,
                        "rracq" => Mode::RecursiveRead,
                        "uacq" => Mode::Upgradable,
                        _ => Mode::Write,
                    };
                    let site = lock * 100 + u64::from(thread.at.thread);
                    let held = Held { lock, mode, tried: op == "try", site };
                    if op != "try" && !thread.held.is_empty() {
                        let cycles = detector.request(&Dependency {
                            at: &thread.at,
                            lock,
                            mode,
                            site,
                            held: &thread.held,
                        });
                        add(&mut found, cycles);
                    }
                    if op != "try" {
                        let ends = thread.at.inherited.iter().flat_map(|i| i.sections());
                        let ends = ends.filter(|s| s.lock == lock && Mode::conflicts(s.mode, mode));
                        for end in ends.filter_map(|s| s.end()) {
                            thread.at.clock.make_mut().join(end);
                        }
                    }
                    if op == "up" {
                        thread.held.retain(|h| h.lock != lock);
                    }
                    thread.held.push(held);
                }
            }
        }
    }
    let mut tiers: Vec<Tier> = found.into_values().collect();
    tiers.sort_unstable_by(|a, b| b.cmp(a));
    tiers
}

#[test]
fn every_trace_has_its_tiers() {
    let wrong: Vec<String> = CASES
        .iter()
        .map(|case| (case, tiers(case.trace)))
        .filter(|(case, got)| got != case.expected)
        .map(|(case, got)| format!("{}: expected {:?}, got {got:?}", case.name, case.expected))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_cycle_of_forty_is_found_whole() {
    let steps: Vec<String> = (0..40)
        .map(|i| format!("P{i} acq(f{i}) acq(f{}) rel(f{}) rel(f{i})", (i + 1) % 40, (i + 1) % 40))
        .collect();
    let forks: Vec<String> = (0..40).map(|i| format!("fork(P{i})")).collect();
    assert_eq!(tiers(&format!("M {}; {}", forks.join(" "), steps.join("; "))), [Reachable]);
}

#[test]
fn a_complete_digraph_ends_within_the_budget() {
    let mut trace = String::from("M");
    for i in 0..12 {
        trace += &format!(" fork(T{i})");
    }
    for i in 0..12 {
        for j in (0..12).filter(|&j| j != i) {
            trace += &format!("; T{i} acq(L{i}) acq(L{j}) rel(L{j}) rel(L{i})");
        }
    }
    // Each of the 66 pairs is a cycle of its own.
    assert!(tiers(&trace).iter().filter(|&&t| t == Reachable).count() >= 66);
}

#[test]
fn an_ordered_set_of_two_hundred_is_silent() {
    let mut trace = String::from("T0");
    for i in 0..200 {
        for j in i + 1..200 {
            trace += &format!(" acq(L{i}) acq(L{j}) rel(L{j}) rel(L{i})");
        }
    }
    assert_eq!(tiers(&trace), []);
}

/// A dependency that is freed while its verdict depends on a hold is not judged once more under a number
/// that says nothing, or that is another's.
#[test]
fn a_dependency_that_is_gone_is_not_settled() {
    let held = |lock, site| Held { lock, mode: Mode::Write, tried: false, site };
    let (first_gate, second_gate, a, b, x) = (1, 2, 3, 4, 5);
    let third = ThreadPoint { thread: 3, epoch: 1, ..ThreadPoint::default() };
    fn ask<'a>(at: &'a ThreadPoint, lock: LockId, site: u64, held: &'a [Held]) -> Dependency<'a> {
        Dependency { at, lock, mode: Mode::Write, site, held }
    }
    for x_goes in [false, true] {
        let sections: Vec<Arc<CriticalSection>> = [first_gate, second_gate]
            .map(|gate| Arc::new(CriticalSection::new(1, gate, Mode::Write)))
            .into_iter()
            .collect();
        // The second thread was spawned by the first one, which holds both gates around it.
        let inherited = InheritedLocks::new(1, sections.clone(), None);
        let second = ThreadPoint { thread: 2, epoch: 1, inherited, ..ThreadPoint::default() };
        let mut detector = Detector::new();
        let gates = [held(first_gate, 11), held(second_gate, 12), held(b, 13)];
        assert!(detector.request(&ask(&third, a, 10, &gates)).is_empty());
        let by_gates = [
            detector.request(&ask(&second, b, 20, &[held(a, 21)])),
            detector.request(&ask(&second, b, 20, &[held(a, 21), held(x, 22)])),
        ];
        assert!(by_gates.iter().flatten().all(|cycle| cycle.tier == Guarded));
        if x_goes {
            detector.remove(x);
        }
        // One gate opens early, and the other one still guards.
        let gate = by_gates[0][0].gate.expect("a gate guards");
        let opens = sections.iter().find(|s| s.lock == gate).expect("it is one of the two");
        let settled = detector.released(opens, VectorClock::default());
        assert!(settled.iter().all(|cycle| cycle.tier == Guarded), "{settled:?}");
        assert!(!settled.is_empty());
    }
}

/// Nobody tells the detector when a lock is gone that it knows only because a thread took it on its way to an
/// event.
#[test]
fn locks_on_the_way_to_an_event_are_forgotten_unless_somebody_waits_under_them() {
    let held = |lock, site| Held { lock, mode: Mode::Write, tried: false, site };
    let (event, kept) = (1, 2);
    let first = ThreadPoint { thread: 1, epoch: 1, ..ThreadPoint::default() };
    let second = ThreadPoint { thread: 2, epoch: 1, ..ThreadPoint::default() };
    let completing = [Held { tried: true, ..held(event, 10) }];
    let on_the_way =
        |lock| Dependency { at: &first, lock, mode: Mode::Write, site: 11, held: &completing };
    let under = [held(kept, 20)];
    let waiting =
        Dependency { at: &second, lock: event, mode: Mode::Write, site: 21, held: &under };
    let mut detector = Detector::new();
    assert!(detector.request_on_the_way(&on_the_way(kept)).is_empty());
    assert_eq!(detector.request(&waiting).len(), 1, "the first thread needs what the second holds");
    for lock in 100..20_000 {
        assert!(detector.request_on_the_way(&on_the_way(lock)).is_empty());
    }
    assert!(detector.knows(kept) && detector.knows(19_999) && !detector.knows(100));
    let known = (100..20_000).filter(|lock| detector.knows(*lock)).count();
    assert!((900..1_100).contains(&known), "{known}");
    // It is still known that the first thread needs it.
    let again = ThreadPoint { thread: 3, epoch: 1, ..ThreadPoint::default() };
    assert_eq!(detector.request(&Dependency { at: &again, ..waiting }).len(), 1);
}
