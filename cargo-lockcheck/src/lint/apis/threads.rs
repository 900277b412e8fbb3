//! Which functions start threads and tasks, and which let others run.

use super::functions::{Functions, Of, any};
use crate::cli::user_config::CallEffect;
use crate::lint::mir::callee::Callee;
use crate::lint::mir::types;

/// Functions that start a thread or task which runs their argument on its own.
const SPAWNS: &[Functions] = &[
    Functions { of: Of::Path("std::thread"), names: SPAWN },
    Functions {
        of: Of::Types(&[
            "Builder",
            "Scope",
            "ScopedThreadBuilder",
            "Runtime",
            "Handle",
            "JoinSet",
            "ThreadPool",
            "ScopeFifo",
        ]),
        names: SPAWN,
    },
    Functions { of: Of::Crates(&["tokio", "rayon", "async_std", "smol", "futures"]), names: SPAWN },
    Functions {
        of: Of::Anything,
        names: &["spawn_blocking", "spawn_local", "spawn_fifo", "spawn_broadcast", "spawn_on"],
    },
    Functions { of: Of::Types(&["ThreadPool"]), names: &["execute"] },
];

const SPAWN: &[&str] = &["spawn", "spawn_unchecked", "spawn_scoped"];

/// Functions that return when all threads that their closure starts have ended.
const SCOPES: Functions =
    Functions { of: Of::Anything, names: &["scope", "scope_fifo", "in_place_scope"] };

/// Types of the handles of threads and tasks, by which one waits for their end.
const HANDLES: &[&str] = &["JoinHandle", "ScopedJoinHandle", "JoinSet", "RemoteHandle"];

/// Names of functions that wait for the threads whose handles they are given.
const JOINS: &[&str] = &["join", "poll", "for_each", "map", "try_for_each", "block_on", "join_all"];

/// Names of functions that wait a little, let others run, or tell how long it has been.
const PAUSES: &[&str] =
    &["yield_now", "snooze", "spin", "backoff", "sleep", "park", "elapsed", "wait", "relax"];

/// Names of functions that a loop may call which does nothing but look again.
const LOOKS: &[&str] = &["load", "spin_loop", "yield_now", "index"];

/// Whether a call starts a thread or task that runs its argument on its own.
pub(crate) fn is_spawn(callee: &Callee<'_>) -> bool {
    callee.told.map_or_else(|| any(SPAWNS, callee), |does| does == CallEffect::Starts)
}

/// Whether a call starts a thread that a scope waits for.
pub(crate) fn is_of_scope(callee: &Callee<'_>) -> bool {
    is_spawn(callee)
        && matches!(types::last(callee.owner()), "Scope" | "ScopeFifo" | "ScopedThreadBuilder")
        || callee.name() == "spawn_scoped"
}

/// Whether a call returns when all threads that are started in it have ended.
pub(crate) fn is_scope(callee: &Callee<'_>) -> bool {
    SCOPES.have(callee)
}

/// Functions that run what they are given on several threads at once, until all have ended.
const PARALLEL: &[Functions] = &[
    Functions { of: Of::Path("rayon"), names: &["join", "join_context"] },
    Functions { of: Of::Path("rayon_core"), names: &["join", "join_context"] },
    Functions { of: Of::Types(&["ThreadPool"]), names: &["join"] },
    Functions { of: Of::Traits(&["ParallelIterator", "IndexedParallelIterator"]), names: &[] },
];

/// Whether a call runs what it is given on several threads at once, until all have ended.
pub(crate) fn is_parallel(callee: &Callee<'_>) -> bool {
    any(PARALLEL, callee)
}

/// Whether a type has handles of threads or tasks in it.
pub(crate) fn has_handle(ty: &str) -> bool {
    HANDLES.iter().any(|name| ty.contains(name))
}

/// Whether a call may wait for the threads whose handles it is given.
pub(crate) fn may_join(callee: &Callee<'_>) -> bool {
    JOINS.contains(&callee.name())
}

/// Whether a loop with this call gives way to others, or ends by counting.
pub(crate) fn gives_way(callee: &Callee<'_>) -> bool {
    PAUSES.contains(&callee.name())
        || callee.name() == "next" && callee.trait_name == Some("Iterator")
}

/// Whether a call does nothing but look at a value, or wait for a moment.
pub(crate) fn only_looks(callee: &Callee<'_>) -> bool {
    LOOKS.contains(&callee.name())
}
