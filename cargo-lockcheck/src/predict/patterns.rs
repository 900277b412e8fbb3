//! Circles of dependencies, each of another thread: each asks for what the next one holds.
//!
//! Searched are the strongly connected components of the graph of what is held and what is asked for, the
//! shortest circles first, up to a length and a number of steps. What is certain to be no deadlock is cut
//! off at once: two of one thread, two that hold a common lock. Those that only this makes impossible are
//! kept apart, with what does.

use std::collections::{BTreeSet, HashMap};

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use super::dependencies::{Awaited, Dependency, Hold};
use super::recording::{LockId, Mode, Recording};

/// A circle of dependencies, as indices of the list: each asks for what the next one holds, the last for
/// what the first holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) links: Vec<usize>,
    /// The links, by their places in `links`, that block only while a writer waits: both ends read.
    pub(super) behind_writers: Vec<usize>,
    pub(super) obstacle: Option<Obstacle>,
}

/// What makes a circle impossible by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Obstacle {
    /// Two of its links are of one thread.
    OneThread,
    /// Two of its links hold this lock.
    Gate(LockId),
}

/// How far circles are searched for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Most links of a circle.
    pub(super) length: usize,
    /// Most steps of the search in one component, for each length.
    pub(super) steps: usize,
    /// Most circles of one component.
    pub(super) circles: usize,
}

/// The circles, and up to which length these are all.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) patterns: Vec<Pattern>,
    /// Circles of up to so many links were all looked at.
    pub(super) complete_to: usize,
}

/// Circles with an obstacle that are kept of one component.
const IMPOSSIBLE: usize = 64;

/// All circles of `dependencies` within `bounds`.
pub(super) fn find(recording: &Recording, all: &[Dependency], bounds: Bounds) -> Found {
    let mut graph: DiGraphMap<Awaited, ()> = DiGraphMap::new();
    for dependency in all {
        for hold in &dependency.held {
            graph.add_edge(hold.what, dependency.asked, ());
        }
    }
    let mut component: HashMap<Awaited, usize> = HashMap::new();
    for (number, members) in tarjan_scc(&graph).into_iter().enumerate() {
        let is_circle = members.len() > 1 || graph.contains_edge(members[0], members[0]);
        component.extend(members.into_iter().filter(|_| is_circle).map(|what| (what, number)));
    }
    let mut members: HashMap<usize, Vec<usize>> = HashMap::new();
    for (index, dependency) in all.iter().enumerate() {
        if let Some(number) = component.get(&dependency.asked)
            && dependency.held.iter().any(|hold| component.get(&hold.what) == Some(number))
        {
            members.entry(*number).or_default().push(index);
        }
    }
    let mut members: Vec<Vec<usize>> = members.into_values().collect();
    members.sort();
    let mut found = Found { patterns: Vec::new(), complete_to: bounds.length };
    for members in members {
        Search::new(recording, all, members).run(bounds, &mut found);
    }
    found
}

struct Search<'a> {
    recording: &'a Recording,
    all: &'a [Dependency],
    members: Vec<usize>,
    /// Which members hold something, and how.
    holders: HashMap<Awaited, Vec<(usize, Mode)>>,
    steps: usize,
    kept: usize,
    impossible: usize,
}

/// A circle that is being made.
#[derive(Clone, Debug, Default)]
struct Path {
    links: Vec<usize>,
    behind_writers: Vec<usize>,
    obstacle: Option<Obstacle>,
}

impl<'a> Search<'a> {
    fn new(recording: &'a Recording, all: &'a [Dependency], members: Vec<usize>) -> Search<'a> {
        let mut holders: HashMap<Awaited, Vec<(usize, Mode)>> = HashMap::new();
        for &member in &members {
            for hold in &all[member].held {
                holders.entry(hold.what).or_default().push((member, hold.mode));
            }
        }
        Search { recording, all, members, holders, steps: 0, kept: 0, impossible: 0 }
    }

    fn run(mut self, bounds: Bounds, found: &mut Found) {
        for length in 1..=bounds.length {
            self.steps = 0;
            for start in self.members.clone() {
                let path = Path { links: vec![start], ..Path::default() };
                self.extend(path, length, &bounds, found);
                if self.steps >= bounds.steps || self.kept >= bounds.circles {
                    found.complete_to = found.complete_to.min(length - 1);
                    return;
                }
            }
        }
    }

    fn extend(&mut self, path: Path, length: usize, bounds: &Bounds, found: &mut Found) {
        let last = &self.all[path.links[path.links.len() - 1]];
        let Some(holders) = self.holders.get(&last.asked).cloned() else { return };
        let at = path.links.len() - 1;
        for (next, mode) in holders {
            self.steps += 1;
            if self.steps >= bounds.steps || self.kept >= bounds.circles {
                return;
            }
            let closes = next == path.links[0];
            if closes != (path.links.len() == length) || (!closes && next < path.links[0]) {
                continue;
            }
            let Some(behind_writer) = self.blocks(last, mode) else { continue };
            let mut path = path.clone();
            path.behind_writers.extend(behind_writer.then_some(at));
            if closes {
                self.keep(path, found);
            } else if let Some(path) = self.with(path, next) {
                self.extend(path, length, bounds, found);
            }
        }
    }

    /// Whether a request waits for a hold of this mode; `true` for one that does so only behind a writer.
    fn blocks(&self, request: &Dependency, held: Mode) -> Option<bool> {
        match request.asked {
            Awaited::Lock(_) if request.mode.excludes(held) => Some(false),
            Awaited::Lock(lock) if !self.recording.locks[lock.index()].prefers_readers => {
                Some(true)
            }
            Awaited::Lock(_) => None,
            _ => Some(false),
        }
    }

    /// The path with one more link; nothing where that makes no circle worth a word.
    fn with(&self, mut path: Path, next: usize) -> Option<Path> {
        let added = &self.all[next];
        for &link in &path.links {
            let known = &self.all[link];
            // What is waited for is one thing, which one thread holds.
            if known.asked == added.asked || link == next {
                return None;
            }
            let is_one_thread = known.thread == added.thread;
            let obstacles = [
                is_one_thread.then_some(Obstacle::OneThread),
                gate(&known.held, &added.held).map(Obstacle::Gate),
            ];
            for obstacle in obstacles.into_iter().flatten() {
                if path.obstacle.replace(obstacle).is_some() {
                    return None;
                }
            }
        }
        path.links.push(next);
        Some(path)
    }

    fn keep(&mut self, path: Path, found: &mut Found) {
        let Path { links, behind_writers, obstacle } = path;
        if links.len() == 1 && behind_writers.is_empty() {
            return;
        }
        if obstacle.is_none() {
            self.kept += 1;
        } else if self.impossible < IMPOSSIBLE {
            self.impossible += 1;
        } else {
            return;
        }
        found.patterns.push(Pattern { links, behind_writers, obstacle });
    }
}

/// A lock that both hold so that only one of them can.
pub(super) fn gate(one: &[Hold], other: &[Hold]) -> Option<LockId> {
    let held: BTreeSet<(Awaited, Mode)> = one.iter().map(|hold| (hold.what, hold.mode)).collect();
    other.iter().find_map(|hold| match hold.what {
        Awaited::Lock(lock) => held
            .iter()
            .any(|(what, mode)| *what == hold.what && mode.excludes(hold.mode))
            .then_some(lock),
        _ => None,
    })
}
