//! How long locks are waited for and held; only while somebody asks.
//!
//! A thread takes no time stamps by itself. While [`ask`]ed, every acquisition of every thread takes
//! the long way (its stack of held locks looks full), marks the hold with [`WATCHED`] and stamps it,
//! and the mark sends the release the long way too. So what is paid while nobody asks is nothing,
//! and while somebody does it is a clock read or two for each acquisition and release.
//!
//! A lock that is already held when somebody begins to ask has no time.
//!
//! [`WATCHED`]: crate::word::WATCHED

use std::sync::PoisonError;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU8, AtomicU64};

use crate::hash::{Map, fold};
use crate::instrument::Site;
use crate::process::{self, Busy};
use crate::record::{Record, SeenWait, WaitKind};
use crate::starvation;
use crate::stats::Histogram;
use crate::waiting;
use crate::watchdog;
use crate::word::{self, Word};

/// Statistics are kept.
pub(crate) const STATISTICS: u8 = 1;
/// The watchdog looks at holds.
pub(crate) const HOLDS: u8 = 2;

static ASKED: AtomicU8 = AtomicU8::new(0);

/// Who asks for times.
pub(crate) fn asked() -> u8 {
    ASKED.load(SeqCst)
}

/// From here on times are taken for `whom`, in threads that run already as well.
pub(crate) fn ask(whom: u8) {
    ASKED.fetch_or(whom, SeqCst);
    process::records().for_each(Record::take_long_way);
}

/// `whom` needs no times any more. Each thread notices at its next acquisition.
pub(crate) fn stop(whom: u8) {
    ASKED.fetch_and(!whom, SeqCst);
}

/// The thread is about to acquire, the long way; returns the word to hold the lock with.
pub(crate) fn asked_for(record: &Record, word: Word) -> Word {
    let asked = asked();
    if asked == 0 {
        return word;
    }
    let now = waiting::now();
    record.stamp_next(now);
    if asked & HOLDS != 0 {
        about_to_hold(record, now);
    }
    Word(word.0 | word::WATCHED)
}

/// The hold is not on the stack yet, but the watchdog must not go to sleep before it is.
fn about_to_hold(record: &Record, now: u64) {
    record.asked_at.store(now, SeqCst);
    watchdog::something_to_watch();
}

/// The wait that the thread is in is over.
pub(crate) fn waited(record: &Record, kind: WaitKind) {
    if ASKED.load(Relaxed) != 0 && record.wait.is_on() {
        wait_ended(record, kind);
    }
}

#[cold]
fn wait_ended(record: &Record, kind: WaitKind) {
    let _busy = Busy::new();
    let now = waiting::now();
    record.stamp_next(now);
    if ASKED.load(Relaxed) & HOLDS != 0 {
        about_to_hold(record, now);
    }
    let Some(wait) = record.wait.seen().filter(|_| kind == WaitKind::Lock) else { return };
    let time = now.saturating_sub(wait.since);
    let bypassed = bypassed(&wait);
    if keeps_statistics() {
        with(record, Word(wait.target), |times| {
            times.contended += 1;
            times.wait.add(time);
            longest(&mut times.longest_wait, time, wait.site);
            if bypassed > 0 {
                longest(&mut times.most_bypassed, bypassed, wait.site);
            }
        });
    }
    starvation::waited(record, Word(wait.target), wait.site, time, bypassed);
}

/// How many holds of others have ended during this wait for a lock, beyond the one that it began
/// with: at least so many.
pub(crate) fn bypassed(wait: &SeenWait) -> u64 {
    ended(Word(wait.target)).saturating_sub(wait.signals).saturating_sub(1)
}

/// How many holds of this lock have ended while somebody asked, as far as that is known; more than
/// any number while nobody asks.
pub(crate) fn ended(lock: Word) -> u64 {
    let slot = slot(lock);
    match slot.lock.load(Relaxed) == lock.lock() && ASKED.load(Relaxed) != 0 {
        true => slot.holds.load(Relaxed),
        false if ASKED.load(Relaxed) == 0 => u64::MAX,
        false => 0,
    }
}

/// One more hold of this lock has ended.
fn count_end(lock: Word) {
    let slot = slot(lock);
    if slot.lock.load(Relaxed) != lock.lock() {
        // Starting from nothing, a count that was taken before says too little, and never too much.
        slot.holds.store(0, Relaxed);
        slot.lock.store(lock.lock(), Relaxed);
    }
    slot.holds.fetch_add(1, Relaxed);
}

/// Holds of one lock that have ended; the last lock that came by has it.
struct Ended {
    lock: AtomicU64,
    holds: AtomicU64,
}

static ENDED: [Ended; 256] =
    [const { Ended { lock: AtomicU64::new(0), holds: AtomicU64::new(0) } }; 256];

fn slot(lock: Word) -> &'static Ended {
    &ENDED[fold(lock.lock(), 0x9e37_79b9_7f4a_7c15) as usize % ENDED.len()]
}

/// Whether statistics are kept.
pub(crate) fn keeps_statistics() -> bool {
    ASKED.load(Relaxed) & STATISTICS != 0
}

/// A hold that began at `since` is over.
pub(crate) fn released(record: &Record, word: Word, site: Site, since: u64) {
    if ASKED.load(Relaxed) != 0 {
        count_end(word);
    }
    if keeps_statistics() {
        let _busy = Busy::new();
        let time = waiting::now().saturating_sub(since);
        with(record, word, |times| {
            times.acquisitions += 1;
            times.hold.add(time);
            longest(&mut times.longest_hold, time, site);
        });
    }
}

fn with(record: &Record, word: Word, step: impl FnOnce(&mut ClassTimes)) {
    let mut times = record.times.lock().unwrap_or_else(PoisonError::into_inner);
    step(times.entry(word.class()).or_default());
}

fn longest(known: &mut Option<(u64, Site)>, time: u64, site: Site) {
    if known.is_none_or(|(longest, _)| time > longest) {
        *known = Some((time, site));
    }
}

/// What is known of the locks of one class; times in nanoseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClassTimes {
    pub(crate) acquisitions: u64,
    pub(crate) contended: u64,
    pub(crate) wait: Histogram,
    pub(crate) hold: Histogram,
    pub(crate) longest_wait: Option<(u64, Site)>,
    pub(crate) longest_hold: Option<(u64, Site)>,
    /// How many holds of others have ended during one wait, at most.
    pub(crate) most_bypassed: Option<(u64, Site)>,
}

impl ClassTimes {
    fn join(&mut self, other: &ClassTimes) {
        self.acquisitions += other.acquisitions;
        self.contended += other.contended;
        self.wait.join(&other.wait);
        self.hold.join(&other.hold);
        for (mine, theirs) in [
            (&mut self.longest_wait, other.longest_wait),
            (&mut self.longest_hold, other.longest_hold),
            (&mut self.most_bypassed, other.most_bypassed),
        ] {
            if let Some((time, site)) = theirs {
                longest(mine, time, site);
            }
        }
    }
}

/// Moves what a thread that ends has seen to `all`: its record stays in sight for a while, and must
/// not be counted again.
pub(crate) fn move_into(record: &Record, all: &mut Map<u32, ClassTimes>) {
    join_into(record, all);
    record.times.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// Adds what this thread has seen to `all`.
pub(crate) fn join_into(record: &Record, all: &mut Map<u32, ClassTimes>) {
    for (&class, times) in &*record.times.lock().unwrap_or_else(PoisonError::into_inner) {
        all.entry(class).or_default().join(times);
    }
}
