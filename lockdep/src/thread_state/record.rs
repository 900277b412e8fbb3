//! What one thread keeps of itself: the locks it holds, the orders it knows, what it waits for.
//!
//! Only the owner writes a record; any thread may read it while it looks for a deadlock. A record
//! outlives its thread and is then taken over by another one, so a reader never meets freed memory.

use std::cell::{Cell, OnceCell, RefCell};
use std::panic::Location;
use std::ptr;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::known::Known;
use super::permits;
use super::remote_release::Given;
use super::retries::{Asks, Mark};
use super::stack::{Entry, FIRST_STACK, new_stack};
use super::wait::WaitSlot;
use super::window::Window;
use crate::engine::{Cover, Moment, Section};
use crate::hash::Map;
use crate::model::held::HeldLock;
use crate::model::inventory::Counts;
use crate::model::lock::{LockType, Site};
use crate::model::times::ClassTimes;
use crate::model::word::Word;
use crate::thread_state::pending::Unsure;
use crate::thread_state::permits::Permits;
use crate::thread_state::retries::Retries;

/// Locks of earlier windows that a thread remembers.
pub(crate) const EARLIER: usize = 64;

/// What one thread keeps of itself.
#[derive(Debug)]
pub(crate) struct Record {
    pub(super) top: AtomicPtr<Entry>,
    pub(super) base: AtomicPtr<Entry>,
    /// The last entry of the stack; null while every acquisition is to take the long way.
    pub(super) limit: AtomicPtr<Entry>,
    pub(super) last: Cell<*mut Entry>,
    pub(super) times: Mutex<Map<u32, ClassTimes>>,
    pub(crate) known: Known,
    pub(super) acquisitions: AtomicU64,
    pub(super) locks: AtomicU64,
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
    pub(super) given: Given,
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
        self.empty_stack();
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

    /// Adds how long this thread has waited for and held locks to `all`.
    pub(crate) fn add_times_to(&self, all: &mut Map<u32, ClassTimes>) {
        for (&class, times) in &*self.times() {
            all.entry(class).or_default().join(times);
        }
    }

    /// As [`Record::add_times_to`], for a thread that ends: its record stays in sight for a while, and
    /// must not be counted again.
    pub(crate) fn move_times_to(&self, all: &mut Map<u32, ClassTimes>) {
        self.add_times_to(all);
        self.times().clear();
    }

    /// By class, how long this thread has waited for and held locks.
    pub(crate) fn times(&self) -> MutexGuard<'_, Map<u32, ClassTimes>> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds everything in this record still that other threads may have locked, until dropped.
    pub(crate) fn hold_still(&self) -> Still<'_> {
        Still {
            _permits: self.permits.hold_still(),
            _asks: self.retries.hold_still(),
            _times: self.times(),
        }
    }
}

/// See [`Record::hold_still`].
#[must_use = "others may go on once this is dropped"]
pub(crate) struct Still<'a> {
    _permits: MutexGuard<'a, permits::State>,
    _asks: MutexGuard<'a, Option<Asks>>,
    _times: MutexGuard<'a, Map<u32, ClassTimes>>,
}
