//! Every rule: its level, one line, a long explanation, and what to do.
//!
//! `docs/rules.md` is made of this table.

use lockdep::finding::Rule;

use super::model::Level;

/// What there is to say of a rule.
#[derive(Clone, Copy, Debug)]
pub struct RuleInfo {
    /// The rule.
    pub rule: Rule,
    /// What a finding does unless the user has set it.
    pub level: Level,
    /// How it is found.
    pub by: By,
    /// What is wrong, in one line.
    pub summary: &'static str,
    /// What to do, in one line.
    pub cure: &'static str,
    /// All about it, in Markdown: what it means, an example, the cure.
    pub explanation: &'static str,
}

/// How a rule is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// By running the program.
    Run,
    /// In the source.
    Source,
    /// Both.
    Both,
}

impl By {
    /// How a rule is found, in words that end a sentence.
    pub const fn words(self) -> &'static str {
        match self {
            By::Run => "by running",
            By::Source => "in the source",
            By::Both => "by running and in the source",
        }
    }
}

/// What there is to say of `rule`.
pub fn info(rule: Rule) -> &'static RuleInfo {
    RULES.iter().find(|info| info.rule == rule).expect("every rule is in the table")
}

/// The document on all rules, in Markdown.
pub fn document() -> String {
    let mut text = String::from(
        "# Rules\n\nWhat `cargo lockcheck` reports. *Found by running* means in a program or test \
         that runs with\ninstrumented locks, *in the source* means by reading the code.\n\n\
         | rule | level | found | what is wrong |\n|---|---|---|---|\n",
    );
    for info in RULES {
        let code = info.rule.code();
        let (level, found, summary) = (info.level, info.by.words(), info.summary);
        text += &format!("| [`{code}`](#{code}) | {level} | {found} | {summary} |\n");
    }
    for info in RULES {
        let (found, level) = (info.by.words(), info.level);
        let (code, summary) = (info.rule.code(), info.summary);
        let explanation = info.explanation.trim();
        text += &format!(
            "\n## {code}\n\n{summary}. Level `{level}`, found {found}.\n\n{explanation}\n"
        );
    }
    text
}

/// `rule level by summary cure file`, for each rule.
macro_rules! table {
    ($($rule:ident $level:ident $by:ident $summary:literal $cure:literal $file:literal,)*) => {
        &[$(RuleInfo {
            rule: Rule::$rule,
            level: Level::$level,
            by: By::$by,
            summary: $summary,
            cure: $cure,
            explanation: include_str!(concat!("rules/", $file, ".md")),
        },)*]
    };
}

/// All rules, in the order of [`Rule::ALL`].
pub static RULES: &[RuleInfo] = table! {
    Deadlock Deny Run
        "Threads wait for each other"
        "take the locks in one order in all threads, or release one before waiting for the next"
        "deadlock",
    DoubleLock Deny Both
        "A thread locks a lock that it holds already"
        "end the first guard before the second lock, or hand the guard on"
        "double-lock",
    LockOrder Deny Both
        "Locks are taken in different orders"
        "take these locks in one order everywhere"
        "lock-order",
    RecursiveRead Warn Both
        "A thread reads a lock that it reads already"
        "end the first read guard before the second read, or hand the guard on"
        "recursive-read",
    SameClassNesting Warn Both
        "Locks of one kind are nested in no consistent order"
        "lock them in the order of their creation, of their addresses or of a key that is declared with \
         `#[lock_key]`, or hold one outer lock meanwhile; an order by any other key is not seen"
        "same-class-nesting",
    DeclaredOrder Deny Both
        "An acquisition breaks a declared order"
        "acquire in the declared order, or change the declaration"
        "declared-order",
    WaitWhileHolding Warn Both
        "A thread waits for an event while it holds a lock that the event's side takes"
        "release the lock before waiting"
        "wait-while-holding",
    StuckWait Warn Both
        "A thread waits for what no thread can do any more"
        "make sure that whoever completes the wait lives as long as the waiter"
        "stuck-wait",
    Futurelock Warn Both
        "A task waits for a lock that went to a future which it polls no more"
        "drop the first future before the task asks for the lock again, or poll both together: do not go on \
         behind a `select!` on `&mut future`"
        "futurelock",
    OrphanedLock Warn Run
        "A thread ended, or leaked its guard, while it held a lock"
        "drop the guard before the thread ends, and do not `mem::forget` it"
        "orphaned-lock",
    Livelock Deny Run
        "Threads retry for each other's locks and none gets on"
        "take the locks in one order, or wait for the second one without holding the first"
        "livelock",
    InitCycle Deny Both
        "A one-time initialisation needs itself"
        "an initialiser must not come back to what it initialises, not even through others: compute \
         what it needs before it runs"
        "init-cycle",
    UnsafeState Deny Run
        "A grant leaves no order in which all can finish"
        "claim with `PermitClaim::enforce`, which waits until it is safe, claim less, or release first"
        "unsafe-state",
    SlowHold Warn Run
        "A lock was held for longer than the threshold"
        "do the slow part without the lock"
        "slow-hold",
    SlowWait Warn Run
        "A lock was waited for too long"
        "shorten what its holders do, or split what it protects; who blocks for a lock gets it in its turn"
        "slow-wait",
    MissedHeartbeat Warn Run
        "A heartbeat did not come in time"
        "see what the thread was doing, and beat more often or allow more time"
        "missed-heartbeat",
    GuardAcrossAwait Deny Source
        "A blocking guard lives across `.await`"
        "drop the guard before `.await`, or use an async lock"
        "guard-across-await",
    GuardAcrossCallback Allow Source
        "User code is called under a guard"
        "call it after the guard is dropped"
        "guard-across-callback",
    DropUnderLock Warn Source
        "A value whose `Drop` takes a lock is dropped under a conflicting guard"
        "move the value out and drop it after the guard"
        "drop-under-lock",
    JoinInDrop Warn Source
        "`Drop` joins a thread that needs a lock the dropper may hold"
        "offer a `shutdown` that joins, and call it without the lock"
        "join-in-drop",
    LockInDebug Allow Source
        "`Debug` or `Display` takes a blocking lock"
        "use `try_lock` and print a placeholder when it fails"
        "lock-in-debug",
    GuardAcrossBlocking Warn Source
        "A call that blocks on something else is made under a guard"
        "drop the guard before the blocking call"
        "guard-across-blocking",
    BlockingLockInAsync Warn Source
        "A blocking lock that others hold for long is taken in async code"
        "use an async lock, or hold this one only for moments"
        "blocking-lock-in-async",
    CondvarNoLoop Warn Source
        "A condition variable is waited on outside a loop"
        "use `wait_while`, or wait in a loop that checks the predicate"
        "condvar-no-loop",
    CondvarUnlockedPredicate Warn Source
        "A condition variable's predicate is changed without its mutex"
        "change the predicate under the mutex that the waiter uses, then notify"
        "condvar-unlocked-predicate",
    RecvWithLiveSender Warn Source
        "A receive loop waits for the end of a sender in its own scope"
        "drop the sender before the loop"
        "recv-with-live-sender",
    JoinWithLiveSender Warn Source
        "A joined thread waits for the end of a sender in the joiner's scope"
        "drop the sender before the join"
        "join-with-live-sender",
    TryLockSpin Warn Source
        "A loop retries `try_lock` with no back-off, bound or progress"
        "lock in a fixed order and block, or back off between attempts"
        "try-lock-spin",
    SpinNoProgress Warn Both
        "A loop retries a failing operation with nothing changed in between"
        "bound the attempts, back off, or block until something has changed"
        "spin-no-progress",
};

#[cfg(test)]
mod tests {
    use lockdep::finding::Rule;

    use super::RULES;

    #[test]
    fn every_rule_is_in_the_table_and_explained() {
        let rules: Vec<Rule> = RULES.iter().map(|info| info.rule).collect();
        assert_eq!(rules, Rule::ALL);
        for info in RULES {
            let rule = info.rule;
            assert!(info.explanation.contains("```rust"), "{rule} has no example");
            assert!(info.explanation.contains("**Cure.**"), "{rule} has no cure");
            let is_told = info.explanation.contains("**When to allow it.**");
            assert!(is_told, "{rule} does not say when to allow it");
        }
    }
}
