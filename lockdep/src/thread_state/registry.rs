//! The list of the records of all threads, which only grows; a record whose thread has ended is used again.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize};

use crate::model::ids::ThreadId;
use crate::thread_state::record::{OwnRecord, Record};

static RECORDS: AtomicPtr<Record> = AtomicPtr::new(ptr::null_mut());
/// How many records no thread uses.
static FREE: AtomicUsize = AtomicUsize::new(0);
/// One of them, or null; or one that has been taken meanwhile.
static LAST_GIVEN_UP: AtomicPtr<Record> = AtomicPtr::new(ptr::null_mut());
static THREADS: AtomicU32 = AtomicU32::new(0);
static BROODS: AtomicU64 = AtomicU64::new(ORPHANS);

/// The number of all tasks before which nothing is known to come.
pub(crate) const ORPHANS: u64 = 1;

/// One more number for tasks that know the same when they begin.
pub(crate) fn next_brood() -> u64 {
    BROODS.fetch_add(1, Relaxed) + 1
}

/// The number of one more thread.
pub(crate) fn next_thread() -> ThreadId {
    THREADS.fetch_add(1, Relaxed) + 1
}

/// A record that no thread uses, or a new one.
pub(crate) fn take_record() -> OwnRecord {
    // Among many threads that live, one would look at all of their records in vain.
    if FREE.load(Relaxed) > 0 {
        // SAFETY: null, or stored by `give_up` from a `&'static Record`.
        let last = unsafe { LAST_GIVEN_UP.swap(ptr::null_mut(), Acquire).as_ref() };
        if let Some(own) = last.into_iter().chain(records()).find_map(take) {
            return own;
        }
    }
    let record: &'static Record = Box::leak(Box::new(Record::new()));
    let mut first = RECORDS.load(Relaxed);
    loop {
        record.next.store(first, Relaxed);
        let new = ptr::from_ref(record).cast_mut();
        match RECORDS.compare_exchange_weak(first, new, Release, Relaxed) {
            // SAFETY: a new record is in use from the beginning, by this thread.
            Ok(_) => return unsafe { OwnRecord::new(record) },
            Err(now) => first = now,
        }
    }
}

/// Takes this record for the calling thread, if no thread uses it.
fn take(record: &'static Record) -> Option<OwnRecord> {
    let is_free = !record.in_use.load(Relaxed)
        && record.in_use.compare_exchange(false, true, Acquire, Relaxed).is_ok();
    is_free.then(|| {
        FREE.fetch_sub(1, Relaxed);
        // SAFETY: the exchange gives the record to this thread alone, after its last owner gave it up.
        let own = unsafe { OwnRecord::new(record) };
        own.reset();
        own
    })
}

/// The thread has no more use for its record, which another one may take from now on.
pub(crate) fn give_up(own: OwnRecord) {
    let record = own.shared();
    FREE.fetch_add(1, Relaxed);
    record.in_use.store(false, Release);
    LAST_GIVEN_UP.store(ptr::from_ref(record).cast_mut(), Release);
}

thread_local! {
    /// A record for the next task that this thread polls and that needs one; null, or in use by this thread
    /// and marked as ended.
    static SPARE: Cell<*const Record> = const { Cell::new(ptr::null()) };
}

/// A record for a task that the calling thread polls.
pub(crate) fn take_for_task() -> OwnRecord {
    let spare = SPARE.replace(ptr::null());
    // SAFETY: null, or a `&'static Record` that `put_by` has stored in this very thread.
    let record = match unsafe { spare.as_ref() } {
        // SAFETY: the thread has owned it since, and keeps no other `OwnRecord` of it.
        Some(spare) => unsafe { OwnRecord::new(spare) },
        None => take_record(),
    };
    record.is_task.store(true, Relaxed);
    record.ended.store(false, SeqCst);
    record
}

/// The task of this record, which holds and awaits nothing, has no more use for it.
pub(crate) fn put_by(own: OwnRecord) {
    own.ended.store(true, SeqCst);
    own.forget_task();
    let before = SPARE.replace(own.shared());
    // SAFETY: as in `take_for_task`.
    if let Some(before) = unsafe { before.as_ref() } {
        // SAFETY: as in `take_for_task`.
        give_up(unsafe { OwnRecord::new(before) });
    }
}

/// The calling thread polls no more tasks. Returns the record that it had for them.
pub(crate) fn take_spare() -> Option<OwnRecord> {
    // SAFETY: as in `take_for_task`.
    unsafe { SPARE.replace(ptr::null()).as_ref().map(|spare| OwnRecord::new(spare)) }
}

/// The record of a task that no thread polls now.
#[derive(Debug)]
pub(crate) struct Resting(&'static Record);

impl Resting {
    /// The task rests.
    ///
    /// # Safety
    /// The calling thread uses no [`OwnRecord`] of this record from here on.
    pub(crate) unsafe fn new(own: OwnRecord) -> Resting {
        Resting(own.shared())
    }

    /// The calling thread polls the task.
    pub(crate) fn resume(self) -> OwnRecord {
        // SAFETY: the thread that made this has given it up, and there is only this one of it.
        unsafe { OwnRecord::new(self.0) }
    }
}

/// All records, in use or not.
pub(crate) fn records() -> impl Iterator<Item = &'static Record> {
    linked(RECORDS.load(Acquire))
}

/// The records that are older than this one.
pub(crate) fn records_after(record: &Record) -> impl Iterator<Item = &'static Record> + use<> {
    linked(record.next.load(Relaxed))
}

fn linked(mut next: *const Record) -> impl Iterator<Item = &'static Record> {
    std::iter::from_fn(move || {
        // SAFETY: records are never freed, and are complete before they are linked.
        let record = unsafe { next.as_ref() }?;
        next = record.next.load(Relaxed);
        Some(record)
    })
}

/// In a forked child: puts all records but this one out of sight for good. None of their threads exists,
/// and none of them is given to another thread.
pub(crate) fn forget_all_but(mine: Option<&'static Record>) {
    for record in records().filter(|r| !mine.is_some_and(|mine| ptr::eq(mine, *r))) {
        // For those that still point to it from elsewhere.
        record.ended.store(true, SeqCst);
        record.in_use.store(false, SeqCst);
    }
    if let Some(mine) = mine {
        mine.next.store(ptr::null_mut(), Relaxed);
    }
    FREE.store(0, Relaxed);
    LAST_GIVEN_UP.store(ptr::null_mut(), Relaxed);
    RECORDS.store(mine.map_or(ptr::null_mut(), |mine| ptr::from_ref(mine).cast_mut()), Release);
}
