//! Joins the traces of any number of processes, shards and machines.
//!
//! Classes are the same when they are created at the same place with the same type, places when
//! file, line and column are, findings when rule, classes and places are. A [`Merged`] grows by
//! union and maximum alone, so that merging is associative, commutative and idempotent: the same
//! trace read twice, or copied to two shards, counts once.
//!
//! One trace is in memory at a time. What is kept grows with the classes, places and findings of
//! the programs, and by a few bytes for each process that showed one of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lockdep::finding::Rule;

use super::by_tests;
use super::homes::Homes;
use super::trace::{
    Blocked, Class, Counts, Edge, Found, Order, ProcessKey, Stacks, Standing, Taken, Thread, Times,
    Trace, Warning,
};
use crate::cli::failure::Failure;
use crate::report::model::{Awaited, Coverage, Place};
use crate::report::naming::Syntax;
use crate::report::sources::Sources;

/// As many threads are kept for each dependency: enough to tell that the links of a cycle of this
/// length can be taken by different threads.
const WITNESSES: usize = 8;

/// As many files that cannot be used are named when none can.
const REASONS: usize = 3;

/// Everything that a set of traces tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Merged {
    /// The processes.
    pub processes: BTreeMap<ProcessKey, Process>,
    /// All classes.
    pub classes: BTreeSet<Arc<Class>>,
    /// In which processes more than one lock of a class was used.
    pub many: BTreeMap<Arc<Class>, BTreeSet<ProcessKey>>,
    /// The dependencies, each with the first few threads that showed it and where they were.
    pub orders: BTreeMap<Order, Witnesses>,
    /// Which processes saw the second class asked for while the first was held.
    pub edges: BTreeMap<(Arc<Class>, Arc<Class>), BTreeSet<ProcessKey>>,
    /// The findings of single processes.
    pub findings: BTreeMap<FoundKey, MergedFound>,
}

/// Threads that showed a dependency, each with the frames where it did, innermost first.
pub type Witnesses = BTreeMap<Thread, Stacks>;

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

/// What could not be used of the files that were read.
#[derive(Debug, Default)]
pub struct Unread {
    /// A sentence for each of it.
    pub warnings: Vec<Warning>,
    /// How many files there were.
    pub files: usize,
    /// How many of them gave nothing at all.
    pub left_out: usize,
    /// How many of these have something in them. A process that is killed at once leaves an empty file,
    /// which is no fault.
    pub unusable: usize,
}

impl Unread {
    /// Why there is nothing to report on, when no file gave anything.
    pub fn failure(&self) -> Option<Failure> {
        if self.files == 0 || self.left_out < self.files {
            return None;
        }
        let which = match self.files {
            1 => "the trace could not be used".to_owned(),
            count => format!("none of the {count} traces could be used"),
        };
        let why = self.warnings.iter().map(|warning| format!("; {warning}"));
        let why: String = why.take(REASONS).collect();
        Some(Failure::new(
            format!("{which}, so nothing was checked{why}"),
            "Name traces that this version of cargo-lockcheck has recorded, or update it.",
        ))
    }

    /// A sentence on the files that gave nothing, when others did.
    pub fn warning(&self) -> Option<String> {
        (self.left_out > 0).then(|| {
            format!(
                "{} of {} traces could not be used, so what their processes did is not in this \
                 report; its notes say why",
                self.left_out, self.files
            )
        })
    }
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
    fn of(found: &Found) -> FoundKey {
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
    /// Reads these files, and every `.lctrace` file below these directories, with a warning for
    /// whatever cannot be used.
    pub fn read(places: &[PathBuf], sources: &Sources) -> (Merged, Unread) {
        Merged::read_telling(places, sources, &|_, _| {})
    }

    /// Reads as [`Merged::read`] does, and tells how many files it has read of how many.
    pub fn read_telling(
        places: &[PathBuf],
        sources: &Sources,
        tell: &dyn Fn(usize, usize),
    ) -> (Merged, Unread) {
        let mut unread = Unread::default();
        let mut merged = Merged::default();
        let files: Vec<PathBuf> =
            places.iter().flat_map(|place| trace_files(place, &mut unread.warnings)).collect();
        unread.files = files.len();
        let syntax = Syntax::new(sources);
        let mut homes = Homes::new(&syntax);
        for (done, path) in files.into_iter().enumerate() {
            tell(done, unread.files);
            let (trace, more) = Trace::read(&path, sources);
            unread.warnings.extend(more);
            match trace {
                Some(mut trace) => {
                    by_tests::judge(&mut trace.findings, &syntax);
                    merged.add(homes.tell(trace));
                }
                None => {
                    unread.left_out += 1;
                    let is_empty = fs::metadata(&path).is_ok_and(|file| file.len() == 0);
                    unread.unusable += usize::from(!is_empty);
                }
            }
        }
        (merged, unread)
    }

    /// Adds one trace.
    pub fn add(&mut self, trace: Trace) {
        let key = trace.process();
        let process = self.processes.entry(key).or_default();
        process.join(Process {
            program: trace.header.program().to_owned(),
            counts: trace.counts,
            blocked: trace.blocked.into_iter().collect(),
            standing: trace.standing,
            times: trace.times.into_iter().collect(),
            ended: trace.ended,
        });
        self.classes.extend(trace.classes);
        for class in trace.many {
            self.many.entry(class).or_default().insert(key);
        }
        for Taken { order, thread, stacks } in trace.orders {
            for held in &order.held {
                let edge = (Arc::clone(&held.class), Arc::clone(&order.lock.class));
                self.edges.entry(edge).or_default().insert(key);
            }
            add_witness(self.orders.entry(order).or_default(), thread, stacks);
        }
        let mut instances: BTreeMap<FoundKey, BTreeSet<Vec<u64>>> = BTreeMap::new();
        for found in trace.findings {
            let found_key = FoundKey::of(&found);
            let seen = instances.entry(found_key.clone()).or_default();
            seen.insert(found.instances.clone());
            let count = seen.len() as u64;
            self.join_found(found_key, MergedFound { found, counts: [(key, count)].into() });
        }
    }

    /// Adds everything that `other` holds.
    pub fn merge(&mut self, other: Merged) {
        for (key, process) in other.processes {
            self.processes.entry(key).or_default().join(process);
        }
        self.classes.extend(other.classes);
        for (class, processes) in other.many {
            self.many.entry(class).or_default().extend(processes);
        }
        for (order, threads) in other.orders {
            let witnesses = self.orders.entry(order).or_default();
            threads.into_iter().for_each(|(thread, seen)| add_witness(witnesses, thread, seen));
        }
        for (edge, processes) in other.edges {
            self.edges.entry(edge).or_default().extend(processes);
        }
        for (key, found) in other.findings {
            self.join_found(key, found);
        }
    }

    fn join_found(&mut self, key: FoundKey, new: MergedFound) {
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
            edges: self.edges.len() as u64,
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
fn rank(found: &Found) -> impl Ord {
    (found.tier, Reverse(found))
}

/// Keeps the first [`WITNESSES`] of all threads ever added.
fn add_witness(witnesses: &mut Witnesses, thread: Thread, stacks: Stacks) {
    // Of what is known twice of one thread the greater one, so that the order of traces does not matter.
    let known = witnesses.entry(thread).or_default();
    if stacks > *known {
        *known = stacks;
    }
    if witnesses.len() > WITNESSES {
        witnesses.pop_last();
    }
}

/// The file itself, or the traces below a directory.
pub fn trace_files(place: &Path, warnings: &mut Vec<Warning>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let mut dirs = vec![place.to_owned()];
    while let Some(dir) = dirs.pop() {
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) => {
                let dir = dir.display();
                warnings.push(Warning(format!("the traces in {dir} could not be read: {error}")));
                continue;
            }
        };
        for entry in entries.flatten() {
            let path = entry.path();
            // Not through links: they may lead in circles.
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => dirs.push(path),
                _ if path.extension().is_some_and(|ending| ending == "lctrace") => {
                    files.push(path);
                }
                _ => {}
            }
        }
    }
    files.sort();
    files
}
