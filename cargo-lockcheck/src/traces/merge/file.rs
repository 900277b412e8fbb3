//! Merged traces as a file, which is read wherever a trace is.
//!
//! JSON Lines, as a trace is (`docs/trace.md`), with what was learnt in place of what was seen: paths are
//! short, numbers are those of the file, stacks have names. The file is written as a whole, so one that is
//! not whole, or has a line that cannot be understood, is not used.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::hash::Hash;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use foldhash::HashMap;
use serde::{Deserialize, Serialize};

use super::{FoundKey, Merged, MergedFound, Process, ProcessSet, Seen};
use crate::cli::failure::Failure;
use crate::cli::replace::replace;
use crate::report::model::{Mode, Place, Tool, Unwatched};
use crate::traces::trace::{
    Blocked, Class, Counts, Found, Hold, Order, ProcessKey, Shared, Stack, Stacks, Standing,
    Thread, Times, Warning,
};

/// The version of the form that is written and understood. In version 1 each stack of an order had its frames.
const VERSION: u64 = 2;

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
    /// A class; the lines of orders number them as they come, as they do places, threads and stacks,
    /// and stacks their frames.
    Class { class: Class },
    /// A place.
    Site { site: Place },
    /// A thread.
    Thread { thread: Thread },
    /// A frame of stacks.
    Frame { frame: String },
    /// A stack: its frames, innermost first.
    Stack { frames: Vec<usize> },
    /// A class of which processes have used more than one lock.
    Many { class: Class, processes: BTreeSet<ProcessKey> },
    /// A dependency, with the processes that showed it in stretches without a gap.
    Order { lock: Held, held: Vec<Held>, threads: Vec<Witness>, processes: Vec<[usize; 2]> },
    /// A finding, with how many different sets of locks showed it in each process.
    Finding { found: Box<Found>, counts: Vec<(ProcessKey, u64)> },
    /// The last line.
    End,
}

/// A lock of an order.
#[derive(Serialize, Deserialize)]
struct Held {
    class: usize,
    mode: Mode,
    site: usize,
}

/// A thread that showed an order.
#[derive(Serialize, Deserialize)]
struct Witness {
    thread: usize,
    /// The stack of where it asked.
    asked: usize,
    /// Those of where it acquired each lock that it held.
    held: Vec<usize>,
}

/// Writes lines, and what the orders number when it comes first.
struct Writer<'a> {
    out: &'a mut dyn Write,
    classes: HashMap<Arc<Class>, usize>,
    sites: HashMap<Arc<Place>, usize>,
    threads: HashMap<Arc<Thread>, usize>,
    frames: HashMap<Arc<str>, usize>,
    stacks: HashMap<Stack, usize>,
}

impl Writer<'_> {
    fn class(&mut self, class: &Arc<Class>) -> io::Result<usize> {
        let line = |class: &Class| Line::Class { class: class.clone() };
        number(&mut self.classes, class, line, self.out)
    }

    fn held(&mut self, hold: &Hold) -> io::Result<Held> {
        let line = |site: &Place| Line::Site { site: site.clone() };
        let site = number(&mut self.sites, &hold.site, line, self.out)?;
        Ok(Held { class: self.class(&hold.class)?, mode: hold.mode, site })
    }

    fn stack(&mut self, stack: &Stack) -> io::Result<usize> {
        if let Some(&number) = self.stacks.get(stack) {
            return Ok(number);
        }
        let line = |frame: &str| Line::Frame { frame: frame.to_owned() };
        let frames = stack.iter();
        let frames = frames.map(|frame| number(&mut self.frames, frame, line, self.out));
        let frames: Vec<usize> = frames.collect::<io::Result<_>>()?;
        number(&mut self.stacks, stack, |_| Line::Stack { frames }, self.out)
    }

    fn witness(&mut self, thread: &Arc<Thread>, stacks: &Stacks) -> io::Result<Witness> {
        let line = |thread: &Thread| Line::Thread { thread: thread.clone() };
        Ok(Witness {
            thread: number(&mut self.threads, thread, line, self.out)?,
            asked: self.stack(&stacks.asked)?,
            held: stacks.held.iter().map(|stack| self.stack(stack)).collect::<io::Result<_>>()?,
        })
    }
}

/// The number of `item` among those that were written; a new one is written as this line.
fn number<T: Eq + Hash + ?Sized>(
    known: &mut HashMap<Arc<T>, usize>,
    item: &Arc<T>,
    line: impl FnOnce(&T) -> Line,
    out: &mut dyn Write,
) -> io::Result<usize> {
    if let Some(&number) = known.get(item) {
        return Ok(number);
    }
    write_line(&line(item), out)?;
    let number = known.len();
    known.insert(Arc::clone(item), number);
    Ok(number)
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

    /// Writes all of it as [`Merged::write`] does.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_to(
        &self,
        out: &mut dyn Write,
        unwatched: Option<Vec<Unwatched>>,
    ) -> io::Result<()> {
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
        let mut writer = Writer {
            out,
            classes: HashMap::default(),
            sites: HashMap::default(),
            threads: HashMap::default(),
            frames: HashMap::default(),
            stacks: HashMap::default(),
        };
        for class in &self.classes {
            writer.class(class)?;
        }
        for (Order { lock, held }, seen) in &self.orders {
            let lock = writer.held(lock)?;
            let held = held.iter().map(|held| writer.held(held)).collect::<io::Result<_>>()?;
            let threads = seen.threads.iter();
            let threads = threads.map(|(thread, stacks)| writer.witness(thread, stacks));
            let threads = threads.collect::<io::Result<_>>()?;
            let stretches = seen.processes.stretches().into_iter();
            let processes = stretches.map(RangeInclusive::into_inner).map(Into::into).collect();
            write_line(&Line::Order { lock, held, threads, processes }, writer.out)?;
        }
        for (class, processes) in &self.many {
            let (class, processes) = (Class::clone(class), processes.clone());
            write_line(&Line::Many { class, processes }, writer.out)?;
        }
        for MergedFound { found, counts } in self.findings.values() {
            let found = Box::new(found.clone());
            let counts = counts.iter().map(|(key, count)| (*key, *count)).collect();
            write_line(&Line::Finding { found, counts }, writer.out)?;
        }
        write_line(&Line::End, writer.out)
    }

    /// Whether this file is one of merged traces.
    pub(super) fn is_in(path: &Path) -> bool {
        let mut beginning = Vec::new();
        let read = File::open(path)
            .and_then(|file| file.take(BEGINNING.len() as u64).read_to_end(&mut beginning));
        read.is_ok() && beginning == BEGINNING
    }

    /// Reads what was written by [`Merged::write_to`].
    ///
    /// # Errors
    /// When it is not whole, or not understood.
    pub fn parse(input: &mut dyn BufRead) -> Result<Merged, Unusable> {
        let mut reader = Reader::default();
        let mut text = String::new();
        for line in 1.. {
            text.clear();
            if input.read_line(&mut text)? == 0 {
                break;
            }
            let parsed = serde_json::from_str(&text);
            let parsed = parsed.map_err(|error| Unusable::Damaged { line, error })?;
            match parsed {
                Line::Merged { version, .. } if version != VERSION => {
                    return Err(Unusable::Version(version));
                }
                Line::End => return Ok(reader.merged),
                parsed => reader.take(parsed).ok_or(Unusable::Dangling { line })?,
            }
        }
        Err(Unusable::Torn)
    }

    /// Reads what was merged before. A file that is damaged gives nothing.
    pub(super) fn read_file(path: &Path) -> (Option<Merged>, Vec<Warning>) {
        let name = path.display();
        let read = File::open(path).map_err(Unusable::from);
        match read.and_then(|file| Merged::parse(&mut BufReader::new(file))) {
            Ok(merged) => (Some(merged), Vec::new()),
            Err(problem) => (None, vec![Warning(format!("{name} {problem}, so it is left out"))]),
        }
    }
}

/// Why what should be merged traces cannot be used.
#[derive(Debug)]
pub enum Unusable {
    /// It cannot be read.
    Unreadable(io::Error),
    /// It is of a version that is not understood.
    Version(u64),
    /// A line is not understood.
    Damaged {
        /// Its number.
        line: usize,
        /// What is wrong.
        error: serde_json::Error,
    },
    /// A line speaks of what no line has introduced.
    Dangling {
        /// Its number.
        line: usize,
    },
    /// The last line is missing.
    Torn,
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Unusable {
        Unusable::Unreadable(error)
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unusable::Unreadable(error) => write!(f, "could not be read ({error})"),
            Unusable::Version(version) => {
                let cure = if *version > VERSION {
                    "update cargo-lockcheck"
                } else {
                    "merge the traces again"
                };
                write!(
                    f,
                    "has merged traces of version {version}, and this program knows version \
                     {VERSION} ({cure})"
                )
            }
            Unusable::Damaged { line, error } => write!(f, "is damaged in line {line} ({error})"),
            Unusable::Dangling { line } => {
                write!(f, "is damaged: line {line} speaks of what is not there")
            }
            Unusable::Torn => f.write_str("ends before all of it was written"),
        }
    }
}

#[derive(Default)]
struct Reader {
    merged: Merged,
    shared: Shared,
    processes: Vec<ProcessKey>,
    classes: Vec<Arc<Class>>,
    sites: Vec<Arc<Place>>,
    threads: Vec<Arc<Thread>>,
    frames: Vec<Arc<str>>,
    stacks: Vec<Stack>,
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
            Line::Class { class } => {
                let class = self.shared.class(class);
                merged.classes.insert(Arc::clone(&class));
                self.classes.push(class);
            }
            Line::Site { site } => self.sites.push(self.shared.place(site)),
            Line::Thread { thread } => self.threads.push(Arc::new(thread)),
            Line::Many { class, processes } => {
                merged.many.insert(self.shared.class(class), processes);
            }
            Line::Frame { frame } => self.frames.push(self.shared.frame(frame)),
            Line::Stack { frames } => {
                let frames = frames.iter().map(|frame| self.frames.get(*frame).cloned());
                let frames = frames.collect::<Option<_>>()?;
                self.stacks.push(self.shared.stack(frames));
            }
            Line::Order { lock, held, threads, processes } => {
                let lock = self.hold(&lock)?;
                let held = held.iter().map(|held| self.hold(held)).collect::<Option<_>>()?;
                let mut seen = Seen::default();
                for Witness { thread, asked, held } in threads {
                    let stack = |number: &usize| self.stacks.get(*number).cloned();
                    let asked = stack(&asked)?;
                    let held = held.iter().map(stack).collect::<Option<_>>()?;
                    seen.add(Arc::clone(self.threads.get(thread)?), Stacks { asked, held });
                }
                let is_known = |&[_, last]: &[usize; 2]| last < self.processes.len();
                if !processes.iter().all(is_known) {
                    return None;
                }
                let positions = processes.into_iter().flat_map(|[first, last]| first..=last);
                seen.processes = ProcessSet::of(positions);
                self.merged.orders.entry(Order { lock, held }).or_default().join(seen);
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
                merged.join_found(key, MergedFound { found: *found, counts });
            }
        }
        Some(())
    }

    fn hold(&self, held: &Held) -> Option<Hold> {
        Some(Hold {
            class: Arc::clone(self.classes.get(held.class)?),
            mode: held.mode,
            site: Arc::clone(self.sites.get(held.site)?),
        })
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
