//! What one thread waits for, for others to read.
//!
//! Orderings: a wait is told of and read as under a sequence lock, whose number is odd while the
//! thread waits. What the thread stores after a wait cannot be seen without the end of that wait, so
//! what a reader saw while the number stayed the same belongs together, the held locks included. And
//! whoever begins to wait reads the others only after a `SeqCst` fence: of the threads that close a
//! cycle one is the last to do so, and that one sees the waits of all others.

use std::panic::Location;
use std::ptr;

use crate::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use crate::atomic::{AtomicPtr, AtomicU8, AtomicU64, fence};

/// What a thread waits for, as a number that other threads can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum WaitKind {
    Lock = 0,
    Join = 1,
    Event = 2,
    /// Any wait that ends by itself.
    Timed = 3,
    /// Permits of a semaphore that has several; how many is in the record's permits.
    Permits = 4,
    /// An `unpark`.
    Park = 5,
}

/// A wait of another thread, read while it lasted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeenWait {
    pub(crate) kind: WaitKind,
    /// The lock's word with the mode that is asked for, the thread that is joined, the event, or the
    /// number of the thread that parks.
    pub(crate) target: u64,
    /// How often the event had been signalled, the thread unparked, or the lock released where somebody
    /// counts, when the wait began.
    pub(crate) signals: u64,
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
    signals: AtomicU64,
    since: AtomicU64,
    site: AtomicPtr<Location<'static>>,
}

impl WaitSlot {
    /// From here on the thread waits, for everyone to see. Only the owner calls this.
    pub(crate) fn begin(
        &self,
        kind: WaitKind,
        (target, signals): (u64, u64),
        since: u64,
        site: &'static Location<'static>,
    ) {
        self.kind.store(kind as u8, Relaxed);
        self.target.store(target, Relaxed);
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
        let kind = match self.kind.load(Relaxed) {
            0 => WaitKind::Lock,
            1 => WaitKind::Join,
            2 => WaitKind::Event,
            4 => WaitKind::Permits,
            5 => WaitKind::Park,
            _ => WaitKind::Timed,
        };
        let (target, since) = (self.target.load(Relaxed), self.since.load(Relaxed));
        let signals = self.signals.load(Relaxed);
        let site = self.site.load(Relaxed);
        self.still(sequence).then(|| SeenWait {
            kind,
            target,
            signals,
            since,
            // SAFETY: the site was stored before the sequence number became odd, from a reference.
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
