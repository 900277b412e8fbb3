//! Values that have locks inside, which their methods take: concurrent maps, watched values, locks in
//! shards.

use crate::lint::mir::callee::Callee;
use crate::lint::mir::types;
use crate::report::model::Mode;

/// How long a method of a container keeps the lock that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// Until it returns; the closure that it is given runs under it.
    WhileItRuns,
    /// As long as what it returns lives.
    InResult,
}

use Keeping::{InResult, WhileItRuns};
use Mode::{Read, Write};

/// Some containers: how their paths begin, their names, those of their guards, and which methods take
/// the lock how.
struct Containers {
    krate: &'static str,
    names: &'static [&'static str],
    guards: &'static [&'static str],
    methods: &'static [(&'static [&'static str], Mode, Keeping)],
}

const CONTAINERS: &[Containers] = &[
    Containers {
        krate: "dashmap::",
        names: &["DashMap", "DashSet"],
        guards: &[
            "Ref",
            "RefMut",
            "RefMulti",
            "RefMutMulti",
            "Entry",
            "OccupiedEntry",
            "VacantEntry",
            "MappedRef",
            "MappedRefMut",
            "Iter",
            "IterMut",
        ],
        methods: &[
            (&["get", "iter"], Read, InResult),
            (&["get_mut", "entry", "iter_mut"], Write, InResult),
            (&["contains_key", "contains", "view", "len", "is_empty"], Read, WhileItRuns),
            (
                &[
                    "insert",
                    "remove",
                    "remove_if",
                    "remove_if_mut",
                    "retain",
                    "clear",
                    "alter",
                    "alter_all",
                    "shrink_to_fit",
                ],
                Write,
                WhileItRuns,
            ),
        ],
    },
    Containers {
        krate: "scc::",
        names: &["HashMap", "HashSet", "HashCache"],
        guards: &["Entry", "OccupiedEntry", "VacantEntry"],
        methods: &[
            (&["entry", "entry_sync", "get", "get_sync"], Write, InResult),
            (&["read", "read_sync", "contains", "contains_sync"], Read, WhileItRuns),
            (
                &[
                    "insert",
                    "insert_sync",
                    "upsert",
                    "upsert_sync",
                    "update",
                    "update_sync",
                    "remove",
                    "remove_sync",
                    "remove_if",
                    "remove_if_sync",
                    "retain",
                    "retain_sync",
                    "clear",
                    "clear_sync",
                ],
                Write,
                WhileItRuns,
            ),
        ],
    },
    Containers {
        krate: "tokio::sync::watch::",
        names: &["Sender", "Receiver"],
        guards: &["Ref"],
        methods: &[
            (&["borrow", "borrow_and_update"], Read, InResult),
            (&["send", "send_replace", "send_modify", "send_if_modified"], Write, WhileItRuns),
        ],
    },
    Containers {
        krate: "crossbeam",
        names: &["ShardedLock"],
        guards: &["ShardedLockReadGuard", "ShardedLockWriteGuard"],
        methods: &[(&["read"], Read, InResult), (&["write"], Write, InResult)],
    },
];

/// How a method of a container takes the lock inside, if it does.
pub(crate) fn container_call(callee: &Callee<'_>) -> Option<(Mode, Keeping)> {
    let of = of_container(callee.owner()).filter(|_| callee.trait_name.is_none())?;
    let row = of.methods.iter().find(|(names, ..)| names.contains(&callee.name()))?;
    Some((row.1, row.2))
}

/// Whether a type's path is a container's.
pub(crate) fn is_container(path: &str) -> bool {
    of_container(path).is_some()
}

/// Whether a type's path is that of what holds the lock of a container.
pub(crate) fn is_container_guard(path: &str) -> bool {
    let name = types::last(path);
    CONTAINERS.iter().any(|of| path.starts_with(of.krate) && of.guards.contains(&name))
}

/// Whether a type's text can have a guard of a container in it; quick.
pub(crate) fn may_have_container_guard(ty: &str) -> bool {
    CONTAINERS.iter().any(|of| ty.contains(of.krate))
}

fn of_container(path: &str) -> Option<&'static Containers> {
    let name = types::last(path);
    CONTAINERS.iter().find(|of| path.starts_with(of.krate) && of.names.contains(&name))
}
