//! Which types are locks and guards, and which of their functions take a lock how.
//!
//! The settings of a program add its own (`[[lint.locks]]` in `lockcheck.toml`).

use super::containers::{
    Keeping, container_call, is_container, is_container_guard, may_have_container_guard,
};
use super::functions::{Functions, first, of_traits};
use crate::cli::user_config::LockType;
use crate::lint::mir::callee::Callee;
use crate::lint::mir::types;
use crate::report::model::Mode;

/// How a call takes a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LockCall {
    /// Shared or not.
    pub(crate) mode: Mode,
    /// Whether it waits.
    pub(crate) wait: Waiting,
    /// Whether the lock belongs to tasks: holding it over a suspension is what it is for.
    pub(crate) is_async: bool,
    /// Whether the call only makes the future that takes the lock.
    pub(crate) is_future: bool,
    /// Whether the lock is gone again when the call returns.
    pub(crate) momentary: bool,
    /// Whether it names its level among locks of its class (`lock_nested`).
    pub(crate) is_nested: bool,
}

impl LockCall {
    /// A call on a thread that returns a guard.
    fn new(mode: Mode, wait: Waiting) -> LockCall {
        LockCall {
            mode,
            wait,
            is_async: false,
            is_future: false,
            momentary: false,
            is_nested: false,
        }
    }
}

/// Whether an acquisition waits for the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Waiting {
    /// Until it has it.
    Blocking,
    /// Not at all.
    Try,
    /// For some time.
    Timed,
    /// Until it has it, by one attempt after another.
    Retried,
}

/// The types of locks: those that are known, and those that the settings name.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Locks<'s> {
    pub(crate) configured: &'s [LockType],
}

impl Locks<'_> {
    /// Whether a type's text can have a guard in it; quick.
    pub(crate) fn may_have_guard(&self, ty: &str) -> bool {
        ty.contains("Guard")
            || ty.contains("SemaphorePermit")
            || may_have_container_guard(ty)
            || self.configured.iter().any(|configured| ty.contains(types::last(&configured.guard)))
    }

    /// Whether a type's path is a guard's.
    pub(crate) fn is_guard(&self, path: &str) -> bool {
        is_guard(path) || self.configured.iter().any(|configured| is_named(path, &configured.guard))
    }

    /// Whether a type's path is a lock's: one whose values are classes of their own.
    pub(crate) fn is_lock(&self, path: &str) -> bool {
        is_lock(path) || self.configured.iter().any(|configured| is_named(path, &configured.ty))
    }

    /// Whether a call makes a lock, or one behind a handle, whose type is that of the result.
    pub(crate) fn makes(&self, callee: &Callee<'_>, ty: &str) -> bool {
        match (callee.trait_name, callee.name()) {
            (None, "new" | "const_new") => self.is_lock(callee.owner()),
            (Some("Default"), "default") | (Some("From"), "from") => {
                let behind = match types::short(ty) {
                    "Arc" | "Rc" | "Box" => types::arguments(ty).first().copied().unwrap_or(ty),
                    _ => ty,
                };
                // `Arc::from(Box<Mutex<T>>)` has a lock that was made before.
                self.is_lock(types::head(behind)) && (callee.name() == "default" || behind == ty)
            }
            _ => false,
        }
    }

    /// How a call takes a lock, if it does. For a lock of tasks this is the call that makes the
    /// future.
    pub(crate) fn call(&self, callee: &Callee<'_>) -> Option<LockCall> {
        lock_call(callee).or_else(|| {
            let is_its = |configured: &&LockType| is_named(callee.owner(), &configured.ty);
            self.configured.iter().filter(is_its).find_map(|configured| {
                let has = |names: &[String]| names.iter().any(|name| *name == callee.name());
                let kept = |mode, wait| Some(LockCall::new(mode, wait));
                let inside = |mode| {
                    Some(LockCall { momentary: true, ..LockCall::new(mode, Waiting::Blocking) })
                };
                if has(&configured.lock) {
                    kept(Mode::Write, Waiting::Blocking)
                } else if has(&configured.read) {
                    kept(Mode::Read, Waiting::Blocking)
                } else if has(&configured.try_lock) {
                    kept(Mode::Write, Waiting::Try)
                } else if has(&configured.lock_inside) {
                    inside(Mode::Write)
                } else if has(&configured.read_inside) {
                    inside(Mode::Read)
                } else {
                    None
                }
            })
        })
    }
}

/// Whether a path is the one that the settings name: its end, or, for a type of the crate itself,
/// the path without the crate's name.
fn is_named(path: &str, name: &str) -> bool {
    let ends = |long: &str, end: &str| {
        long.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with("::"))
    };
    ends(path, name) || ends(name, path)
}

/// Types of locks, in the crates of [`CRATES`].
const LOCKS: &[&str] = &[
    "Mutex",
    "RwLock",
    "ReentrantMutex",
    "ReentrantLock",
    "FairMutex",
    "SpinMutex",
    "TicketMutex",
    "Semaphore",
];

/// How the paths of crates with locks begin.
const CRATES: &[&str] = &[
    "std::sync::",
    "lockdep::sync::",
    "tokio::sync::",
    "async_lock::",
    "async_std::sync::",
    "spin::",
    "parking_lot::",
];

/// Those of them whose locks belong to tasks rather than threads.
const ASYNC_CRATES: &[&str] = &["tokio::sync::", "async_lock::", "async_std::", "futures"];

/// How the paths of those begin that a run watches.
const WATCHED: &[&str] = &[
    "std::",
    "core::",
    "lockdep::",
    "parking_lot::",
    "lock_api::",
    "tokio::sync::Mutex",
    "tokio::sync::RwLock",
];

/// Whether a run watches locks with this path. Of one whose path is not known nothing else is said.
pub(crate) fn is_watched(path: &str) -> bool {
    !path.contains("::") || WATCHED.iter().any(|known| path.starts_with(known))
}

/// Types of guards, in any crate.
const GUARDS: &[&str] = &[
    "MutexGuard",
    "MappedMutexGuard",
    "RwLockReadGuard",
    "RwLockWriteGuard",
    "MappedRwLockReadGuard",
    "MappedRwLockWriteGuard",
    "RwLockUpgradableReadGuard",
    "RwLockUpgradableGuard",
    "RwLockMappedWriteGuard",
    "ReentrantMutexGuard",
    "ReentrantLockGuard",
    "MappedReentrantMutexGuard",
    "FairMutexGuard",
    "SpinMutexGuard",
    "TicketMutexGuard",
    "ArcMutexGuard",
    "ArcRwLockReadGuard",
    "ArcRwLockWriteGuard",
    "ArcRwLockUpgradableReadGuard",
    "MutexGuardArc",
    "RwLockReadGuardArc",
    "RwLockWriteGuardArc",
    "OwnedMutexGuard",
    "OwnedMappedMutexGuard",
    "OwnedRwLockReadGuard",
    "OwnedRwLockWriteGuard",
    "OwnedRwLockMappedWriteGuard",
    "SemaphorePermit",
    "OwnedSemaphorePermit",
];

/// Functions that take a lock: the types they belong to (none stands for all others), their names
/// without `try_`, `_for`, `_until`, `_arc`, `_owned` and `blocking`, and how they take it. One with
/// nothing there blocks nobody that this looks at: a lock that its owner may take again, or readers that
/// are let in past queued writers and so never wait for one.
const METHODS: &[(&[&str], &[&str], Option<Mode>)] = &[
    (&["ReentrantMutex", "ReentrantLock"], &[], None),
    (&["RwLock"], &["read"], Some(Mode::Read)),
    (&["RwLock"], &["write"], Some(Mode::Write)),
    (&["RwLock"], &["upgradable_read", "upgradeable_read"], Some(Mode::Upgradable)),
    (&["RwLock"], &["read_recursive"], None),
    // Others may hold permits too.
    (&["Semaphore"], &["acquire", "acquire_many"], Some(Mode::Read)),
    (&["Semaphore"], &[], None),
    (&[], &["lock"], Some(Mode::Write)),
];

/// Functions of traits by which a lock is taken at a level among locks of its class.
const NESTED: &[(Functions, Mode)] = &[
    (of_traits(&["LockNested"], &["lock_nested"]), Mode::Write),
    (of_traits(&["RwLockNested"], &["write_nested"]), Mode::Write),
    (of_traits(&["RwLockNested"], &["read_nested"]), Mode::Read),
    (of_traits(&["UpgradableNested"], &["upgradable_read_nested"]), Mode::Upgradable),
];

/// Futures that take a lock: the crate, their names, how they take it, and the lock's type.
const FUTURES: &[(&str, &[&str], Mode, &str)] = &[
    ("futures", &["MutexLockFuture", "OwnedMutexLockFuture"], Mode::Write, "futures::lock::Mutex"),
    ("async_lock::", &["Lock", "LockArc"], Mode::Write, "async_lock::Mutex"),
    ("async_lock::", &["Read", "ReadArc"], Mode::Read, "async_lock::RwLock"),
    ("async_lock::", &["Write", "WriteArc"], Mode::Write, "async_lock::RwLock"),
    (
        "async_lock::",
        &["UpgradableRead", "UpgradableReadArc"],
        Mode::Upgradable,
        "async_lock::RwLock",
    ),
];

/// The lock that a future of a named type takes, and the lock's type.
pub(crate) fn future_of_lock(future: &str) -> Option<(LockCall, &'static str)> {
    let path = types::head(future);
    let is_it = |(krate, names, ..): &&(&str, &[&str], Mode, &str)| {
        path.starts_with(krate) && names.contains(&types::last(path))
    };
    let (_, _, mode, ty) = FUTURES.iter().find(is_it)?;
    Some((LockCall { is_async: true, ..LockCall::new(*mode, Waiting::Blocking) }, ty))
}

/// Whether a type's path is that of a known guard.
fn is_guard(path: &str) -> bool {
    let name = types::last(path);
    GUARDS.contains(&name) || is_container_guard(path)
}

/// Whether a type's path is that of a known lock.
fn is_lock(path: &str) -> bool {
    let name = types::last(path);
    let is_known_crate = || {
        CRATES.iter().any(|prefix| path.starts_with(prefix))
            || path.contains("lock_api::")
            || path.contains("futures") && path.contains("::lock::")
    };
    LOCKS.contains(&name) && is_known_crate() || is_container(path)
}

/// How a call takes a known lock, if it does.
fn lock_call(callee: &Callee<'_>) -> Option<LockCall> {
    let owner = callee.owner();
    let ty = types::last(owner);
    if callee.trait_name.is_some() {
        let mode = first(NESTED, callee).filter(|_| is_lock(owner) && ty != "ReentrantMutex")?;
        return Some(LockCall { is_nested: true, ..LockCall::new(mode, Waiting::Blocking) });
    }
    let name = callee.name();
    if is_container(owner) {
        let (mode, keeping) = container_call(callee)?;
        let momentary = keeping == Keeping::WhileItRuns;
        return Some(LockCall { momentary, ..LockCall::new(mode, Waiting::Blocking) });
    }
    if !is_lock(owner) {
        return None;
    }
    let is_async = ASYNC_CRATES.iter().any(|prefix| owner.starts_with(prefix));
    let on_thread = name.strip_prefix("blocking_").or_else(|| name.strip_suffix("_blocking"));
    let name = on_thread.unwrap_or(name);
    let (name, wait) = match name.strip_prefix("try_") {
        None => (name, Waiting::Blocking),
        Some(rest) => match rest.find("_for").or_else(|| rest.find("_until")) {
            Some(end) => (&rest[..end], Waiting::Timed),
            None => (rest, Waiting::Try),
        },
    };
    let name = name.strip_suffix("_arc").or_else(|| name.strip_suffix("_owned")).unwrap_or(name);
    let row = METHODS.iter().find(|(types, names, _)| {
        (types.is_empty() || types.contains(&ty)) && (names.is_empty() || names.contains(&name))
    });
    let mode = row?.2?;
    let is_future = is_async && on_thread.is_none() && wait == Waiting::Blocking;
    Some(LockCall { is_async, is_future, ..LockCall::new(mode, wait) })
}
