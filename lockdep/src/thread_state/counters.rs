//! Counts of the whole process that threads write while they spawn, signal, join and end. A thread that is
//! about to block reads them to decide cheaply whether it must look at all threads.

use std::hash::{Hash, Hasher};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::thread::ThreadId;

use crate::model::word::{LockWord, parts};

/// Threads that wait for the end of another.
pub(crate) static JOINING: AtomicUsize = AtomicUsize::new(0);
/// Threads that were spawned and have not yet begun.
pub(crate) static STARTING: AtomicUsize = AtomicUsize::new(0);
/// Threads whose closure has returned while they held locks, and that have not ended yet.
pub(crate) static LEAVING: AtomicUsize = AtomicUsize::new(0);
/// Locks that threads held when they ended.
pub(crate) static ORPHANED: AtomicUsize = AtomicUsize::new(0);
/// What is there from which threads can hear from outside of the process: sockets, pipes and the like.
pub(crate) static OUTSIDE: AtomicUsize = AtomicUsize::new(0);
/// See [`unparks`].
static UNPARKS: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];

/// How many threads wait for events that share a slot, in the upper half, and how many of them were woken
/// and have not gone on yet, in the lower half. The second is never greater than the first.
static WAITERS: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];
/// How many counts the events share.
const SLOTS: usize = 1024;
/// One waiter, in [`WAITERS`].
const WAITER: u64 = 1 << 32;

#[inline(always)]
fn waiters(event: LockWord) -> &'static AtomicU64 {
    // Multiplied, as each thread numbers its events from a multiple of a block on.
    let hash = parts(event.lock()).1.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    &WAITERS[(hash >> (u64::BITS - SLOTS.ilog2())) as usize]
}

/// The calling thread begins to wait for the event.
pub(crate) fn begin_wait(event: LockWord) {
    waiters(event).fetch_add(WAITER, SeqCst);
}

/// The calling thread does not wait for the event any more.
pub(crate) fn end_wait(event: LockWord) {
    update(event, |waiters, woken| (waiters.saturating_sub(1), woken.saturating_sub(1)));
}

/// Whether a thread may be waiting for the event.
#[inline(always)]
pub(crate) fn is_waited_for(event: LockWord) -> bool {
    waiters(event).load(SeqCst) >= WAITER
}

/// Whether a thread that waits for the event may have been woken, and has not gone on yet.
pub(crate) fn may_be_woken(event: LockWord) -> bool {
    waiters(event).load(SeqCst) % WAITER != 0
}

/// Which of the threads that wait for an event are woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    One,
    All,
}

/// Threads that wait for the event are about to be woken.
#[inline]
pub(crate) fn woken(event: LockWord, who: Woken) {
    if is_waited_for(event) {
        update(event, |waiters, woken| {
            (waiters, if who == Woken::All { waiters } else { woken + 1 })
        });
    }
}

fn update(event: LockWord, step: impl Fn(u64, u64) -> (u64, u64)) {
    let new = |count: u64| {
        let (waiters, woken) = step(count / WAITER, count % WAITER);
        Some(waiters * WAITER + woken.min(waiters))
    };
    _ = waiters(event).fetch_update(SeqCst, SeqCst, new);
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
    for count in &WAITERS {
        count.store(0, SeqCst);
    }
}
