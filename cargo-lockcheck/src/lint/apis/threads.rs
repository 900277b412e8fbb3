//! Which functions start threads and tasks, and which let others run.

use super::functions::{Functions, Of, any};
use crate::lint::mir::callee::Callee;

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

/// Names of functions that wait a little, let others run, or tell how long it has been.
const PAUSES: &[&str] =
    &["yield_now", "snooze", "spin", "backoff", "sleep", "park", "elapsed", "wait", "relax"];

/// Names of functions that a loop may call which does nothing but look again.
const LOOKS: &[&str] = &["load", "spin_loop", "yield_now", "index"];

/// Whether a call starts a thread or task that runs its argument on its own.
pub(crate) fn is_spawn(callee: &Callee<'_>) -> bool {
    any(SPAWNS, callee)
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
