//! What happens when something is found: set once by the program, or by the environment.
//!
//! | variable | values | meaning |
//! |---|---|---|
//! | `LOCKDEP_ON_DEADLOCK` | `panic` (default), `abort`, `exit`, `report` | what a thread does that would otherwise hang for ever |
//! | `LOCKDEP_TRACE` | a directory | where this process writes its trace |
//! | `LOCKDEP_WORKSPACE` | a directory | the root of the program's workspace, for the trace |
//! | `LOCKDEP_STACKS` | `1` (default), `0` | whether a stack is kept for each new order |
//! | `LOCKDEP_STATS` | `0` (default), `1` | whether waits and holds are counted and timed |
//! | `LOCKDEP_PRINT` | `deadlocks` (default), `places`, `all`, `none` | which findings are printed to stderr at once |
//! | `LOCKDEP_CONFIRM` | a file that `cargo lockcheck confirm` writes | where threads wait for each other, so that a possible deadlock comes about |
//!
//! # Examples
//! A service that goes on whatever is found, and logs it:
//!
//! ```
//! use lockdep::config::{Config, OnDeadlock, Print};
//!
//! lockdep::configure(
//!     Config::from_env()
//!         .on_deadlock(OnDeadlock::Report)
//!         .print(Print::None)
//!         .on_finding(|finding| eprintln!("warning: {}", finding.message())),
//! );
//! ```

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, fmt};

use crate::model::finding::Finding;
use crate::platform;

/// What a thread does that would otherwise hang for ever.
///
/// # Examples
/// ```
/// use std::panic::{AssertUnwindSafe, catch_unwind};
///
/// use lockdep::config::{Config, OnDeadlock, Print};
/// use lockdep::sync::Mutex;
///
/// # if cfg!(not(feature = "instrument")) { return }
/// lockdep::configure(Config::from_env().on_deadlock(OnDeadlock::Panic).print(Print::None));
/// let total = Mutex::new(1);
/// let held = total.lock().unwrap();
/// // This thread would wait for itself.
/// let again = catch_unwind(AssertUnwindSafe(|| drop(total.lock())));
/// assert!(again.is_err());
/// assert_eq!(*held, 1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnDeadlock {
    /// Panics, after the report: a test then fails instead of hanging.
    #[default]
    Panic,
    /// Aborts the process, after the report.
    Abort,
    /// Ends the process at once, after the report: with code 101, and without a core dump.
    Exit,
    /// Reports, and hangs as it would have.
    Report,
}

/// Which findings are printed to stderr when they are found.
///
/// # Examples
/// What is not printed is found all the same:
///
/// ```
/// use lockdep::config::{Config, Print};
/// use lockdep::sync::RwLock;
///
/// # if cfg!(not(feature = "instrument")) { return }
/// lockdep::configure(Config::from_env().print(Print::None));
/// let names = RwLock::new(vec!["a"]);
/// let first = names.read().unwrap();
/// let again = names.read().unwrap();
/// assert_eq!(lockdep::findings()[0].rule.code(), "recursive-read");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Print {
    /// Those that would hang.
    #[default]
    Deadlocks,
    /// Of those that would hang, only where they would, also in a panic: a report on the trace follows, which
    /// has better names for all else.
    Places,
    /// All that are shown by default.
    All,
    /// None.
    None,
}

type Callback = Arc<dyn Fn(&Finding) + Send + Sync>;

/// How the process deals with what is found. Give it to [`crate::configure`].
///
/// # Examples
/// ```
/// use std::sync::mpsc;
///
/// use lockdep::config::{Config, Print};
/// use lockdep::finding::Rule;
/// use lockdep::sync::RwLock;
///
/// # if cfg!(not(feature = "instrument")) { return }
/// let (found, findings) = mpsc::channel();
/// lockdep::configure(Config::from_env().print(Print::None).on_finding(move |finding| {
///     let _ = found.send(finding.rule);
/// }));
///
/// let names = RwLock::new(vec!["a"]);
/// let first = names.read().unwrap();
/// let again = names.read().unwrap();
/// assert_eq!(findings.try_recv(), Ok(Rule::RecursiveRead));
/// ```
#[derive(Clone, Default)]
pub struct Config {
    pub(crate) on_deadlock: OnDeadlock,
    pub(crate) print: Print,
    pub(crate) stacks: bool,
    pub(crate) stats: bool,
    pub(crate) trace: Option<PathBuf>,
    /// Where the plan is by which threads are made to meet.
    pub(crate) confirm: Option<PathBuf>,
    pub(crate) on_finding: Option<Callback>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("on_deadlock", &self.on_deadlock)
            .field("print", &self.print)
            .field("stacks", &self.stacks)
            .field("stats", &self.stats)
            .field("trace", &self.trace)
            .field("confirm", &self.confirm)
            .field("on_finding", &self.on_finding.is_some())
            .finish()
    }
}

impl Config {
    /// What the environment says, and the defaults for the rest. A value that is not known is taken
    /// for the default, and the first time a line on stderr says so.
    pub fn from_env() -> Config {
        let on_deadlock = choice(
            "LOCKDEP_ON_DEADLOCK",
            &[
                ("panic", OnDeadlock::Panic),
                ("abort", OnDeadlock::Abort),
                ("exit", OnDeadlock::Exit),
                ("report", OnDeadlock::Report),
            ],
        );
        let print = choice(
            "LOCKDEP_PRINT",
            &[
                ("deadlocks", Print::Deadlocks),
                ("places", Print::Places),
                ("all", Print::All),
                ("none", Print::None),
            ],
        );
        let stacks = env::var_os("LOCKDEP_STACKS").is_none_or(|v| v != "0");
        let stats = env::var_os("LOCKDEP_STATS").is_some_and(|v| v == "1");
        let path = |name| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let (trace, confirm) = (path("LOCKDEP_TRACE"), path("LOCKDEP_CONFIRM"));
        Config { on_deadlock, print, stacks, stats, trace, confirm, on_finding: None }
    }

    /// What a thread does that would otherwise hang for ever.
    #[must_use]
    pub fn on_deadlock(mut self, action: OnDeadlock) -> Config {
        self.on_deadlock = action;
        self
    }

    /// Which findings are printed to stderr when they are found.
    #[must_use]
    pub fn print(mut self, which: Print) -> Config {
        self.print = which;
        self
    }

    /// Whether a stack is kept for each new order.
    #[must_use]
    pub fn stacks(mut self, keep: bool) -> Config {
        self.stacks = keep;
        self
    }

    /// Whether waits and holds are counted and timed, for [`stats`](crate::stats::stats).
    ///
    /// # Cost
    /// Each acquisition and release reads the clock.
    #[must_use]
    pub fn stats(mut self, keep: bool) -> Config {
        self.stats = keep;
        self
    }

    /// Called with each finding, in the thread that found it, before that thread goes on. It may
    /// use locks. What a thread finds at its very end, when its thread-locals are gone (a lock that
    /// it leaves held), is only in the trace and in [`findings`](crate::findings).
    ///
    /// If it panics, the acquisition, the wait or the signal that led to the finding does, which is
    /// one way to fail a test at once; where a release led to it, the panic ends there.
    #[must_use]
    pub fn on_finding(mut self, callback: impl Fn(&Finding) + Send + Sync + 'static) -> Config {
        self.on_finding = Some(Arc::new(callback));
        self
    }
}

/// The value that the variable `name` chooses; without one, the first.
fn choice<T: Copy>(name: &str, values: &[(&str, T)]) -> T {
    static WARNED: AtomicBool = AtomicBool::new(false);
    let default = values[0].1;
    let Some(said) = env::var_os(name).filter(|said| !said.is_empty()) else { return default };
    if let Some((_, value)) = values.iter().find(|(known, _)| said == *known) {
        return *value;
    }
    if !WARNED.swap(true, Ordering::Relaxed) {
        let known: Vec<&str> = values.iter().map(|(known, _)| *known).collect();
        platform::print(&format!(
            "lockdep: {name}={} is not known and taken for `{}`; the values are {}\n",
            said.to_string_lossy(),
            known[0],
            known.join(", "),
        ));
    }
    default
}
