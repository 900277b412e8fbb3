//! Reads traces from files and joins them as they come.
//!
//! Each processor reads one file after the other. Of the threads that showed an order the first few are kept,
//! in an order of processes, and files are read in that order: so the names that a trace gives to its stacks
//! are looked up for few of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::HashMap;

use super::{FoundKey, Merged, MergedFound, Process, ProcessSet, Seen};
use crate::cli::failure::Failure;
use crate::report::naming::Syntax;
use crate::report::sources::{Recorded, Sources};
use crate::traces::by_tests;
use crate::traces::trace::{
    Hold, Order, Orders, ProcessKey, Shared, StackReader, Taken, Trace, Warning, key_of,
};

/// As many files that cannot be used are named when none can.
const REASONS: usize = 3;

/// The first line of a trace is not longer, in bytes.
const FIRST_LINE: u64 = 1 << 20;

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

/// What was read so far.
#[derive(Debug, Default)]
pub struct Gathering {
    /// All but the orders.
    merged: Merged,
    shared: Shared,
    orders: Gathered,
}

/// The orders of what was read so far.
#[derive(Debug, Default)]
struct Gathered {
    known: HashMap<Same, Seen>,
    /// Those of one trace whose stacks are still to be read.
    unread: Vec<Taken>,
    /// Positions of processes, as they came.
    positions: HashMap<ProcessKey, usize>,
    /// The last of them that was asked for.
    last: Option<(ProcessKey, usize)>,
}

impl Gathered {
    fn position(&mut self, key: ProcessKey) -> usize {
        if let Some((_, position)) = self.last.filter(|(last, _)| *last == key) {
            return position;
        }
        let next = self.positions.len();
        let position = *self.positions.entry(key).or_insert(next);
        self.last = Some((key, position));
        position
    }

    /// Takes an order that the process at this position has shown.
    fn take_of(&mut self, position: usize, Taken { order, thread, stacks }: Taken) {
        let order = Same(order);
        let is_wanted = match self.known.get_mut(&order) {
            Some(seen) => {
                seen.processes.insert(position);
                seen.wants(&thread)
            }
            None => {
                let processes = ProcessSet::of([position].into_iter());
                let seen = Seen { processes, ..Seen::default() };
                self.known.insert(Same(order.0.clone()), seen);
                true
            }
        };
        if is_wanted {
            self.unread.push(Taken { order: order.0, thread, stacks });
        }
    }

    /// Reads what stacks are still to be read.
    fn read(&mut self, stacks: &mut StackReader<'_>) {
        for Taken { order, thread, stacks: unread } in self.unread.drain(..) {
            let seen = self.known.entry(Same(order)).or_default();
            seen.add(thread, stacks.read(&unread));
        }
    }
}

impl Orders for Gathered {
    fn take(&mut self, taken: Taken) {
        let position = self.position(taken.thread.process);
        self.take_of(position, taken);
    }
}

/// A dependency, the same as another when its parts are the same objects.
#[derive(Debug)]
struct Same(Order);

impl Same {
    fn parts(&self) -> impl Iterator<Item = impl Eq + Hash + use<>> {
        let Order { lock, held } = &self.0;
        held.iter().chain([lock]).map(|Hold { class, mode, site }| {
            (Arc::as_ptr(class) as usize, *mode as u8, Arc::as_ptr(site) as usize)
        })
    }
}

impl PartialEq for Same {
    fn eq(&self, other: &Same) -> bool {
        self.parts().eq(other.parts())
    }
}

impl Eq for Same {}

impl Hash for Same {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().for_each(|part| part.hash(state));
    }
}

impl Gathering {
    /// Adds one trace.
    pub fn add(&mut self, trace: Trace, sources: &Sources) {
        let key = trace.process();
        let merged = &mut self.merged;
        merged.processes.entry(key).or_default().join(Process {
            program: trace.header.program().to_owned(),
            counts: trace.counts,
            blocked: trace.blocked.into_iter().collect(),
            standing: trace.standing,
            times: trace.times.into_iter().collect(),
            ended: trace.ended,
        });
        merged.classes.extend(trace.classes);
        for class in trace.many {
            merged.many.entry(class).or_default().insert(key);
        }
        // Also of one that has shown no order.
        let position = self.orders.position(key);
        trace.orders.into_iter().for_each(|taken| self.orders.take_of(position, taken));
        let recorded = Recorded::new(sources, trace.header.workspace.as_deref());
        self.orders.read(&mut StackReader::new(&trace.addresses, &recorded, &mut self.shared));
        let mut instances: BTreeMap<FoundKey, BTreeSet<Vec<u64>>> = BTreeMap::new();
        for found in trace.findings {
            let found_key = FoundKey::of(&found);
            let seen = instances.entry(found_key.clone()).or_default();
            seen.insert(found.instances.clone());
            let count = seen.len() as u64;
            merged.join_found(found_key, MergedFound { found, counts: [(key, count)].into() });
        }
    }

    /// All that was added.
    pub fn finish(self) -> Merged {
        let Gathering { mut merged, orders: Gathered { known, positions, .. }, .. } = self;
        let ranks = merged.processes.keys().enumerate().map(|(rank, key)| (positions[key], rank));
        let mut renumbering: Vec<(usize, usize)> = ranks.collect();
        renumbering.sort_unstable();
        let renumbering: Vec<usize> = renumbering.into_iter().map(|(_, rank)| rank).collect();
        for (Same(order), seen) in known {
            let processes = seen.processes.renumbered(&renumbering);
            merged.orders.entry(order).or_default().join(Seen { processes, ..seen });
        }
        merged
    }
}

/// What a worker has done.
#[derive(Default)]
struct Part {
    gathering: Gathering,
    /// Of files that were merged before.
    merged: Merged,
    unread: Unread,
}

impl Part {
    fn read(&mut self, path: &Path, sources: &Sources, syntax: &Syntax<'_>) {
        let (is_of_use, warnings) = if Merged::is_in(path) {
            let (merged, warnings) = Merged::read_file(path);
            let is_of_use = merged.is_some();
            self.merged.merge(merged.unwrap_or_default());
            (is_of_use, warnings)
        } else {
            let Gathering { shared, orders, .. } = &mut self.gathering;
            let (trace, warnings) = Trace::read(path, sources, shared, orders);
            let is_of_use = trace.is_some();
            if let Some(mut trace) = trace {
                by_tests::judge(&mut trace.findings, syntax);
                self.gathering.add(trace, sources);
            }
            (is_of_use, warnings)
        };
        self.unread.warnings.extend(warnings);
        if !is_of_use {
            self.unread.left_out += 1;
            let is_empty = fs::metadata(path).is_ok_and(|file| file.len() == 0);
            self.unread.unusable += usize::from(!is_empty);
        }
    }
}

impl Merged {
    /// Reads these files, and every `.lctrace` file below these directories, with a warning for
    /// whatever cannot be used. `tell` is told how many files have been read of how many.
    pub fn gather(
        places: &[PathBuf],
        sources: &Sources,
        tell: &(dyn Fn(usize, usize) + Sync),
    ) -> (Merged, Unread) {
        let mut unread = Unread::default();
        let files: Vec<PathBuf> =
            places.iter().flat_map(|place| trace_files(place, &mut unread.warnings)).collect();
        unread.files = files.len();
        let mut files: Vec<(Option<ProcessKey>, PathBuf)> =
            files.into_iter().map(|path| (process_of(&path), path)).collect();
        files.sort();
        let next = AtomicUsize::new(0);
        let parts = rayon::broadcast(|_| {
            let (mut part, syntax) = (Part::default(), Syntax::new(sources));
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some((_, path)) = files.get(number) else { return part };
                tell(number, files.len());
                part.read(path, sources, &syntax);
            }
        });
        let mut merged = Merged::default();
        for part in parts {
            merged.merge(part.gathering.finish());
            merged.merge(part.merged);
            unread.warnings.extend(part.unread.warnings);
            unread.left_out += part.unread.left_out;
            unread.unusable += part.unread.unusable;
        }
        unread.warnings.sort();
        (merged, unread)
    }

    /// Adds one trace.
    pub fn add(&mut self, trace: Trace, sources: &Sources) {
        let mut gathering = Gathering::default();
        gathering.add(trace, sources);
        self.merge(gathering.finish());
    }
}

/// The process that a file is of, by its first line.
fn process_of(path: &Path) -> Option<ProcessKey> {
    let mut line = Vec::new();
    let file = BufReader::new(File::open(path).ok()?);
    file.take(FIRST_LINE).read_until(b'\n', &mut line).ok()?;
    key_of(&line)
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
