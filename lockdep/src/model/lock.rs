//! What a lock is: where it was created, its kind, the type that it protects, and how it is held.

use std::panic::Location;

/// A place in the source.
pub type Site = &'static Location<'static>;

/// How a lock is held or asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Mode {
    /// Excludes every other holder: a mutex, a write lock, an initialisation.
    Write = 0,
    /// Shared with other readers; waits behind a queued writer.
    Read = 1,
    /// Shared with readers, but excludes writers and other upgradable holders; can become
    /// [`Mode::Write`] without a release in between.
    Upgradable = 2,
    /// Shared with other readers, and never waits behind a queued writer. It is held as
    /// [`Mode::Read`] is.
    RecursiveRead = 3,
}

impl Mode {
    /// The mode's code, as it stands in reports.
    pub const fn code(self) -> &'static str {
        match self {
            Mode::Write => "write",
            Mode::Read => "read",
            Mode::Upgradable => "upgradable",
            Mode::RecursiveRead => "recursive-read",
        }
    }

    /// Whether a hold in this mode is shared with readers only.
    #[inline(always)]
    pub const fn is_read(self) -> bool {
        matches!(self, Mode::Read | Mode::RecursiveRead)
    }

    /// Whether a hold in mode `held` keeps a request in mode `asked` waiting.
    pub const fn conflicts(held: Mode, asked: Mode) -> bool {
        match (held, asked) {
            (Mode::Write, _) | (_, Mode::Write) | (Mode::Upgradable, Mode::Upgradable) => true,
            (Mode::Read | Mode::RecursiveRead | Mode::Upgradable, _) => false,
        }
    }

    /// Whether a request in this mode waits behind a queued writer, even if no hold excludes it.
    pub const fn queues(self) -> bool {
        matches!(self, Mode::Read | Mode::Upgradable)
    }

    /// Whether a request in mode `asked` waits for a hold in mode `held` that it does not conflict
    /// with, once a writer queues in between. No writer queues while there is an upgradable holder:
    /// it waits its turn without keeping readers out.
    pub const fn conflicts_behind_writer(held: Mode, asked: Mode) -> bool {
        held.is_read() && asked.queues()
    }
}

/// A hold in one mode becomes one in another without a release in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conversion {
    /// The mode of the hold that there is.
    pub from: Mode,
    /// The mode in which the lock is held afterwards.
    pub to: Mode,
}

/// What kind of primitive a lock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LockKind {
    /// A mutual exclusion lock.
    Mutex,
    /// A reader-writer lock.
    RwLock,
    /// A one-time initialisation (`Once`).
    Once,
    /// A cell that is initialised once (`OnceLock`).
    OnceLock,
    /// A value that is initialised on first use (`LazyLock`).
    LazyLock,
    /// A semaphore of one permit.
    Semaphore,
    /// Not a lock: the permits of a semaphore that has several.
    Permits,
    /// Not a lock: a banker's resource, of which threads hold units.
    Resource,
    /// Not a lock: a condition variable, which threads wait on.
    Condvar,
    /// Not a lock: a channel, which threads wait on.
    Channel,
    /// Not a lock: a barrier, which threads wait on.
    Barrier,
    /// Not a lock: a thread, which others wait for.
    Thread,
}

impl LockKind {
    /// The kind's name.
    pub const fn code(self) -> &'static str {
        match self {
            LockKind::Mutex => "Mutex",
            LockKind::RwLock => "RwLock",
            LockKind::Once => "Once",
            LockKind::OnceLock => "OnceLock",
            LockKind::LazyLock => "LazyLock",
            LockKind::Semaphore | LockKind::Permits => "Semaphore",
            LockKind::Resource => "resource",
            LockKind::Condvar => "Condvar",
            LockKind::Channel => "channel",
            LockKind::Barrier => "Barrier",
            LockKind::Thread => "thread",
        }
    }

    /// Whether threads wait for it and no thread holds it.
    pub const fn is_event(self) -> bool {
        matches!(
            self,
            LockKind::Permits
                | LockKind::Resource
                | LockKind::Condvar
                | LockKind::Channel
                | LockKind::Barrier
                | LockKind::Thread
        )
    }
}

/// What all locks of one type share: their kind, and the name of the type that they protect.
#[derive(Debug)]
pub struct LockType {
    kind: LockKind,
    name: fn() -> &'static str,
    /// The names of the types that tell whether a guard may be sent to another thread.
    markers: [Option<fn() -> &'static str>; 2],
}

impl LockType {
    /// The description of a lock of `kind` that protects a `T`.
    ///
    /// Write `const { &LockType::of::<T>(LockKind::Mutex) }` to get the `&'static` that the hooks
    /// take.
    pub const fn of<T: ?Sized>(kind: LockKind) -> LockType {
        LockType { kind, name: std::any::type_name::<T>, markers: [None; 2] }
    }

    /// The description of locks of `kind` of which nobody tells what they protect.
    pub(crate) const fn untyped(kind: LockKind) -> LockType {
        LockType { kind, name: || "?", markers: [None; 2] }
    }

    /// Adds the `GuardMarker` of one guard type of `lock_api`, or that raw guard type. If any marker is
    /// not `GuardNoSend`, guards may move between threads, and the owner is known only when the guard is
    /// dropped.
    ///
    /// # Panics
    /// After more kinds of guards than a lock has.
    pub const fn marked<M: ?Sized>(mut self) -> LockType {
        let mut at = 0;
        while self.markers[at].is_some() {
            at += 1;
        }
        self.markers[at] = Some(std::any::type_name::<M>);
        self
    }

    /// Whether a guard may be dropped in another thread than the one that acquired the lock.
    pub(crate) fn has_sendable_guards(&self) -> bool {
        self.markers.iter().flatten().any(|marker| !marker().ends_with("::GuardNoSend"))
    }

    pub(crate) fn kind(&self) -> LockKind {
        self.kind
    }

    pub(crate) fn name(&self) -> &'static str {
        (self.name)()
    }
}
