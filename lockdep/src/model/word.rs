//! A lock's identity in one machine word, and a hold of a lock in another.
//!
//! | bits | in a lock: [`LockWord`] | in a thread's stack of held locks: [`HoldWord`] |
//! |---|---|---|
//! | 63 | the engine itself needed this lock, so it is not tracked | the release must be known |
//! | 44–62 | class | class |
//! | 4–43 | serial number, never given twice | serial number |
//! | 3 | – | the order graph got a node for it in this hold |
//! | 2 | – | acquired without blocking |
//! | 0–1 | bit 0: the order graph has a node for it; bit 1: it has a declared key | mode |
//!
//! Zero is a lock that has not been acquired yet. A lock without a class may have a serial number, from
//! its creation.

use crate::model::ids::LockId;
use crate::model::lock::Mode;

/// The lock is used by the engine itself, through the global allocator for instance.
pub(crate) const UNTRACKED: u64 = 1 << 63;

/// In a lock: the order graph has a node for it.
pub(crate) const IN_GRAPH: u64 = 1;

/// In a lock: the observer has a key that orders it among those of its class.
pub(crate) const KEYED: u64 = 1 << 1;

/// In a held entry: the order graph has a node for it, which the release notes in the lock.
pub(crate) const GRAPHED: u64 = 1 << 3;

/// In a held entry: the hold has a time stamp, or a thread was spawned under it. It shares bit 63 with
/// [`UNTRACKED`]: an untracked lock is never pushed, so the meanings cannot meet. As this mark and
/// [`GRAPHED`] make the entry unlike its lock, the release takes the slow path by itself.
pub(crate) const WATCHED: u64 = 1 << 63;

const TRIED: u64 = 1 << 2;

const MODE: u64 = 3;

/// Set in the modes of readers alone.
const READS: u64 = 1;

const MARKS: u64 = 0xf;

const SERIAL_BITS: u32 = 40;

const CLASS_BITS: u32 = 19;

/// Serial numbers are below this.
pub(crate) const SERIALS: u64 = 1 << SERIAL_BITS;

/// Serial numbers that a thread takes at a time, from a multiple of this on.
pub(crate) const SERIAL_BLOCK: u64 = 256;

/// Class numbers are below this.
pub(crate) const CLASSES: u32 = 1 << CLASS_BITS;

/// A lock's word: the first layout of the table above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct LockWord(pub(crate) u64);

impl LockWord {
    pub(crate) const fn new(class: u32, serial: u64) -> LockWord {
        LockWord(((class as u64) << (SERIAL_BITS + 4)) | ((serial & (SERIALS - 1)) << 4))
    }

    /// A lock that has not been acquired yet.
    #[inline(always)]
    pub(crate) const fn is_new(self) -> bool {
        self.0 < 1 << (SERIAL_BITS + 4)
    }

    /// The word of a new lock that gets this class.
    pub(crate) const fn classified(self, class: u32) -> LockWord {
        LockWord(self.0 | (class as u64) << (SERIAL_BITS + 4))
    }

    /// The lock alone.
    pub(crate) const fn lock(self) -> LockId {
        self.0 & !MARKS & !UNTRACKED
    }

    pub(crate) const fn class(self) -> u32 {
        class_of(self.0)
    }

    /// A hold of this lock, or a request for it.
    #[inline(always)]
    pub(crate) const fn held(self, mode: Mode, tried: bool) -> HoldWord {
        HoldWord((self.0 & !MARKS) | mode as u64 | if tried { TRIED } else { 0 })
    }
}

/// A hold of a lock, or a request for one: the second layout of the table above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct HoldWord(pub(crate) u64);

impl HoldWord {
    /// The lock alone.
    pub(crate) const fn lock(self) -> LockId {
        self.0 & !MARKS & !WATCHED
    }

    /// The lock's word, as far as it is known from the hold.
    pub(crate) const fn lock_word(self) -> LockWord {
        LockWord(self.lock())
    }

    pub(crate) const fn class(self) -> u32 {
        class_of(self.0)
    }

    /// Whether this, in a stack of held locks, is a hold of `lock` in `mode` whose release nothing must
    /// know; both kinds of readers are released alike.
    #[inline(always)]
    pub(crate) const fn is_hold(self, lock: LockWord, mode: Mode) -> bool {
        let any = if mode.is_read() { TRIED | MODE & !READS } else { TRIED };
        let hold = (lock.0 & !MARKS) | mode as u64;
        self.0 != 0 && (self.0 ^ hold) & !any == 0
    }

    pub(crate) const fn mode(self) -> Mode {
        match self.0 & MODE {
            0 => Mode::Write,
            1 => Mode::Read,
            2 => Mode::Upgradable,
            _ => Mode::RecursiveRead,
        }
    }

    pub(crate) const fn tried(self) -> bool {
        self.0 & TRIED != 0
    }

    /// Without the mark of [`WATCHED`].
    pub(crate) const fn unwatched(self) -> HoldWord {
        HoldWord(self.0 & !WATCHED)
    }

    pub(crate) const fn watched(self) -> bool {
        self.0 & WATCHED != 0
    }

    pub(crate) const fn graphed(self) -> bool {
        self.0 & GRAPHED != 0
    }

    /// Without the marks that say nothing about the hold itself.
    pub(crate) const fn without_marks(self) -> HoldWord {
        HoldWord(self.0 & !(GRAPHED | WATCHED))
    }
}

/// Whether both were numbered by one thread in one go, so that the lower number is the older lock.
pub(crate) const fn comparable(a: LockId, b: LockId) -> bool {
    (a >> 4 & (SERIALS - 1)) / SERIAL_BLOCK == (b >> 4 & (SERIALS - 1)) / SERIAL_BLOCK
}

/// What orders a lock among all that are ordered by number: its class, then the declared key, if it
/// has one, then its serial number.
pub(crate) const fn order(lock: LockId, key: Option<u64>) -> (u64, u64, u64) {
    match key {
        None => (lock, 0, 0),
        Some(key) => (LockWord::new(class_of(lock), 0).0, key, lock),
    }
}

/// The class of a lock, and its serial number.
pub(crate) const fn parts(lock: LockId) -> (u32, u64) {
    (class_of(lock), lock >> 4 & (SERIALS - 1))
}

/// The class of a lock.
pub(crate) const fn class_of(lock: LockId) -> u32 {
    ((lock & !UNTRACKED) >> (SERIAL_BITS + 4)) as u32
}
