//! Holds that another thread has ended: a guard that is `Send` may be dropped anywhere.
//!
//! Only its owner writes a stack of held locks. So whoever drops such a guard leaves a note with the
//! thread that acquired the lock, every reader of the stack overlooks the hold from then on, and the
//! owner takes it off the stack on its next acquisition, which the note sends the long way. Nothing
//! here allocates or locks: it may be an allocator's lock.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use crate::model::lock::Mode;
use crate::model::word::Word;
use crate::thread_state::record::Record;

/// How many holds of one thread may be over before its next acquisition; of more, the thread counts
/// as the holder still.
const NOTES: usize = 8;

/// The notes of one thread: the words of holds that are over, or zero.
#[derive(Debug, Default)]
pub(super) struct Given([AtomicU64; NOTES]);

/// What was noted at one moment, and has not been met in the stack yet.
pub(super) struct Notes([u64; NOTES]);

impl Given {
    pub(super) fn read(&self) -> Notes {
        Notes(self.0.each_ref().map(|note| note.load(Acquire)))
    }

    pub(super) fn clear(&self) {
        self.0.iter().for_each(|note| note.store(0, Relaxed));
    }

    fn add(&self, hold: Word) -> bool {
        let free = |note: &AtomicU64| note.compare_exchange(0, hold.0, AcqRel, Relaxed).is_ok();
        self.0.iter().any(free)
    }
}

impl Notes {
    /// Whether the entry of a stack with this word is over; asked of each entry once.
    pub(super) fn has(&mut self, held: Word) -> bool {
        let is_it = |note: &&mut u64| **note != 0 && is_of(Word(**note), held);
        self.0.iter_mut().find(is_it).map(|note| *note = 0).is_some()
    }
}

fn is_of(note: Word, held: Word) -> bool {
    held.without_marks().is_hold(note, note.mode())
}

impl Record {
    /// Another thread is about to end a hold of this one. Whether there is such a hold.
    pub(crate) fn give(&self, lock: Word, mode: Mode) -> bool {
        let hold = lock.held(mode, false);
        let mut holds = false;
        self.each_held(|held, _| holds |= is_of(hold, held.word));
        let given = holds && self.given.add(hold);
        if given {
            self.take_long_way();
        }
        given
    }

    /// Takes the holds off that others have ended, and calls this with each as it stood in the stack.
    pub(crate) fn take_given_off(&self, mut over: impl FnMut(Word)) {
        for note in &self.given.0 {
            if note.load(Relaxed) == 0 {
                continue;
            }
            let hold = Word(note.swap(0, AcqRel));
            if let Some(held) = self.remove(hold, hold.mode()) {
                over(held);
            }
        }
    }
}
