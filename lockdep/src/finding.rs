//! What is reported: the rules, the tiers, and one classified problem.

use std::fmt;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// Threads wait for each other now.
    Deadlock,
    /// A thread waits for a lock that it holds itself.
    DoubleLock,
    /// A cycle over two or more locks in the order graph.
    LockOrder,
    /// A thread read-locks a lock that it already read-holds.
    RecursiveRead,
    /// Instances of one class are nested in no consistent order.
    SameClassNesting,
    /// An acquisition breaks a declared order.
    DeclaredOrder,
    /// A thread waits for an event while it holds a lock that the event's side takes.
    WaitWhileHolding,
    /// A thread waits for an event that no live thread can complete.
    StuckWait,
    /// A thread ended, or its guard was leaked, while it held a lock.
    OrphanedLock,
    /// Threads keep failing and retrying on each other's locks.
    Livelock,
    /// An initialisation is re-entered, or two need each other.
    InitCycle,
    /// A grant would leave the banker's state unsafe.
    UnsafeState,
    /// A lock was held for longer than the watchdog's threshold.
    SlowHold,
    /// A lock was waited for longer than the watchdog's threshold.
    SlowWait,
    /// A heartbeat did not come in time.
    MissedHeartbeat,
}

impl Rule {
    /// The rule's code, as it stands in reports and options.
    pub const fn code(self) -> &'static str {
        match self {
            Rule::Deadlock => "deadlock",
            Rule::DoubleLock => "double-lock",
            Rule::LockOrder => "lock-order",
            Rule::RecursiveRead => "recursive-read",
            Rule::SameClassNesting => "same-class-nesting",
            Rule::DeclaredOrder => "declared-order",
            Rule::WaitWhileHolding => "wait-while-holding",
            Rule::StuckWait => "stuck-wait",
            Rule::OrphanedLock => "orphaned-lock",
            Rule::Livelock => "livelock",
            Rule::InitCycle => "init-cycle",
            Rule::UnsafeState => "unsafe-state",
            Rule::SlowHold => "slow-hold",
            Rule::SlowWait => "slow-wait",
            Rule::MissedHeartbeat => "missed-heartbeat",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// How sure it is that a finding can happen; the order is from the least to the most certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Tier {
    /// No schedule of the recorded trace reaches it.
    Refuted,
    /// Spawn and join order makes it impossible in this program.
    Ordered,
    /// A common gate lock makes it impossible.
    Guarded,
    /// Known only by class, across processes or through locks that are gone.
    Potential,
    /// Read edges only: real once a writer queues.
    NeedsWriter,
    /// Two edges come from one thread: real once another thread runs a path already seen.
    NeedsThread,
    /// Distinct threads, no common gate, not ordered by spawn or join.
    Reachable,
    /// A recorded trace has a checked schedule that reaches it.
    Predicted,
    /// A controlled re-run reached the state.
    Confirmed,
    /// It is happening, or did.
    Happened,
}

impl Tier {
    /// The tier's code, as it stands in reports and options.
    pub const fn code(self) -> &'static str {
        match self {
            Tier::Refuted => "refuted",
            Tier::Ordered => "ordered",
            Tier::Guarded => "guarded",
            Tier::Potential => "potential",
            Tier::NeedsWriter => "needs-writer",
            Tier::NeedsThread => "needs-thread",
            Tier::Reachable => "reachable",
            Tier::Predicted => "predicted",
            Tier::Confirmed => "confirmed",
            Tier::Happened => "happened",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
