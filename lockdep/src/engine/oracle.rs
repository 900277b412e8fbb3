//! Random programs, on which the engine must agree with slow and obvious answers.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use super::order_graph::OrderGraph;
use super::scenarios::tiers;
use crate::model::finding::Tier;
use crate::model::ids::LockId;

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
    Lock(usize),
    Unlock(usize),
    Fork(usize),
    Join(usize),
}

/// What each thread does; the first one runs from the start, the others once they are forked.
type Program = Vec<Vec<Op>>;

/// Straight-line threads with nested sections. Sections that overlap without nesting could need a
/// lock's history to be refuted, which orders alone do not tell.
fn thread(random: &mut Random, locks: usize) -> Vec<Op> {
    let mut ops = Vec::new();
    let mut held: Vec<usize> = Vec::new();
    for _ in 0..4 + random.below(5) {
        let lock = random.below(locks);
        if !held.is_empty() && (held.len() == locks || random.below(3) == 0) {
            ops.extend(held.pop().map(Op::Unlock));
        } else if !held.contains(&lock) {
            held.push(lock);
            ops.push(Op::Lock(lock));
        }
    }
    ops.extend(held.drain(..).rev().map(Op::Unlock));
    ops
}

/// Threads that all run from the start.
fn together(random: &mut Random, threads: usize, locks: usize) -> Program {
    let mut program = vec![(1..=threads).map(Op::Fork).collect()];
    program.extend((0..threads).map(|_| thread(random, locks)));
    program
}

/// Threads that are forked and joined, or left alone, anywhere in the first one.
fn anywhere(random: &mut Random, threads: usize, locks: usize) -> Program {
    let mut program: Program = (0..=threads).map(|_| thread(random, locks)).collect();
    for child in 1..=threads {
        let first = &mut program[0];
        let fork = random.below(first.len() + 1);
        first.insert(fork, Op::Fork(child));
        if random.below(4) != 0 {
            let join = fork + 1 + random.below(first.len() - fork);
            first.insert(join, Op::Join(child));
        }
    }
    program
}

/// Where each thread is.
type State = Vec<usize>;

/// Who holds each lock.
fn owners(program: &Program, at: &State) -> Vec<(usize, usize)> {
    let mut owners = Vec::new();
    for (thread, ops) in program.iter().enumerate() {
        for op in &ops[..at[thread]] {
            match *op {
                Op::Lock(lock) => owners.push((lock, thread)),
                Op::Unlock(lock) => owners.retain(|&held| held != (lock, thread)),
                Op::Fork(_) | Op::Join(_) => {}
            }
        }
    }
    owners
}

/// The steps that can be taken, and whether some threads wait for each other's locks.
fn steps(program: &Program, at: &State) -> (Vec<usize>, bool) {
    let owners = owners(program, at);
    let owner = |lock| owners.iter().find(|&&(l, _)| l == lock).map(|&(_, thread)| thread);
    let forked = |child| program[0][..at[0]].contains(&Op::Fork(child));
    let next = |thread: usize| program[thread].get(at[thread]).copied();
    let awaited = |thread: usize| match next(thread) {
        Some(Op::Lock(lock)) if thread == 0 || forked(thread) => owner(lock),
        _ => None,
    };
    let can_go = |&thread: &usize| match next(thread) {
        None => false,
        _ if thread != 0 && !forked(thread) => false,
        Some(Op::Join(child)) => at[child] == program[child].len(),
        Some(_) => awaited(thread).is_none(),
    };
    let circle = |start: usize| {
        let mut others = std::iter::successors(awaited(start), |&t| awaited(t));
        others.by_ref().take(program.len()).any(|t| t == start)
    };
    ((0..program.len()).filter(can_go).collect(), (0..program.len()).any(circle))
}

/// Whether, in some interleaving, threads wait for each other's locks, and whether some thread is
/// left behind for any reason, a join included.
fn hangs(program: &Program) -> (bool, bool) {
    let mut seen: HashSet<State> = HashSet::new();
    let mut open = vec![vec![0; program.len()]];
    let (mut circles, mut left) = (false, false);
    while let Some(at) = open.pop() {
        let (steps, circle) = steps(program, &at);
        circles |= circle;
        left |= steps.is_empty() && !ended(program, &at);
        for thread in steps {
            let mut next = at.clone();
            next[thread] += 1;
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    (circles, left)
}

fn ended(program: &Program, at: &State) -> bool {
    at.iter().zip(program).all(|(&at, ops)| at == ops.len())
}

/// A run to the end, in the notation of the scenarios; `None` where it does not come to its end.
fn run(program: &Program, random: &mut Random) -> Option<String> {
    let mut at = vec![0; program.len()];
    let mut trace = String::new();
    loop {
        let (steps, _) = steps(program, &at);
        let Some(&thread) = steps.get(random.below(steps.len().max(1))) else {
            return ended(program, &at).then_some(trace);
        };
        trace += &match program[thread][at[thread]] {
            Op::Lock(lock) => format!("T{thread} acq(L{lock}); "),
            Op::Unlock(lock) => format!("T{thread} rel(L{lock}); "),
            Op::Fork(child) => format!("T{thread} fork(T{child}); "),
            Op::Join(child) => format!("T{thread} join(T{child}); "),
        };
        at[thread] += 1;
    }
}

/// Compares what one run of each program shows with what all its interleavings do. Where a thread
/// joins another under a lock that this one needs, which is a finding of another rule, what lies
/// behind that join may be found to be reachable too.
fn reachable_is_exact(
    rounds: usize,
    random: &mut Random,
    program: impl Fn(&mut Random, usize, usize) -> Program,
) {
    let (mut hanging, mut runs) = (0, 0);
    for round in 0..rounds {
        let program = program(random, 2 + round % 2, 3 + round % 3);
        let Some(trace) = (0..8).find_map(|_| run(&program, random)) else { continue };
        let (circles, left) = hangs(&program);
        runs += 1;
        hanging += usize::from(circles);
        let reachable = tiers(&trace).contains(&Tier::Reachable);
        assert!(reachable || !circles, "missed: {trace}");
        assert!(left || !reachable, "false: {trace}");
    }
    assert!(runs > rounds / 3, "only {runs} of the programs ended");
    assert!(hanging > rounds / 20, "only {hanging} of the programs can hang");
}

#[test]
fn reachable_is_what_some_interleaving_reaches() {
    reachable_is_exact(6_000, &mut Random(0x5eed), together);
}

#[test]
fn and_so_it_is_where_threads_are_forked_and_joined_under_locks() {
    reachable_is_exact(6_000, &mut Random(0xfeed), anywhere);
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

/// A shortest path of edges from `from` to `to`, both included.
fn path(graph: &OrderGraph, from: LockId, to: LockId) -> Option<Vec<LockId>> {
    let mut next = BTreeMap::from([(to, to)]);
    let mut queue = VecDeque::from([to]);
    while let Some(at) = queue.pop_front() {
        if at == from {
            let mut path = vec![from];
            while path[path.len() - 1] != to {
                path.push(next[&path[path.len() - 1]]);
            }
            return Some(path);
        }
        for before in graph.predecessors(at) {
            if let Entry::Vacant(entry) = next.entry(before) {
                entry.insert(at);
                queue.push_back(before);
            }
        }
    }
    None
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
                let path = path(&graph, b, a).expect("the way back");
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
                    assert_eq!(path(&graph, x, y).is_some(), there, "{edges:?}: {x} to {y}");
                    let both = there && reached(&edges, y).contains(&x);
                    assert!(graph.cyclic(x, y) || !both, "{edges:?}: {x} and {y}");
                }
            }
        }
    }
}
