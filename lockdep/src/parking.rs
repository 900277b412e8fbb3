//! Parking: a wait that whoever has a handle of the thread can end.
//!
//! Anybody may have a handle, so a parked thread counts as stuck only when no thread of the process is
//! left that runs, and something else than parked threads waits: a process of which nothing is left
//! but parked threads may be meant to stay like that until it is killed.
//!
//! A thread that was unparked before it parks does not block. Which of the unparks a return of `park`
//! answers is not known, but a thread that was not unparked since it returned has no reason to
//! return; any other one is taken for one that goes on, until it is seen to sleep. Before anything is
//! said the thread looks for itself whether it was unparked.

use std::hash::{Hash, Hasher};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crate::instrument::Site;
use crate::process::UNPARKS;
use crate::record::{Record, WaitKind};
use crate::waiting;

/// A thread that has not been unparked for so long was not unparked.
const LOOK: Duration = Duration::from_millis(50);

/// The thread parks: `block` must be the primitive's park.
///
/// # Panics
/// Where the thread would wait for ever, as configured.
pub(crate) fn park(record: &'static Record, timed: bool, site: Site, block: impl FnOnce()) {
    let number = number(thread::current().id());
    let unparks = || unparks(number).load(SeqCst);
    let (known, begin) = (record.unparks.get(), unparks());
    let wait = match (timed, begin == known) {
        (true, _) => waiting::show(record, WaitKind::Timed, (number, begin), site),
        (false, false) => waiting::show(record, WaitKind::Park, (number, begin), site),
        (false, true) => waiting::wait(record, WaitKind::Park, (number, begin), site),
    };
    block();
    drop(wait);
    let end = unparks();
    // It was one of them that ended this wait. Of several that came meanwhile the last may still end
    // the next one.
    let answered = end == begin || end.wrapping_sub(known) <= 1;
    record.unparks.set(if answered { end } else { end.wrapping_sub(1) });
}

/// The thread is about to be unparked.
#[inline]
pub(crate) fn unparked(thread: ThreadId) {
    unparks(number(thread)).fetch_add(1, SeqCst);
}

/// How often the thread of this number was unparked, and others with which it shares the count.
pub(crate) fn unparks(number: u64) -> &'static AtomicU64 {
    &UNPARKS[number as usize % UNPARKS.len()]
}

/// Whether this thread was unparked and has not parked since; that remains so.
pub(crate) fn is_unparked() -> bool {
    let begin = Instant::now();
    thread::park_timeout(LOOK);
    let unparked = begin.elapsed() < LOOK;
    if unparked {
        thread::current().unpark();
    }
    unparked
}

/// The number that the standard library gives to a thread.
fn number(thread: ThreadId) -> u64 {
    let mut number = Number(0);
    thread.hash(&mut number);
    number.finish()
}

/// Takes the number out of a [`ThreadId`], which is not let out otherwise.
struct Number(u64);

impl Hasher for Number {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0 << 8 | u64::from(byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
