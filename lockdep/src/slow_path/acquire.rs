//! The cold half of an acquisition, a wait or a signal: what is new to a thread is told to the
//! observer here, before the thread can block, and remembered as known.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::{panic, ptr};

use crate::model::held::HeldLock;
use crate::model::ids::LockId;
use crate::model::lock::{Mode, Site};
use crate::model::word;
use crate::model::word::Word;
use crate::observer::Request;
use crate::process::{halt, know_thread, observe, observer};
use crate::slow_path::{happens_before, spawn};
use crate::thread_state::current::{Busy, is_busy};
use crate::thread_state::pending::Unsure;
use crate::thread_state::position;
use crate::thread_state::record::Record;
use crate::thread_state::registry::records;
use crate::waits::times;

/// Judges an acquisition whose situation is new to this thread, before it can block.
///
/// # Panics
/// Where the thread would wait for itself, as configured.
#[cold]
pub(crate) fn request(
    record: &Record,
    id: &AtomicU64,
    asked: Word,
    (upgrades, level): (bool, u8),
    chain: u64,
    site: Site,
) {
    let mut held = take_scratch(record);
    record.held_into(&mut held);
    let at = position::moment(record);
    let request = Request {
        at: &at,
        word: asked,
        site,
        address: ptr::from_ref(id) as usize,
        level,
        held: &held,
    };
    let (hang, unsure) = observe(|o| {
        know_thread(o, record, None);
        let (mut hang, mut unsure) = (None, None);
        match relocked(&held, asked, upgrades) {
            Some(first) if o.may_be_sent(asked.lock()) => unsure = o.read_again(&request, first),
            Some(first) => hang = o.relock(&request, first),
            None => {}
        }
        if hang.is_none() {
            o.request(&request);
        }
        (hang, unsure)
    });
    give_scratch(record, held);
    if let Some(finding) = hang {
        return halt(&finding);
    }
    happens_before::has_news(record);
    match unsure {
        Some(finding) => keep_unsure(record, id, finding),
        None => learned(record, id, chain),
    }
}

/// The hold of this very lock that matters most to whoever asks for it again, if any does. An
/// upgrade turns its own upgradable hold into what it asks for.
fn relocked(held: &[HeldLock], asked: Word, upgrades: bool) -> Option<&HeldLock> {
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

fn take_scratch(record: &Record) -> Vec<HeldLock> {
    let _busy = Busy::new();
    std::mem::take(&mut record.own.borrow_mut().scratch)
}

fn give_scratch(record: &Record, held: Vec<HeldLock>) {
    let _busy = Busy::new();
    record.own.borrow_mut().scratch = held;
}

/// Keeps a finding that supposes that this thread still has a guard which may be sent elsewhere: it
/// is true once the thread releases the lock itself. The situation stays new until then.
fn keep_unsure(record: &Record, id: &AtomicU64, finding: Unsure) {
    let _busy = Busy::new();
    record.watch_releases();
    record.mark_graphed();
    id.fetch_or(word::IN_GRAPH, Relaxed);
    let mut own = record.own.borrow_mut();
    own.unsure.retain(|other| !other.is(&finding));
    own.unsure.push(finding);
}

/// The thread has released this lock, so unless it holds it still it has had the guards all the time.
fn had_it(record: &Record, lock: LockId) {
    let sure: Vec<Unsure> = {
        let _busy = Busy::new();
        if record.own.borrow().unsure.is_empty() {
            return;
        }
        take_given_off(record);
        if record.holds(lock) {
            return;
        }
        let mut own = record.own.borrow_mut();
        own.unsure.extract_if(.., |finding| finding.is_about(lock)).collect()
    };
    if !sure.is_empty() {
        observe(|o| sure.into_iter().for_each(|finding| o.sure(finding)));
    }
}

/// Takes the holds off that other threads have ended, where no acquisition does so.
#[cold]
pub(crate) fn forget_given(record: &Record) {
    let _busy = Busy::new();
    take_given_off(record);
}

/// Takes the holds off that other threads have ended, in a busy thread.
fn take_given_off(record: &Record) {
    record.take_given_off(|over| {
        let lock = over.lock();
        record.own.borrow_mut().unsure.retain(|finding| !finding.is_about(lock));
        if over.watched() {
            spawn::released(record, lock);
        }
    });
}

/// The long way to an acquisition: makes room for another held lock, and looks at the lock and the
/// time for those who ask. Returns the word to hold the lock with.
#[cold]
pub(crate) fn long_way(record: &Record, word: Word) -> Word {
    let _busy = Busy::new();
    if record.is_full() {
        record.grow_stack();
    }
    take_given_off(record);
    let held = times::asked_for(record, word);
    if !spawn::looks_for_sections(record, word) && !held.watched() {
        record.leave_long_way();
    }
    held
}

/// The long way to a release: of a lock below others, one that somebody watches, or one that the
/// order graph learnt of in this hold. The first half of it is for one that is just below the top,
/// as half of the holds are that `lock_all!` begins.
///
/// The ABI says that it does not unwind. The drop of a guard then has no second way out, is inlined,
/// and leaves the guard in registers: of what a known lock costs beyond `std`'s this is most.
#[cold]
pub(crate) extern "C" fn release_long_way(record: &Record, id: &AtomicU64, mode: Mode) {
    if !record.pop_below_top(Word(id.load(Relaxed)), mode) {
        release_from_below(record, id, mode);
    }
}

#[inline(never)]
fn release_from_below(record: &Record, id: &AtomicU64, mode: Mode) {
    let lock = Word(id.load(Relaxed));
    let Some(held) = record.remove(lock, mode) else { return release_elsewhere(record, id, mode) };
    if held.watched() {
        // A callback of the program that panics here has said so.
        _ = panic::catch_unwind(AssertUnwindSafe(|| {
            had_it(record, lock.lock());
            spawn::released(record, lock.lock());
        }));
    }
    if held.graphed() {
        id.fetch_or(word::IN_GRAPH, Relaxed);
    }
}

/// The release of a lock that this thread does not hold: its guard may have come from another one.
fn release_elsewhere(record: &Record, id: &AtomicU64, mode: Mode) {
    let _busy = Busy::new();
    let lock = Word(id.load(Relaxed));
    if lock.0 & word::UNTRACKED != 0 {
        return;
    }
    let mut observer = observer();
    let mut others = records().filter(|r| r.in_use.load(Acquire) && !ptr::eq(*r, record));
    let given = others.any(|other| other.give(lock, mode));
    if let Some(observer) = observer.as_mut()
        && (given || observer.take_left(lock, mode))
    {
        observer.guards_are_sent(lock.class());
        // Whatever was learnt of that hold is in the stack of the other.
        id.fetch_or(word::IN_GRAPH, Relaxed);
    }
}

/// A lock that the order graph knows is gone. Nothing is found by that, so no callback can unwind.
#[cold]
pub(crate) extern "C" fn remove(lock: LockId) {
    if !is_busy() {
        observe(|o| o.remove(lock));
    }
}

/// The thread waits, or could have to wait, for an event while it holds locks.
#[inline]
pub(crate) fn wait_holding(record: &Record, id: &AtomicU64, event: Word, site: Site) {
    let event = event.held(Mode::Write, false);
    let chain = record.chain(event, site, 0);
    if !record.known.has(chain) {
        wait_holding_new(record, id, event, chain, site);
    }
}

#[cold]
fn wait_holding_new(record: &Record, id: &AtomicU64, event: Word, chain: u64, site: Site) {
    let mut held = take_scratch(record);
    record.held_into(&mut held);
    let at = position::moment_of_event(record);
    observe(|o| {
        know_thread(o, record, None);
        o.event(&Request { at: &at, word: event, site, address: 0, level: 0, held: &held });
    });
    give_scratch(record, held);
    learned(record, id, chain);
}

/// The thread completes an event; it had to pass what is in its window first.
#[inline]
pub(crate) fn signal(record: &Record, id: &AtomicU64, event: Word, site: Site) {
    if record.window.is_empty() {
        return;
    }
    let digest = record.window.digest(event.lock() ^ (std::ptr::from_ref(site) as u64) << 20);
    if !record.known.has(digest) {
        signal_new(record, id, event, digest, site);
    }
}

#[cold]
fn signal_new(record: &Record, id: &AtomicU64, event: Word, digest: u64, site: Site) {
    let at = position::moment_of_event(record);
    let held = [HeldLock { word: event.held(Mode::Write, true), site, address: 0, level: 0 }];
    observe(|o| {
        know_thread(o, record, None);
        for (word, asked_at) in record.window.iter() {
            o.event(&Request { at: &at, word, site: asked_at, address: 0, level: 0, held: &held });
        }
    });
    let _busy = Busy::new();
    record.known.add(digest);
    id.fetch_or(word::IN_GRAPH, Relaxed);
}

/// What was judged under this chain need not be judged again.
fn learned(record: &Record, id: &AtomicU64, chain: u64) {
    let _busy = Busy::new();
    record.known.add(chain);
    record.mark_graphed();
    id.fetch_or(word::IN_GRAPH, Relaxed);
}
