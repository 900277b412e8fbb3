//! Reads one trace: the file that one instrumented process has left behind.
//!
//! The format is `docs/trace.md`. Reading never fails half-way and never panics: whatever whole
//! lines there are become a [`Trace`] in which every number is resolved and every path is short,
//! and each thing that had to be left out becomes a [`Warning`]. One line is in memory at a time.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use lockdep::finding::{Rule, Tier};
use serde::{Deserialize, Deserializer};

use crate::model::{Awaited, Mode, Place};
use crate::sources::Sources;

/// The newest version of the format that is understood.
pub const VERSION: u64 = 1;

/// A longer line is not one of a trace, in bytes.
const LONGEST_LINE: u64 = 16 << 20;

/// A sentence on what could not be read, and what that means for the report.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Warning(pub String);

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A class of locks: where they are created, and of what type they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Class {
    /// Where they are created.
    pub created: Place,
    /// `Mutex`, `RwLock`, ...
    pub kind: String,
    /// The type of the protected value.
    pub ty: String,
    /// For locks created inside the standard library, whose place tells nothing: their process and
    /// number, so that they are never taken for the same as others.
    pub anonymous: Option<(ProcessKey, u64)>,
}

/// What tells processes apart: process id, start time and program, hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessKey(pub u64);

/// A thread of one process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Thread {
    /// Its process.
    pub process: ProcessKey,
    /// Its number in that process.
    pub id: u64,
    /// Its name, which is the test's name under the harness, or where it was spawned.
    pub label: String,
}

/// A lock held or asked for, by class.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hold {
    /// The lock's class.
    pub class: Arc<Class>,
    /// How it is held or asked for.
    pub mode: Mode,
    /// Where it was acquired or is asked for.
    pub site: Arc<Place>,
}

/// A dependency: a thread asked for a lock while it held others.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Order {
    /// The lock asked for.
    pub lock: Hold,
    /// The locks held, outermost first.
    pub held: Vec<Hold>,
    /// Whether it was asked for without blocking.
    pub attempt: bool,
}

/// A finding of the process itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Found {
    /// What is wrong.
    pub rule: Rule,
    /// How sure it is.
    pub tier: Tier,
    /// One sentence in which `{0}`, `{1}`, ... stand for the locks.
    pub message: String,
    /// The locks; for a cycle in cycle order.
    pub locks: Vec<Arc<Class>>,
    /// Who asks for what while holding what; for a cycle in cycle order.
    pub edges: Vec<Edge>,
    /// Other places, with a label each.
    pub sites: Vec<(Arc<Place>, String)>,
    /// Who waits for what.
    pub waits: Vec<Wait>,
    /// Why it cannot happen, in the same form as `message`.
    pub reason: Option<String>,
    /// The locks' numbers in their process.
    pub instances: Vec<u64>,
}

/// See [`crate::model::Edge`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "documented at the report's type")]
pub struct Edge {
    pub from: usize,
    pub to: usize,
    pub thread: Thread,
    pub from_mode: Mode,
    pub to_mode: Mode,
    pub from_site: Arc<Place>,
    pub to_site: Arc<Place>,
    pub stack: Vec<String>,
    pub from_stack: Vec<String>,
}

/// See [`crate::model::Wait`]; what is held is by class, for it may not be among the locks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "documented at the report's type")]
pub struct Wait {
    pub thread: Thread,
    pub awaited: Awaited,
    pub lock: Option<usize>,
    pub site: Arc<Place>,
    pub held: Vec<Hold>,
    pub stack: Vec<String>,
}

/// The first line of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Header {
    /// The version of the format.
    pub version: u64,
    /// The process id.
    #[serde(default)]
    pub pid: u64,
    /// The program.
    #[serde(default)]
    pub exe: String,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// When it started, in ms of Unix time.
    #[serde(default)]
    pub time: u64,
    /// The package it was built from.
    #[serde(default)]
    pub package: Option<String>,
}

impl Header {
    fn key(&self) -> ProcessKey {
        let mut hasher = DefaultHasher::new();
        (self.pid, self.time, &self.exe).hash(&mut hasher);
        ProcessKey(hasher.finish())
    }

    /// A short name of the program: its file name without the hash that cargo appends.
    pub fn program(&self) -> &str {
        let file = self.exe.rsplit(['/', '\\']).next().unwrap_or_default();
        let file = file.strip_suffix(".exe").unwrap_or(file);
        match file.rsplit_once('-') {
            Some((name, hash))
                if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
            {
                name
            }
            _ => file,
        }
    }

    /// The only test that this process was to run, as `cargo nextest` starts one.
    fn only_test(&self) -> Option<&str> {
        let exact = self.args.iter().position(|arg| arg == "--exact")?;
        let by_flag = self.args.get(exact + 1).filter(|arg| !arg.starts_with('-'));
        let before = || self.args.get(exact.checked_sub(1)?).filter(|arg| !arg.starts_with('-'));
        by_flag.or_else(before).map(String::as_str)
    }
}

/// Totals of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Threads that used a lock.
    pub threads: u64,
    /// Locks used.
    pub locks: u64,
    /// Orders of two locks.
    pub edges: u64,
    /// Acquisitions.
    pub acquisitions: u64,
}

/// All that one process has left behind.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The first line.
    pub header: Header,
    /// All classes.
    pub classes: Vec<Arc<Class>>,
    /// Classes of which more than one lock was used.
    pub many: Vec<Arc<Class>>,
    /// Dependencies, each with a thread that showed it.
    pub orders: Vec<(Order, Thread)>,
    /// Findings.
    pub findings: Vec<Found>,
    /// Totals.
    pub counts: Counts,
    /// What was not recorded, and how often.
    pub dropped: HashMap<String, u64>,
    /// Whether the process ended by itself.
    pub ended: bool,
}

impl Trace {
    /// What tells its process from others.
    pub fn process(&self) -> ProcessKey {
        self.header.key()
    }

    /// Reads the trace at `path`. What is not a trace at all gives none.
    pub fn read(path: &Path, sources: &Sources) -> (Option<Trace>, Vec<Warning>) {
        let name = path.display();
        match File::open(path) {
            Ok(file) => Trace::parse(&mut BufReader::new(file), &name.to_string(), sources),
            Err(error) => {
                let warning = format!("{name} could not be opened ({error}), so it is left out");
                (None, vec![Warning(warning)])
            }
        }
    }

    /// Reads a trace from `input`, which warnings call `name`.
    pub fn parse(
        input: &mut dyn BufRead,
        name: &str,
        sources: &Sources,
    ) -> (Option<Trace>, Vec<Warning>) {
        let mut reader = Reader::new(sources);
        let mut warnings = Vec::new();
        let mut warn = |text: String| warnings.push(Warning(text));
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            match (&mut *input).take(LONGEST_LINE).read_until(b'\n', &mut buffer) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    warn(format!(
                        "{name} could not be read to its end ({error}); \
                         the {} lines before are used",
                        reader.good
                    ));
                    break;
                }
            }
            let whole = buffer.last() == Some(&b'\n');
            let line = trim(&buffer);
            if line.is_empty() {
                continue;
            }
            match serde_json::from_slice::<Line>(line) {
                Ok(Line::Trace(header)) if reader.good == 0 => {
                    if header.version > VERSION {
                        warn(format!(
                            "{name} has version {} of the trace format, and this program knows \
                             versions up to {VERSION}; it is left out, so update cargo-lockcheck",
                            header.version
                        ));
                        return (None, warnings);
                    }
                    reader.begin(header);
                }
                _ if reader.good == 0 => {
                    warn(format!("{name} does not begin like a lock trace, so it is left out"));
                    return (None, warnings);
                }
                Ok(line) => reader.line(line),
                Err(_) if !whole => reader.torn = true,
                Err(_) => reader.bad += 1,
            }
        }
        if reader.good == 0 {
            warn(format!("{name} is empty: its process was killed before it took a lock"));
            return (None, warnings);
        }
        if reader.torn {
            warn(format!(
                "{name} ends in the middle of a line; the {} whole lines before are used",
                reader.good
            ));
        }
        if reader.bad > 0 {
            warn(format!(
                "{name} is damaged: {} of its lines could not be understood and are left out, \
                 {} are used",
                reader.bad, reader.good
            ));
        }
        (Some(reader.trace), warnings)
    }
}

fn trim(line: &[u8]) -> &[u8] {
    let blank = |byte: &u8| *byte == 0 || byte.is_ascii_whitespace();
    let start = line.iter().position(|byte| !blank(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &line[start..end]
}

/// What has been introduced so far, by the file's own numbers.
struct Reader<'a> {
    sources: &'a Sources,
    trace: Trace,
    process: ProcessKey,
    sites: HashMap<u64, Arc<Place>>,
    classes: HashMap<u64, Arc<Class>>,
    threads: HashMap<u64, Thread>,
    good: u64,
    bad: u64,
    torn: bool,
}

impl<'a> Reader<'a> {
    fn new(sources: &'a Sources) -> Reader<'a> {
        Reader {
            sources,
            trace: Trace::default(),
            process: ProcessKey(0),
            sites: HashMap::new(),
            classes: HashMap::new(),
            threads: HashMap::new(),
            good: 0,
            bad: 0,
            torn: false,
        }
    }

    fn begin(&mut self, header: Header) {
        self.process = header.key();
        self.trace.header = header;
        self.good = 1;
    }

    /// Takes a line, or counts it as bad when it speaks of something that was never introduced.
    fn line(&mut self, line: Line) {
        match self.take(line) {
            Some(()) => self.good += 1,
            None => self.bad += 1,
        }
    }

    fn take(&mut self, line: Line) -> Option<()> {
        match line {
            Line::Trace(_) => return None,
            Line::Site { id, file, line, column } => {
                let file = self.sources.shorten(&file);
                self.sites.insert(id, Arc::new(Place { file, line, column }));
            }
            Line::Class { id, kind, ty, site, anonymous } => {
                let created = Place::clone(self.sites.get(&site)?);
                let anonymous = anonymous.then_some((self.process, id));
                let class = Arc::new(Class { created, kind, ty, anonymous });
                self.trace.classes.push(Arc::clone(&class));
                self.classes.insert(id, class);
            }
            Line::Many { class } => self.trace.many.push(self.class(class)?),
            Line::Thread { id, name, site } => {
                let label = self.label(id, name, site);
                self.threads.insert(id, Thread { process: self.process, id, label });
            }
            Line::Order { thread, lock, held, attempt } => {
                let order = Order { lock: self.hold(&lock)?, held: self.holds(&held)?, attempt };
                self.trace.orders.push((order, self.threads.get(&thread)?.clone()));
            }
            Line::Finding(finding) => {
                let found = self.finding(*finding)?;
                self.trace.findings.push(found);
            }
            Line::Counts(counts) => self.trace.counts = counts,
            Line::Dropped { reason, count } => {
                let known = self.trace.dropped.entry(reason).or_default();
                *known = known.saturating_add(count);
            }
            Line::End => self.trace.ended = true,
            Line::Other => {}
        }
        Some(())
    }

    fn label(&self, id: u64, name: Option<String>, site: Option<u64>) -> String {
        let spawned = site.and_then(|site| self.sites.get(&site));
        match (name.filter(|name| !name.is_empty()), spawned) {
            (Some(name), _) if name == "main" => {
                self.trace.header.only_test().map_or(name, str::to_owned)
            }
            (Some(name), _) => name,
            (None, Some(place)) => format!("thread spawned at {place}"),
            (None, None) => format!("thread {id}"),
        }
    }

    fn class(&self, id: u64) -> Option<Arc<Class>> {
        self.classes.get(&id).cloned()
    }

    fn hold(&self, hold: &HoldLine) -> Option<Hold> {
        Some(Hold {
            class: self.class(hold.class)?,
            mode: hold.mode,
            site: Arc::clone(self.sites.get(&hold.site)?),
        })
    }

    fn holds(&self, holds: &[HoldLine]) -> Option<Vec<Hold>> {
        holds.iter().map(|hold| self.hold(hold)).collect()
    }

    fn finding(&self, line: FindingLine) -> Option<Found> {
        let count = line.locks.len();
        let locks = line.locks.iter().map(|lock| self.class(lock.class));
        let edge = |edge: EdgeLine| {
            Some(Edge {
                from: Some(edge.from).filter(|index| *index < count)?,
                to: Some(edge.to).filter(|index| *index < count)?,
                thread: self.threads.get(&edge.thread)?.clone(),
                from_mode: edge.from_mode,
                to_mode: edge.to_mode,
                from_site: Arc::clone(self.sites.get(&edge.from_site)?),
                to_site: Arc::clone(self.sites.get(&edge.to_site)?),
                stack: self.frames(edge.stack),
                from_stack: self.frames(edge.from_stack),
            })
        };
        let wait = |wait: WaitLine| {
            Some(Wait {
                thread: self.threads.get(&wait.thread)?.clone(),
                awaited: wait.awaited,
                lock: wait.lock.filter(|index| *index < count),
                site: Arc::clone(self.sites.get(&wait.site)?),
                held: self.holds(&wait.held)?,
                stack: self.frames(wait.stack),
            })
        };
        let site = |site: SiteLine| Some((Arc::clone(self.sites.get(&site.site)?), site.label));
        Some(Found {
            rule: Rule::from_code(&line.rule)?,
            tier: Tier::from_code(&line.tier)?,
            message: line.message,
            instances: line.locks.iter().map(|lock| lock.instance).collect(),
            locks: locks.collect::<Option<_>>()?,
            edges: line.edges.into_iter().map(edge).collect::<Option<_>>()?,
            sites: line.sites.into_iter().map(site).collect::<Option<_>>()?,
            waits: line.waits.into_iter().map(wait).collect::<Option<_>>()?,
            reason: line.reason,
        })
    }

    /// The frames of a stack, with short paths.
    fn frames(&self, stack: Vec<String>) -> Vec<String> {
        let shorten = |frame: String| match frame.rsplit_once(" at ") {
            Some((function, place)) => format!("{function} at {}", self.sources.shorten(place)),
            None => frame,
        };
        stack.into_iter().map(shorten).collect()
    }
}

#[derive(Deserialize)]
#[serde(tag = "t", rename_all = "kebab-case")]
enum Line {
    Trace(Header),
    Site {
        id: u64,
        file: String,
        line: u32,
        column: u32,
    },
    Class {
        id: u64,
        kind: String,
        #[serde(default, rename = "type")]
        ty: String,
        site: u64,
        #[serde(default)]
        anonymous: bool,
    },
    Many {
        class: u64,
    },
    Thread {
        id: u64,
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        site: Option<u64>,
    },
    Order {
        thread: u64,
        lock: HoldLine,
        held: Vec<HoldLine>,
        #[serde(default, rename = "try")]
        attempt: bool,
    },
    Finding(Box<FindingLine>),
    Counts(Counts),
    Dropped {
        reason: String,
        #[serde(default)]
        count: u64,
    },
    End,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct HoldLine {
    class: u64,
    #[serde(default = "write", deserialize_with = "mode")]
    mode: Mode,
    site: u64,
}

#[derive(Deserialize)]
struct FindingLine {
    rule: String,
    tier: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    locks: Vec<LockLine>,
    #[serde(default)]
    edges: Vec<EdgeLine>,
    #[serde(default)]
    sites: Vec<SiteLine>,
    #[serde(default)]
    waits: Vec<WaitLine>,
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Deserialize)]
struct LockLine {
    class: u64,
    #[serde(default)]
    instance: u64,
}

#[derive(Deserialize)]
struct EdgeLine {
    from: usize,
    to: usize,
    thread: u64,
    #[serde(default = "write", deserialize_with = "mode")]
    from_mode: Mode,
    #[serde(default = "write", deserialize_with = "mode")]
    to_mode: Mode,
    from_site: u64,
    to_site: u64,
    #[serde(default)]
    stack: Vec<String>,
    #[serde(default)]
    from_stack: Vec<String>,
}

#[derive(Deserialize)]
struct SiteLine {
    site: u64,
    #[serde(default)]
    label: String,
}

#[derive(Deserialize)]
struct WaitLine {
    thread: u64,
    #[serde(rename = "for")]
    awaited: Awaited,
    #[serde(default)]
    lock: Option<usize>,
    site: u64,
    #[serde(default)]
    held: Vec<HoldLine>,
    #[serde(default)]
    stack: Vec<String>,
}

fn write() -> Mode {
    Mode::Write
}

/// A mode; one that is not known is taken as the one that excludes most.
fn mode<'de, D: Deserializer<'de>>(from: D) -> Result<Mode, D::Error> {
    Ok(match String::deserialize(from)?.as_str() {
        "read" => Mode::Read,
        "upgradable" => Mode::Upgradable,
        _ => Mode::Write,
    })
}
