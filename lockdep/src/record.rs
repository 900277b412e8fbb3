//! What one thread keeps of itself: the locks it holds, the orders it knows, what it waits for.
//!
//! Only the owner writes a record; any thread may read it while it looks for a deadlock. A record
//! outlives its thread and is then taken over by another one, so a reader never meets freed memory.
//!
//! A known order costs the owner a few loads and stores here and nothing else. The *chain* of a held
//! lock is a hash of everything that is held up to it, with modes and sites; an acquisition whose
//! chain is in the table of known chains has been seen in exactly this situation before, so there is
//! nothing to learn from it. Two situations share a chain with a probability of 2⁻⁶⁴.
//!
//! A held lock is taken off the stack before it is really released and put on it after it was really
//! acquired, so a lock on the stack of a thread that waits is held by it.

mod given;
mod known;
mod wait;
mod window;

use std::cell::{Cell, OnceCell, RefCell};
use std::panic::Location;
use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, compiler_fence};
use std::sync::{Arc, Mutex};

use crate::engine::{Cover, LockId, Moment, Section};
use crate::hash::{Map, fold};
use crate::instrument::{LockType, Mode, Site};
use crate::livelock::{Mark, Retries};
use crate::observer::Unsure;
use crate::permits::Permits;
use crate::timing::{self, ClassTimes};
use crate::trace::Counts;
use crate::word::{self, Word};
use given::Given;
use known::Known;
use wait::WaitSlot;
pub(crate) use wait::{SeenWait, WaitKind};
use window::Window;

/// Held locks that fit before the stack grows.
const FIRST_STACK: usize = 32;
/// Locks of earlier windows that a thread remembers.
pub(crate) const EARLIER: usize = 64;

/// One held lock.
#[derive(Debug, Default)]
pub(crate) struct Entry {
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

/// One held lock, read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeldLock {
    pub(crate) word: Word,
    pub(crate) site: Site,
    pub(crate) address: usize,
    /// The nesting level, zero unless the acquisition named one.
    pub(crate) level: u8,
}

impl HeldLock {
    /// Whether this hold keeps such a request waiting.
    pub(crate) fn bars(&self, asked: Word) -> bool {
        self.word.lock() == asked.lock() && Mode::conflicts(self.word.mode(), asked.mode())
    }
}

/// An acquisition that may go ahead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prepared {
    pub(crate) word: Word,
    pub(crate) chain: u64,
}

/// What one thread keeps of itself.
#[derive(Debug)]
pub(crate) struct Record {
    top: AtomicPtr<Entry>,
    base: AtomicPtr<Entry>,
    /// The last entry of the stack; null while every acquisition is to take the long way.
    limit: AtomicPtr<Entry>,
    last: Cell<*mut Entry>,
    pub(crate) times: Mutex<Map<u32, ClassTimes>>,
    pub(crate) known: Known,
    acquisitions: AtomicU64,
    locks: AtomicU64,
    pub(crate) wait: WaitSlot,
    /// The number of the next lock; at a multiple of a block, another block must be taken. It goes
    /// on where the record's last thread stopped.
    pub(crate) next_serial: Cell<u64>,
    /// The class of the last lock that got its number here, where there are many of that class:
    /// what is made in a loop is found without a search.
    pub(crate) recent: Cell<ClassEntry>,
    /// Classes that this thread, or an earlier one with this record, has met.
    pub(crate) classes: OnceCell<Vec<Cell<ClassEntry>>>,
    pub(crate) window: Window,
    /// Where several locks were taken in order last, of which the engine has been told.
    pub(crate) in_order_at: Cell<*const Location<'static>>,
    pub(crate) retries: Retries,
    given: Given,
    /// When the thread last began to acquire a lock, or got one that it waited for, while a watchdog
    /// looks at holds.
    pub(crate) asked_at: AtomicU64,
    pub(crate) permits: Permits,
    /// How often the thread was unparked until it parked last, as far as it is known.
    pub(crate) unparks: Cell<u64>,
    /// The observer knows the thread.
    pub(crate) introduced: Cell<bool>,
    /// The system's number of the thread; zero where it is not known.
    pub(crate) system: AtomicU32,
    pub(crate) thread: AtomicU32,
    pub(crate) in_use: AtomicBool,
    /// What the thread did may be published with the next event.
    pub(crate) publishes: Cell<bool>,
    /// How often there was something new to publish.
    pub(crate) news: Cell<u32>,
    /// The event that knows all of it, of several the last one that was told.
    pub(crate) told: Cell<u64>,
    /// Code that is not instrumented has spawned the thread, or it is the main one.
    pub(crate) foreign: AtomicBool,
    /// The thread's closure has returned, with locks still held.
    pub(crate) left: AtomicBool,
    /// Thread-locals of others, `std`'s among them, are gone: only this crate's steps are left.
    pub(crate) over: Cell<bool>,
    /// The thread has spawned another, or waited.
    pub(crate) was_active: AtomicBool,
    /// The thread takes no further step that anybody could wait for.
    pub(crate) ended: AtomicBool,
    pub(crate) next: AtomicPtr<Record>,
    pub(crate) own: RefCell<Own>,
}

// SAFETY: the cells and `own` are used by the owning thread alone, which `process` sees to by
// handing a record out through a thread-local only; everything else is atomic.
unsafe impl Sync for Record {}

/// What only the owner ever looks at, and only on cold paths.
#[derive(Debug, Default)]
pub(crate) struct Own {
    /// Where the thread is.
    pub(crate) at: Moment,
    /// How often something was published.
    pub(crate) publications: u32,
    /// Holds under which the thread has spawned others.
    pub(crate) sections: Vec<Arc<Section>>,
    /// Covers of threads that it has spawned.
    pub(crate) children: Vec<Arc<Cover>>,
    /// How many more acquisitions are looked at for a lock that is held around this thread.
    pub(crate) first_steps: u32,
    /// Such locks that were acquired, with the acquisitions before that.
    pub(crate) entered: Vec<(Arc<Section>, u64)>,
    pub(crate) segment: u64,
    pub(crate) scratch: Vec<HeldLock>,
    /// Locks asked for in earlier windows of this thread, without repetition.
    pub(crate) asked: Vec<(Word, Site)>,
    /// How far other threads were when this one last looked for a livelock.
    pub(crate) marks: Vec<Mark>,
    /// Findings that wait for the release of a lock by this thread.
    pub(crate) unsure: Vec<Unsure>,
}

/// A class that a thread has met.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClassEntry {
    pub(crate) created: Site,
    pub(crate) ty: *const LockType,
    pub(crate) class: u32,
    pub(crate) many: bool,
}

impl ClassEntry {
    const NONE: ClassEntry =
        ClassEntry { created: Location::caller(), ty: ptr::null(), class: 0, many: false };

    pub(crate) fn is(&self, created: Site, ty: &'static LockType) -> bool {
        ptr::eq(self.created, created) && ptr::eq(self.ty, ty)
    }
}

impl Record {
    pub(crate) fn new() -> Record {
        let stack = new_stack(FIRST_STACK);
        // SAFETY: the stack has `FIRST_STACK` entries.
        let last = unsafe { stack.add(FIRST_STACK - 1) };
        let record = Record {
            top: AtomicPtr::new(stack),
            base: AtomicPtr::new(stack),
            limit: AtomicPtr::new(last),
            last: Cell::new(last),
            times: Mutex::default(),
            known: Known::new(),
            acquisitions: AtomicU64::new(0),
            locks: AtomicU64::new(0),
            wait: WaitSlot::default(),
            next_serial: Cell::new(0),
            recent: Cell::new(ClassEntry::NONE),
            classes: OnceCell::new(),
            window: Window::new(),
            in_order_at: Cell::new(ptr::null()),
            retries: Retries::default(),
            given: Given::default(),
            asked_at: AtomicU64::new(0),
            permits: Permits::default(),
            unparks: Cell::new(0),
            introduced: Cell::new(false),
            system: AtomicU32::new(0),
            thread: AtomicU32::new(0),
            in_use: AtomicBool::new(true),
            publishes: Cell::new(false),
            news: Cell::new(0),
            told: Cell::new(0),
            foreign: AtomicBool::new(true),
            left: AtomicBool::new(false),
            over: Cell::new(false),
            was_active: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            next: AtomicPtr::new(ptr::null_mut()),
            own: RefCell::new(Own::default()),
        };
        record.set_limit(last);
        record
    }

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

    /// The chain that acquiring `word` at `site` now has.
    #[inline(always)]
    pub(crate) fn chain(&self, word: Word, site: Site) -> u64 {
        let below = self.top_entry().chain.load(Relaxed);
        fold(below.rotate_left(29) ^ word.0, site as *const _ as u64 ^ 0x9e37_79b9_7f4a_7c15)
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
    fn set_limit(&self, last: *mut Entry) {
        self.last.set(last);
        self.limit.store(last, SeqCst);
        if timing::asked() != 0 {
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

    /// Puts a lock that was just acquired on the stack.
    #[inline(always)]
    pub(crate) fn push(&self, prepared: Prepared, site: Site, address: *const ()) {
        // SAFETY: `has_room` was seen to before the acquisition, and `limit` is the last entry.
        let top = unsafe { self.top.load(Relaxed).add(1) };
        // The entry is claimed before it is filled: a signal handler that locks in between uses the
        // next one.
        self.top.store(top, Relaxed);
        compiler_fence(SeqCst);
        // SAFETY: as above.
        let entry = unsafe { &*top };
        entry.chain.store(prepared.chain, Relaxed);
        entry.site.store(ptr::from_ref(site).cast_mut().cast(), Relaxed);
        entry.address.store(address.cast_mut(), Relaxed);
        entry.word.store(prepared.word.0, Release);
        self.acquisitions.store(self.acquisitions.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// The same, at a nesting level.
    pub(crate) fn push_at_level(
        &self,
        prepared: Prepared,
        site: Site,
        address: *const (),
        level: u8,
    ) {
        let next = self.top.load(Relaxed).wrapping_add(1);
        Record::level_of(self.base.load(Relaxed), next).store(level.into(), Relaxed);
        self.push(prepared, site, address.map_addr(|address| address | HAS_LEVEL));
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
        unsafe { Record::move_down(at) };
        self.leave_top(top);
        true
    }

    /// Takes the lock out from below others, the last one in this mode first, and recomputes their
    /// chains. Returns the word it had.
    #[cold]
    pub(crate) fn remove(&self, lock: Word, mode: Mode) -> Option<Word> {
        let (base, top) = (self.base.load(Relaxed), self.top.load(Relaxed));
        let mut at = top;
        // SAFETY: `at` stays between `base` and `top`.
        let found = unsafe {
            loop {
                if ptr::eq(at, base) {
                    return None;
                }
                let word = Word((*at).word.load(Relaxed));
                if word.without_marks().is_hold(lock, mode) {
                    break word;
                }
                at = at.sub(1);
            }
        };
        let since = Record::stamp_of(base, at).load(Relaxed);
        if found.watched() && since != 0 {
            // SAFETY: only `push` stores sites, and it takes a `&'static Location`.
            let site = unsafe { &*(*at).site.load(Relaxed).cast_const().cast() };
            timing::released(self, found, site, since);
        }
        // SAFETY: the entries from the one above `at` to the top are in use.
        unsafe {
            while !ptr::eq(at, top) {
                for of in [Record::stamp_of, Record::level_of] {
                    of(base, at).store(of(base, at.add(1)).load(Relaxed), Relaxed);
                }
                Record::move_down(at);
                at = at.add(1);
            }
        }
        self.leave_top(top);
        Some(found)
    }

    /// Puts what is held just above `to` in the place of `to`, whose hold has ended.
    ///
    /// # Safety
    /// Both are above the bottom entry.
    #[inline(always)]
    unsafe fn move_down(to: *mut Entry) {
        // SAFETY: as promised.
        let (below, to, from) = unsafe { (&*to.sub(1), &*to, &*to.add(1)) };
        let (word, site) = (from.word.load(Relaxed), from.site.load(Relaxed));
        to.word.store(0, Relaxed);
        to.chain.store(
            fold(
                below.chain.load(Relaxed).rotate_left(29) ^ Word(word).without_marks().0,
                site as u64 ^ 0x9e37_79b9_7f4a_7c15,
            ),
            Relaxed,
        );
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
                let marked = entry.address.load(Relaxed).addr();
                let (address, marks) = (marked & !ADDRESS_MARKS, marked & ADDRESS_MARKS);
                let level = match marks & HAS_LEVEL {
                    0 => 0,
                    _ => Record::level_of(base, entry).load(Relaxed) as u8,
                };
                let since = word.watched().then(|| Record::stamp_of(base, entry).load(Relaxed));
                let since = since.filter(|&since| since != 0);
                let word = Word(word.0 & !word::WATCHED);
                each(HeldLock { word, site, address, level }, since);
            }
        }
    }

    /// How many locks the thread has acquired so far.
    pub(crate) fn acquisitions(&self) -> u64 {
        self.acquisitions.load(Relaxed)
    }

    /// The thread was the first to acquire a lock.
    pub(crate) fn count_lock(&self) {
        self.locks.store(self.locks.load(Relaxed) + 1, Relaxed);
    }

    /// Whether the thread has done nothing yet that others could see.
    pub(crate) fn is_bystander(&self) -> bool {
        self.acquisitions.load(Relaxed) == 0 && !self.was_active.load(Relaxed)
    }

    /// What this thread adds to the totals of the process.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            threads: 1,
            locks: self.locks.load(Relaxed),
            edges: 0,
            acquisitions: self.acquisitions.load(Relaxed),
        }
    }

    /// Empties the record for another thread.
    pub(crate) fn reset(&self) {
        let (base, mut at) = (self.base.load(Relaxed), self.top.load(Relaxed));
        while !ptr::eq(at, base) {
            // SAFETY: `at` is above `base`.
            at = unsafe {
                (*at).word.store(0, Relaxed);
                at.sub(1)
            };
        }
        self.top.store(base, Release);
        self.known.clear();
        self.window.clear();
        self.in_order_at.set(ptr::null());
        self.retries.reset();
        self.given.clear();
        self.permits.reset();
        self.unparks.set(0);
        self.introduced.set(false);
        self.publishes.set(false);
        self.news.set(0);
        self.told.set(0);
        self.foreign.store(true, Relaxed);
        self.left.store(false, Relaxed);
        self.over.set(false);
        self.was_active.store(false, Relaxed);
        self.ended.store(false, SeqCst);
        self.acquisitions.store(0, Relaxed);
        self.locks.store(0, Relaxed);
    }
}

fn new_stack(entries: usize) -> *mut Entry {
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
    use crate::instrument::Mode;
    use crate::word::{self, Word};

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
        let push = |record: &Record, word: Word| {
            let prepared = Prepared { word, chain: record.chain(word, site) };
            record.push(prepared, site, ptr::null());
        };
        let record = Record::new();
        let mut held: Vec<Word> = Vec::new();
        for serial in 0..2_000 {
            if held.is_empty() || (held.len() < 6 && next(2) == 0) {
                let mode = [Mode::Write, Mode::Read][next(2)];
                let word = Word::new(7, serial).held(mode, next(4) == 0);
                push(&record, word);
                held.push(word);
                if next(8) == 0 {
                    record.mark_graphed();
                }
            } else {
                let word = held.remove(next(held.len()));
                let lock = Word(word.lock());
                let quickly =
                    record.pop(lock, word.mode()) || record.pop_below_top(lock, word.mode());
                assert!(quickly || record.remove(lock, word.mode()).is_some());
            }
            let mut seen = Vec::new();
            record.held_into(&mut seen);
            let seen = seen.iter().map(|held| held.word.0 & !word::GRAPHED);
            assert!(seen.eq(held.iter().map(|word| word.0)));
            let anew = Record::new();
            held.iter().for_each(|word| push(&anew, *word));
            assert_eq!(record.chain(Word(16), site), anew.chain(Word(16), site));
        }
    }
}
