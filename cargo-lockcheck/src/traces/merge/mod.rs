//! Joins the traces of any number of processes, shards and machines.
//!
//! Classes are the same when they are created at the same place with the same type, places when
//! file, line and column are, findings when rule, classes and places are. A [`Merged`] grows by
//! union and maximum alone, so that merging is associative, commutative and idempotent: the same
//! trace read twice, or copied to two shards, counts once.
//!
//! What is kept grows with the classes, places and findings of the programs, and by a few bits for each
//! process that showed one of them. [`Merged::gather`] reads files, one at a time on each processor, and
//! what [`Merged::write`] has written is read as a trace is.

mod file;
mod gather;
mod processes;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use file::{Unusable, unwatched};
pub use gather::{Gathering, Unread, trace_files};
use lockdep::finding::Rule;
pub use processes::ProcessSet;

use super::trace::{
    Blocked, Class, Counts, Edge, Found, Order, ProcessKey, Stacks, Standing, Thread, Times,
};
use crate::report::model::{Awaited, Coverage, Place};

/// As many threads are kept for each dependency: enough to tell that the links of a cycle of this
/// length can be taken by different threads.
const WITNESSES: usize = 8;

/// Everything that a set of traces tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Merged {
    /// The processes.
    pub processes: BTreeMap<ProcessKey, Process>,
    /// All classes.
    pub classes: BTreeSet<Arc<Class>>,
    /// In which processes more than one lock of a class was used.
    pub many: BTreeMap<Arc<Class>, BTreeSet<ProcessKey>>,
    /// The dependencies.
    pub orders: BTreeMap<Order, Seen>,
    /// The findings of single processes.
    pub findings: BTreeMap<FoundKey, MergedFound>,
}

/// Who showed a dependency.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The first few threads, and where they were.
    pub threads: Witnesses,
    /// All processes.
    pub processes: ProcessSet,
}

/// Threads that showed a dependency, each with the frames where it did, innermost first.
pub type Witnesses = BTreeMap<Arc<Thread>, Stacks>;

/// One process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Process {
    /// A short name of its program.
    pub program: String,
    /// Its totals.
    pub counts: Counts,
    /// Threads that still waited when it ended.
    pub blocked: BTreeSet<Blocked>,
    /// What its threads did when it was looked at last.
    pub standing: Vec<Standing>,
    /// How long locks were waited for and held.
    pub times: BTreeMap<Arc<Class>, Times>,
    /// Whether it ended by itself.
    pub ended: bool,
}

/// What two findings that are the same have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundKey {
    rule: Rule,
    classes: Vec<Arc<Class>>,
    edges: Vec<[(Arc<Class>, Arc<Place>); 2]>,
    sites: Vec<Arc<Place>>,
    waits: Vec<(Awaited, Arc<Place>)>,
}

impl FoundKey {
    pub(super) fn of(found: &Found) -> FoundKey {
        let end =
            |lock: usize, site: &Arc<Place>| (Arc::clone(&found.locks[lock]), Arc::clone(site));
        let edge = |edge: &Edge| [end(edge.from, &edge.from_site), end(edge.to, &edge.to_site)];
        FoundKey {
            rule: found.rule,
            classes: sorted(found.locks.iter().cloned()),
            edges: sorted(found.edges.iter().map(edge)),
            sites: sorted(found.sites.iter().map(|(place, _)| Arc::clone(place))),
            waits: sorted(found.waits.iter().map(|wait| (wait.awaited, Arc::clone(&wait.site)))),
        }
    }
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort();
    items
}

/// A finding and the processes that had it.
#[derive(Clone, Debug, PartialEq)]
pub struct MergedFound {
    /// The surest of its appearances.
    pub found: Found,
    /// How many different sets of locks showed it in each process.
    pub counts: BTreeMap<ProcessKey, u64>,
}

impl Merged {
    /// Adds everything that `other` holds.
    pub fn merge(&mut self, other: Merged) {
        let all: BTreeSet<ProcessKey> =
            self.processes.keys().chain(other.processes.keys()).copied().collect();
        let all: Vec<ProcessKey> = all.into_iter().collect();
        let renumbering = |processes: &BTreeMap<ProcessKey, Process>| -> Vec<usize> {
            let place = |key| all.binary_search(key).expect("all have it");
            processes.keys().map(place).collect()
        };
        let (ours, theirs) = (renumbering(&self.processes), renumbering(&other.processes));
        for seen in self.orders.values_mut() {
            seen.processes = seen.processes.renumbered(&ours);
        }
        for (order, seen) in other.orders {
            let processes = seen.processes.renumbered(&theirs);
            self.orders.entry(order).or_default().join(Seen { processes, ..seen });
        }
        for (key, process) in other.processes {
            self.processes.entry(key).or_default().join(process);
        }
        self.classes.extend(other.classes);
        for (class, processes) in other.many {
            self.many.entry(class).or_default().extend(processes);
        }
        for (key, found) in other.findings {
            self.join_found(key, found);
        }
    }

    /// Which processes saw the second class asked for while the first was held.
    pub fn edges(&self) -> BTreeMap<(&Arc<Class>, &Arc<Class>), ProcessSet> {
        let mut edges: BTreeMap<_, ProcessSet> = BTreeMap::new();
        for (order, seen) in &self.orders {
            for held in &order.held {
                edges.entry((&held.class, &order.lock.class)).or_default().join(&seen.processes);
            }
        }
        edges
    }

    /// Adds a finding that is about other locks than it was before, as any that is the same may be.
    pub(super) fn add_found(&mut self, new: MergedFound) {
        let Some(known) = self.findings.get_mut(&FoundKey::of(&new.found)) else {
            self.findings.insert(FoundKey::of(&new.found), new);
            return;
        };
        if rank(&new.found) > rank(&known.found) {
            known.found = new.found;
        }
        for (process, count) in new.counts {
            *known.counts.entry(process).or_default() += count;
        }
    }

    pub(super) fn join_found(&mut self, key: FoundKey, new: MergedFound) {
        let Some(known) = self.findings.get_mut(&key) else {
            self.findings.insert(key, new);
            return;
        };
        if rank(&new.found) > rank(&known.found) {
            known.found = new.found;
        }
        for (process, count) in new.counts {
            let known = known.counts.entry(process).or_default();
            *known = count.max(*known);
        }
    }

    /// How much was looked at.
    pub fn coverage(&self) -> Coverage {
        let total = |count: fn(&Counts) -> u64| {
            self.processes.values().map(|process| count(&process.counts)).sum()
        };
        Coverage {
            processes: self.processes.len() as u64,
            threads: total(|counts| counts.threads),
            locks: total(|counts| counts.locks),
            classes: self.classes.len() as u64,
            edges: self.edges().len() as u64,
            acquisitions: total(|counts| counts.acquisitions),
            ..Coverage::default()
        }
    }

    /// Sentences on what the processes may not have recorded.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let killed = self.processes.values().filter(|process| !process.ended).count();
        if killed > 0 {
            let all = self.processes.len();
            let who = match (killed, all) {
                (1, 1) => "the process did not end by itself".to_owned(),
                (1, _) => format!("1 of {all} processes did not end by itself"),
                _ => format!("{killed} of {all} processes did not end by themselves"),
            };
            notes.push(format!("{who}; what had been seen until then is in this report"));
        }
        notes
    }
}

impl Process {
    fn join(&mut self, other: Process) {
        self.program = std::mem::take(&mut self.program).max(other.program);
        let (ours, theirs) = (&mut self.counts, other.counts);
        ours.threads = ours.threads.max(theirs.threads);
        ours.locks = ours.locks.max(theirs.locks);
        ours.edges = ours.edges.max(theirs.edges);
        ours.acquisitions = ours.acquisitions.max(theirs.acquisitions);
        self.blocked.extend(other.blocked);
        let fuller = |standing: Vec<Standing>| (standing.len(), standing);
        self.standing = fuller(std::mem::take(&mut self.standing)).max(fuller(other.standing)).1;
        for (class, times) in other.times {
            let known = self.times.entry(class).or_default();
            // Both are of one process: the later one has counted on.
            *known = times.max(std::mem::take(known));
        }
        self.ended |= other.ended;
    }
}

/// Which of two appearances of one finding to show: the surer one; the rest only makes the choice
/// the same whatever the order in which traces are read.
pub(super) fn rank(found: &Found) -> impl Ord {
    (found.tier, Reverse(found))
}

impl Seen {
    pub(super) fn join(&mut self, other: Seen) {
        self.processes.join(&other.processes);
        other.threads.into_iter().for_each(|(thread, stacks)| self.add(thread, stacks));
    }

    /// Whether [`Seen::add`] would keep this thread.
    fn wants(&self, thread: &Thread) -> bool {
        let last = self.threads.last_key_value();
        self.threads.len() < WITNESSES || last.is_some_and(|(last, _)| thread <= last)
    }

    /// Keeps the first [`WITNESSES`] of all threads ever added.
    fn add(&mut self, thread: Arc<Thread>, stacks: Stacks) {
        // Of what is known twice of one thread the greater one, so that the order of traces does not matter.
        let known = self.threads.entry(thread).or_default();
        if stacks > *known {
            *known = stacks;
        }
        if self.threads.len() > WITNESSES {
            self.threads.pop_last();
        }
    }
}
