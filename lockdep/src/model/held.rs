//! One held lock and its acquisition, and permits of a semaphore that a thread holds or asks for.

use crate::model::lock::{Mode, Site};
use crate::model::word::{HoldWord, LockWord};

/// Some permits of one semaphore, which one thread holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold {
    pub(crate) semaphore: LockWord,
    pub(crate) count: usize,
    /// Where the last of them were taken.
    pub(crate) site: Site,
}

impl Hold {
    /// The hold as that of a lock.
    pub(crate) fn as_lock(&self) -> HeldLock {
        HeldLock {
            word: self.semaphore.held(Mode::Write, false),
            site: self.site,
            address: 0,
            level: 0,
        }
    }
}

/// How many permits a thread waits for, and of how many.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) count: usize,
    pub(crate) total: usize,
}

/// One held lock, read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeldLock {
    /// The lock with the mode it is held in, and marks of the hold.
    pub(crate) word: HoldWord,
    /// Where it was acquired.
    pub(crate) site: Site,
    /// Where the lock is in memory.
    pub(crate) address: usize,
    /// The nesting level, zero unless the acquisition named one.
    pub(crate) level: u8,
}

impl HeldLock {
    /// Whether this hold keeps such a request waiting.
    pub(crate) fn bars(&self, asked: HoldWord) -> bool {
        self.word.lock() == asked.lock() && Mode::conflicts(self.word.mode(), asked.mode())
    }
}

/// An acquisition that may go ahead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prepared {
    pub(crate) word: HoldWord,
    /// The [context hash](crate::thread_state::held_stack) that it will have on the stack.
    pub(crate) context: u64,
}

/// How a lock is acquired.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acquisition {
    pub(crate) mode: Mode,
    /// The nesting level, zero unless the caller names one.
    pub(crate) level: u8,
    /// Whether it turns an upgradable hold of this thread into an exclusive one.
    pub(crate) upgrades: bool,
    /// What blocks if the lock is not free.
    pub(crate) blocks: Blocks,
}

/// What waits for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocks {
    /// The thread, which does nothing else meanwhile.
    Thread,
    /// One of the futures of a task: others of them may go on, and release what the task holds.
    Future,
}

impl Acquisition {
    /// An acquisition at nesting level zero.
    #[inline(always)]
    pub(crate) const fn new(mode: Mode) -> Acquisition {
        Acquisition::at_level(mode, 0)
    }

    /// An acquisition at this nesting level.
    #[inline(always)]
    pub(crate) const fn at_level(mode: Mode, level: u8) -> Acquisition {
        Acquisition { mode, level, upgrades: false, blocks: Blocks::Thread }
    }

    /// An upgrade of a hold that was acquired at this nesting level.
    #[inline(always)]
    pub(crate) const fn upgrade(level: u8) -> Acquisition {
        Acquisition { mode: Mode::Write, level, upgrades: true, blocks: Blocks::Thread }
    }

    /// An acquisition by one of the futures of a task.
    pub(crate) const fn by_future(mode: Mode) -> Acquisition {
        Acquisition { mode, level: 0, upgrades: false, blocks: Blocks::Future }
    }
}
