//! The report: what every stage that finds something builds and every format prints.
//!
//! A [`Report`] serialises to the `json` format as it stands (`docs/report.schema.json`), so what
//! a reader of the JSON can know is what a renderer can know. Nothing here decides a level.
//!
//! Paths are relative to the workspace root, or `crate-version/path` for a dependency; none is
//! absolute, so that reports of different machines can be compared.

use std::fmt;

use lockdep::finding::{Rule, Tier};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use super::place::Place;

use super::graph::OrderGraph;
use super::times::LockTimes;
use super::witness::Witness;

/// The `schema` of the reports that this version writes.
pub const SCHEMA: &str = "lockcheck-report/1";

/// All that one check has found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// What made the report.
    pub tool: Tool,
    /// What is reported, worst first.
    pub findings: Vec<Finding>,
    /// What was found but is not shown: it cannot happen, or its level is `allow`.
    pub suppressed: Vec<Suppressed>,
    /// How much was looked at.
    pub coverage: Coverage,
    /// The locks that were taken together, and in which orders.
    #[serde(default, skip_serializing_if = "OrderGraph::is_empty")]
    pub order_graph: OrderGraph,
    /// How long locks were waited for and held, most contended first, where a run has counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<LockTimes>,
    /// The orders of locks that the source shows, when it was looked at together with recorded
    /// runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<SourceOrder>,
    /// Packages of the program that bring ways to wait which are not watched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unwatched: Vec<Unwatched>,
    /// Processes that did not end by themselves, with what their threads did last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub standstills: Vec<Standstill>,
    /// Sentences on what is to be mended beside the findings: what was meant to accept one, and does
    /// not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Sentences on what limits this report: traces that could not be read in full, searches that
    /// stopped at their bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Default for Report {
    fn default() -> Report {
        Report {
            schema: SCHEMA.to_owned(),
            tool: Tool::default(),
            findings: Vec::new(),
            suppressed: Vec::new(),
            coverage: Coverage::default(),
            order_graph: OrderGraph::default(),
            times: Vec::new(),
            orders: Vec::new(),
            unwatched: Vec::new(),
            standstills: Vec::new(),
            warnings: Vec::new(),
            notes: Vec::new(),
        }
    }
}

impl Report {
    /// Whether a finding has level `deny`, which makes the command fail.
    pub fn has_deny(&self) -> bool {
        self.findings.iter().any(|finding| finding.level == Level::Deny)
    }

    /// How many findings have this level.
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }
}

/// The program that made a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Default for Tool {
    fn default() -> Tool {
        Tool {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// One classified problem.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable across runs and machines: the rule and a hash of the canonical cycle of class names.
    /// The stage `naming` fills it in.
    pub id: String,
    /// What is wrong.
    #[serde(with = "code")]
    pub rule: Rule,
    /// How sure it is that it can happen.
    #[serde(with = "code")]
    pub tier: Tier,
    /// What it does to the exit code. The stage `classify` fills it in.
    pub level: Level,
    /// How often it was seen.
    pub count: u64,
    /// One sentence that names the locks and the threads.
    pub message: String,
    /// The place that it is reported at: the one to go to first, or else the first in a file of the
    /// workspace's own. The stage `belonging` fills it in; nothing where no place is of the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Place>,
    /// The package that it is reported in. The stage `belonging` fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The tests that have shown it, as far as the stacks tell. The stage `belonging` fills it in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<String>,
    /// The locks concerned; for a cycle in cycle order, then the gates.
    pub locks: Vec<Lock>,
    /// Who asks for which lock while holding which; for a cycle in cycle order.
    pub edges: Vec<Edge>,
    /// Other places that matter.
    pub sites: Vec<Site>,
    /// Who waits for what, for a deadlock that happened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<Wait>,
    /// What to do, most useful first, when there is more to say than the rule's own advice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<String>,
    /// What else the reader should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What shows it; nothing stands for a run alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// What came of the runs that were to come to it, where there were some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// A schedule that leads to it, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<Witness>,
    /// An edit that cures it, when one compiles for sure; editors are told.
    #[serde(skip)]
    pub suggestion: Option<Suggestion>,
    /// Why it cannot happen, for a tier that says so; the stage `classify` makes it
    /// [`Suppressed::reason`].
    #[serde(skip)]
    pub reason: Option<String>,
}

impl Finding {
    /// A finding seen once, of which nothing is known yet but its rule and tier.
    pub fn new(rule: Rule, tier: Tier, message: impl Into<String>) -> Finding {
        Finding {
            id: String::new(),
            rule,
            tier: rule.tier(tier),
            level: Level::Warn,
            count: 1,
            message: message.into(),
            at: None,
            package: None,
            tests: Vec::new(),
            locks: Vec::new(),
            edges: Vec::new(),
            sites: Vec::new(),
            waits: Vec::new(),
            help: Vec::new(),
            notes: Vec::new(),
            evidence: Vec::new(),
            confirmation: None,
            witness: None,
            suggestion: None,
            reason: None,
        }
    }

    /// The place to go to first.
    pub fn place(&self) -> Option<&Place> {
        let wait = self.waits.first().map(|wait| &wait.site);
        let edge = || self.edges.first().map(|edge| &edge.to_site);
        wait.or_else(edge).or_else(|| self.sites.first().map(|site| &site.place))
    }

    /// The places that it names, apart from where its locks are made.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        let edges = self.edges.iter().flat_map(|edge| [&edge.from_site, &edge.to_site]);
        let waits = self.waits.iter().flat_map(|wait| {
            [&wait.site].into_iter().chain(wait.held.iter().map(|held| &held.site))
        });
        edges.chain(self.sites.iter().map(|site| &site.place)).chain(waits)
    }

    /// All frames that it names, `function at file:line:column`, innermost first within each stack.
    pub fn frames(&self) -> impl Iterator<Item = &str> {
        let edges = self.edges.iter().flat_map(|edge| edge.stack.iter().chain(&edge.from_stack));
        let waits = self.waits.iter().flat_map(|wait| &wait.stack);
        edges.chain(waits).map(String::as_str)
    }
}

/// What came of runs under control, in which threads were to come to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// How many there were.
    pub runs: u32,
    /// Whether the last of them came to it.
    pub reached: bool,
}

/// Whether a finding of this tier can happen at all.
pub fn can_happen(tier: Tier) -> bool {
    !matches!(tier, Tier::Guarded | Tier::Ordered | Tier::Refuted)
}

/// An edit of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What it does, as advice.
    pub message: String,
    /// The edits, which belong together.
    pub edits: Vec<Edit>,
    /// Whether it does what anybody would want, so that a tool may make it unasked.
    pub is_certain: bool,
}

/// Text that takes the place of other text in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Where the other text begins.
    pub place: Place,
    /// Where it ends; the same place when the new text is only put in.
    pub end: Place,
    /// The new text.
    pub text: String,
}

/// What shows a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The lint found it in the source.
    Source,
    /// A recorded run showed all of its orders.
    Run,
}

/// An order of two locks that the source shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceOrder {
    /// The name of the lock that is held.
    pub from: String,
    /// The name of the lock that is asked for.
    pub to: String,
    /// A function that does so.
    pub function: String,
    /// Where it acquires the held lock.
    pub from_site: Place,
    /// Where it asks for the other.
    pub to_site: Place,
    /// Whether a recorded run has taken the two in this order, there or elsewhere.
    pub seen: bool,
    /// Whether no run can tell, as one of the two is of a kind that is not watched.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unwatched: bool,
}

/// A finding that is not shown, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suppressed {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// Why it cannot happen, or who allowed it.
    pub reason: String,
    /// Where the program's people have accepted it: a comment, or a line of `lockcheck.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Place>,
}

/// A lock, by its class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The field, static or variable that it is created in, else the place.
    pub name: String,
    /// `Mutex`, `RwLock`, ...
    pub kind: String,
    /// The type of the protected value, when it is known.
    #[serde(default, rename = "type", skip_serializing_if = "String::is_empty")]
    pub ty: String,
    /// Where it is created.
    pub created: Place,
    /// Whether it is of a kind that runs do not watch.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unwatched: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Lock {
    /// What sort of thing it is.
    pub fn sort(&self) -> Sort {
        match self.kind.as_str() {
            "RwLock" => Sort::ReadWrite,
            "Once" | "OnceLock" | "LazyLock" => Sort::Initialised,
            "Condvar" => Sort::Condvar,
            "channel" => Sort::Channel,
            "Barrier" => Sort::Barrier,
            "resource" => Sort::Resource,
            "thread" => Sort::Thread,
            _ => Sort::Exclusive,
        }
    }
}

/// What sort of thing a lock of a report is; sentences depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A lock that one thread has at a time, or one of a kind that nothing else is known of.
    Exclusive,
    /// A lock that readers share.
    ReadWrite,
    /// A value that is made once, while others wait.
    Initialised,
    /// A condition variable.
    Condvar,
    /// An end of a channel.
    Channel,
    /// A barrier.
    Barrier,
    /// Units of which a thread holds some.
    Resource,
    /// A thread, whose end is waited for.
    Thread,
}

/// A thread asks for a lock while it holds another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// The held lock, as an index of the finding's `locks`.
    pub from: usize,
    /// The lock asked for, as an index of the finding's `locks`.
    pub to: usize,
    /// The thread, by its name; a test's thread has the test's name. In a finding of the source:
    /// the function by which a thread comes here.
    pub thread: String,
    /// The program that the thread ran in, when the finding is about more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
    /// The function around `to_site`, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// How the held lock is held.
    pub from_mode: Mode,
    /// How the other is asked for.
    pub to_mode: Mode,
    /// Where the held lock was acquired.
    pub from_site: Place,
    /// Where the other is asked for.
    pub to_site: Place,
    /// The frames around `to_site`, innermost first: `function at file:line:column`.
    pub stack: Vec<String>,
    /// The frames around `from_site`, innermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from_stack: Vec<String>,
}

impl Edge {
    /// The frames around `from_site` that are not around `to_site` as well, innermost first. The last one is
    /// of the function that had the first lock when it went on to ask for the other; those before it had
    /// returned.
    pub fn frames_before(&self) -> &[String] {
        let mut both = self.from_stack.iter().rev().zip(self.stack.iter().rev());
        let shared = both.position(|(one, other)| one != other);
        let shared = shared.unwrap_or(self.from_stack.len().min(self.stack.len()));
        &self.from_stack[..self.from_stack.len() - shared]
    }
}

/// A place with a word on what happens there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The place.
    #[serde(flatten)]
    pub place: Place,
    /// What happens there.
    pub label: String,
}

/// A thread that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// The thread, by its name.
    pub thread: String,
    /// What kind of thing it waits for.
    #[serde(rename = "for")]
    pub awaited: Awaited,
    /// The lock it waits for, as an index of the finding's `locks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<usize>,
    /// The function around `site`, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Where it waits.
    pub site: Place,
    /// What it holds meanwhile.
    pub held: Vec<Held>,
    /// The frames around `site`, innermost first.
    pub stack: Vec<String>,
}

/// What a thread can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Awaited {
    /// A lock.
    Lock,
    /// The end of a thread.
    Join,
    /// The end of a task, which was spawned at the place of the wait.
    Task,
    /// A notification, a message, a barrier.
    Event,
}

/// A lock that a thread holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The lock, as an index of the finding's `locks`.
    pub lock: usize,
    /// How it is held.
    pub mode: Mode,
    /// Where it was acquired.
    pub site: Place,
}

/// A package with ways to wait that are not watched: what waits there is in no finding of a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unwatched {
    /// The package.
    pub package: String,
    /// What it has.
    pub why: WhyUnwatched,
}

/// Why something is not watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhyUnwatched {
    /// Locks for which tasks wait, and no thread blocks.
    AsyncLocks,
    /// What tasks wait for beside locks.
    AsyncWaits,
    /// Locks that it makes itself.
    OwnLocks,
    /// Code that is not Rust.
    ForeignCode,
}

impl WhyUnwatched {
    /// All of them.
    pub const ALL: &[WhyUnwatched] = &[
        WhyUnwatched::AsyncLocks,
        WhyUnwatched::AsyncWaits,
        WhyUnwatched::OwnLocks,
        WhyUnwatched::ForeignCode,
    ];

    /// What it is, in words.
    pub const fn words(self) -> &'static str {
        match self {
            WhyUnwatched::AsyncLocks => "async locks",
            WhyUnwatched::AsyncWaits => "who holds permits of async semaphores",
            WhyUnwatched::OwnLocks => "locks of its own make",
            WhyUnwatched::ForeignCode => "C code",
        }
    }
}

/// A process that did not end by itself, as it was when it was looked at last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standstill {
    /// Its program.
    pub program: String,
    /// Its threads.
    pub threads: Vec<Standing>,
}

/// What a thread did at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The thread, by its name.
    pub thread: String,
    /// What it waited for; nothing for one that ran, or waited for something that is not watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<StandingWait>,
    /// What it held.
    pub held: Vec<StandingHold>,
}

/// What a thread waited for at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingWait {
    /// What kind of thing it waited for.
    #[serde(rename = "for")]
    pub awaited: StandingFor,
    /// That thing, by its name: a lock, an event, or a thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it waited.
    pub site: Place,
    /// For how long it had, in nanoseconds.
    pub ns: u64,
}

/// What a thread can wait for at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StandingFor {
    /// A lock.
    Lock,
    /// The end of a thread.
    Join,
    /// A notification, a message, a barrier.
    Event,
    /// That it is unparked.
    Unpark,
    /// A time, or an event before it.
    Time,
}

/// What a thread held at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingHold {
    /// The lock, by its name.
    pub lock: String,
    /// How it was held.
    pub mode: Mode,
    /// Where it was acquired.
    pub site: Place,
}

/// How a lock is held or asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Excludes every other holder.
    Write,
    /// Shared with readers, excludes writers and other upgradable readers.
    Upgradable,
    /// Shared with other readers; waits behind a queued writer.
    Read,
}

/// What a finding does to the exit code; the order is from the mildest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Not shown.
    Allow,
    /// Shown.
    Warn,
    /// Shown, and the command fails.
    Deny,
}

impl Level {
    /// The level's name, as it stands in reports and options.
    pub const fn code(self) -> &'static str {
        match self {
            Level::Allow => "allow",
            Level::Warn => "warn",
            Level::Deny => "deny",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Processes whose trace was read.
    pub processes: u64,
    /// Threads that used a lock.
    pub threads: u64,
    /// Locks that were used.
    pub locks: u64,
    /// Classes of those locks.
    pub classes: u64,
    /// Orders of two locks.
    pub edges: u64,
    /// Acquisitions.
    pub acquisitions: u64,
    /// Functions whose MIR was analysed.
    pub functions_analyzed: u64,
    /// Functions whose MIR could not be.
    pub functions_skipped: u64,
}

impl Coverage {
    /// Adds what was looked at elsewhere.
    pub fn add(&mut self, other: &Coverage) {
        self.processes += other.processes;
        self.threads += other.threads;
        self.locks += other.locks;
        self.classes += other.classes;
        self.edges += other.edges;
        self.acquisitions += other.acquisitions;
        self.functions_analyzed += other.functions_analyzed;
        self.functions_skipped += other.functions_skipped;
    }
}

/// What has a code and is serialised as it.
pub(crate) trait Coded: Copy {
    fn code(self) -> &'static str;
    fn from_code(code: &str) -> Option<Self>;
}

impl Coded for Rule {
    fn code(self) -> &'static str {
        self.code()
    }
    fn from_code(code: &str) -> Option<Rule> {
        Rule::from_code(code)
    }
}

impl Coded for Tier {
    fn code(self) -> &'static str {
        self.code()
    }
    fn from_code(code: &str) -> Option<Tier> {
        Tier::from_code(code)
    }
}

/// Rules and tiers as their codes.
pub(crate) mod code {
    use super::{Coded, Deserialize, Deserializer, Error, Serializer};

    pub(crate) fn serialize<T: Coded, S: Serializer>(this: &T, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(this.code())
    }

    pub(crate) fn deserialize<'de, T: Coded, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        let code = String::deserialize(from)?;
        T::from_code(&code).ok_or_else(|| D::Error::custom(format!("`{code}` is not a known code")))
    }
}
