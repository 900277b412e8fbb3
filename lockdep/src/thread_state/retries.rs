//! What a thread keeps of its failed `try_` acquisitions, for the search for livelocks and starvation.

use std::ptr;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::held::HeldLock;
use crate::model::ids::ThreadId;
use crate::model::lock::Site;
use crate::model::word::HoldWord;

/// So many failures without progress in a row are a livelock and not bad luck.
pub(crate) const ROUNDS: u64 = 32;

/// The time between two looks, which a livelock outlasts.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// A number that only the owner of the record writes.
#[derive(Debug, Default)]
pub(crate) struct Number(AtomicU64);

impl Number {
    #[inline(always)]
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    pub(crate) fn set(&self, number: u64) {
        self.0.store(number, Relaxed);
    }
}

/// What a thread keeps of its failed attempts.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    /// Rounds without progress in a row.
    rounds: Number,
    /// How often the row was broken.
    row: Number,
    acquisitions: Number,
    /// The round in which something held was acquired again.
    regained: Number,
    looked: Number,
    pub(crate) failed: FailedRetries,
    /// What it asked for and held at the last multiple of [`ROUNDS`].
    asks: Mutex<Option<Asks>>,
}

/// What a retrying thread asks for.
#[derive(Clone, Debug)]
pub(crate) struct Asks {
    pub(crate) lock: HoldWord,
    pub(crate) site: Site,
    pub(crate) held: Vec<HeldLock>,
    /// It has held these since [`ROUNDS`] rounds at least.
    pub(crate) kept: bool,
}

impl Retries {
    /// Whether the thread has failed since it last made progress.
    #[inline(always)]
    pub(crate) fn in_a_row(&self) -> bool {
        self.rounds.get() != 0
    }

    /// The thread has made progress.
    #[inline]
    pub(crate) fn progress(&self) {
        if self.in_a_row() {
            self.end_row();
        }
    }

    #[cold]
    fn end_row(&self) {
        self.row.set(self.row.get() + 1);
        self.rounds.set(0);
        self.regained.set(0);
        self.failed.reset();
    }

    /// Counts one more failure, after `acquisitions` of the thread in all; `regained` of them are held and
    /// new since the failure before. Returns the failures in a row without progress.
    pub(crate) fn failed(&self, acquisitions: u64, regained: u64) -> u64 {
        let before = self.acquisitions.get();
        self.acquisitions.set(acquisitions);
        if acquisitions.wrapping_sub(before) > regained {
            self.end_row();
        }
        let rounds = self.rounds.get() + 1;
        self.rounds.set(rounds);
        if regained > 0 {
            self.regained.set(rounds);
        }
        rounds
    }

    /// Publishes what the thread asks for and holds. Returns whether it is time to look at the others.
    pub(crate) fn publish(
        &self,
        lock: HoldWord,
        site: Site,
        held: Vec<HeldLock>,
        now: u64,
    ) -> bool {
        let kept = self.rounds.get() - self.regained.get() >= ROUNDS;
        *self.asks() = Some(Asks { lock, site, held, kept });
        let due = now.saturating_sub(self.looked.get()) >= TICK.as_nanos() as u64;
        if due {
            self.looked.set(now);
        }
        due
    }

    /// What the thread has written down last.
    pub(crate) fn asks(&self) -> MutexGuard<'_, Option<Asks>> {
        self.asks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rounds without progress in a row.
    pub(crate) fn rounds(&self) -> u64 {
        self.rounds.get()
    }

    pub(crate) fn row(&self) -> (u64, u64) {
        (self.row.get(), self.rounds.get())
    }

    /// Another thread takes the record over.
    pub(crate) fn reset(&self) {
        self.end_row();
        self.acquisitions.set(0);
        *self.asks() = None;
    }
}

/// What a thread keeps of its failures on one lock in a row.
#[derive(Debug, Default)]
pub(crate) struct FailedRetries {
    /// The lock.
    lock: Number,
    /// The address of the place where it is tried.
    site: Number,
    pub(crate) failures: Number,
    /// How often it was without what it holds now since the failure before.
    pub(crate) back_offs: Number,
    /// When the row was first looked at.
    pub(crate) since: Number,
    /// The thread that was last seen to hold the lock.
    pub(crate) holder: Number,
    pub(crate) handovers: Number,
}

impl FailedRetries {
    pub(crate) fn reset(&self) {
        for number in [&self.failures, &self.back_offs, &self.since, &self.handovers] {
            number.set(0);
        }
    }

    /// One more failure; the thread stepped back before it, or not.
    pub(crate) fn failed(&self, asked: HoldWord, site: Site, stepped_back: bool) {
        let site = ptr::from_ref(site).addr() as u64;
        if (self.lock.get(), self.site.get()) != (asked.lock(), site) {
            self.lock.set(asked.lock());
            self.site.set(site);
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
    fn polling_and_stepping_back_are_no_progress() {
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
