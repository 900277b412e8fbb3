//! What is reported: the rules, the tiers, and one classified problem.

use std::fmt;

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

coded! {
    /// How sure it is that a finding can happen; the order is from the least to the most certain.
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
