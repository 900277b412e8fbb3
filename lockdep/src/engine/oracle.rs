//! The engine against slow and obvious answers, on random input.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::{Clock, Dependency, Detector, Held, LockId, OrderGraph, ThreadId};
use crate::finding::Tier;
use crate::instrument::Mode;

/// Xorshift (Marsaglia 2003): the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    Lock(LockId),
    Unlock(LockId),
}

type Program = Vec<Vec<Op>>;

/// Straight-line threads with nested sections. Sections that overlap without nesting could need a
/// lock's history to be refuted, which orders alone do not tell.
fn program(random: &mut Random, threads: usize, locks: usize) -> Program {
    let mut thread = || {
        let mut ops = Vec::new();
        let mut held: Vec<LockId> = Vec::new();
        for _ in 0..4 + random.below(5) {
            let lock = random.below(locks) as LockId + 1;
            if !held.is_empty() && (held.len() == locks || random.below(3) == 0) {
                ops.extend(held.pop().map(Op::Unlock));
            } else if !held.contains(&lock) {
                held.push(lock);
                ops.push(Op::Lock(lock));
            }
        }
        ops.extend(held.drain(..).rev().map(Op::Unlock));
        ops
    };
    (0..threads).map(|_| thread()).collect()
}

/// Whether some interleaving ends with a thread that cannot go on.
fn can_hang(program: &Program) -> bool {
    let mut seen: HashSet<Vec<usize>> = HashSet::new();
    let mut open = vec![vec![0; program.len()]];
    while let Some(at) = open.pop() {
        if !seen.insert(at.clone()) {
            continue;
        }
        let held: Vec<LockId> = program
            .iter()
            .zip(&at)
            .flat_map(|(ops, &at)| {
                ops[..at].iter().fold(Vec::new(), |mut held, op| {
                    match *op {
                        Op::Lock(lock) => held.push(lock),
                        Op::Unlock(lock) => held.retain(|&l| l != lock),
                    }
                    held
                })
            })
            .collect();
        let mut moved = false;
        for thread in 0..program.len() {
            match program[thread].get(at[thread]) {
                Some(Op::Lock(lock)) if held.contains(lock) => {}
                Some(_) => {
                    let mut next = at.clone();
                    next[thread] += 1;
                    open.push(next);
                    moved = true;
                }
                None => {}
            }
        }
        let done = at.iter().zip(program).all(|(&at, ops)| at == ops.len());
        if !moved && !done {
            return true;
        }
    }
    false
}

/// Whether a run in which the threads, all alive from the start, run one after the other shows it.
fn shows_a_cycle(program: &Program) -> bool {
    let mut detector = Detector::new();
    let clock = Arc::new(Clock::new());
    let mut reachable = false;
    for (thread, ops) in program.iter().enumerate() {
        let mut held: Vec<Held> = Vec::new();
        for (site, op) in (thread as u64 * 100..).zip(ops) {
            match *op {
                Op::Unlock(lock) => held.retain(|h| h.lock != lock),
                Op::Lock(lock) => {
                    if !held.is_empty() {
                        let cycles = detector.request(&Dependency {
                            thread: thread as ThreadId + 1,
                            epoch: 1,
                            clock: &clock,
                            lock,
                            mode: Mode::Write,
                            site,
                            held: &held,
                        });
                        reachable |= cycles.iter().any(|c| c.tier == Tier::Reachable);
                    }
                    held.push(Held { lock, mode: Mode::Write, tried: false, site });
                }
            }
        }
    }
    reachable
}

#[test]
fn reachable_is_what_some_interleaving_reaches() {
    let mut random = Random(0x5eed);
    let mut hangs = 0;
    for round in 0..6_000 {
        let program = program(&mut random, 2 + round % 2, 3 + round % 3);
        let hang = can_hang(&program);
        hangs += usize::from(hang);
        assert_eq!(shows_a_cycle(&program), hang, "{program:?}");
    }
    assert!(hangs > 500, "only {hangs} of the programs can hang");
}

/// Everything that can be reached from `from` over one edge or more.
fn reached(edges: &BTreeSet<(LockId, LockId)>, from: LockId) -> HashSet<LockId> {
    let mut found = HashSet::new();
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        for &(_, to) in edges.range((at, 0)..(at + 1, 0)) {
            if found.insert(to) {
                open.push(to);
            }
        }
    }
    found
}

#[test]
fn components_are_those_of_a_plain_search() {
    let mut random = Random(0xc0ffee);
    for round in 0..400 {
        let locks = 4 + round % 12;
        let mut graph = OrderGraph::new();
        let mut edges = BTreeSet::new();
        for _ in 0..3 * locks {
            let (a, b) = (random.below(locks) as LockId, random.below(locks) as LockId);
            let closes = a != b && !edges.contains(&(a, b)) && reached(&edges, b).contains(&a);
            assert_eq!(graph.add(a, b), closes);
            if a != b {
                edges.insert((a, b));
            }
            if closes {
                let path = graph.path(b, a).expect("the way back");
                assert_eq!((path[0], path[path.len() - 1]), (b, a));
                assert!(path.windows(2).all(|w| edges.contains(&(w[0], w[1]))));
            }
            for x in 0..locks as LockId {
                for y in (0..locks as LockId).filter(|&y| y != x) {
                    let both = reached(&edges, x).contains(&y) && reached(&edges, y).contains(&x);
                    assert_eq!(graph.cyclic(x, y), both, "{edges:?}: {x} and {y}");
                }
            }
        }
    }
}

#[test]
fn what_is_removed_leaves_its_reachability() {
    let mut random = Random(0xdead);
    for _ in 0..400 {
        let mut graph = OrderGraph::new();
        let mut edges = BTreeSet::new();
        let mut alive: Vec<LockId> = (0..10).collect();
        for _ in 0..60 {
            if random.below(8) == 0 && alive.len() > 2 {
                let gone = alive.swap_remove(random.below(alive.len()));
                graph.remove(gone);
                let (into, out): (Vec<LockId>, Vec<LockId>) = (
                    edges.iter().filter(|e: &&(u64, u64)| e.1 == gone).map(|e| e.0).collect(),
                    edges.iter().filter(|e: &&(u64, u64)| e.0 == gone).map(|e| e.1).collect(),
                );
                edges.retain(|e| e.0 != gone && e.1 != gone);
                let bridges = into.iter().flat_map(|&a| out.iter().map(move |&b| (a, b)));
                edges.extend(bridges.filter(|(a, b)| a != b));
            } else {
                let a = alive[random.below(alive.len())];
                let b = alive[random.below(alive.len())];
                graph.add(a, b);
                if a != b {
                    edges.insert((a, b));
                }
            }
            for &x in &alive {
                for &y in alive.iter().filter(|&&y| y != x) {
                    let there = reached(&edges, x).contains(&y);
                    assert_eq!(graph.path(x, y).is_some(), there, "{edges:?}: {x} to {y}");
                    let both = there && reached(&edges, y).contains(&x);
                    assert!(graph.cyclic(x, y) || !both, "{edges:?}: {x} and {y}");
                }
            }
        }
    }
}
