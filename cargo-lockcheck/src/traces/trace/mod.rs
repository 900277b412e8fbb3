//! Reads one trace: the file that one instrumented process has left behind.
//!
//! The format is `docs/trace.md`. Reading never fails half-way and never panics: whatever whole
//! lines there are become a [`Trace`] in which every number is resolved and every path is short,
//! and each thing that had to be left out becomes a [`Warning`]. One line is in memory at a time.

mod addresses;
mod line;
mod reader;
mod shared;

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

pub use addresses::Addresses;
use addresses::Names;
use line::Line;
use lockdep::finding::{Rule, Tier};
pub use reader::VERSION;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
pub use shared::Shared;

use crate::report::model::{Awaited, Mode, Place, StandingFor, code};
use crate::report::sources::Recorded;

/// A sentence on what could not be read, and what that means for the report.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Warning(pub String);

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A class of locks: where they are created, and of what type they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// The name of the place that the program has declared for them, or that the source shows them in.
    pub place: Option<String>,
}

/// What tells processes apart: process id, start time and program, hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProcessKey(pub u64);

/// A thread of one process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Thread {
    /// Its process.
    pub process: ProcessKey,
    /// Its number in that process.
    pub id: u64,
    /// Its name, which is the test's name under the harness, or where it was spawned.
    pub label: String,
}

/// A lock held or asked for, by class.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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
}

/// A dependency as one thread showed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// The dependency.
    pub order: Order,
    /// The thread.
    pub thread: Arc<Thread>,
    /// Where it was.
    pub stacks: UnreadStacks,
}

/// Takes the dependencies of traces as they are read.
pub trait Orders {
    /// Takes the next one. What its addresses mean is known at the end of the trace.
    fn take(&mut self, taken: Taken);
}

impl Orders for Vec<Taken> {
    fn take(&mut self, taken: Taken) {
        self.push(taken);
    }
}

/// The addresses of the stacks of a dependency, as they stand in the trace.
#[derive(Clone, Debug)]
pub struct UnreadStacks {
    asked: Option<Box<RawValue>>,
    held: Vec<Option<Box<RawValue>>>,
}

impl PartialEq for UnreadStacks {
    fn eq(&self, other: &UnreadStacks) -> bool {
        let text = |stack: &Option<Box<RawValue>>| stack.as_ref().map(|raw| raw.get().to_owned());
        let all = |stacks: &UnreadStacks| -> Vec<Option<String>> {
            stacks.held.iter().chain([&stacks.asked]).map(text).collect()
        };
        all(self) == all(other)
    }
}

/// A stack, innermost first, as `function at file:line:column` each.
pub type Stack = Arc<[Arc<str>]>;

/// The stacks of one thread at a dependency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stacks {
    /// Where it was when it asked.
    pub asked: Stack,
    /// Where it was when it acquired each of [`Order::held`]; empty where that is not known.
    pub held: Vec<Stack>,
}

/// Reads stacks of one trace, with names for their addresses.
pub(crate) struct StackReader<'a> {
    names: Names<'a>,
    shared: &'a mut Shared,
}

impl<'a> StackReader<'a> {
    /// `addresses` are those of the trace.
    pub(crate) fn new(
        addresses: &'a Addresses,
        recorded: &'a Recorded<'a>,
        shared: &'a mut Shared,
    ) -> StackReader<'a> {
        StackReader { names: Names::new(addresses, recorded), shared }
    }

    pub(crate) fn read(&mut self, stacks: &UnreadStacks) -> Stacks {
        let asked = self.stack(stacks.asked.as_deref());
        let held = stacks.held.iter().map(|stack| self.stack(stack.as_deref())).collect();
        Stacks { asked, held }
    }

    /// Empty for what is none: frames as text, as version 1 has them, or nothing.
    fn stack(&mut self, raw: Option<&RawValue>) -> Stack {
        let addresses = raw.and_then(|raw| serde_json::from_str::<Vec<u64>>(raw.get()).ok());
        let StackReader { names, shared } = self;
        let one = &mut |frame| shared.frame(frame);
        let frames = names.of(&addresses.unwrap_or_default(), one);
        shared.stack(frames)
    }
}

/// A finding of the process itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Found {
    /// What is wrong.
    #[serde(with = "code")]
    pub rule: Rule,
    /// How sure it is.
    #[serde(with = "code")]
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
    /// More sentences, in the same form as `message`.
    pub notes: Vec<String>,
    /// The locks' numbers in their process.
    pub instances: Vec<u64>,
    /// Of a cycle that only the spawns and joins of an outermost thread make impossible, such as that of a
    /// test: where it spawned the threads of the cycle.
    pub apart: Vec<Arc<Place>>,
}

/// See [`crate::report::model::Edge`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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

/// See [`crate::report::model::Wait`]; what is held is by class, for it may not be among the locks: where it
/// is, the index stands beside it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented at the report's type")]
pub struct Wait {
    pub thread: Thread,
    pub awaited: Awaited,
    pub lock: Option<usize>,
    pub site: Arc<Place>,
    pub held: Vec<(Hold, Option<usize>)>,
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
    /// The directory it was started in.
    #[serde(default)]
    pub cwd: String,
    /// When it started, in ms of Unix time.
    #[serde(default)]
    pub time: u64,
    /// The package it was built from.
    #[serde(default)]
    pub package: Option<String>,
    /// The root of the workspace, where it was built.
    #[serde(default)]
    pub workspace: Option<String>,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

/// A thread that still waited when its process ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Blocked {
    /// Its name, or what it is called instead.
    pub thread: String,
    /// What kind of thing it waited for.
    pub awaited: Awaited,
    /// The class of that thing.
    pub class: Option<Arc<Class>>,
    /// Where it waited.
    pub site: Arc<Place>,
}

/// What a thread did when its process was looked at last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Standing {
    /// Its number: threads are counted as they begin.
    pub id: u64,
    /// Its name, or what it is called instead.
    pub thread: String,
    /// What it waited for.
    pub wait: Option<StandingWait>,
    /// What it held.
    pub held: Vec<Hold>,
}

/// What a thread waited for then.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StandingWait {
    /// What kind of thing.
    pub awaited: StandingFor,
    /// The class of that thing.
    pub class: Option<Arc<Class>>,
    /// The thread whose end it waited for.
    pub thread: Option<String>,
    /// Where it waited.
    pub site: Arc<Place>,
    /// For how long it had, in nanoseconds.
    pub nanos: u64,
}

/// How long the locks of a class were waited for and held, in one process. A histogram counts at
/// `i` the times from 2^`i` ns to twice that.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Times {
    /// Acquisitions whose hold has ended.
    pub acquisitions: u64,
    /// Acquisitions that had to wait.
    pub contended: u64,
    /// The times of those waits.
    pub wait: Vec<u64>,
    /// The times of the holds.
    pub hold: Vec<u64>,
    /// The longest wait in nanoseconds, and where it was.
    pub longest_wait: Option<(u64, Arc<Place>)>,
    /// The longest hold, and where it began.
    pub longest_hold: Option<(u64, Arc<Place>)>,
    /// How many holds of others ended during one wait at most, and where that wait was.
    pub most_bypassed: Option<(u64, Arc<Place>)>,
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
    /// Dependencies, each with a thread that showed it, where nobody else has taken them.
    pub orders: Vec<Taken>,
    /// What its addresses mean.
    pub addresses: Addresses,
    /// Findings.
    pub findings: Vec<Found>,
    /// Totals.
    pub counts: Counts,
    /// Threads that still waited at the end.
    pub blocked: Vec<Blocked>,
    /// What the threads did when the process was looked at last.
    pub standing: Vec<Standing>,
    /// How long locks were waited for and held.
    pub times: Vec<(Arc<Class>, Times)>,
    /// Whether the process ended by itself.
    pub ended: bool,
}

/// The process of a trace that begins with this line.
pub(crate) fn key_of(first_line: &[u8]) -> Option<ProcessKey> {
    match Line::parse(first_line) {
        Ok(Line::Trace(header)) => Some(header.key()),
        _ => None,
    }
}

impl Trace {
    /// What tells its process from others.
    pub fn process(&self) -> ProcessKey {
        self.header.key()
    }
}
