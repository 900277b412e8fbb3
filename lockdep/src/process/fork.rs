//! A fork: no thread is inside the engine while the process is copied, and the child forgets the threads
//! that it does not have.
//!
//! In the child the calling thread is the only one. The locks that other threads held are never released
//! there, so they are orphaned. The other records are taken out of the list, because a mutex inside of one
//! may be locked by a thread that is gone. For the same reason the mutexes in the caller's own record are
//! held over the fork.
//!
//! What it may miss: after a fork by a busy thread (from inside an allocator that the engine uses) the
//! child counts the other threads as running.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::MutexGuard;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use super::{inquiry, observer};
use crate::model::held::HeldLock;
use crate::observer::Observer;
use crate::platform;
use crate::thread_state::counters;
use crate::thread_state::current::{Busy, is_busy};
use crate::thread_state::demand::{self, Asker};
use crate::thread_state::record::{OwnRecord, Record, Still};
use crate::thread_state::registry::{forget_all_but, records};

thread_local! {
    /// What this thread holds from just before the fork to just after it. Without a destructor, as a
    /// thread may fork while its thread-locals are being destroyed.
    static FORKING: Cell<Option<ManuallyDrop<Fork>>> = const { Cell::new(None) };
}

struct Fork {
    /// Dropped in this order: the thread stays busy until the locks are free.
    own: Option<Still<'static>>,
    observer: MutexGuard<'static, Option<Box<Observer>>>,
    busy: Busy,
}

pub(super) fn before() {
    if is_busy() {
        return;
    }
    let busy = Busy::new();
    let observer = observer();
    let own = busy.record().map(|record| record.shared().hold_still());
    FORKING.set(Some(ManuallyDrop::new(Fork { own, observer, busy })));
}

pub(super) fn in_parent() {
    drop(FORKING.take().map(ManuallyDrop::into_inner));
}

pub(super) fn in_child() {
    let Some(fork) = FORKING.take().map(ManuallyDrop::into_inner) else { return };
    let Fork { own, mut observer, busy } = fork;
    drop(own);
    let me = busy.record().map(OwnRecord::shared);
    if let Some(observer) = observer.as_mut() {
        for record in records().filter(|r| !me.is_some_and(|me| ptr::eq(me, *r))) {
            orphan(observer, record);
        }
        observer.forked();
        inquiry::answer_into(observer.trace_file());
        counters::forked(observer.orphans.len());
    }
    // Those that wait at a rendezvous were not copied.
    demand::clear(Asker::Rendezvous);
    forget_all_but(me);
    if let Some(me) = me {
        me.system.store(platform::system_thread(), Relaxed);
    }
    drop(observer);
    drop(busy);
}

/// The thread of this record was not copied, so what it held is never released here.
fn orphan(observer: &mut Observer, record: &Record) {
    if !record.in_use.load(SeqCst) || record.ended.load(SeqCst) {
        return;
    }
    let mut held: Vec<HeldLock> = Vec::new();
    record.held.held_into(&mut held);
    let thread = record.thread.load(Relaxed);
    let (sent, kept) = held.into_iter().partition(|h| observer.is_sendable(h.word.lock()));
    observer.abandon(thread, sent);
    observer.not_forked(thread, kept);
}
