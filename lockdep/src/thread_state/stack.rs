//! The stack of the locks that a thread holds.
//!
//! A known order costs the owner a few loads and stores here and nothing else. The *chain* of a held
//! lock is a hash of everything that is held up to it, with modes and sites; an acquisition whose
//! chain is in the table of known chains has been seen in exactly this situation before, so there is
//! nothing to learn from it. Two situations share a chain with a probability of 2⁻⁶⁴.
//!
//! A held lock is taken off the stack before it is really released and put on it after it was really
//! acquired, so a lock on the stack of a thread that waits is held by it.

use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicPtr, AtomicU64, compiler_fence};

use crate::hash::fold;
use crate::model::held::{HeldLock, Prepared};
use crate::model::ids::LockId;
use crate::model::lock::{Mode, Site};
use crate::model::word;
use crate::model::word::Word;
use crate::thread_state::demand;
use crate::thread_state::record::Record;
use crate::waits::times;

/// Held locks that fit before the stack grows.
pub(super) const FIRST_STACK: usize = 32;

/// One held lock.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// The lock with the mode it is held in; zero while the entry is not in use.
    word: AtomicU64,
    chain: AtomicU64,
    site: AtomicPtr<()>,
    /// Where the lock is, with [`HAS_LEVEL`] for a hold at a nesting level, and [`TRIED_UNDER`] once a `try_`
    /// failed under it.
    address: AtomicPtr<()>,
}

/// A mark in an address, which is a multiple of eight.
const TRIED_UNDER: usize = 1;

/// A mark in an address: the hold has a nesting level.
const HAS_LEVEL: usize = 2;

/// All that an address can be marked with.
const ADDRESS_MARKS: usize = TRIED_UNDER | HAS_LEVEL;

impl Record {
    /// The chain of holding nothing; everything learnt under another one is learnt anew.
    pub(crate) fn set_segment(&self, seed: u64) {
        self.base_entry().chain.store(seed, Relaxed);
    }

    #[inline(always)]
    fn top_entry(&self) -> &Entry {
        // SAFETY: `top` points into the current stack, which is never freed.
        unsafe { &*self.top.load(Relaxed) }
    }

    fn base_entry(&self) -> &Entry {
        // SAFETY: as in `top_entry`.
        unsafe { &*self.base.load(Relaxed) }
    }

    /// The chain that acquiring `word` at `site` and this nesting level now has.
    #[inline(always)]
    pub(crate) fn chain(&self, word: Word, site: Site, level: u8) -> u64 {
        let below = self.top_entry().chain.load(Relaxed);
        chained(below, word, ptr::from_ref(site).cast(), level)
    }

    #[inline(always)]
    pub(crate) fn holds_nothing(&self) -> bool {
        ptr::eq(self.top.load(Relaxed), self.base.load(Relaxed))
    }

    /// Makes sure that one more lock can be pushed without allocating.
    #[inline(always)]
    pub(crate) fn has_room(&self) -> bool {
        self.top.load(Relaxed) < self.limit.load(Relaxed)
    }

    /// Whether the stack is full indeed.
    pub(crate) fn is_full(&self) -> bool {
        ptr::eq(self.top.load(Relaxed), self.last.get())
    }

    /// The stack ends with `last`. Only the owner calls this; of it and a thread that begins to ask
    /// for times, the later one sees the other.
    pub(super) fn set_limit(&self, last: *mut Entry) {
        self.last.set(last);
        self.limit.store(last, SeqCst);
        if demand::is_asked() {
            self.take_long_way();
        }
    }

    /// Nobody has to see every acquisition any more.
    pub(crate) fn leave_long_way(&self) {
        self.set_limit(self.last.get());
    }

    /// From here on acquisitions take the long way. Any thread may call this.
    pub(crate) fn take_long_way(&self) {
        self.limit.store(ptr::null_mut(), SeqCst);
    }

    /// What is kept beside an entry of the stack that begins at `base`: a stamp, and after all stamps the
    /// levels.
    fn beside(base: *const Entry, at: *const Entry, after: usize) -> &'static AtomicU64 {
        let index = (at.addr() - base.addr()) / size_of::<Entry>();
        // SAFETY: the bottom entry's site is the array of stamps and levels, each as many as entries,
        // and neither it nor the stack is ever freed.
        unsafe { &*(*base).site.load(Relaxed).cast_const().cast::<AtomicU64>().add(after + index) }
    }

    /// The time stamp of an entry of the stack that begins at `base`.
    fn stamp_of(base: *const Entry, at: *const Entry) -> &'static AtomicU64 {
        Record::beside(base, at, 0)
    }

    /// The nesting level of an entry of the stack that begins at `base`, where it has one.
    fn level_of(base: *const Entry, at: *const Entry) -> &'static AtomicU64 {
        Record::beside(base, at, Record::capacity(base))
    }

    /// The nesting level of the hold in an entry whose marked address this is.
    fn level_in(base: *const Entry, at: *const Entry, marked: *const ()) -> u8 {
        match marked.addr() & HAS_LEVEL {
            0 => 0,
            _ => Record::level_of(base, at).load(Relaxed) as u8,
        }
    }

    /// How many entries there are in the stack that begins at `base`.
    fn capacity(base: *const Entry) -> usize {
        // SAFETY: a stack is never freed, and its bottom entry tells its size.
        unsafe { (*base).address.load(Relaxed) }.addr()
    }

    /// The hold that this thread begins next has begun at `time`, or soon after.
    pub(crate) fn stamp_next(&self, time: u64) {
        if !self.is_full() {
            let next = self.top.load(Relaxed).wrapping_add(1);
            Record::stamp_of(self.base.load(Relaxed), next).store(time, Relaxed);
        }
    }

    /// Moves the held locks to a stack of twice the size. The old one stays, as another thread may
    /// be reading it.
    #[cold]
    pub(crate) fn grow_stack(&self) {
        let (base, top) = (self.base.load(Relaxed), self.top.load(Relaxed));
        // SAFETY: both point into the same stack.
        let depth = unsafe { top.offset_from(base) } as usize;
        let capacity = (depth + 1) * 2;
        let stack = new_stack(capacity);
        // SAFETY: the bottom entries of both.
        unsafe { (*stack).chain.store((*base).chain.load(Relaxed), Relaxed) };
        for at in 1..=depth {
            // SAFETY: both stacks have more than `depth` entries.
            let (old, new) = unsafe { (&*base.add(at), &*stack.add(at)) };
            new.chain.store(old.chain.load(Relaxed), Relaxed);
            new.site.store(old.site.load(Relaxed), Relaxed);
            new.address.store(old.address.load(Relaxed), Relaxed);
            for of in [Record::stamp_of, Record::level_of] {
                of(stack, new).store(of(base, old).load(Relaxed), Relaxed);
            }
            new.word.store(old.word.load(Relaxed), Release);
        }
        // SAFETY: within the new stack.
        unsafe {
            self.base.store(stack, Release);
            self.top.store(stack.add(depth), Release);
            self.set_limit(stack.add(capacity - 1));
        }
    }

    /// Puts a lock that was just acquired at this nesting level on the stack.
    #[inline(always)]
    pub(crate) fn push(&self, prepared: Prepared, site: Site, address: *const (), level: u8) {
        // SAFETY: `has_room` was seen to before the acquisition, and `limit` is the last entry.
        let top = unsafe { self.top.load(Relaxed).add(1) };
        // The entry is claimed before it is filled: a signal handler that locks in between uses the
        // next one.
        self.top.store(top, Relaxed);
        compiler_fence(SeqCst);
        // SAFETY: as above.
        let entry = unsafe { &*top };
        let mut address = address;
        if level != 0 {
            Record::level_of(self.base.load(Relaxed), top).store(level.into(), Relaxed);
            address = address.map_addr(|address| address | HAS_LEVEL);
        }
        entry.chain.store(prepared.chain, Relaxed);
        entry.site.store(ptr::from_ref(site).cast_mut().cast(), Relaxed);
        entry.address.store(address.cast_mut(), Relaxed);
        entry.word.store(prepared.word.0, Release);
        self.acquisitions.store(self.acquisitions.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// Takes the lock off if it is on top in this mode, with nobody who must know.
    #[inline(always)]
    pub(crate) fn pop(&self, lock: Word, mode: Mode) -> bool {
        let top = self.top.load(Relaxed);
        // SAFETY: `top` points into the current stack.
        let entry = unsafe { &*top };
        // The bottom entry is zero, which is no lock.
        if !Word(entry.word.load(Relaxed)).is_hold(lock, mode) {
            return false;
        }
        entry.word.store(0, Relaxed);
        compiler_fence(SeqCst);
        // SAFETY: the bottom entry matches no lock, so there is one below this.
        self.top.store(unsafe { top.sub(1) }, Relaxed);
        true
    }

    /// Takes the lock out from just below the top if it is there in this mode, with nobody who must
    /// know of it or of the one on top, and nothing beside that: who holds two locks often ends the first hold first.
    #[inline(always)]
    pub(crate) fn pop_below_top(&self, lock: Word, mode: Mode) -> bool {
        if self.holds_nothing() {
            return false;
        }
        let top = self.top.load(Relaxed);
        // SAFETY: above the bottom entry, which is zero, and so no lock.
        let (upper, at) = unsafe { (&*top, top.sub(1)) };
        // SAFETY: as above.
        let is_hold = Word(unsafe { &*at }.word.load(Relaxed)).is_hold(lock, mode);
        let has_level = upper.address.load(Relaxed).addr() & HAS_LEVEL != 0;
        if !is_hold || has_level || Word(upper.word.load(Relaxed)).watched() {
            return false;
        }
        // SAFETY: the entry matches a lock, so it is above the bottom one.
        unsafe { Record::move_down(at, 0) };
        self.leave_top(top);
        true
    }

    /// Takes the lock out from below others, the last one in this mode first, and recomputes their
    /// chains. Returns the word it had.
    #[cold]
    pub(crate) fn remove(&self, lock: Word, mode: Mode) -> Option<Word> {
        let (base, top) = (self.base.load(Relaxed), self.top.load(Relaxed));
        let (mut at, found) = self.find(lock, mode)?;
        let since = Record::stamp_of(base, at).load(Relaxed);
        if found.watched() && since != 0 {
            // SAFETY: only `push` stores sites, and it takes a `&'static Location`.
            let site = unsafe { &*(*at).site.load(Relaxed).cast_const().cast() };
            times::released(self, found, site, since);
        }
        // SAFETY: the entries from the one above `at` to the top are in use.
        unsafe {
            while !ptr::eq(at, top) {
                let from = at.add(1);
                for of in [Record::stamp_of, Record::level_of] {
                    of(base, at).store(of(base, from).load(Relaxed), Relaxed);
                }
                Record::move_down(at, Record::level_in(base, from, (*from).address.load(Relaxed)));
                at = from;
            }
        }
        self.leave_top(top);
        Some(found)
    }

    /// The entry of the last hold of the lock in this mode, with its word.
    fn find(&self, lock: Word, mode: Mode) -> Option<(*mut Entry, Word)> {
        let (base, mut at) = (self.base.load(Relaxed), self.top.load(Relaxed));
        while !ptr::eq(at, base) {
            // SAFETY: `at` is above `base` and in use.
            let word = Word(unsafe { &*at }.word.load(Relaxed));
            if word.without_marks().is_hold(lock, mode) {
                return Some((at, word));
            }
            // SAFETY: above `base`.
            at = unsafe { at.sub(1) };
        }
        None
    }

    /// The nesting level of the last hold of the lock in this mode.
    pub(crate) fn level_held(&self, lock: Word, mode: Mode) -> u8 {
        self.find(lock, mode).map_or(0, |(at, _)| {
            // SAFETY: in use.
            let marked = unsafe { &*at }.address.load(Relaxed);
            Record::level_in(self.base.load(Relaxed), at, marked)
        })
    }

    /// Puts what is held at `level` just above `to` in the place of `to`, whose hold has ended.
    ///
    /// # Safety
    /// Both are above the bottom entry.
    #[inline(always)]
    unsafe fn move_down(to: *mut Entry, level: u8) {
        // SAFETY: as promised.
        let (below, to, from) = unsafe { (&*to.sub(1), &*to, &*to.add(1)) };
        let (word, site) = (from.word.load(Relaxed), from.site.load(Relaxed));
        to.word.store(0, Relaxed);
        let chain = chained(below.chain.load(Relaxed), Word(word).without_marks(), site, level);
        to.chain.store(chain, Relaxed);
        to.site.store(site, Relaxed);
        to.address.store(from.address.load(Relaxed), Relaxed);
        to.word.store(word, Release);
    }

    /// What was in the entry on top is not there any more.
    #[inline(always)]
    fn leave_top(&self, top: *mut Entry) {
        // SAFETY: `top` points into the current stack, above the bottom entry.
        unsafe {
            (*top).word.store(0, Relaxed);
            self.top.store(top.sub(1), Relaxed);
        }
    }

    /// Has the release of everything that is held take the long way.
    pub(crate) fn watch_releases(&self) {
        let (base, mut at) = (self.base.load(Relaxed), self.top.load(Relaxed));
        while !ptr::eq(at, base) {
            // SAFETY: `at` is above `base` and in use.
            let entry = unsafe { &*at };
            let word = Word(entry.word.load(Relaxed));
            if word.0 != 0 && !word.watched() {
                Record::stamp_of(base, at).store(0, Relaxed);
                entry.word.store(word.0 | word::WATCHED, Relaxed);
            }
            // SAFETY: above `base`.
            at = unsafe { at.sub(1) };
        }
    }

    /// Marks everything that is held as known to the order graph.
    pub(crate) fn mark_graphed(&self) {
        let (base, mut at) = (self.base.load(Relaxed), self.top.load(Relaxed));
        while !ptr::eq(at, base) {
            // SAFETY: `at` is above `base` and in use.
            let entry = unsafe { &*at };
            let word = entry.word.load(Relaxed);
            if word != 0 {
                entry.word.store(word | word::GRAPHED, Relaxed);
            }
            // SAFETY: above `base`.
            at = unsafe { at.sub(1) };
        }
    }

    /// Marks everything that is held, and returns how many entries had no mark yet: those acquired
    /// since the last call.
    pub(crate) fn mark_tried_under(&self) -> u64 {
        let (base, mut at) = (self.base.load(Relaxed), self.top.load(Relaxed));
        let mut new = 0;
        while !ptr::eq(at, base) {
            // SAFETY: `at` is above `base` and in use.
            let entry = unsafe { &*at };
            let address = entry.address.load(Relaxed);
            new += u64::from(address.addr() & TRIED_UNDER == 0);
            entry.address.store(address.map_addr(|a| a | TRIED_UNDER), Relaxed);
            // SAFETY: above `base`.
            at = unsafe { at.sub(1) };
        }
        new
    }

    /// The locks that the thread holds, outermost first. Exact for the owner and for a thread that
    /// waits; of a thread that runs, whatever is seen.
    pub(crate) fn held_into(&self, held: &mut Vec<HeldLock>) {
        held.clear();
        self.each_held(|lock, _| held.push(lock));
    }

    /// Whether the thread holds the lock; exact as [`Record::held_into`] is.
    pub(crate) fn holds(&self, lock: LockId) -> bool {
        let mut holds = false;
        self.each_held(|held, _| holds |= held.word.lock() == lock);
        holds
    }

    /// The same as [`Record::held_into`], each with the time since when it is held, where that is known.
    pub(crate) fn each_held(&self, mut each: impl FnMut(HeldLock, Option<u64>)) {
        let mut given = self.given.read();
        let (base, top) = (self.base.load(Acquire), self.top.load(Acquire));
        let capacity = Record::capacity(base);
        // The thread may have moved to another stack between the loads.
        let depth = (top as usize).wrapping_sub(base as usize) / size_of::<Entry>();
        if depth >= capacity {
            return;
        }
        for at in 1..=depth {
            // SAFETY: below the capacity of this stack.
            let entry = unsafe { &*base.add(at) };
            let word = Word(entry.word.load(Acquire));
            let site = entry.site.load(Relaxed);
            if word.0 != 0 && !site.is_null() && !given.has(word) {
                // SAFETY: only `push` stores sites, and it takes a `&'static Location`.
                let site = unsafe { &*site.cast_const().cast() };
                let marked = entry.address.load(Relaxed);
                let address = marked.addr() & !ADDRESS_MARKS;
                let level = Record::level_in(base, entry, marked);
                let since = word.watched().then(|| Record::stamp_of(base, entry).load(Relaxed));
                let since = since.filter(|&since| since != 0);
                let word = Word(word.0 & !word::WATCHED);
                each(HeldLock { word, site, address, level }, since);
            }
        }
    }

    /// Nothing is held any more.
    pub(super) fn empty_stack(&self) {
        let (base, mut at) = (self.base.load(Relaxed), self.top.load(Relaxed));
        while !ptr::eq(at, base) {
            // SAFETY: `at` is above `base`.
            at = unsafe {
                (*at).word.store(0, Relaxed);
                at.sub(1)
            };
        }
        self.top.store(base, Release);
    }
}

/// The chain of a lock that is held at `site` and this nesting level, above what has the chain
/// `below`.
#[inline(always)]
fn chained(below: u64, word: Word, site: *const (), level: u8) -> u64 {
    let chain = fold(below.rotate_left(29) ^ word.0, site as u64 ^ 0x9e37_79b9_7f4a_7c15);
    // The same places at other levels are another situation.
    if level == 0 { chain } else { fold(chain, u64::from(level) | 1 << 32) }
}

pub(super) fn new_stack(entries: usize) -> *mut Entry {
    let stack: Box<[Entry]> = (0..entries).map(|_| Entry::default()).collect();
    stack[0].address.store(ptr::without_provenance_mut(entries), Relaxed);
    // Stamps and levels; see `Record::beside`.
    let beside: Box<[AtomicU64]> = (0..2 * entries).map(|_| AtomicU64::new(0)).collect();
    stack[0].site.store(Box::leak(beside).as_mut_ptr().cast(), Relaxed);
    Box::leak(stack).as_mut_ptr()
}

#[cfg(test)]
mod tests {
    use std::panic::Location;
    use std::ptr;

    use super::{Prepared, Record};
    use crate::model::lock::Mode;
    use crate::model::word::{self, Word};

    #[test]
    fn ends_of_holds_in_any_order_leave_what_the_rest_would_be() {
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = |below: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random % below as u64) as usize
        };
        let site = Location::caller();
        let push = |record: &Record, (word, level): (Word, u8)| {
            let prepared = Prepared { word, chain: record.chain(word, site, level) };
            record.push(prepared, site, ptr::null(), level);
        };
        let record = Record::new();
        let mut held: Vec<(Word, u8)> = Vec::new();
        for serial in 0..2_000 {
            if held.is_empty() || (held.len() < 6 && next(2) == 0) {
                let mode = [Mode::Write, Mode::Read][next(2)];
                let word = Word::new(7, serial).held(mode, next(4) == 0);
                held.push((word, [0, 0, 1, 255][next(4)]));
                push(&record, held[held.len() - 1]);
                if next(8) == 0 {
                    record.mark_graphed();
                }
            } else {
                let (word, level) = held.remove(next(held.len()));
                let lock = Word(word.lock());
                assert_eq!(record.level_held(lock, word.mode()), level);
                let quickly =
                    record.pop(lock, word.mode()) || record.pop_below_top(lock, word.mode());
                assert!(quickly || record.remove(lock, word.mode()).is_some());
            }
            let mut seen = Vec::new();
            record.held_into(&mut seen);
            let seen = seen.iter().map(|held| (held.word.0 & !word::GRAPHED, held.level));
            assert!(seen.eq(held.iter().map(|&(word, level)| (word.0, level))));
            let anew = Record::new();
            held.iter().for_each(|&hold| push(&anew, hold));
            assert_eq!(record.chain(Word(16), site, 0), anew.chain(Word(16), site, 0));
        }
    }
}
