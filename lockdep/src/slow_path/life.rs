//! The first and the last step of a thread.
//!
//! A thread whose thread-locals are being destroyed is tracked to the end of the destructors where
//! the platform lets us know that end, and passes through after it.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use crate::engine::ThreadPoint;
use crate::model::held::HeldLock;
use crate::model::ids::ThreadId;
use crate::observer::config::OnDeadlock;
use crate::platform;
use crate::process::{STOPPED, is_observing, know_thread, observe, observer};
use crate::thread_state::counters::{LEAVING, ORPHANED};
use crate::thread_state::current::{self, Busy, current};
use crate::thread_state::position::start_at;
use crate::thread_state::record::OwnRecord;
use crate::thread_state::registry;
use crate::waits::{hang, orphan};

/// Whether there are locks to watch: without a feature that brings some, all threads pass through.
pub(crate) const WATCHES: bool = cfg!(any(feature = "instrument", feature = "parking_lot"));

/// This thread's number, which it gets if this is its first use; `None` where the thread must pass
/// through. Claims over semaphores need it also where nothing is watched.
#[cfg(feature = "library")]
pub(crate) fn thread() -> Option<ThreadId> {
    if !WATCHES {
        return Some(current::bare_number(registry::next_thread));
    }
    Some(current().or_else(begin)?.thread.load(Relaxed))
}

/// This thread's record, made if this is its first use; `None` where the thread must pass through.
#[cold]
pub(crate) fn begin() -> Option<OwnRecord> {
    if !WATCHES {
        return None;
    }
    current::begin_with(|| {
        let record = registry::take_record();
        let thread = registry::next_thread();
        record.thread.store(thread, Relaxed);
        start_at(record, ThreadPoint { thread, epoch: 1, ..ThreadPoint::default() });
        record.system.store(platform::system_thread(), Relaxed);
        platform::watch_thread_end(thread_end);
        record
    })
}

/// The thread is over: what it still holds is orphaned, and its record is free.
fn thread_end() {
    let Some(record) = current() else { return };
    record.mine().locals_gone.set(true);
    let held = if record.held.is_empty() { Vec::new() } else { kept(record) };
    if !held.is_empty() {
        ORPHANED.fetch_add(held.len(), SeqCst);
    }
    let thread = record.thread.load(Relaxed);
    let mut counts = record.counts();
    if let Some(spare) = registry::take_spare() {
        counts.add(spare.counts());
        registry::give_up(spare);
    }
    if is_observing() || !held.is_empty() {
        observe(|o| {
            if !held.is_empty() {
                know_thread(o, record, None);
            }
            o.thread_ended(thread, &held, counts);
            record.move_times_to(&mut o.times);
        });
    }
    // Of a thread that blocks and one that ends at the same moment, the later sees the other.
    record.ended.store(true, SeqCst);
    let left_behind = orphan::find_waiter_of(&held);
    let last = left_behind.or_else(|| {
        if hang::all_threads_wait() {
            hang::confirm_global_deadlock(record, || false)
        } else {
            None
        }
    });
    if record.is_leaving.swap(false, Relaxed) {
        LEAVING.fetch_sub(1, SeqCst);
    }
    current::end();
    registry::give_up(record);
    let Some(finding) = last else { return };
    match observer().as_ref().map(|o| o.config.on_deadlock) {
        None | Some(OnDeadlock::Report) => {}
        Some(OnDeadlock::Exit) => platform::end_process(STOPPED),
        Some(OnDeadlock::Panic) if hang::end_task(&finding) => {}
        // A panic here would end only this thread, which ends anyway; the others wait for ever.
        Some(OnDeadlock::Abort | OnDeadlock::Panic) => std::process::abort(),
    }
}

/// What the thread of this record, which ends, holds for good. A guard that may be elsewhere is left
/// to the observer in the same step in which another thread would look for it.
fn kept(record: OwnRecord) -> Vec<HeldLock> {
    let _busy = Busy::new();
    let mut guard = observer();
    let mut held = Vec::new();
    record.held.held_into(&mut held);
    if let Some(observer) = guard.as_mut() {
        let sent = |h: &HeldLock| observer.is_sendable(h.word.lock());
        let (sent, kept) = held.into_iter().partition(sent);
        if !Vec::is_empty(&sent) {
            know_thread(observer, record, None);
            observer.abandon(record.thread.load(Relaxed), sent);
        }
        held = kept;
    }
    held
}

/// This thread passes through for good: what it locks is not tracked.
pub(crate) fn pass_through() {
    // Its first steps, before its closure, may have used the allocator's locks.
    let record = current();
    current::end();
    if let Some(record) = record {
        registry::give_up(record);
    }
}
