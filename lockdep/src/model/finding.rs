//! What is reported: the rules, the tiers, and one classified problem.
//!
//! # Examples
//! What was found can be looked at by field, for a report of one's own:
//!
//! ```
//! use lockdep::config::{Config, Print};
//! use lockdep::finding::{Rule, Tier};
//! use lockdep::sync::Mutex;
//!
//! # if cfg!(not(feature = "instrument")) { return }
//! lockdep::configure(Config::from_env().print(Print::None));
//! let (accounts, audit) = (Mutex::new(150), Mutex::new(0));
//! {
//!     let _accounts = accounts.lock();
//!     let _audit = audit.lock();
//! }
//! {
//!     let _audit = audit.lock();
//!     let _accounts = accounts.lock();
//! }
//! for finding in lockdep::findings() {
//!     assert_eq!((finding.rule, finding.tier), (Rule::LockOrder, Tier::NeedsThread));
//!     for edge in &finding.edges {
//!         let [held, asked] = [edge.from, edge.to].map(|lock| &finding.locks[lock]);
//!         println!("{} holds {held} and waits for {asked} at {}", edge.thread, edge.to_site);
//!     }
//! }
//! ```

use std::fmt;

use crate::model::lock::{Mode, Site};
pub use crate::model::stack::FoundStack;

/// An enum whose variants each have a code, the word that stands in reports and options.
macro_rules! coded {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &[$name] = &[$($name::$variant,)*];

            /// The code, as it stands in reports and options.
            pub const fn code(self) -> &'static str {
                match self {
                    $($name::$variant => $code,)*
                }
            }

            /// The one that has this code.
            pub fn from_code(code: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|this| this.code() == code)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.code())
            }
        }
    };
}

coded! {
    /// What is wrong.
    ///
    /// # Examples
    /// ```
    /// use lockdep::finding::Rule;
    ///
    /// assert_eq!(Rule::LockOrder.code(), "lock-order");
    /// assert_eq!(Rule::from_code("stuck-wait"), Some(Rule::StuckWait));
    /// assert_eq!(Rule::from_code("lock order"), None);
    /// ```
    pub enum Rule {
        /// Threads wait for each other now.
        Deadlock = "deadlock",
        /// A thread waits for a lock that it holds itself.
        DoubleLock = "double-lock",
        /// A cycle over two or more locks in the order graph.
        LockOrder = "lock-order",
        /// A thread read-locks a lock that it already read-holds.
        RecursiveRead = "recursive-read",
        /// Instances of one class are nested in no consistent order.
        SameClassNesting = "same-class-nesting",
        /// An acquisition breaks a declared order.
        DeclaredOrder = "declared-order",
        /// A thread waits for an event while it holds a lock that the event's side takes.
        WaitWhileHolding = "wait-while-holding",
        /// A thread waits for an event that no live thread can complete.
        StuckWait = "stuck-wait",
        /// A task waits for a lock that was given to a future of its own which it polls no more.
        Futurelock = "futurelock",
        /// A thread ended, or its guard was leaked, while it held a lock.
        OrphanedLock = "orphaned-lock",
        /// Threads keep failing and retrying on each other's locks.
        Livelock = "livelock",
        /// An initialisation is re-entered, or two need each other.
        InitCycle = "init-cycle",
        /// A grant would leave the banker's state unsafe.
        UnsafeState = "unsafe-state",
        /// A lock was held for longer than the watchdog's threshold.
        SlowHold = "slow-hold",
        /// A lock was waited for longer than the watchdog's threshold.
        SlowWait = "slow-wait",
        /// A heartbeat did not come in time.
        MissedHeartbeat = "missed-heartbeat",
        /// A blocking guard lives across an `.await`.
        GuardAcrossAwait = "guard-across-await",
        /// User code is called under a guard.
        GuardAcrossCallback = "guard-across-callback",
        /// A value whose `Drop` takes a lock is dropped under a conflicting guard.
        DropUnderLock = "drop-under-lock",
        /// `Drop` joins a thread that needs a lock the dropper may hold, or itself.
        JoinInDrop = "join-in-drop",
        /// `Debug` or `Display` takes a blocking lock.
        LockInDebug = "lock-in-debug",
        /// A call that blocks on something else is made under a guard.
        GuardAcrossBlocking = "guard-across-blocking",
        /// A blocking lock that others hold for long is taken in async code.
        BlockingLockInAsync = "blocking-lock-in-async",
        /// A condition variable is waited on outside a loop over its predicate.
        CondvarNoLoop = "condvar-no-loop",
        /// The predicate of a condition variable is changed without its mutex.
        CondvarUnlockedPredicate = "condvar-unlocked-predicate",
        /// A receive loop can only end when a sender in the same scope is dropped.
        RecvWithLiveSender = "recv-with-live-sender",
        /// A joined thread can only end when a sender in the joiner's scope is dropped.
        JoinWithLiveSender = "join-with-live-sender",
        /// A loop retries `try_lock` with no back-off, bound or progress.
        TryLockSpin = "try-lock-spin",
        /// A loop retries a failing operation with no back-off, bound or state change.
        SpinNoProgress = "spin-no-progress",
    }
}

impl Rule {
    /// Whether each finding of this rule has a tier of its own. Findings of any other rule have happened, or
    /// are potential.
    pub const fn has_tiers(self) -> bool {
        matches!(self, Rule::LockOrder | Rule::WaitWhileHolding)
    }

    /// `tier` in the words that this rule has.
    pub fn tier(self, tier: Tier) -> Tier {
        if self.has_tiers() || tier == Tier::Happened { tier } else { Tier::Potential }
    }
}

coded! {
    /// How sure it is that a finding can happen; the order is from the least to the most certain.
    ///
    /// # Examples
    /// ```
    /// use lockdep::finding::Tier;
    ///
    /// assert!(Tier::Happened > Tier::Reachable);
    /// assert_eq!(Tier::NeedsThread.to_string(), "needs-thread");
    /// let hidden: Vec<&Tier> = Tier::ALL.iter().filter(|tier| !tier.is_shown()).collect();
    /// assert_eq!(hidden, [&Tier::Refuted, &Tier::Ordered, &Tier::Guarded]);
    /// ```
    pub enum Tier {
        /// No schedule of the recorded trace reaches it.
        Refuted = "refuted",
        /// Spawn and join order makes it impossible in this program.
        Ordered = "ordered",
        /// A common gate lock makes it impossible.
        Guarded = "guarded",
        /// Known only by class, across processes or through locks that are gone.
        Potential = "potential",
        /// Read edges only: real once a writer queues.
        NeedsWriter = "needs-writer",
        /// Two edges come from one thread: real once another thread runs a path already seen.
        NeedsThread = "needs-thread",
        /// Distinct threads, no common gate, not ordered by spawn or join.
        Reachable = "reachable",
        /// A recorded trace has a checked schedule that reaches it.
        Predicted = "predicted",
        /// A controlled re-run reached the state.
        Confirmed = "confirmed",
        /// It is happening, or did.
        Happened = "happened",
    }
}

coded! {
    /// What kind of thing a thread waits for.
    ///
    /// # Examples
    /// ```
    /// use lockdep::finding::WaitFor;
    ///
    /// let codes: Vec<&str> = WaitFor::ALL.iter().map(|what| what.code()).collect();
    /// assert_eq!(codes, ["lock", "join", "task", "event"]);
    /// ```
    pub enum WaitFor {
        /// A lock, or permits of a semaphore.
        Lock = "lock",
        /// The end of a thread.
        Join = "join",
        /// The end of a task. The place of such a wait is that where the task was spawned.
        Task = "task",
        /// An event: a message, a notification, an unpark, the others at a barrier.
        Event = "event",
    }
}

/// A lock of a finding.
///
/// # Examples
/// ```
/// use lockdep::config::{Config, Print};
/// use lockdep::sync::RwLock;
///
/// # if cfg!(not(feature = "instrument")) { return }
/// lockdep::configure(Config::from_env().print(Print::None));
/// let names = RwLock::new(7_u8);
/// let (first, again) = (names.read(), names.read());
///
/// let findings = lockdep::findings();
/// let lock = &findings[0].locks[0];
/// assert_eq!((lock.kind, lock.type_name), ("RwLock", "u8"));
/// assert!(lock.to_string().starts_with("RwLock created at "));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FoundLock {
    /// What it is: `Mutex`, `RwLock`, ...
    pub kind: &'static str,
    /// The name of the type that it protects.
    pub type_name: &'static str,
    /// Where it was created.
    pub created: Site,
    /// The class: the same number for all locks of this type created there, within this process.
    pub class: u32,
    /// The instance, never used again for another lock of this process.
    pub instance: u64,
    /// The lock is gone.
    pub gone: bool,
    /// The place that the program has declared for it (`Bank.accounts`), with
    /// [`order`](crate::order).
    pub place: Option<&'static str>,
}

impl fmt::Display for FoundLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, self.place) {
            (kind, Some(place)) => write!(f, "{kind} `{place}` ({})", Short(self.created)),
            ("thread", None) => write!(f, "the thread spawned at {}", Short(self.created)),
            (kind, None) => write!(f, "{kind} created at {}", Short(self.created)),
        }
    }
}

/// A thread of a finding.
///
/// # Examples
/// ```
/// use lockdep::config::{Config, Print};
/// use lockdep::sync::{Mutex, RwLock};
/// use lockdep::thread;
///
/// # if cfg!(not(feature = "instrument")) { return }
/// lockdep::configure(Config::from_env().print(Print::None));
/// let work = || {
///     let names = RwLock::new(7);
///     let (_first, _again) = (names.read(), names.read());
/// };
/// thread::Builder::new().name("reader".to_owned()).spawn(work).unwrap().join().unwrap();
///
/// let findings = lockdep::findings();
/// assert_eq!(findings[0].edges[0].thread.to_string(), "thread `reader`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundThread {
    /// The thread's number in this process, from one.
    pub id: u32,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Where it was spawned, where that is known.
    pub spawned: Option<Site>,
    /// Whether it is a thread of the system.
    pub kind: ThreadKind,
}

/// What runs a part of the program.
///
/// # Examples
/// ```
/// use lockdep::finding::ThreadKind;
///
/// assert_eq!(ThreadKind::Task.to_string(), "task");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ThreadKind {
    /// A thread of the system.
    Thread,
    /// A task of an executor, which threads take turns to poll.
    Task,
}

impl fmt::Display for ThreadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ThreadKind::Thread => "thread",
            ThreadKind::Task => "task",
        })
    }
}

impl fmt::Display for FoundThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FoundThread { id, name, spawned, kind } = self;
        match (name, spawned) {
            (Some(name), _) => write!(f, "{kind} `{name}`"),
            (None, Some(site)) => write!(f, "{kind} {id} (spawned at {})", Short(site)),
            (None, None) => write!(f, "{kind} {id}"),
        }
    }
}

/// What follows "waits for" when a thread waits for `name`, a lock or an event of this kind.
///
/// # Examples
/// ```
/// use lockdep::finding::awaited;
///
/// assert_eq!(awaited("channel", "`jobs`"), "the other end of `jobs`");
/// assert_eq!(awaited("Mutex", "`jobs`"), "`jobs`");
/// ```
pub fn awaited(kind: &str, name: &str) -> String {
    match kind {
        "Condvar" => format!("{name} to be notified"),
        "channel" => format!("the other end of {name}"),
        "Barrier" => format!("others at {name}"),
        "resource" => format!("units of {name}"),
        "thread" => format!("{name} to end"),
        _ => name.to_owned(),
    }
}

/// What a thread does that completes an event of this kind; `None` for locks.
///
/// # Examples
/// ```
/// use lockdep::finding::completes;
///
/// assert_eq!(completes("Condvar"), Some("notifies it"));
/// assert_eq!(completes("Mutex"), None);
/// ```
pub fn completes(kind: &str) -> Option<&'static str> {
    match kind {
        "Condvar" => Some("notifies it"),
        "channel" => Some("uses that end"),
        "Barrier" => Some("gets there"),
        "resource" => Some("gives back its units"),
        "thread" => Some("ends"),
        _ => None,
    }
}

/// A lock that a thread of a finding holds.
///
/// # Examples
/// The gate lock that makes a cycle impossible is held at both of its ends:
///
/// ```
/// use lockdep::finding::Tier;
/// use lockdep::sync::Mutex;
///
/// # if cfg!(not(feature = "instrument")) { return }
/// let (gate, accounts, audit) = (Mutex::new(()), Mutex::new(0), Mutex::new(0));
/// {
///     let _gate = gate.lock();
///     let _accounts = accounts.lock();
///     let _audit = audit.lock();
/// }
/// {
///     let _gate = gate.lock();
///     let _audit = audit.lock();
///     let _accounts = accounts.lock();
/// }
///
/// let findings = lockdep::findings();
/// assert_eq!(findings[0].tier, Tier::Guarded);
/// let [one, other] = [0, 1].map(|edge| &findings[0].edges[edge].guards[0]);
/// assert_eq!(one.instance, other.instance);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FoundHold {
    /// The lock's class.
    pub class: u32,
    /// The lock's instance.
    pub instance: u64,
    /// How it is held.
    pub mode: Mode,
    /// Whether it was acquired without blocking.
    pub tried: bool,
    /// Where it was acquired.
    pub site: Site,
}

/// An edge of a cycle: a thread waited, or waits, for one lock while it held another.
///
/// # Examples
/// ```
/// use lockdep::finding::Finding;
///
/// /// Where each thread of a cycle has its lock, and where it asks for the next one.
/// fn places(finding: &Finding) -> Vec<String> {
///     let place = |edge: &lockdep::finding::FoundEdge| {
///         format!("{}: {} -> {}", edge.thread, edge.from_site, edge.to_site)
///     };
///     finding.edges.iter().map(place).collect()
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FoundEdge {
    /// Index of the lock that is held.
    pub from: usize,
    /// Index of the lock that is waited for.
    pub to: usize,
    /// The thread.
    pub thread: FoundThread,
    /// How `from` is held.
    pub from_mode: Mode,
    /// How `to` is asked for.
    pub to_mode: Mode,
    /// Where `from` was acquired.
    pub from_site: Site,
    /// Where `to` is asked for.
    pub to_site: Site,
    /// What else the thread holds.
    pub guards: Vec<FoundHold>,
    /// Where the thread was when it acquired the first lock, then to ask for the second one with
    /// [`FoundEdge::stack`]; empty where that is not known.
    pub from_stack: FoundStack,
    /// Where the thread was when it asked for the second lock, or one like it at these places.
    pub stack: FoundStack,
}

/// What a thread of a `deadlock` waits for.
///
/// # Examples
/// ```
/// use lockdep::config::{Config, Print};
/// use lockdep::finding::{Rule, WaitFor};
/// use lockdep::sync::{Barrier, Mutex};
/// use lockdep::thread;
///
/// # if cfg!(not(feature = "instrument")) { return }
/// lockdep::configure(Config::from_env().print(Print::None));
/// let (accounts, audit) = (Mutex::new(0), Mutex::new(0));
/// let both = Barrier::new(2);
/// let lock = |first: &Mutex<i32>, second: &Mutex<i32>| {
///     let _first = first.lock();
///     both.wait();
///     let _second = second.lock();
/// };
/// thread::scope(|s| {
///     let threads = [s.spawn(|| lock(&accounts, &audit)), s.spawn(|| lock(&audit, &accounts))];
///     let panicked = threads.map(|thread| thread.join().is_err());
///     assert_ne!(panicked[0], panicked[1], "only the one that would have completed it");
/// });
///
/// let findings = lockdep::findings();
/// let hang = findings.iter().find(|finding| finding.rule == Rule::Deadlock).unwrap();
/// assert_eq!(hang.waits.len(), 2);
/// assert!(hang.waits.iter().all(|wait| wait.what == WaitFor::Lock && wait.held.len() == 1));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FoundWait {
    /// The thread.
    pub thread: FoundThread,
    /// What kind of thing it waits for.
    pub what: WaitFor,
    /// Index of the lock that is waited for.
    pub lock: Option<usize>,
    /// Where it waits.
    pub site: Site,
    /// What it holds.
    pub held: Vec<FoundHold>,
}

/// One classified problem.
///
/// # Examples
/// ```
/// use lockdep::config::{Config, Print};
/// use lockdep::sync::RwLock;
///
/// # if cfg!(not(feature = "instrument")) { return }
/// lockdep::configure(Config::from_env().print(Print::None));
/// let names = RwLock::new(vec!["a"]);
/// let (first, again) = (names.read(), names.read());
///
/// let findings = lockdep::findings();
/// let finding = &findings[0];
/// println!("{finding}"); // all of it, over several lines
/// assert!(finding.to_string().contains(&finding.message()));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// What is wrong.
    pub rule: Rule,
    /// How sure it is.
    pub tier: Tier,
    /// One sentence in which `{0}`, `{1}`, ... stand for the locks.
    pub template: String,
    /// The locks; those of a cycle first, in its order.
    pub locks: Vec<FoundLock>,
    /// The edges of a cycle, in its order.
    pub edges: Vec<FoundEdge>,
    /// Other places, each with what happens there.
    pub sites: Vec<(Site, &'static str)>,
    /// Who waits, for findings that are happening.
    pub waits: Vec<FoundWait>,
    /// Why it cannot happen, for the tiers that say so.
    pub reason: Option<String>,
    /// More sentences, in the form of `template`.
    pub notes: Vec<String>,
    /// Of a cycle that spawns and joins alone make impossible, and only those of threads that were spawned by
    /// nobody, such as that of a test: where these spawned the threads of the cycle.
    pub(crate) apart: Vec<Site>,
}

impl Tier {
    /// Whether findings of this tier are shown by default.
    pub const fn is_shown(self) -> bool {
        !matches!(self, Tier::Refuted | Tier::Ordered | Tier::Guarded)
    }
}

impl Finding {
    pub(crate) fn new(rule: Rule, tier: Tier, template: String) -> Finding {
        Finding {
            rule,
            tier: rule.tier(tier),
            template,
            locks: Vec::new(),
            edges: Vec::new(),
            sites: Vec::new(),
            waits: Vec::new(),
            reason: None,
            notes: Vec::new(),
            apart: Vec::new(),
        }
    }

    /// Whether a thread found this about its own next step, which would never end.
    pub(crate) fn would_hang(&self) -> bool {
        self.tier == Tier::Happened
            && (!self.waits.is_empty() || self.edges.iter().any(|e| e.from == e.to))
    }

    /// The sentence that says what is wrong.
    pub fn message(&self) -> String {
        self.named(&self.template)
    }

    /// `template` with the locks in their places.
    fn named(&self, template: &str) -> String {
        let mut text = template.to_owned();
        for (i, lock) in self.locks.iter().enumerate() {
            text = text.replace(&format!("{{{i}}}"), &lock.to_string());
        }
        text
    }
}

/// The finding as plain text, for people: the sentence, then each place.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({}): {}", self.rule, self.tier, self.message())?;
        // Those that wait say the same, and more.
        for edge in self.edges.iter().filter(|_| self.waits.is_empty()) {
            let [from, to] = [edge.from, edge.to].map(|lock| &self.locks[lock]);
            writeln!(f, "  {}", edge.thread)?;
            match completes(from.kind) {
                Some(_) if from.kind == "resource" => {
                    writeln!(f, "    holds units of {from}, since {}", Short(edge.from_site))?;
                    writeln!(f, "    waits for {to}, at {}", Short(edge.to_site))?;
                }
                Some(then) => {
                    writeln!(f, "    waits for {to}, at {}", Short(edge.to_site))?;
                    writeln!(f, "    before it {then}, for {from}: {}", Short(edge.from_site))?;
                }
                None => {
                    let what = awaited(to.kind, &to.to_string());
                    writeln!(f, "    holds {from}, since {}", Short(edge.from_site))?;
                    writeln!(f, "    waits for {what}, at {}", Short(edge.to_site))?;
                }
            }
            for frame in edge.stack.frames() {
                writeln!(f, "        {frame}")?;
            }
        }
        self.waits.iter().try_for_each(|wait| self.wait(wait, f))?;
        let waits = |site: Site| self.waits.iter().any(|wait| wait.site == site);
        let holds = |site: Site| self.waits.iter().flat_map(|w| &w.held).any(|h| h.site == site);
        for (site, label) in self.sites.iter().filter(|(site, _)| !waits(site) && !holds(site)) {
            writeln!(f, "  {label}: {}", Short(site))?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "  {}", self.named(note)))
    }
}

impl Finding {
    /// The rule, and the places where threads are stopped or ask for a lock in vain.
    pub(crate) fn headline(&self) -> String {
        let waits = self.waits.iter().map(|wait| wait.site);
        let asks = self.edges.iter().filter(|_| self.waits.is_empty()).map(|edge| edge.to_site);
        let mut places: Vec<String> =
            waits.chain(asks).map(|site| Short(site).to_string()).collect();
        places.dedup();
        match places.as_slice() {
            [] => format!("{} ({})", self.rule, self.tier),
            places => format!("{} ({}) at {}", self.rule, self.tier, places.join(" and ")),
        }
    }

    /// What one thread of a hang holds and waits for, a line each.
    fn wait(&self, wait: &FoundWait, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {}", wait.thread)?;
        let known = |hold: &FoundHold| self.locks.iter().find(|l| l.instance == hold.instance);
        for hold in &wait.held {
            match known(hold) {
                Some(lock) => writeln!(f, "    holds {lock}, since {}", Short(hold.site))?,
                None => writeln!(f, "    holds another lock, since {}", Short(hold.site))?,
            }
        }
        let what = match (wait.lock.map(|lock| &self.locks[lock]), wait.what) {
            (Some(lock), _) => awaited(lock.kind, &lock.to_string()),
            (None, WaitFor::Join) => "a thread to end".to_owned(),
            (None, WaitFor::Task) => "a task to end that was spawned there".to_owned(),
            (None, WaitFor::Lock) => "a lock".to_owned(),
            (None, _) => "an unpark".to_owned(),
        };
        writeln!(f, "    waits for {what}, at {}", Short(wait.site))?;
        let stack = self.edges.iter().find(|e| e.thread == wait.thread && e.to_site == wait.site);
        for frame in stack.map_or(Vec::new(), |edge| edge.stack.frames()) {
            writeln!(f, "        {frame}")?;
        }
        Ok(())
    }
}

/// A place as `file:line:column`.
pub(crate) struct Short(pub(crate) Site);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.0.file(), self.0.line(), self.0.column())
    }
}
