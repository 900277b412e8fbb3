//! The lock APIs that are known by name: what takes which lock how, and what waits for what.

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
}

/// What a call that is no acquisition waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Blocking {
    /// A message.
    Receive,
    /// Room in a bounded channel.
    BoundedSend,
    /// The end of a thread.
    Join,
    /// A barrier.
    Barrier,
    /// Time.
    Sleep,
    /// Another process.
    Process,
    /// A future, on this thread.
    BlockOn,
    /// A peer on the network.
    Network,
}

impl Blocking {
    /// What the call does, after "a call that".
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Blocking::Receive => "waits for a message",
            Blocking::BoundedSend => "waits for room in a bounded channel",
            Blocking::Join => "waits for a thread to end",
            Blocking::Barrier => "waits at a barrier",
            Blocking::Sleep => "sleeps",
            Blocking::Process => "waits for a process",
            Blocking::BlockOn => "waits for a future",
            Blocking::Network => "waits for the network",
        }
    }
}

/// The types of locks: those that are known, and those that the settings name.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Locks<'s> {
    pub(crate) told: &'s [LockType],
}

impl Locks<'_> {
    /// Whether a type's text can have a guard in it; quick.
    pub(crate) fn may_have_guard(&self, ty: &str) -> bool {
        ty.contains("Guard")
            || ty.contains("dashmap")
            || self.told.iter().any(|told| ty.contains(types::last(&told.guard)))
    }

    /// Whether a type's path is a guard's.
    pub(crate) fn is_guard(&self, path: &str) -> bool {
        is_guard(path) || self.told.iter().any(|told| is_named(path, &told.guard))
    }

    /// Whether a type's path is a lock's: one whose values are classes of their own.
    pub(crate) fn is_lock(&self, path: &str) -> bool {
        is_lock(path) || self.told.iter().any(|told| is_named(path, &told.ty))
    }

    /// How a call takes a lock, if it does. For a lock of tasks this is the call that makes the
    /// future.
    pub(crate) fn call(&self, callee: &Callee<'_>) -> Option<LockCall> {
        lock_call(callee).or_else(|| {
            let is_its = |told: &&LockType| is_named(callee.owner(), &told.ty);
            self.told.iter().filter(is_its).find_map(|told| {
                let has = |names: &[String]| names.iter().any(|name| *name == callee.name());
                let (mode, wait) = if has(&told.lock) {
                    (Mode::Write, Waiting::Blocking)
                } else if has(&told.read) {
                    (Mode::Read, Waiting::Blocking)
                } else if has(&told.try_lock) {
                    (Mode::Write, Waiting::Try)
                } else {
                    return None;
                };
                Some(LockCall::new(mode, wait))
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

/// The lock that a future of a named type takes, and the lock's type.
pub(crate) fn future_of_lock(future: &str) -> Option<(LockCall, &'static str)> {
    let path = types::head(future);
    let of = |krate: &str| path.starts_with(krate);
    let (mode, ty) = match types::last(path) {
        "MutexLockFuture" | "OwnedMutexLockFuture" if of("futures") => {
            (Mode::Write, "futures::lock::Mutex")
        }
        "Lock" | "LockArc" if of("async_lock::") => (Mode::Write, "async_lock::Mutex"),
        "Read" | "ReadArc" if of("async_lock::") => (Mode::Read, "async_lock::RwLock"),
        "Write" | "WriteArc" if of("async_lock::") => (Mode::Write, "async_lock::RwLock"),
        "UpgradableRead" | "UpgradableReadArc" if of("async_lock::") => {
            (Mode::Upgradable, "async_lock::RwLock")
        }
        _ => return None,
    };
    Some((LockCall { is_async: true, ..LockCall::new(mode, Waiting::Blocking) }, ty))
}

/// Whether a type's path is that of a known guard.
fn is_guard(path: &str) -> bool {
    let name = types::last(path);
    matches!(
        name,
        "MutexGuard"
            | "MappedMutexGuard"
            | "RwLockReadGuard"
            | "RwLockWriteGuard"
            | "MappedRwLockReadGuard"
            | "MappedRwLockWriteGuard"
            | "RwLockUpgradableReadGuard"
            | "RwLockUpgradableGuard"
            | "RwLockMappedWriteGuard"
            | "ReentrantMutexGuard"
            | "ReentrantLockGuard"
            | "MappedReentrantMutexGuard"
            | "FairMutexGuard"
            | "SpinMutexGuard"
            | "TicketMutexGuard"
            | "ArcMutexGuard"
            | "ArcRwLockReadGuard"
            | "ArcRwLockWriteGuard"
            | "ArcRwLockUpgradableReadGuard"
            | "MutexGuardArc"
            | "RwLockReadGuardArc"
            | "RwLockWriteGuardArc"
            | "OwnedMutexGuard"
            | "OwnedMappedMutexGuard"
            | "OwnedRwLockReadGuard"
            | "OwnedRwLockWriteGuard"
            | "OwnedRwLockMappedWriteGuard"
    ) || path.contains("dashmap::")
        && matches!(
            name,
            "Ref"
                | "RefMut"
                | "RefMulti"
                | "RefMutMulti"
                | "Entry"
                | "OccupiedEntry"
                | "VacantEntry"
                | "MappedRef"
                | "MappedRefMut"
        )
        || path.contains("dashmap::") && matches!(name, "Iter" | "IterMut")
}

/// Whether a type's path is that of a known lock.
fn is_lock(path: &str) -> bool {
    matches!(
        types::last(path),
        "Mutex"
            | "RwLock"
            | "ReentrantMutex"
            | "ReentrantLock"
            | "FairMutex"
            | "SpinMutex"
            | "TicketMutex"
    ) && is_known_crate(path)
        || types::last(path) == "DashMap"
}

fn is_known_crate(path: &str) -> bool {
    [
        "std::sync::",
        "lockdep::sync::",
        "tokio::sync::",
        "async_lock::",
        "async_std::sync::",
        "spin::",
        "parking_lot::",
    ]
    .iter()
    .any(|prefix| path.starts_with(prefix))
        || path.contains("lock_api::")
        || path.contains("futures") && path.contains("::lock::")
}

/// Whether the lock belongs to tasks rather than threads.
fn is_async_crate(path: &str) -> bool {
    path.starts_with("tokio::sync::")
        || path.starts_with("async_lock::")
        || path.starts_with("async_std::")
        || path.starts_with("futures")
}

/// How a call takes a known lock, if it does.
fn lock_call(callee: &Callee<'_>) -> Option<LockCall> {
    let owner = callee.owner();
    let name = callee.name();
    if let Some(name_of_trait) = callee.trait_name {
        let mode = match (name_of_trait, types::last(owner), name) {
            (_, "ReentrantMutex", _) => return None,
            ("LockNested", _, "lock_nested") | ("RwLockNested", _, "write_nested") => Mode::Write,
            ("RwLockNested", _, "read_nested") => Mode::Read,
            ("UpgradableNested", _, "upgradable_read_nested") => Mode::Upgradable,
            _ => return None,
        };
        let nested = LockCall { is_nested: true, ..LockCall::new(mode, Waiting::Blocking) };
        return is_lock(owner).then_some(nested);
    }
    if types::last(owner) == "DashMap" && owner.contains("dashmap") {
        return dashmap_call(name);
    }
    if !is_lock(owner) {
        return None;
    }
    let is_async = is_async_crate(owner);
    let on_thread = name.strip_prefix("blocking_").or_else(|| name.strip_suffix("_blocking"));
    let name = on_thread.unwrap_or(name);
    let (name, wait) = if let Some(rest) = name.strip_prefix("try_") {
        match rest {
            _ if rest.contains("_for") || rest.contains("_until") => {
                (rest.split("_for").next().unwrap_or(rest).split("_until").next()?, Waiting::Timed)
            }
            _ => (rest, Waiting::Try),
        }
    } else {
        (name, Waiting::Blocking)
    };
    let name = name.strip_suffix("_arc").or_else(|| name.strip_suffix("_owned")).unwrap_or(name);
    let mode = match (types::last(owner), name) {
        ("RwLock", "read") => Mode::Read,
        ("RwLock", "write") => Mode::Write,
        ("RwLock", "upgradable_read" | "upgradeable_read") => Mode::Upgradable,
        // Readers that are let in past queued writers never wait for one.
        ("RwLock", "read_recursive") => return None,
        ("ReentrantMutex" | "ReentrantLock", _) => return None,
        (_, "lock") => Mode::Write,
        _ => return None,
    };
    let is_future = is_async && on_thread.is_none() && wait == Waiting::Blocking;
    Some(LockCall { is_async, is_future, ..LockCall::new(mode, wait) })
}

fn dashmap_call(name: &str) -> Option<LockCall> {
    let (mode, momentary) = match name {
        "get" | "iter" => (Mode::Read, false),
        "get_mut" | "entry" | "iter_mut" => (Mode::Write, false),
        "insert" | "remove" | "remove_if" | "remove_if_mut" | "retain" | "clear" | "alter"
        | "alter_all" | "shrink_to_fit" => (Mode::Write, true),
        _ => return None,
    };
    Some(LockCall { momentary, ..LockCall::new(mode, Waiting::Blocking) })
}

/// Words in the paths of channels that block their threads.
const CHANNELS: &[&str] = &["mpsc", "crossbeam", "flume", "mpmc", "async_channel", "kanal"];

/// What a call waits for that is neither a lock nor a condition variable.
pub(crate) fn blocking_call(callee: &Callee<'_>, first_arg_ty: Option<&str>) -> Option<Blocking> {
    let owner = callee.owner();
    let last = types::last(owner);
    let in_channel = || CHANNELS.iter().any(|word| owner.contains(word));
    Some(match (last, callee.name()) {
        ("Receiver", "recv" | "recv_timeout" | "recv_deadline" | "blocking_recv")
            if in_channel() =>
        {
            let future = owner.starts_with("tokio::") || owner.starts_with("async_channel");
            if future && callee.name() == "recv" {
                return None;
            }
            Blocking::Receive
        }
        ("Iter" | "IntoIter", "next")
            if in_channel() && !callee.self_ty.is_some_and(|ty| ty.contains("TryIter")) =>
        {
            Blocking::Receive
        }
        ("SyncSender", "send") if in_channel() => Blocking::BoundedSend,
        ("Sender", "blocking_send") if in_channel() => Blocking::BoundedSend,
        ("JoinHandle" | "ScopedJoinHandle", "join") if owner.starts_with("std::thread") => {
            Blocking::Join
        }
        ("Barrier", "wait") if owner.starts_with("std::sync") => Blocking::Barrier,
        (_, "sleep" | "sleep_ms" | "sleep_until") if owner == "std::thread" => Blocking::Sleep,
        (_, "park") if owner == "std::thread" => Blocking::Sleep,
        ("Child", "wait" | "wait_with_output") if owner.starts_with("std::process") => {
            Blocking::Process
        }
        ("Command", "output" | "status") if owner.starts_with("std::process") => Blocking::Process,
        ("Runtime" | "Handle", "block_on") if owner.starts_with("tokio") => Blocking::BlockOn,
        (_, "block_on") if owner.starts_with("futures") || owner.starts_with("pollster") => {
            Blocking::BlockOn
        }
        ("TcpListener", "accept") if owner.starts_with("std::net") => Blocking::Network,
        ("TcpStream", "connect") if owner.starts_with("std::net") => Blocking::Network,
        ("UdpSocket", "recv" | "recv_from") if owner.starts_with("std::net") => Blocking::Network,
        (_, "read" | "read_exact" | "read_to_end" | "read_to_string")
            if callee.trait_name == Some("Read")
                && first_arg_ty
                    .is_some_and(|ty| types::head(ty).ends_with("std::net::TcpStream")) =>
        {
            Blocking::Network
        }
        _ => return None,
    })
}

/// Whether a call waits on a condition variable.
pub(crate) fn is_condvar_wait(callee: &Callee<'_>) -> bool {
    types::last(callee.owner()) == "Condvar" && callee.name().starts_with("wait")
}

/// Whether a call wakes the waiters of a condition variable.
pub(crate) fn is_notify(callee: &Callee<'_>) -> bool {
    types::last(callee.owner()) == "Condvar" && callee.name().starts_with("notify")
}

/// Whether a call starts a thread or task that runs its argument on its own.
pub(crate) fn is_spawn(callee: &Callee<'_>) -> bool {
    let owner = callee.owner();
    match callee.name() {
        "spawn" | "spawn_unchecked" | "spawn_scoped" => {
            owner == "std::thread"
                || matches!(
                    types::last(owner),
                    "Builder"
                        | "Scope"
                        | "ScopedThreadBuilder"
                        | "Runtime"
                        | "Handle"
                        | "JoinSet"
                        | "ThreadPool"
                        | "ScopeFifo"
                )
                || ["tokio", "rayon", "async_std", "smol", "futures"]
                    .iter()
                    .any(|name| owner.starts_with(name))
        }
        "spawn_blocking" | "spawn_local" | "spawn_fifo" | "spawn_broadcast" | "spawn_on" => true,
        "execute" => types::last(owner) == "ThreadPool",
        _ => false,
    }
}
