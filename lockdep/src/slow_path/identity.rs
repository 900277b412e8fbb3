//! Gives each lock its serial number and its class: at its first acquisition, or at its creation where
//! that is seen.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::model::lock::{LockType, Site};
use crate::model::word;
use crate::model::word::LockWord;
use crate::observer::declarations::PlaceClass;
#[cfg(lockdep_creation_order)]
use crate::observer::declarations::declarations;
use crate::process::observe;
#[cfg(lockdep_creation_order)]
use crate::slow_path::life::begin;
#[cfg(lockdep_creation_order)]
use crate::thread_state::current::current;
use crate::thread_state::current::{Busy, is_busy};
use crate::thread_state::record::{ClassEntry, OwnRecord};
use crate::thread_state::serials::serial;

/// Classes that a thread remembers, as a power of two.
const CLASS_SLOT_BITS: u32 = 6;

/// Gives a lock its number and class.
pub(crate) fn identify(
    record: OwnRecord,
    id: &AtomicU64,
    created: Site,
    ty: &'static LockType,
) -> LockWord {
    let recent = record.mine().recent_class.get();
    if recent.is(created, ty) {
        return number(record, id, recent.class);
    }
    // The last step, so that the one above has no registers to save.
    identify_by_search(record, id, created, ty)
}

#[inline(never)]
fn identify_by_search(
    record: OwnRecord,
    id: &AtomicU64,
    created: Site,
    ty: &'static LockType,
) -> LockWord {
    let class = class(record, created, ty);
    number(record, id, class)
}

#[inline(always)]
fn number(record: OwnRecord, id: &AtomicU64, class: u32) -> LockWord {
    let now = LockWord(id.load(Relaxed));
    if !now.is_new() {
        // The search for the class has led to a declaration that names this very lock.
        return now;
    }
    let new = match now.0 {
        0 => LockWord::new(class, serial(record)),
        _ => now.classified(class),
    };
    match id.compare_exchange(now.0, new.0, Relaxed, Relaxed) {
        Ok(_) => {
            record.count_lock();
            new
        }
        Err(now) => LockWord(now),
    }
}

/// Gives a lock that is in a declared place its number and the class of that place. One that was
/// acquired before has them already, and keeps them.
pub(crate) fn declare(
    record: OwnRecord,
    id: &AtomicU64,
    place: &'static PlaceClass,
    ty: &'static LockType,
) {
    let now = LockWord(id.load(Relaxed));
    if !now.is_new() {
        return;
    }
    let class = place.class(ty);
    let new = match now.0 {
        0 => LockWord::new(class, serial(record)),
        _ => now.classified(class),
    };
    if id.compare_exchange(now.0, new.0, Relaxed, Relaxed).is_ok() {
        record.count_lock();
    }
}

/// The word of a lock that this thread creates now; zero where it gets one later. The class is
/// there only if it needs no search, and if no place can be declared for the lock yet.
#[cfg(lockdep_creation_order)]
#[inline]
pub(crate) fn creation(created: Site, ty: &'static LockType) -> u64 {
    let Some(record) = current().or_else(begin) else { return 0 };
    let recent = record.mine().recent_class.get();
    let class = if recent.is(created, ty) && declarations().is_none() {
        record.count_lock();
        recent.class
    } else {
        0
    };
    LockWord::new(class, serial(record)).0
}

impl PlaceClass {
    /// The class of one more lock of this type in this place.
    pub(crate) fn class(&'static self, ty: &'static LockType) -> u32 {
        let address = ptr::from_ref(ty).addr();
        let known = self.class.get().filter(|(ty, _)| *ty == address);
        if let Some(&(_, class)) = known.filter(|_| self.is_many.load(Relaxed)) {
            return class;
        }
        let (class, is_many) = observe(|o| {
            let class = o.place_class(&self.order.locks[self.index], ty.kind(), ty.name());
            let is_many = o.met(class);
            if is_many {
                o.many(class);
            }
            (class, is_many)
        });
        if known.is_some() || self.class.set((address, class)).is_ok() {
            self.is_many.store(is_many, Relaxed);
        }
        class
    }
}

fn class_slot(created: Site, ty: &'static LockType) -> usize {
    let key = (ptr::from_ref(created) as usize) ^ (ptr::from_ref(ty) as usize).rotate_left(7);
    key.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as usize) >> (usize::BITS - CLASS_SLOT_BITS)
}

/// The class, if this is what the thread remembers in this slot.
#[inline]
fn remembered(
    record: OwnRecord,
    slot: usize,
    created: Site,
    ty: &'static LockType,
) -> Option<ClassEntry> {
    let entry = record.mine().classes.get()?.get(slot)?.get();
    entry.is(created, ty).then_some(entry)
}

fn class(record: OwnRecord, created: Site, ty: &'static LockType) -> u32 {
    let slot = class_slot(created, ty);
    match remembered(record, slot, created, ty).filter(|entry| entry.many) {
        Some(entry) => {
            record.mine().recent_class.set(entry);
            entry.class
        }
        None => new_class(record, slot, created, ty),
    }
}

#[cold]
fn new_class(record: OwnRecord, slot: usize, created: Site, ty: &'static LockType) -> u32 {
    match remembered(record, slot, created, ty) {
        Some(entry) => {
            observe(|o| o.many(entry.class));
            set_class(record, slot, ClassEntry { many: true, ..entry });
            entry.class
        }
        None => {
            let class = observe(|o| {
                let class = o.class(created, ty.kind(), ty.name());
                if ty.has_sendable_guards() {
                    o.mark_sendable(class);
                }
                if o.met(class) {
                    o.many(class);
                }
                class
            });
            set_class(record, slot, ClassEntry { created, ty, class, many: false });
            class
        }
    }
}

fn set_class(record: OwnRecord, slot: usize, entry: ClassEntry) {
    let _busy = Busy::new();
    let classes =
        record.mine().classes.get_or_init(|| vec![Cell::new(entry); 1 << CLASS_SLOT_BITS]);
    classes[slot].set(entry);
}

/// If this thread is busy, the engine itself needs this lock: it is untracked for good.
#[cold]
pub(crate) fn mark_untracked(id: &AtomicU64) {
    if is_busy() {
        id.fetch_or(word::UNTRACKED, Relaxed);
    }
}
