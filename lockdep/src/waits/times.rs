//! How long locks are waited for and held; measured only while statistics or a watchdog [`ask`].
//!
//! While they do, every acquisition takes the slow path (the stack of held locks looks full), stamps
//! the hold and marks it as [`WATCHED`], and the mark makes the release take the slow path too. That
//! costs a clock read or two for each acquisition and release, and nothing while nothing asks.
//!
//! A lock that was already held when the measuring began has no time. What the thread itself spends in the
//! observer's steps, when it meets something new, counts neither as a hold nor as a wait; what others spend
//! there while it waits for them does.
//!
//! [`WATCHED`]: crate::model::word::WATCHED

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use crate::hash::fold;
use crate::model::lock::Site;
use crate::model::times::{ClassTimes, longest};
use crate::model::word;
use crate::model::word::HoldWord;
use crate::platform::clock;
use crate::thread_state::current::Busy;
use crate::thread_state::demand::Asker;
use crate::thread_state::record::OwnRecord;
use crate::thread_state::wait::{Awaited, SeenWait};
use crate::thread_state::{bell, demand, registry};
use crate::waits::starvation;

/// From here on times are taken for this asker, by all threads.
pub(crate) fn ask(asker: Asker) {
    demand::set(asker);
    registry::records().for_each(|r| r.held.force_slow_path());
}

/// On the slow path of an acquisition: returns the word to hold the lock with.
pub(crate) fn asked_for(record: OwnRecord, word: HoldWord) -> HoldWord {
    if !demand::is_asked() {
        return word;
    }
    let now = clock::now();
    record.stamp_next(record.program_time(now));
    if demand::is_asked_by(Asker::Watchdog) {
        about_to_hold(record, now);
    }
    HoldWord(word.0 | word::WATCHED)
}

/// Keeps the watchdog awake until the hold is on the stack, where it is seen.
fn about_to_hold(record: OwnRecord, now: u64) {
    record.asked_at.store(now, SeqCst);
    bell::something_to_watch();
}

/// The wait that the thread is in is over.
pub(crate) fn waited(record: OwnRecord, awaited: Awaited) {
    if demand::is_asked() && record.wait.is_on() {
        wait_ended(record, awaited);
    }
}

#[cold]
fn wait_ended(record: OwnRecord, awaited: Awaited) {
    let _busy = Busy::new();
    let now = clock::now();
    record.stamp_next(record.program_time(now));
    if demand::is_asked_by(Asker::Watchdog) {
        about_to_hold(record, now);
    }
    let (Awaited::Lock(lock), Some(wait)) = (awaited, record.wait.seen()) else { return };
    let own = record.detector_time.load(Relaxed).saturating_sub(record.mine().waits_from.get());
    let time = now.saturating_sub(wait.since).saturating_sub(own);
    let bypassed = bypassed(lock, &wait);
    if demand::is_asked_by(Asker::Statistics) {
        with(record, lock, |times| {
            times.contended += 1;
            times.wait.add(time);
            longest(&mut times.longest_wait, time, wait.site);
            if bypassed > 0 {
                longest(&mut times.most_bypassed, bypassed, wait.site);
            }
        });
    }
    starvation::waited(record, lock, wait.site, time, bypassed);
}

/// How many holds of others have ended during this wait for this lock, without the one that it began
/// behind. A lower bound.
pub(crate) fn bypassed(lock: HoldWord, wait: &SeenWait) -> u64 {
    ended(lock).saturating_sub(wait.signals).saturating_sub(1)
}

/// How many holds of this lock have ended while times were taken, as far as that is known; the greatest
/// number while they are not taken.
pub(crate) fn ended(lock: HoldWord) -> u64 {
    let slot = slot(lock);
    match slot.lock.load(Relaxed) == lock.lock() && demand::is_asked() {
        true => slot.holds.load(Relaxed),
        false if !demand::is_asked() => u64::MAX,
        false => 0,
    }
}

/// One more hold of this lock has ended.
fn count_end(lock: HoldWord) {
    let slot = slot(lock);
    if slot.lock.load(Relaxed) != lock.lock() {
        // From zero again, so a difference to an earlier count is too low, never too high.
        slot.holds.store(0, Relaxed);
        slot.lock.store(lock.lock(), Relaxed);
    }
    slot.holds.fetch_add(1, Relaxed);
}

/// Holds of one lock that have ended. Locks that share a slot take it from each other.
struct Ended {
    lock: AtomicU64,
    holds: AtomicU64,
}

static ENDED: [Ended; 256] =
    [const { Ended { lock: AtomicU64::new(0), holds: AtomicU64::new(0) } }; 256];

fn slot(lock: HoldWord) -> &'static Ended {
    &ENDED[fold(lock.lock(), 0x9e37_79b9_7f4a_7c15) as usize % ENDED.len()]
}

/// A hold that began at `since`, of the thread's [program time](OwnRecord::program_time), is over.
pub(crate) fn released(record: OwnRecord, word: HoldWord, site: Site, since: u64) {
    if demand::is_asked() {
        count_end(word);
    }
    if demand::is_asked_by(Asker::Statistics) {
        let _busy = Busy::new();
        let time = record.program_time(clock::now()).saturating_sub(since);
        with(record, word, |times| {
            times.acquisitions += 1;
            times.hold.add(time);
            longest(&mut times.longest_hold, time, site);
        });
    }
}

fn with(record: OwnRecord, word: HoldWord, step: impl FnOnce(&mut ClassTimes)) {
    step(record.times().entry(word.class()).or_default());
}
