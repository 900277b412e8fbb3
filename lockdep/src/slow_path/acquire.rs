//! The slow path of an acquisition, a release, a wait or a signal: what is new to the thread goes to the
//! observer here, before the thread can block, and is marked as known.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::{mem, panic, ptr};

use crate::hash::fold;
use crate::model::finding::Finding;
use crate::model::held::{Acquisition, Blocks, HeldLock};
use crate::model::ids::LockId;
use crate::model::lock::{Mode, Site};
use crate::model::stack::FoundStack;
use crate::model::word::{self, HoldWord, LockWord};
use crate::observer::facts::{Request, RequestStack};
use crate::process::{halt, know_thread, know_witness, observe, observer};
use crate::rendezvous;
use crate::slow_path::{happens_before, spawn};
use crate::thread_state::current::{Busy, is_busy};
use crate::thread_state::demand::{self, Asker};
use crate::thread_state::familiar::{is_familiar, mark_familiar};
use crate::thread_state::held_stack::Ended;
use crate::thread_state::pending::PendingFinding;
use crate::thread_state::position;
use crate::thread_state::record::OwnRecord;
use crate::thread_state::registry::records;
use crate::waits::times;

/// Judges an acquisition whose situation is new to this thread, before it can block. Returns the context
/// hash that the lock will have on the stack.
///
/// # Panics
/// Where the thread would wait for itself, as configured.
#[cold]
#[inline(never)]
#[track_caller]
pub(crate) fn record_dependency(
    record: OwnRecord,
    id: &AtomicU64,
    asked: HoldWord,
    how: Acquisition,
    context: u64,
    site: Site,
) -> u64 {
    match telling(record, asked, how, site) {
        Telling::Enough => {
            let _busy = Busy::new();
            record.mine().known.add(context);
        }
        telling => judge(record, id, asked, how, (context, telling), site),
    }
    // What ran meanwhile may have been a callback that keeps a guard.
    let _busy = Busy::new();
    record.reserve();
    record.context(asked, site, how.level)
}

/// How many tasks that know the same tell of one dependency: as many as the detector keeps.
const TELLERS: u64 = 8;

/// Whether the observer is to be told of a dependency.
#[derive(Clone, Copy)]
enum Telling {
    /// No: enough tasks have told of it that knew the same as this one when they began, and can meet whoever it can.
    Enough,
    /// Yes; this key is known once it was.
    OneOfMany(u64),
    /// Yes: no other task is known to know the same.
    Alone,
}

/// Whether it is, of what is new to this thread or task. If each of ten thousand tasks that do the same told of it,
/// they would wait for each other with that.
fn telling(record: OwnRecord, asked: HoldWord, how: Acquisition, site: Site) -> Telling {
    let kin = record.mine().own.borrow().kin;
    if kin == 0 {
        return Telling::Alone;
    }
    let add = |key: u64, word: HoldWord, site: Site, level: u8| {
        let place = ptr::from_ref(site).addr() as u64 ^ u64::from(level) << 56;
        fold(key ^ word.without_marks().0, place ^ 0x3c6e_f372_fe94_f82b)
    };
    let mut key = fold(kin ^ 0xa54f_f53a_5f1d_36f1, 0x9e37_79b9_7f4a_7c15);
    record.held.each_held(|held, _| key = add(key, held.word, held.site, held.level));
    key = add(key, asked, site, how.level);
    let key_of = |teller: u64| fold(key, teller ^ 0x510e_527f_ade6_82d1) | 1;
    let known = &record.mine().known;
    if known.has(key_of(TELLERS - 1)) {
        return Telling::Enough;
    }
    let unknown = (0..TELLERS).map(key_of).find(|&key| !known.has(key));
    unknown.map_or(Telling::Enough, Telling::OneOfMany)
}

/// The thread acquires a lock at this place: keeps a stack for it, where it is the first time.
#[inline]
pub(crate) fn at_place(record: OwnRecord, site: Site) {
    let key = fold(ptr::from_ref(site).addr() as u64, 0xbb67_ae85_84ca_a73b) | 1;
    if !record.mine().known.has(key) {
        at_new_place(record, site, key);
    }
}

#[cold]
#[inline(never)]
fn at_new_place(record: OwnRecord, site: Site, key: u64) {
    if !is_familiar(site) {
        let stack = observe(|o| {
            know_thread(o, record, None);
            o.wants_stack(site).then(|| {
                o.trace_thread(record.thread.load(Relaxed));
                FoundStack::capture()
            })
        });
        match stack {
            Some(stack) => {
                let _busy = Busy::new();
                record.mine().own.borrow_mut().captured.add(&record.held, site, stack);
            }
            None => mark_familiar(site),
        }
    }
    let _busy = Busy::new();
    record.mine().known.add(key);
}

/// The lock that the thread was about to acquire may never become its own: no stack is known of it.
#[cold]
pub(crate) fn forget_captured(record: OwnRecord) {
    let _busy = Busy::new();
    record.mine().own.borrow_mut().captured.forget_next(&record.held);
}

/// Of each lock that the thread holds, the stack with which it was acquired, as far as it is known.
fn acquired_with(record: OwnRecord, held: &[HeldLock]) -> Vec<Option<FoundStack>> {
    let _busy = Busy::new();
    let own = record.mine().own.borrow();
    let of = |(depth, held): (usize, &HeldLock)| own.captured.of(&record.held, depth, held.site);
    held.iter().enumerate().map(of).collect()
}

#[track_caller]
fn judge(
    record: OwnRecord,
    id: &AtomicU64,
    asked: HoldWord,
    how: Acquisition,
    (context, telling): (u64, Telling),
    site: Site,
) {
    let mut held = take_scratch(record);
    record.held.held_into(&mut held);
    let at = position::thread_point(record);
    let acquired = acquired_with(record, &held);
    let request = Request {
        at: &at,
        word: asked,
        site,
        address: ptr::from_ref(id) as usize,
        level: how.level,
        held: &held,
        stack: RequestStack::Current(&acquired),
    };
    let (hang, pending) = observe(|o| {
        know_witness(o, record);
        let (mut hang, mut pending) = (None, None);
        match relocked(&held, asked, how.upgrades) {
            Some(first) if o.is_sendable(asked.lock()) => pending = o.read_again(&request, first),
            // Whether that is for ever is known once the task rests.
            Some(first) if how.blocks == Blocks::Future && first.bars(asked) => {}
            Some(first) => hang = o.relock(&request, first),
            None => {}
        }
        if hang.is_none() {
            o.request(&request);
        }
        (hang, pending)
    });
    give_scratch(record, held);
    if let Some(finding) = hang {
        forget_captured(record);
        return halt(&finding);
    }
    happens_before::has_unpublished(record);
    match pending {
        Some(finding) => defer(record, id, finding),
        None => {
            if let Telling::OneOfMany(key) = telling {
                let _busy = Busy::new();
                record.mine().known.add(key);
            }
            mark_known(record, id, context);
        }
    }
}

/// The finding about a task that rests until it gets a lock that it holds itself.
pub(crate) fn waits_for_itself(
    record: OwnRecord,
    asked: HoldWord,
    site: Site,
) -> Option<Arc<Finding>> {
    if !record.held.holds(asked.lock()) {
        return None;
    }
    let mut held = take_scratch(record);
    record.held.held_into(&mut held);
    let at = position::thread_point(record);
    let acquired = acquired_with(record, &held);
    let (level, stack) = (0, RequestStack::Current(&acquired));
    let request = Request { at: &at, word: asked, site, address: 0, level, held: &held, stack };
    let finding = observe(|o| {
        let first = relocked(&held, asked, false).filter(|first| first.bars(asked))?;
        know_thread(o, record, None);
        if o.is_sendable(asked.lock()) { None } else { o.relock(&request, first) }
    });
    give_scratch(record, held);
    finding
}

/// The hold of this very lock that a new request for it by the same thread waits for, if there is one. An
/// upgrade does not wait for its own upgradable hold, which it converts.
fn relocked(held: &[HeldLock], asked: HoldWord, upgrades: bool) -> Option<&HeldLock> {
    let converted = |h: &&HeldLock| upgrades && h.word.mode() == Mode::Upgradable;
    let own =
        || held.iter().rev().filter(|h| h.word.lock() == asked.lock()).filter(|h| !converted(h));
    own().find(|h| Mode::conflicts(h.word.mode(), asked.mode())).or_else(|| {
        // While this thread is the upgradable holder, no writer gets in front of its reads.
        own()
            .find(|h| Mode::conflicts_behind_writer(h.word.mode(), asked.mode()))
            .filter(|_| !own().any(|h| h.word.mode() == Mode::Upgradable))
    })
}

fn take_scratch(record: OwnRecord) -> Vec<HeldLock> {
    let _busy = Busy::new();
    std::mem::take(&mut record.mine().own.borrow_mut().scratch)
}

fn give_scratch(record: OwnRecord, held: Vec<HeldLock>) {
    let _busy = Busy::new();
    record.mine().own.borrow_mut().scratch = held;
}

/// Defers a finding about a lock whose guards may be sent away until this thread itself releases the
/// lock, which shows that it had the guard all the time. The situation stays new until then.
fn defer(record: OwnRecord, id: &AtomicU64, finding: PendingFinding) {
    let _busy = Busy::new();
    record.watch_releases();
    record.mark_graphed();
    id.fetch_or(word::IN_GRAPH, Relaxed);
    let mut own = record.mine().own.borrow_mut();
    own.pending.retain(|other| !other.is(&finding));
    own.pending.push(finding);
}

/// On a release by the thread that acquired the lock: unless it holds the lock still, its guards were never
/// sent away, so deferred findings about this lock are certain now.
fn confirm_pending(record: OwnRecord, lock: LockId) {
    let certain: Vec<PendingFinding> = {
        let _busy = Busy::new();
        if record.mine().own.borrow().pending.is_empty() {
            return;
        }
        take_released_elsewhere(record);
        if record.held.holds(lock) {
            return;
        }
        let mut own = record.mine().own.borrow_mut();
        let (certain, pending) =
            mem::take(&mut own.pending).into_iter().partition(|finding| finding.is_about(lock));
        own.pending = pending;
        certain
    };
    if !certain.is_empty() {
        observe(|o| certain.into_iter().for_each(|finding| o.confirm(finding)));
    }
}

/// Takes the holds off that other threads have ended, where no acquisition does so.
#[cold]
pub(crate) fn drain_remote_releases(record: OwnRecord) {
    let _busy = Busy::new();
    take_released_elsewhere(record);
}

/// Takes the holds off that other threads have ended, in a busy thread.
fn take_released_elsewhere(record: OwnRecord) {
    record.take_released_elsewhere(|ended| {
        let lock = ended.word.lock();
        record_time(record, ended);
        record.mine().own.borrow_mut().pending.retain(|finding| !finding.is_about(lock));
        if ended.word.watched() {
            spawn::released(record, lock);
        }
    });
}

/// A hold has ended: records how long it lasted, if times are taken.
fn record_time(record: OwnRecord, Ended { word, site, since }: Ended) {
    if let Some(since) = since.filter(|_| word.watched()) {
        times::released(record, word, site, since);
    }
}

/// As [`slow_path`], of an acquisition that may block, at this place: the thread may have to meet others here.
#[cold]
pub(crate) fn slow_path_before_blocking(record: OwnRecord, word: HoldWord, site: Site) -> HoldWord {
    if demand::is_asked_by(Asker::Rendezvous) {
        rendezvous::come(record, word, site);
    }
    slow_path(record, word)
}

/// The slow path of an acquisition: makes room for another held lock, and notes the lock and the time where
/// that is asked for. Returns the word to hold the lock with.
#[cold]
pub(crate) fn slow_path(record: OwnRecord, word: HoldWord) -> HoldWord {
    let _busy = Busy::new();
    take_released_elsewhere(record);
    record.reserve();
    let held = times::asked_for(record, word);
    if !spawn::looks_for_inherited(record, word) && !held.watched() {
        record.leave_slow_path();
    }
    held
}

/// The slow path of a release: of a lock below others on the stack, of a watched hold, or of a lock that
/// the order graph got a node for in this hold. It begins with the common case of a lock just below the
/// top, as half of the locks are that `lock_all!` takes.
///
/// The ABI says that it does not unwind. So the drop of a guard is inlined and leaves the guard in
/// registers, which saves most of what a known lock costs beyond `std`'s.
#[cold]
pub(crate) extern "C" fn release_slow_path(record: OwnRecord, id: &AtomicU64, mode: Mode) {
    if !record.pop_below_top(LockWord(id.load(Relaxed)), mode) {
        release_from_below(record, id, mode);
    }
}

#[inline(never)]
fn release_from_below(record: OwnRecord, id: &AtomicU64, mode: Mode) {
    let lock = LockWord(id.load(Relaxed));
    let Some(ended) = record.remove(lock, mode) else {
        return release_elsewhere(record, id, mode);
    };
    record_time(record, ended);
    if ended.word.watched() {
        // If a callback of the program panics here, its message has been printed.
        _ = panic::catch_unwind(AssertUnwindSafe(|| {
            confirm_pending(record, lock.lock());
            spawn::released(record, lock.lock());
        }));
    }
    if ended.word.graphed() {
        id.fetch_or(word::IN_GRAPH, Relaxed);
    }
}

/// The release of a lock that this thread does not hold: its guard may have come from another one.
fn release_elsewhere(record: OwnRecord, id: &AtomicU64, mode: Mode) {
    let _busy = Busy::new();
    let lock = LockWord(id.load(Relaxed));
    if lock.0 & word::UNTRACKED != 0 {
        return;
    }
    let mut observer = observer();
    let mut others = records().filter(|r| r.in_use.load(Acquire) && !ptr::eq(*r, record.shared()));
    let noted = others.any(|other| other.held.release_elsewhere(lock, mode));
    let Some(observer) = observer.as_mut() else { return };
    if noted || observer.take_abandoned(lock, mode) {
        observer.mark_sendable(lock.class());
        // Whether the order graph knows the lock is noted in the other thread's stack.
        id.fetch_or(word::IN_GRAPH, Relaxed);
    }
}

/// A lock is gone: takes it off this thread's stack, where a leaked guard has left it. That finds nothing,
/// so no callback can unwind.
#[cold]
pub(crate) extern "C" fn end_leaked_holds(record: OwnRecord, lock: LockWord) {
    let modes = [Mode::Write, Mode::Read, Mode::Upgradable];
    while record.held.holds(lock.lock()) {
        let _busy = Busy::new();
        if !modes.iter().any(|&mode| record.remove(lock, mode).is_some()) {
            return;
        }
    }
}

/// A lock that the order graph knows is gone. That finds nothing, so no callback can unwind.
#[cold]
pub(crate) extern "C" fn remove(lock: LockId) {
    if !is_busy() {
        observe(|o| o.remove(lock));
    }
}

/// The thread waits, or could have to wait, for an event while it holds locks.
#[inline]
pub(crate) fn wait_holding(record: OwnRecord, id: &AtomicU64, event: LockWord, site: Site) {
    let event = event.held(Mode::Write, false);
    let context = record.context(event, site, 0);
    if !record.mine().known.has(context) {
        wait_holding_new(record, id, event, context, site);
    }
}

#[cold]
fn wait_holding_new(record: OwnRecord, id: &AtomicU64, event: HoldWord, context: u64, site: Site) {
    let mut held = take_scratch(record);
    record.held.held_into(&mut held);
    let at = position::event_point(record);
    let acquired = acquired_with(record, &held);
    observe(|o| {
        know_witness(o, record);
        let (level, stack) = (0, RequestStack::Current(&acquired));
        o.event(&Request { at: &at, word: event, site, address: 0, level, held: &held, stack });
    });
    give_scratch(record, held);
    mark_known(record, id, context);
}

/// The thread completes an event; it had to get the locks in its window first.
#[inline]
pub(crate) fn signal(record: OwnRecord, id: &AtomicU64, event: LockWord, site: Site) {
    if record.mine().recent.is_empty() {
        return;
    }
    let digest =
        record.mine().recent.digest(event.lock() ^ (std::ptr::from_ref(site) as u64) << 20);
    if !record.mine().known.has(digest) {
        signal_new(record, id, event, digest, site);
    }
}

#[cold]
fn signal_new(record: OwnRecord, id: &AtomicU64, event: LockWord, digest: u64, site: Site) {
    let at = position::event_point(record);
    let held = [HeldLock { word: event.held(Mode::Write, true), site, address: 0, level: 0 }];
    observe(|o| {
        know_witness(o, record);
        for (word, asked_at) in record.mine().recent.iter() {
            let (site, stack) = (asked_at, RequestStack::Unknown);
            o.on_the_way(&Request {
                at: &at,
                word,
                site,
                address: 0,
                level: 0,
                held: &held,
                stack,
            });
        }
    });
    let _busy = Busy::new();
    record.mine().known.add(digest);
    id.fetch_or(word::IN_GRAPH, Relaxed);
}

/// Marks the situation with this context hash as known.
fn mark_known(record: OwnRecord, id: &AtomicU64, context: u64) {
    let _busy = Busy::new();
    record.mine().known.add(context);
    record.mark_graphed();
    id.fetch_or(word::IN_GRAPH, Relaxed);
}
