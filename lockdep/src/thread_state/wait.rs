//! What one thread waits for, for others to read.
//!
//! Orderings: a wait is written and read as under a sequence lock, whose number is odd while the thread
//! waits. What the thread stores after a wait cannot be seen without the end of that wait. So what a reader
//! saw while the number stayed the same belongs together, the held locks included. And a thread that begins
//! to wait reads the others only after a `SeqCst` fence: one of the threads that close a cycle is the last
//! to pass it, and that one sees the waits of all others.

use std::panic::Location;
use std::ptr;

use crate::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use crate::atomic::{AtomicPtr, AtomicU8, AtomicU64, fence};
use crate::model::ids::ThreadId;
use crate::model::lock::Mode;
use crate::model::word::{HoldWord, LockWord};

/// What a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// A lock, in the mode of this word.
    Lock(HoldWord),
    /// The end of a thread.
    End(ThreadId),
    /// The end of a task, whose site stands for that of the wait: where it was spawned.
    TaskEnd(ThreadId),
    /// An event: a message, a notification, the others at a barrier.
    Event(LockWord),
    /// Permits of a semaphore that has several; how many is in the record's permits.
    Permits(LockWord),
    /// An `unpark`.
    Unpark {
        /// The number that the standard library gives to this thread.
        thread: u64,
        /// How often it had been unparked when the wait began.
        unparks: u64,
    },
    /// A time-out, with the event that may come before it.
    Timed(Option<LockWord>),
}

impl Awaited {
    /// The lock or semaphore that the thread waits for, with the mode.
    pub(crate) fn lock(self) -> Option<HoldWord> {
        match self {
            Awaited::Lock(word) => Some(word),
            Awaited::Permits(word) => Some(word.held(Mode::Write, false)),
            Awaited::End(_)
            | Awaited::TaskEnd(_)
            | Awaited::Event(_)
            | Awaited::Unpark { .. }
            | Awaited::Timed(_) => None,
        }
    }

    /// The event that the thread waits for, for as long as it takes.
    pub(crate) fn event(self) -> Option<LockWord> {
        match self {
            Awaited::Event(word) => Some(word),
            _ => None,
        }
    }

    /// The lock, semaphore or event that the thread waits for, which has a class.
    pub(crate) fn object(self) -> Option<LockWord> {
        match self {
            Awaited::Lock(word) => Some(word.lock_word()),
            Awaited::Permits(word) | Awaited::Event(word) => Some(word),
            Awaited::Timed(event) => event,
            Awaited::End(_) | Awaited::TaskEnd(_) | Awaited::Unpark { .. } => None,
        }
    }

    /// The thread or task whose end is waited for.
    pub(crate) fn end(self) -> Option<ThreadId> {
        match self {
            Awaited::End(thread) | Awaited::TaskEnd(thread) => Some(thread),
            _ => None,
        }
    }

    /// Whether the wait ends by itself.
    pub(crate) fn is_timed(self) -> bool {
        matches!(self, Awaited::Timed(_))
    }

    /// As numbers: the kind, what is waited for, how often the thread was unparked.
    fn encode(self) -> (u8, u64, u64) {
        match self {
            Awaited::Lock(word) => (0, word.0, 0),
            Awaited::End(thread) => (1, thread.into(), 0),
            Awaited::Event(word) => (2, word.0, 0),
            Awaited::Permits(word) => (3, word.0, 0),
            Awaited::Unpark { thread, unparks } => (4, thread, unparks),
            Awaited::Timed(None) => (5, 0, 0),
            Awaited::Timed(Some(word)) => (6, word.0, 0),
            Awaited::TaskEnd(task) => (7, task.into(), 0),
        }
    }

    fn decode((kind, target, unparks): (u8, u64, u64)) -> Awaited {
        match kind {
            0 => Awaited::Lock(HoldWord(target)),
            1 => Awaited::End(target as ThreadId),
            2 => Awaited::Event(LockWord(target)),
            3 => Awaited::Permits(LockWord(target)),
            4 => Awaited::Unpark { thread: target, unparks },
            5 => Awaited::Timed(None),
            6 => Awaited::Timed(Some(LockWord(target))),
            _ => Awaited::TaskEnd(target as ThreadId),
        }
    }
}

/// A wait of another thread, read while it lasted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeenWait {
    pub(crate) awaited: Awaited,
    /// How many holds of the lock had ended when the wait began, where that is counted.
    pub(crate) signals: u64,
    /// When it began, in nanoseconds of the process's clock.
    pub(crate) since: u64,
    pub(crate) site: &'static Location<'static>,
    pub(crate) sequence: u64,
}

/// What a thread waits for, if it does.
#[derive(Debug, Default)]
pub(crate) struct WaitSlot {
    /// Odd while the thread waits.
    sequence: AtomicU64,
    kind: AtomicU8,
    target: AtomicU64,
    unparks: AtomicU64,
    signals: AtomicU64,
    since: AtomicU64,
    site: AtomicPtr<Location<'static>>,
}

impl WaitSlot {
    /// From here on the thread waits, for everyone to see. Only the owner calls this.
    pub(crate) fn begin(
        &self,
        awaited: Awaited,
        signals: u64,
        since: u64,
        site: &'static Location<'static>,
    ) {
        let (kind, target, unparks) = awaited.encode();
        self.kind.store(kind, Relaxed);
        self.target.store(target, Relaxed);
        self.unparks.store(unparks, Relaxed);
        self.signals.store(signals, Relaxed);
        self.since.store(since, Relaxed);
        self.site.store(ptr::from_ref(site).cast_mut(), Relaxed);
        let sequence = self.sequence.load(Relaxed);
        self.sequence.store(sequence | 1, Release);
        fence(SeqCst);
    }

    /// The thread does not wait any more. Only the owner calls this.
    pub(crate) fn end(&self) {
        let sequence = self.sequence.load(Relaxed);
        self.sequence.store((sequence | 1).wrapping_add(1), Release);
        fence(Release);
    }

    /// Whether the thread waits; exact for the owner.
    pub(crate) fn is_on(&self) -> bool {
        self.sequence.load(Relaxed) & 1 == 1
    }

    /// What the thread waits for; `None` when it runs.
    pub(crate) fn seen(&self) -> Option<SeenWait> {
        let sequence = self.sequence.load(SeqCst);
        if sequence & 1 == 0 {
            return None;
        }
        let (kind, target) = (self.kind.load(Relaxed), self.target.load(Relaxed));
        let (unparks, since) = (self.unparks.load(Relaxed), self.since.load(Relaxed));
        let signals = self.signals.load(Relaxed);
        let site = self.site.load(Relaxed);
        self.still(sequence).then(|| SeenWait {
            awaited: Awaited::decode((kind, target, unparks)),
            signals,
            since,
            // SAFETY: the sequence number is odd, so `begin` has stored a site, which it has from a
            // `&'static Location`, and only such are ever stored.
            site: unsafe { &*site },
            sequence,
        })
    }

    /// Whether the thread is still in the very wait that had this sequence number, so that all that
    /// was read of it since was so in this wait.
    pub(crate) fn still(&self, sequence: u64) -> bool {
        fence(Acquire);
        self.sequence.load(SeqCst) == sequence
    }
}
