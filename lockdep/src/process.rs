//! The process-wide instance: every `static` and `thread_local!` of the crate, and the few steps
//! that need them.
//!
//! A thread that is inside these steps is *busy*: whatever it locks meanwhile (in the global
//! allocator, for instance) passes through untracked, so the engine never waits for itself. Such a
//! lock is left out for good: the engine needs it, so it could not be watched without recursion.
//!
//! A thread whose thread-locals are being destroyed is tracked to the end of the destructors where
//! the platform lets us know that end, and passes through after it. A forked child keeps the one
//! thread it has, with a trace of its own.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Instant;

#[cfg(feature = "instrument")]
use crate::banker::Claims;
use crate::config::{Config, OnDeadlock, Print};
use crate::engine::{LockId, Moment, ThreadId};
use crate::finding::{Finding, FoundThread};
use crate::hash::fold;
use crate::instrument::Site;
use crate::observer::Observer;
use crate::order::Declaration;
use crate::platform;
use crate::record::{EARLIER, HeldLock, Own, Record};
use crate::snapshot;
use crate::timing;
use crate::trace::{Counts, ThreadLine};
use crate::waiting;
use crate::word::SERIAL_BLOCK;

static OBSERVER: Mutex<Option<Box<Observer>>> = Mutex::new(None);
static RECORDS: AtomicPtr<Record> = AtomicPtr::new(ptr::null_mut());
pub(crate) static THREADS: AtomicU32 = AtomicU32::new(0);
pub(crate) static SERIALS: AtomicU64 = AtomicU64::new(SERIAL_BLOCK);
pub(crate) static JOINING: AtomicUsize = AtomicUsize::new(0);
/// Threads that were spawned and have not yet begun.
pub(crate) static STARTING: AtomicUsize = AtomicUsize::new(0);
/// How often events were signalled, and how many threads wait; see `waiting`.
pub(crate) static SIGNALS: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];
/// How often threads were unparked; several may share a count.
pub(crate) static UNPARKS: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];
/// Threads whose closure has returned while they held locks, and who have not ended yet.
pub(crate) static LEAVING: AtomicUsize = AtomicUsize::new(0);
pub(crate) static ORPHANED: AtomicUsize = AtomicUsize::new(0);
pub(crate) static START: OnceLock<Instant> = OnceLock::new();
/// What was declared before `main`, or since: the newest first.
static DECLARATIONS: AtomicPtr<Declaration> = AtomicPtr::new(ptr::null_mut());
/// What threads have claimed of semaphores, once one has.
#[cfg(feature = "instrument")]
pub(crate) static CLAIMS: OnceLock<Claims> = OnceLock::new();
static OBSERVING: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// This thread's record while it may be used; null before the first use, while the thread is
    /// busy, and after the end.
    static CURRENT: Cell<*const Record> = const { Cell::new(ptr::null()) };
    pub(crate) static PHASE: Cell<Phase> = const { Cell::new(Phase::Fresh) };
}

/// Where a thread stands; see [`CURRENT`].
#[derive(Clone, Copy)]
pub(crate) enum Phase {
    Fresh,
    Ready,
    Busy,
    Over,
}

/// This thread's record.
#[inline(always)]
pub(crate) fn current() -> Option<&'static Record> {
    let record = CURRENT.get();
    // SAFETY: records are never freed, and only this thread's own is ever stored.
    if record.is_null() { None } else { Some(unsafe { &*record }) }
}

/// This thread's number, which it gets if this is its first use; `None` where the thread must pass
/// through.
pub(crate) fn thread() -> Option<ThreadId> {
    Some(current().or_else(begin)?.thread.load(Relaxed))
}

/// This thread's record, made if this is its first use; `None` where the thread must pass through.
#[cold]
pub(crate) fn begin() -> Option<&'static Record> {
    if !matches!(PHASE.get(), Phase::Fresh) {
        return None;
    }
    PHASE.set(Phase::Busy);
    let record = take_record();
    let thread = THREADS.fetch_add(1, Relaxed) + 1;
    record.thread.store(thread, Relaxed);
    start_segments(record, Moment { thread, epoch: 1, ..Moment::default() });
    record.system.store(platform::system_thread(), Relaxed);
    platform::watch_thread_end();
    PHASE.set(Phase::Ready);
    CURRENT.set(record);
    Some(record)
}

/// The thread of this record begins at this moment.
pub(crate) fn start_segments(record: &Record, at: Moment) {
    let asked = Vec::with_capacity(EARLIER);
    let thread = at.thread;
    let own = Own { at, asked, ..Own::default() };
    *record.own.borrow_mut() = own;
    record.set_segment(fold(u64::from(thread) ^ 0x2545_f491_4f6c_dd1d, 0x9e37_79b9_7f4a_7c15));
}

/// A record that no thread uses, or a new one.
fn take_record() -> &'static Record {
    for record in records() {
        if !record.in_use.load(Relaxed)
            && record.in_use.compare_exchange(false, true, Acquire, Relaxed).is_ok()
        {
            record.reset();
            return record;
        }
    }
    let record: &'static Record = Box::leak(Box::new(Record::new()));
    let mut first = RECORDS.load(Relaxed);
    loop {
        record.next.store(first, Relaxed);
        let new = ptr::from_ref(record).cast_mut();
        match RECORDS.compare_exchange_weak(first, new, Release, Relaxed) {
            Ok(_) => return record,
            Err(now) => first = now,
        }
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

/// Adds a declaration, which is added once. It may be before `main`: nothing is allocated here, and
/// no thread-local is used.
pub(crate) fn add_declaration(new: &'static Declaration) {
    let mut newest = DECLARATIONS.load(Relaxed);
    loop {
        new.link(newest);
        let this = ptr::from_ref(new).cast_mut();
        match DECLARATIONS.compare_exchange_weak(newest, this, Release, Relaxed) {
            Ok(_) => return,
            Err(now) => newest = now,
        }
    }
}

/// The newest declaration, which leads to all others.
pub(crate) fn declarations() -> Option<&'static Declaration> {
    // SAFETY: only `add_declaration` stores here, and it takes a `&'static Declaration`.
    unsafe { DECLARATIONS.load(Acquire).as_ref() }
}

/// Marks the thread as busy until dropped.
pub(crate) struct Busy {
    pub(crate) record: *const Record,
    phase: Phase,
}

impl Busy {
    pub(crate) fn new() -> Busy {
        Busy::in_phase(Phase::Busy)
    }

    /// For an acquisition that its hook has told of already. What passes through meanwhile is not what
    /// the engine needs, and is watched again afterwards.
    #[cfg(feature = "parking_lot")]
    pub(crate) fn told() -> Busy {
        Busy::in_phase(Phase::Over)
    }

    fn in_phase(phase: Phase) -> Busy {
        let busy = Busy { record: CURRENT.get(), phase: PHASE.get() };
        PHASE.set(phase);
        CURRENT.set(ptr::null());
        busy
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        PHASE.set(self.phase);
        CURRENT.set(self.record);
    }
}

pub(crate) fn observer() -> MutexGuard<'static, Option<Box<Observer>>> {
    OBSERVER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `step` on the observer, while this thread is busy, then hands out what it found.
pub(crate) fn observe<R>(step: impl FnOnce(&mut Observer) -> R) -> R {
    let (result, new, config) = {
        let _busy = Busy::new();
        let mut guard = observer();
        if guard.is_none() {
            platform::watch_process();
            OBSERVING.store(true, Relaxed);
        }
        let observer = guard.get_or_insert_with(|| {
            let observer = Box::new(Observer::new());
            take_statistics(&observer.config);
            observer
        });
        let before = observer.findings().len();
        let result = step(observer);
        observer.flush();
        let new = observer.findings()[before..].to_vec();
        let config = if new.is_empty() { None } else { Some(observer.config.clone()) };
        (result, new, config)
    };
    if let Some(config) = config {
        for finding in new {
            deliver(&config, &finding);
        }
    }
    result
}

/// Whether a thread may drop a guard of this lock that another one has acquired; for a busy thread.
pub(crate) fn may_be_sent(lock: LockId) -> bool {
    observer().as_ref().is_some_and(|observer| observer.may_be_sent(lock))
}

/// Runs `step` on the observer where nothing of the program may run: what it finds is in
/// [`findings`] and in the trace, and is told to nobody.
pub(crate) fn note(step: impl FnOnce(&mut Observer)) {
    let _busy = Busy::new();
    if let Some(observer) = observer().as_mut() {
        step(observer);
        observer.flush();
    }
}

/// Prints a finding and calls the program's callback.
fn deliver(config: &Config, finding: &Finding) {
    let print = match config.print {
        Print::Deadlocks => finding.would_hang(),
        // The watchdog prints for itself.
        Print::All => finding.tier.is_shown() && current().is_some(),
        Print::None => false,
    };
    if print {
        let _busy = Busy::new();
        platform::print(&format!("\nlockdep: {finding}\n"));
    }
    // Whatever the program does there may need thread-locals.
    let is_over = current().is_some_and(|record| record.over.get());
    if let Some(callback) = config.on_finding.as_ref().filter(|_| !is_over) {
        callback(finding);
    }
}

/// Goes on as configured after a finding that would hang: returns only for `report`.
pub(crate) fn halt(finding: &Finding) {
    match observe(|o| o.config.on_deadlock) {
        OnDeadlock::Report => {}
        OnDeadlock::Abort => std::process::abort(),
        OnDeadlock::Panic => {
            let text = {
                let _busy = Busy::new();
                format!("{}: {}", finding.rule, finding.message())
            };
            panic!("{text}");
        }
    }
}

/// Introduces the thread of this record, if it is new.
pub(crate) fn know_thread(
    observer: &mut Observer,
    record: &Record,
    spawned: Option<(ThreadId, Site)>,
) {
    let id = record.thread.load(Relaxed);
    if !observer.knows_thread(id) {
        let name = match record.over.get() {
            false => thread::current().name().map(str::to_owned),
            true => platform::thread_name(record.system.load(Relaxed)),
        };
        observer.add_thread(ThreadLine {
            thread: FoundThread { id, name, spawned: spawned.map(|s| s.1) },
            parent: spawned.map(|s| s.0),
            spawned: spawned.map(|s| s.1),
        });
    }
}

/// The thread is over: what it still holds is orphaned, and its record is free.
pub(crate) fn thread_end() {
    let Some(record) = current() else { return };
    record.over.set(true);
    let held = if record.holds_nothing() { Vec::new() } else { kept(record) };
    if !held.is_empty() {
        ORPHANED.fetch_add(held.len(), SeqCst);
    }
    let thread = record.thread.load(Relaxed);
    let counts = record.counts();
    if OBSERVING.load(Relaxed) || !held.is_empty() {
        observe(|o| {
            if !held.is_empty() {
                know_thread(o, record, None);
            }
            o.thread_ended(thread, &held, counts);
            timing::move_into(record, &mut o.times);
        });
    }
    // Of a thread that blocks and one that ends at the same moment, the later sees the other.
    record.ended.store(true, SeqCst);
    let left_behind = waiting::behind_these(&held);
    let last = left_behind.or_else(|| {
        if waiting::nobody_runs() { waiting::nobody_will(record, || false) } else { None }
    });
    if record.left.swap(false, Relaxed) {
        LEAVING.fetch_sub(1, SeqCst);
    }
    PHASE.set(Phase::Over);
    CURRENT.set(ptr::null());
    record.in_use.store(false, Release);
    if last.is_some_and(|_| {
        observer().as_ref().is_some_and(|o| o.config.on_deadlock != OnDeadlock::Report)
    }) {
        // A panic here would end only this thread, which ends anyway; the others wait for ever.
        std::process::abort();
    }
}

/// What the thread of this record, which ends, holds for good. A guard that may be elsewhere is left
/// to the observer in the same step in which another thread would look for it.
fn kept(record: &Record) -> Vec<HeldLock> {
    let _busy = Busy::new();
    let mut guard = observer();
    let mut held = Vec::new();
    record.held_into(&mut held);
    if let Some(observer) = guard.as_mut() {
        let sent = |h: &HeldLock| observer.may_be_sent(h.word.lock());
        let (sent, kept) = held.into_iter().partition(sent);
        if !Vec::is_empty(&sent) {
            know_thread(observer, record, None);
            observer.leave(record.thread.load(Relaxed), sent);
        }
        held = kept;
    }
    held
}

/// The process ends by itself.
pub(crate) fn process_end() {
    let me = current().map(|r| r.thread.load(Relaxed));
    let _busy = Busy::new();
    let Ok(mut guard) = OBSERVER.try_lock() else { return };
    if let Some(observer) = guard.as_mut() {
        let mut counts = Counts::default();
        for record in records().filter(|r| r.in_use.load(Relaxed)) {
            counts.add(record.counts());
            timing::join_into(record, &mut observer.times);
        }
        let mut blocked = snapshot::threads();
        blocked.retain(|t| t.is_blocked() && Some(t.thread) != me);
        observer.end(counts, &blocked);
    }
}

/// Sets what happens when something is found, from now on.
pub fn configure(config: Config) {
    take_statistics(&config);
    observe(|o| o.config = config);
}

fn take_statistics(config: &Config) {
    if config.stats {
        timing::ask(timing::STATISTICS);
    } else {
        timing::stop(timing::STATISTICS);
    }
}

/// This thread passes through for good: what it locks is not tracked.
pub(crate) fn pass_through() {
    // Its first steps, before its closure, may have used the allocator's locks.
    if let Some(record) = current() {
        CURRENT.set(ptr::null());
        record.in_use.store(false, Release);
    }
    PHASE.set(Phase::Over);
}

/// Everything that was found so far in this process, in the order it was found.
pub fn findings() -> Vec<Arc<Finding>> {
    observe(|o| o.findings().to_vec())
}
