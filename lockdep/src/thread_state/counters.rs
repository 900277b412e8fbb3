//! Counts of the whole process that threads write while they spawn, signal, join and end, so that
//! whoever is about to block can tell cheaply whether a look at all threads is worth it.

use std::hash::{Hash, Hasher};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::thread::ThreadId;

use crate::model::word::{Word, parts};

/// Threads that wait for the end of another.
pub(crate) static JOINING: AtomicUsize = AtomicUsize::new(0);
/// Threads that were spawned and have not yet begun.
pub(crate) static STARTING: AtomicUsize = AtomicUsize::new(0);
/// Threads whose closure has returned while they held locks, and who have not ended yet.
pub(crate) static LEAVING: AtomicUsize = AtomicUsize::new(0);
/// Locks that threads held when they ended.
pub(crate) static ORPHANED: AtomicUsize = AtomicUsize::new(0);
/// See [`signals`].
static SIGNALS: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];
/// See [`unparks`].
static UNPARKS: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];

/// In a count of [`signals`]: one thread that waits.
pub(crate) const WAITER: u64 = 1 << 44;

/// How often an event was signalled while threads waited for it, and above [`WAITER`] how many do
/// now; several events may share a count.
#[inline(always)]
pub(crate) fn signals(event: Word) -> &'static AtomicU64 {
    // Multiplied, as each thread numbers its events from a multiple of a block on.
    let hash = parts(event.lock()).1.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - 8);
    &SIGNALS[hash as usize % SIGNALS.len()]
}

/// Whether a thread may be waiting for the event.
#[inline(always)]
pub(crate) fn is_waited_for(event: Word) -> bool {
    signals(event).load(SeqCst) >= WAITER
}

/// Whoever waits for the event is about to be woken.
#[inline]
pub(crate) fn woken(event: Word) {
    if is_waited_for(event) {
        signals(event).fetch_add(1, SeqCst);
    }
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

/// The number that the standard library gives to a thread.
pub(crate) fn number(thread: ThreadId) -> u64 {
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

/// In a forked child, in which the calling thread is alone, and which so many locks were left to by the
/// others.
pub(crate) fn forked(orphaned: usize) {
    for count in [&JOINING, &STARTING, &LEAVING] {
        count.store(0, SeqCst);
    }
    ORPHANED.store(orphaned, SeqCst);
    for count in &SIGNALS {
        count.fetch_and(WAITER - 1, SeqCst);
    }
}
