//! What a thread keeps of its attempts that failed, and how far it was when others looked.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::held::HeldLock;
use crate::model::ids::ThreadId;
use crate::model::lock::Site;
use crate::model::word::Word;

/// Fruitless failures in a row that tell a livelock from bad luck.
pub(crate) const ROUNDS: u64 = 32;

/// The time between two looks, which a livelock outlasts.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// What a thread keeps of its failures; the cells are its own.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    /// Fruitless failures in a row.
    rounds: AtomicU64,
    /// How often the row was broken.
    row: AtomicU64,
    acquisitions: Cell<u64>,
    /// The round in which something held was acquired again.
    regained: Cell<u64>,
    looked: Cell<u64>,
    pub(crate) vain: Vain,
    /// What it asked for and held at the last multiple of [`ROUNDS`].
    asks: Mutex<Option<Asks>>,
}

/// What a retrying thread asks for.
#[derive(Clone, Debug)]
pub(crate) struct Asks {
    pub(crate) lock: Word,
    pub(crate) site: Site,
    pub(crate) held: Vec<HeldLock>,
    /// It has held these since [`ROUNDS`] rounds at least.
    pub(crate) kept: bool,
}

impl Retries {
    /// Whether the thread has failed since it last got on.
    #[inline(always)]
    pub(crate) fn in_a_row(&self) -> bool {
        self.rounds.load(Relaxed) != 0
    }

    /// The thread has got on.
    #[inline]
    pub(crate) fn progress(&self) {
        if self.in_a_row() {
            self.end_row();
        }
    }

    #[cold]
    fn end_row(&self) {
        self.row.store(self.row.load(Relaxed) + 1, Relaxed);
        self.rounds.store(0, Relaxed);
        self.regained.set(0);
        self.vain.reset();
    }

    /// One more failure, after this many acquisitions of the thread in all, of which `regained` are
    /// held and new since the failure before. Returns the fruitless rounds in a row.
    pub(crate) fn failed(&self, acquisitions: u64, regained: u64) -> u64 {
        if acquisitions.wrapping_sub(self.acquisitions.replace(acquisitions)) > regained {
            self.end_row();
        }
        let rounds = self.rounds.load(Relaxed) + 1;
        self.rounds.store(rounds, Relaxed);
        if regained > 0 {
            self.regained.set(rounds);
        }
        rounds
    }

    /// Writes down what the thread asks for and holds. Whether it is time to look at the others.
    pub(crate) fn publish(&self, lock: Word, site: Site, held: Vec<HeldLock>, now: u64) -> bool {
        let kept = self.rounds.load(Relaxed) - self.regained.get() >= ROUNDS;
        *self.asks() = Some(Asks { lock, site, held, kept });
        let due = now.saturating_sub(self.looked.get()) >= TICK.as_nanos() as u64;
        if due {
            self.looked.set(now);
        }
        due
    }

    /// Keeps others from reading and the owner from writing, until dropped.
    pub(super) fn hold_still(&self) -> MutexGuard<'_, Option<Asks>> {
        self.asks()
    }

    pub(crate) fn asks(&self) -> MutexGuard<'_, Option<Asks>> {
        self.asks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fruitless failures in a row.
    pub(crate) fn rounds(&self) -> u64 {
        self.rounds.load(Relaxed)
    }

    pub(crate) fn row(&self) -> (u64, u64) {
        (self.row.load(Relaxed), self.rounds.load(Relaxed))
    }

    /// Another thread takes the record over.
    pub(crate) fn reset(&self) {
        self.end_row();
        self.acquisitions.set(0);
        *self.asks() = None;
    }
}

/// What a thread keeps of its failures on one lock in a row; the cells are its own.
#[derive(Debug, Default)]
pub(crate) struct Vain {
    /// The lock, and the place where it is tried.
    pub(crate) at: Cell<(u64, usize)>,
    pub(crate) failures: Cell<u64>,
    /// How often it was without what it holds now since the failure before.
    pub(crate) back_offs: Cell<u64>,
    /// When the row was first looked at.
    pub(crate) since: Cell<u64>,
    pub(crate) holder: Cell<ThreadId>,
    pub(crate) handovers: Cell<u32>,
}

impl Vain {
    pub(crate) fn reset(&self) {
        self.failures.set(0);
        self.back_offs.set(0);
        self.since.set(0);
        self.handovers.set(0);
    }

    /// One more failure; the thread stepped back before it, or not.
    pub(crate) fn failed(&self, asked: Word, site: Site, stepped_back: bool) {
        if self.at.replace((asked.lock(), ptr::from_ref(site).addr())) != self.at.get() {
            self.reset();
        }
        self.failures.set(self.failures.get() + 1);
        self.back_offs.set(self.back_offs.get() + u64::from(stepped_back));
    }
}

/// How far a thread was when it was looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) thread: ThreadId,
    /// The row of failures and its rounds.
    pub(crate) row: (u64, u64),
    /// The sequence number of its wait, if it waited.
    pub(crate) wait: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::{ROUNDS, Retries};

    #[test]
    fn polling_and_stepping_back_are_fruitless() {
        let retries = Retries::default();
        for round in 1..ROUNDS {
            assert_eq!(retries.failed(7, 0), round, "nothing acquired");
        }
        retries.progress();
        for round in 1..ROUNDS {
            assert_eq!(retries.failed(7 + round, 1), round, "the first lock, each time anew");
        }
    }

    #[test]
    fn an_acquisition_that_is_over_is_progress() {
        let retries = Retries::default();
        assert_eq!(retries.failed(1, 1), 1);
        assert_eq!(retries.failed(2, 1), 2);
        assert_eq!(retries.failed(4, 1), 1, "a section in between");
        assert_eq!(retries.failed(4, 0), 2);
        retries.progress();
        assert_eq!(retries.failed(4, 0), 1, "a message in between");
    }
}
