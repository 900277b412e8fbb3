//! Merged traces as a file, which is read wherever a trace is.
//!
//! JSON Lines, as a trace is (`docs/trace.md`), with what was learnt in place of what was seen: paths are
//! short, numbers are those of the file, stacks have names. The file is written as a whole, so one that is
//! not whole, or has a line that cannot be understood, is not used.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use foldhash::HashMap;
use serde::{Deserialize, Serialize};

use super::{FoundKey, Merged, MergedFound, Process, ProcessSet, Seen};
use crate::cli::failure::Failure;
use crate::cli::replace::replace;
use crate::report::model::{Tool, Unwatched};
use crate::traces::trace::{
    Blocked, Class, Counts, Found, Hold, Order, ProcessKey, Shared, Stack, Stacks, Standing,
    Thread, Times, Warning,
};

/// The newest version of the form that is understood.
const VERSION: u64 = 1;

/// How each of these files begins.
const BEGINNING: &[u8] = br#"{"t":"merged","#;

#[derive(Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "kebab-case")]
enum Line {
    /// The first line.
    Merged { version: u64, tool: Tool, unwatched: Option<Vec<Unwatched>> },
    /// A process; the lines of orders number them as they come.
    Process {
        key: ProcessKey,
        program: String,
        counts: Counts,
        blocked: BTreeSet<Blocked>,
        standing: Vec<Standing>,
        times: Vec<(Arc<Class>, Times)>,
        ended: bool,
    },
    /// A class.
    Class { class: Class },
    /// A class of which processes have used more than one lock.
    Many { class: Class, processes: BTreeSet<ProcessKey> },
    /// A frame of stacks, which number them as they come.
    Frame { frame: String },
    /// A dependency.
    Order { lock: Hold, held: Vec<Hold>, threads: Vec<Witness>, processes: Vec<[usize; 2]> },
    /// A finding, with how many different sets of locks showed it in each process.
    Finding { found: Box<Found>, counts: Vec<(ProcessKey, u64)> },
    /// The last line.
    End,
}

/// A thread that showed an order.
#[derive(Serialize, Deserialize)]
struct Witness {
    thread: Thread,
    /// The frames of where it asked, innermost first.
    asked: Vec<usize>,
    /// Those of where it acquired each lock that it held.
    held: Vec<Vec<usize>>,
}

/// The numbers of frames, which are written when they come first.
#[derive(Default)]
struct Frames {
    numbers: HashMap<Arc<str>, usize>,
}

impl Frames {
    fn write(&mut self, stack: &Stack, out: &mut dyn Write) -> io::Result<Vec<usize>> {
        let mut number = |frame: &Arc<str>| -> io::Result<usize> {
            if let Some(&known) = self.numbers.get(frame) {
                return Ok(known);
            }
            write_line(&Line::Frame { frame: frame.to_string() }, out)?;
            let new = self.numbers.len();
            self.numbers.insert(Arc::clone(frame), new);
            Ok(new)
        };
        stack.iter().map(&mut number).collect()
    }
}

fn write_line(line: &Line, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

impl Merged {
    /// Writes all of it to a file. `unwatched` is what the runs did not watch, where that is known.
    ///
    /// # Errors
    /// When the file cannot be written; what was there before is there still.
    pub fn write(&self, path: &Path, unwatched: Option<Vec<Unwatched>>) -> Result<(), Failure> {
        replace(path, |out| self.write_to(out, unwatched)).map_err(|error| {
            Failure::new(
                format!("the merged traces cannot be written to `{}`: {error}", path.display()),
                "Name a file in a directory that you may write, with `--into FILE`.",
            )
        })
    }

    fn write_to(&self, out: &mut dyn Write, unwatched: Option<Vec<Unwatched>>) -> io::Result<()> {
        write_line(&Line::Merged { version: VERSION, tool: Tool::default(), unwatched }, out)?;
        for (key, process) in &self.processes {
            let Process { program, counts, blocked, standing, times, ended } = process.clone();
            let times = times.into_iter().collect();
            let key = *key;
            write_line(
                &Line::Process { key, program, counts, blocked, standing, times, ended },
                out,
            )?;
        }
        for class in &self.classes {
            write_line(&Line::Class { class: Class::clone(class) }, out)?;
        }
        for (class, processes) in &self.many {
            let (class, processes) = (Class::clone(class), processes.clone());
            write_line(&Line::Many { class, processes }, out)?;
        }
        let mut frames = Frames::default();
        for (Order { lock, held }, seen) in &self.orders {
            let mut threads = Vec::new();
            for (thread, stacks) in &seen.threads {
                let thread = Thread::clone(thread);
                let asked = frames.write(&stacks.asked, out)?;
                let held = stacks.held.iter().map(|stack| frames.write(stack, out));
                threads.push(Witness { thread, asked, held: held.collect::<io::Result<_>>()? });
            }
            let stretches = seen.processes.stretches().into_iter();
            let processes = stretches.map(RangeInclusive::into_inner).map(Into::into).collect();
            let (lock, held) = (lock.clone(), held.clone());
            write_line(&Line::Order { lock, held, threads, processes }, out)?;
        }
        for MergedFound { found, counts } in self.findings.values() {
            let found = Box::new(found.clone());
            let counts = counts.iter().map(|(key, count)| (*key, *count)).collect();
            write_line(&Line::Finding { found, counts }, out)?;
        }
        write_line(&Line::End, out)
    }

    /// Whether this file is one of merged traces.
    pub(super) fn is_in(path: &Path) -> bool {
        let mut beginning = Vec::new();
        let read = File::open(path)
            .and_then(|file| file.take(BEGINNING.len() as u64).read_to_end(&mut beginning));
        read.is_ok() && beginning == BEGINNING
    }

    /// Reads what was merged before. A file that is damaged gives nothing.
    pub(super) fn read_file(path: &Path) -> (Option<Merged>, Vec<Warning>) {
        let name = path.display();
        let read = File::open(path).map_err(Problem::from);
        match read.and_then(|file| parse(&mut BufReader::new(file))) {
            Ok(merged) => (Some(merged), Vec::new()),
            Err(problem) => (None, vec![Warning(format!("{name} {problem}, so it is left out"))]),
        }
    }
}

/// Why a file cannot be used.
enum Problem {
    Unreadable(io::Error),
    Newer(u64),
    Damaged {
        line: usize,
        error: serde_json::Error,
    },
    /// A number that no line has introduced.
    Dangling {
        line: usize,
    },
    Torn,
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Problem {
        Problem::Unreadable(error)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Unreadable(error) => write!(f, "could not be read ({error})"),
            Problem::Newer(version) => write!(
                f,
                "has merged traces of version {version}, and this program knows versions up to \
                 {VERSION} (update cargo-lockcheck)"
            ),
            Problem::Damaged { line, error } => write!(f, "is damaged in line {line} ({error})"),
            Problem::Dangling { line } => {
                write!(f, "is damaged: line {line} speaks of what is not there")
            }
            Problem::Torn => f.write_str("ends before all of it was written"),
        }
    }
}

fn parse(input: &mut dyn BufRead) -> Result<Merged, Problem> {
    let mut reader = Reader::default();
    let mut text = String::new();
    for line in 1.. {
        text.clear();
        if input.read_line(&mut text)? == 0 {
            break;
        }
        let parsed = serde_json::from_str(&text);
        let parsed = parsed.map_err(|error| Problem::Damaged { line, error })?;
        match parsed {
            Line::Merged { version, .. } if version > VERSION => {
                return Err(Problem::Newer(version));
            }
            Line::End => return Ok(reader.merged),
            parsed => reader.take(parsed).ok_or(Problem::Dangling { line })?,
        }
    }
    Err(Problem::Torn)
}

#[derive(Default)]
struct Reader {
    merged: Merged,
    shared: Shared,
    processes: Vec<ProcessKey>,
    frames: Vec<Arc<str>>,
}

impl Reader {
    /// Takes a line; nothing for one that speaks of what was not introduced.
    fn take(&mut self, line: Line) -> Option<()> {
        let merged = &mut self.merged;
        match line {
            Line::Merged { .. } | Line::End => {}
            Line::Process { key, program, counts, blocked, standing, times, ended } => {
                // Positions are those of keys in their order.
                if self.processes.last().is_some_and(|last| *last >= key) {
                    return None;
                }
                self.processes.push(key);
                let times = times.into_iter().collect();
                let process = Process { program, counts, blocked, standing, times, ended };
                merged.processes.insert(key, process);
            }
            Line::Class { class } => _ = merged.classes.insert(self.shared.class(class)),
            Line::Many { class, processes } => {
                merged.many.insert(self.shared.class(class), processes);
            }
            Line::Frame { frame } => self.frames.push(self.shared.frame(frame)),
            Line::Order { lock, held, threads, processes } => {
                let lock = self.hold(lock);
                let held = held.into_iter().map(|hold| self.hold(hold)).collect();
                let mut witnesses = BTreeMap::new();
                for Witness { thread, asked, held } in threads {
                    let asked = self.stack(&asked)?;
                    let held = held.iter().map(|stack| self.stack(stack)).collect::<Option<_>>()?;
                    witnesses.insert(Arc::new(thread), Stacks { asked, held });
                }
                let is_known = |&[_, last]: &[usize; 2]| last < self.processes.len();
                if !processes.iter().all(is_known) {
                    return None;
                }
                let positions = processes.into_iter().flat_map(|[first, last]| first..=last);
                let processes = ProcessSet::of(positions);
                let seen = Seen { threads: witnesses, processes };
                self.merged.orders.insert(Order { lock, held }, seen);
            }
            Line::Finding { found, counts } => {
                let is_among = |lock: &usize| *lock < found.locks.len();
                let ends = found.edges.iter().flat_map(|edge| [&edge.from, &edge.to]);
                let waited = found.waits.iter().filter_map(|wait| wait.lock.as_ref());
                let held = found.waits.iter().flat_map(|wait| &wait.held);
                let held = held.filter_map(|(_, among)| among.as_ref());
                if !ends.chain(waited).chain(held).all(is_among) {
                    return None;
                }
                let (key, counts) = (FoundKey::of(&found), counts.into_iter().collect());
                merged.findings.insert(key, MergedFound { found: *found, counts });
            }
        }
        Some(())
    }

    fn hold(&mut self, hold: Hold) -> Hold {
        let class = self.shared.class(Arc::unwrap_or_clone(hold.class));
        let site = self.shared.place(Arc::unwrap_or_clone(hold.site));
        Hold { class, site, ..hold }
    }

    fn stack(&self, numbers: &[usize]) -> Option<Stack> {
        numbers.iter().map(|number| self.frames.get(*number).cloned()).collect()
    }
}

/// What the runs did not watch whose traces were merged into this file; nothing where that is not known, or
/// the file is none.
pub fn unwatched(path: &Path) -> Option<Vec<Unwatched>> {
    let mut lines = BufReader::new(File::open(path).ok()?).split(b'\n');
    let first = lines.next()?.ok().filter(|line| line.starts_with(BEGINNING))?;
    match serde_json::from_slice(&first) {
        Ok(Line::Merged { unwatched, .. }) => unwatched,
        _ => None,
    }
}
