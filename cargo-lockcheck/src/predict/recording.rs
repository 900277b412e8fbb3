//! What was recorded of one run: every step of every thread that can make another wait, or that decides
//! whether a schedule is one of the same program.
//!
//! The steps stand in one order that the run had; any other order that keeps that of each thread, of
//! spawns and joins and of the holds of each lock is the same run.

/// A thread, as an index of [`Recording::threads`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ThreadId(pub u32);

/// A lock, as an index of [`Recording::locks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LockId(pub u32);

/// A variable that threads share, as an index of [`Recording::variables`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariableId(pub u32);

/// Something that threads wait for and none holds, as an index of [`Recording::signals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SignalId(pub u32);

/// A place in the source, as an index of [`Recording::sites`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteId(pub u32);

/// How a lock is held or asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// Excludes all others.
    Write,
    /// Excludes writers and other upgradable readers.
    Upgradable,
    /// Excludes writers.
    Read,
}

impl Mode {
    /// Whether a lock cannot be held in both modes by two threads at once.
    pub fn excludes(self, other: Mode) -> bool {
        self == Mode::Write || other == Mode::Write || (self, other) == UPGRADABLE
    }
}

const UPGRADABLE: (Mode, Mode) = (Mode::Upgradable, Mode::Upgradable);

/// Whether an acquisition would have waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Manner {
    /// It waits until it has the lock.
    Blocking,
    /// It gives up at once, or after a time; it did get the lock.
    Try,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Asks for a lock, and waits until it has it.
    Request(LockId, Mode),
    /// Has got a lock.
    Acquire(LockId, Mode, Manner),
    /// Gives a lock back.
    Release(LockId),
    /// Spawns a thread.
    Fork(ThreadId),
    /// Has waited for the end of a thread.
    Join(ThreadId),
    /// Reads a variable.
    Read(VariableId),
    /// Writes a variable.
    Write(VariableId),
    /// Begins to wait for a notification. The mutex is given back before, and asked for again afterwards.
    Wait(SignalId),
    /// Wakes one that waits.
    Notify(SignalId),
    /// Wakes all that wait.
    NotifyAll(SignalId),
    /// Has sent a message.
    Send(SignalId),
    /// Has received a message.
    Receive(SignalId),
    /// Has come to a barrier.
    Arrive(SignalId),
}

/// One step of one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// The thread.
    pub thread: ThreadId,
    /// What it does.
    pub action: Action,
    /// Where.
    pub site: SiteId,
}

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Its name.
    pub name: String,
    /// Whether a reader is let in while a writer waits, so that reads never wait for reads.
    pub prefers_readers: bool,
}

/// Something that threads wait for and none holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SignalKind,
}

/// What sort of thing a signal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignalKind {
    /// A condition variable.
    Condvar,
    /// A channel; with room for so many messages, or for any number of them.
    Channel(Option<u32>),
    /// A barrier for so many threads, which is at least one.
    Barrier(u32),
}

/// All that was recorded of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// The threads, by name.
    pub threads: Vec<String>,
    /// The locks.
    pub locks: Vec<Lock>,
    /// The variables, by name.
    pub variables: Vec<String>,
    /// The signals.
    pub signals: Vec<Signal>,
    /// The places, as whoever recorded them has written them.
    pub sites: Vec<String>,
    /// The steps, in the order of the run.
    pub events: Vec<Event>,
}

/// A step, as an index of [`Recording::events`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(pub u32);

impl EventId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl ThreadId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl LockId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl Recording {
    /// The step of this number.
    pub fn event(&self, event: EventId) -> &Event {
        &self.events[event.index()]
    }

    /// The steps with their numbers.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (EventId, &Event)> {
        (0..).map(EventId).zip(&self.events)
    }
}
