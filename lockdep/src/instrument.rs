//! The hooks that an instrumented primitive calls: everything a lock, a thread or an event tells
//! the engine goes through here.
//!
//! [`crate::sync`] and [`crate::thread`] are written on these hooks alone, and so can any other
//! lock be: keep a [`LockTag`] beside the real lock, call [`LockTag::acquire`] around the real
//! acquisition and [`LockTag::release`] just before the real release. A hook never panics, but for
//! a `deadlock` or `double-lock` that would hang, as configured.

use std::panic::Location;
use std::sync::atomic::AtomicU64;

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
}

/// What is the same for every lock of one type: its kind, and the name of the type it protects.
#[derive(Debug)]
pub struct LockType {
    kind: LockKind,
    name: fn() -> &'static str,
}

impl LockType {
    /// The description of a lock of `kind` that protects a `T`.
    ///
    /// Write `const { &LockType::of::<T>(LockKind::Mutex) }` to get the `&'static` that the hooks
    /// take.
    pub const fn of<T: ?Sized>(kind: LockKind) -> LockType {
        LockType { kind, name: std::any::type_name::<T> }
    }
}

/// The identity of one lock: where it was created, and a number given at its first acquisition.
///
/// The number is never used again, so an order learnt about a lock that is gone cannot be taken
/// for one about a new lock at the same address. 16 bytes; moving it is fine.
#[derive(Debug)]
pub struct LockTag {
    created: Site,
    id: AtomicU64,
}

impl LockTag {
    /// A tag for a lock that is created where the caller's caller is.
    #[track_caller]
    pub const fn new() -> LockTag {
        LockTag { created: Location::caller(), id: AtomicU64::new(0) }
    }

    /// Acquires in `mode`: `attempt` must be the primitive's non-blocking acquisition, `block` its
    /// blocking one. Orders are recorded first; a wait that can never end is reported before it
    /// begins. The lock counts as held by this thread from the return to [`LockTag::release`].
    #[inline]
    pub fn acquire<R>(
        &self,
        ty: &'static LockType,
        mode: Mode,
        site: Site,
        attempt: impl FnOnce() -> Option<R>,
        block: impl FnOnce() -> R,
    ) -> R {
        let _ = (ty, mode, site);
        attempt().unwrap_or_else(block)
    }

    /// Acquires in `mode` without blocking: a success is held, but adds no order into this lock; a
    /// failure leaves nothing.
    #[inline]
    pub fn try_acquire<R>(
        &self,
        ty: &'static LockType,
        mode: Mode,
        site: Site,
        attempt: impl FnOnce() -> Option<R>,
    ) -> Option<R> {
        let _ = (ty, mode, site);
        attempt()
    }

    /// Ends the hold that this thread began in `mode` last. Call it *before* the real release.
    /// A lock that this thread is not known to hold is ignored.
    #[inline]
    pub fn release(&self, mode: Mode) {
        let _ = mode;
    }

    /// A condition-variable wait on `event` that releases this lock (held in `Mode::Write`) and
    /// acquires it again: `wait` must be the primitive's wait. The orders of the re-acquisition are
    /// recorded before it blocks.
    pub fn wait<R>(
        &self,
        ty: &'static LockType,
        event: &EventTag,
        timed: bool,
        site: Site,
        wait: impl FnOnce() -> R,
    ) -> R {
        let _ = (ty, event, timed, site);
        wait()
    }

    /// A one-time initialisation. `call` must be the primitive's `call_once` (or the like), whose
    /// initialiser must hold the result of [`Initializer::enter`] for as long as it runs. Skip this
    /// hook when the value is known to be there.
    pub fn initialize<R>(
        &self,
        ty: &'static LockType,
        site: Site,
        call: impl FnOnce(&Initializer<'_>) -> R,
    ) -> R {
        let _ = (ty, site);
        call(&Initializer { tag: self })
    }
}

/// One call of an initialising function; see [`LockTag::initialize`].
#[derive(Debug)]
pub struct Initializer<'a> {
    tag: &'a LockTag,
}

/// Held while an initialiser runs.
#[derive(Debug)]
pub struct Initializing<'a> {
    tag: &'a LockTag,
}

impl<'a> Initializer<'a> {
    /// This thread runs the initialiser, until the result is dropped.
    pub fn enter(&self) -> Initializing<'a> {
        Initializing { tag: self.tag }
    }
}

impl Drop for Initializing<'_> {
    fn drop(&mut self) {
        let _ = self.tag;
    }
}

/// What a thread can wait for that is not a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A notification of a condition variable.
    Condvar,
    /// A message, or the end of all senders.
    Receive,
    /// Room in a bounded channel, or the end of the receiver.
    Send,
    /// The other participants of a barrier.
    Barrier,
    /// An `unpark`.
    Park,
}

/// The identity of a thing that threads wait on and signal: a condition variable, a channel, a
/// barrier.
#[derive(Debug)]
pub struct EventTag {
    created: Site,
    id: AtomicU64,
}

impl EventTag {
    /// A tag for an event that is created where the caller's caller is.
    #[track_caller]
    pub const fn new() -> EventTag {
        EventTag { created: Location::caller(), id: AtomicU64::new(0) }
    }

    /// Waits for the event: `attempt` must be the primitive's non-blocking operation, `block` the
    /// blocking one; `timed` when it gives up by itself.
    #[inline]
    pub fn wait<R>(
        &self,
        kind: EventKind,
        timed: bool,
        site: Site,
        attempt: impl FnOnce() -> Option<R>,
        block: impl FnOnce() -> R,
    ) -> R {
        let _ = (kind, timed, site);
        attempt().unwrap_or_else(block)
    }

    /// The event was completed for somebody: a notification, a message sent or received, an
    /// arrival at a barrier.
    #[inline]
    pub fn signal(&self, kind: EventKind, site: Site) {
        let _ = (kind, site);
    }
}

/// A thread that is about to be spawned, kept by whoever can join it.
#[derive(Clone, Debug)]
pub struct Child {
    id: u64,
}

/// Held by a thread from its first to its last instrumented step.
#[derive(Debug)]
pub struct Entered {
    id: u64,
}

impl Child {
    /// The calling thread is about to spawn a thread at `site`.
    pub fn spawn(site: Site) -> Child {
        let _ = site;
        Child { id: 0 }
    }

    /// Called first in the new thread; keep the result until the thread's closure has returned.
    pub fn enter(&self) -> Entered {
        Entered { id: self.id }
    }

    /// Waits for the thread to end: `finished` tells whether it has, `join` must be the real join.
    pub fn join<R>(&self, site: Site, finished: bool, join: impl FnOnce() -> R) -> R {
        let _ = (site, finished, self.id);
        join()
    }

    /// The calling thread knows that this thread has ended, without having waited for it here
    /// (the end of a scope joins all its threads).
    pub fn joined(&self) {}
}

impl Drop for Entered {
    fn drop(&mut self) {
        let _ = self.id;
    }
}
