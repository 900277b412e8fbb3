//! Notes of holds that another thread has ended: a guard that is `Send` may be dropped anywhere.
//!
//! Only the owner writes its stack of held locks. So a thread that drops such a guard leaves a note with
//! the thread that acquired the lock. Readers of the stack skip the hold from then on, and the owner takes
//! it off at its next acquisition, which the note sends to the slow path. Nothing here allocates or locks,
//! as the lock may be the allocator's. (Linux's lockdep calls this cross-release.)
//!
//! What it may miss: beyond [`NOTES`] unprocessed notes, the hold counts as the acquiring thread's still.

use crate::atomic::AtomicU64;
use crate::atomic::Ordering::{Acquire, Relaxed, SeqCst};
use crate::model::word::HoldWord;

/// How many notes a thread can have before its next acquisition.
const NOTES: usize = 8;

/// The notes of one thread: the words of holds that have ended, or zero.
#[derive(Debug, Default)]
pub(super) struct RemoteReleases([AtomicU64; NOTES]);

/// The notes at one moment, less those whose hold a reader has met in the stack.
pub(super) struct Notes([u64; NOTES]);

impl RemoteReleases {
    pub(super) fn read(&self) -> Notes {
        Notes(self.0.each_ref().map(|note| note.load(Acquire)))
    }

    pub(super) fn clear(&self) {
        self.0.iter().for_each(|note| note.store(0, Relaxed));
    }

    /// Adds a note; `false` where there is no room.
    pub(super) fn add(&self, hold: HoldWord) -> bool {
        let free = |note: &AtomicU64| note.compare_exchange(0, hold.0, SeqCst, Relaxed).is_ok();
        self.0.iter().any(free)
    }

    /// Whether there is a note.
    pub(super) fn is_noted(&self) -> bool {
        self.0.iter().any(|note| note.load(SeqCst) != 0)
    }

    /// Takes each note out and calls `taken` with it.
    pub(super) fn take(&self, mut taken: impl FnMut(HoldWord)) {
        for note in &self.0 {
            if note.load(Relaxed) != 0 {
                taken(HoldWord(note.swap(0, SeqCst)));
            }
        }
    }
}

impl Notes {
    /// Whether the hold with this word has ended; asked of each entry of a stack once.
    pub(super) fn has(&mut self, held: HoldWord) -> bool {
        let is_it = |note: &&mut u64| **note != 0 && Notes::is_of(HoldWord(**note), held);
        self.0.iter_mut().find(is_it).map(|note| *note = 0).is_some()
    }

    /// Whether this note is of a hold with that word.
    pub(super) fn is_of(note: HoldWord, held: HoldWord) -> bool {
        held.without_marks().is_hold(note.lock_word(), note.mode())
    }
}
