//! What one thread keeps of itself: the locks it holds, the orders it knows, what it waits for.
//!
//! A [`Record`] is what any thread may read, while it looks for a deadlock. Only the owner writes most of
//! it, and only the owner reaches the rest, [`Mine`]: through an [`OwnRecord`], which stays in its thread.
//! A record outlives its thread and is then taken over by another one, so a reader never meets freed
//! memory.

use std::cell::{Cell, OnceCell, RefCell};
use std::marker::PhantomData;
use std::ops::Deref;
use std::panic::Location;
use std::ptr;
use std::sync::atomic::Ordering::{Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::{CriticalSection, InheritedLocks, ThreadPoint};
use crate::hash::Map;
use crate::model::held::{HeldLock, Prepared};
use crate::model::ids::ThreadId;
use crate::model::inventory::Counts;
use crate::model::lock::{LockType, Mode, Site};
use crate::model::times::ClassTimes;
use crate::model::word::{HoldWord, LockWord};
use crate::thread_state::captured::CapturedStacks;
use crate::thread_state::demand;
use crate::thread_state::held_stack::{Ended, HeldStack};
use crate::thread_state::known::Known;
use crate::thread_state::pending::PendingFinding;
use crate::thread_state::permits::{self, Permits};
use crate::thread_state::polling::Polling;
use crate::thread_state::recent::RecentAcquisitions;
use crate::thread_state::retries::{Asks, Mark, Retries};
use crate::thread_state::sleeper::Sleeper;
use crate::thread_state::wait::WaitSlot;

/// Locks of earlier windows that a thread remembers.
pub(crate) const EARLIER: usize = 64;

/// What other threads may read of a thread.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) held: HeldStack,
    pub(crate) wait: WaitSlot,
    pub(crate) permits: Permits,
    pub(crate) retries: Retries,
    times: Mutex<Map<u32, ClassTimes>>,
    /// How many locks this thread was the first to acquire.
    locks: AtomicU64,
    /// When the thread last began to acquire a lock, or got one that it waited for, while a watchdog
    /// looks at holds.
    pub(crate) asked_at: AtomicU64,
    /// How long the thread was in steps of the observer while times were taken, in nanoseconds.
    pub(crate) detector_time: AtomicU64,
    /// The system's number of the thread; zero where it is not known.
    pub(crate) system: AtomicU32,
    pub(crate) thread: AtomicU32,
    /// Where the task was spawned that acts by this record, for others who see it; null for a thread.
    task: AtomicPtr<Location<'static>>,
    pub(crate) in_use: AtomicBool,
    /// Code that is not instrumented has spawned the thread, or it is the main one.
    pub(crate) foreign: AtomicBool,
    /// The thread's closure has returned, with locks still held.
    pub(crate) is_leaving: AtomicBool,
    /// The thread has spawned another, or waited.
    pub(crate) was_active: AtomicBool,
    /// The thread waits, and is checking whether it can ever go on.
    pub(crate) looks: AtomicBool,
    /// The thread takes no further step that another could wait for.
    pub(crate) ended: AtomicBool,
    /// A task acts by this record, or did last: a thread polls it.
    pub(crate) is_task: AtomicBool,
    /// The thread is an executor's and has nothing to do: it goes on only when a task is to be polled, and
    /// where a time-out ends that, it does nothing else.
    pub(crate) is_idle: AtomicBool,
    /// How many locks the thread held already that waits for the task of this record in `block_on`: those are its
    /// outermost ones, and stay held as long as the task waits.
    pub(crate) outer_holds: AtomicUsize,
    /// Its wait is counted among those for the ends of threads.
    pub(crate) joins: AtomicBool,
    /// The record of the task by which the thread of this one acts; null while it acts by its own.
    acts_by: AtomicPtr<Record>,
    /// The task that the thread polls while it acts by this record.
    pub(crate) polls: Polling,
    /// How the task of this record is made to end, while it rests in a wait that others can see.
    pub(crate) sleeper: Sleeper,
    pub(crate) next: AtomicPtr<Record>,
    mine: OwnerOnly<Mine>,
}

/// What the owner alone may reach.
#[derive(Debug)]
struct OwnerOnly<T>(T);

// SAFETY: only `OwnRecord::mine` reaches what is inside, and the `OwnRecord`s of a record are all in one
// thread.
unsafe impl<T> Sync for OwnerOnly<T> {}

/// What the owner of a record alone may reach.
#[derive(Debug)]
pub(crate) struct Mine {
    pub(crate) known: Known,
    /// The number of the next lock; at a multiple of a block, another block must be taken. It goes
    /// on where the record's last thread stopped.
    pub(crate) next_serial: Cell<u64>,
    /// The class of the last lock that got its number here, where there are many of that class:
    /// what is made in a loop is found without a search.
    pub(crate) recent_class: Cell<ClassEntry>,
    /// Classes that this thread, or an earlier one with this record, has met.
    pub(crate) classes: OnceCell<Vec<Cell<ClassEntry>>>,
    pub(crate) recent: RecentAcquisitions,
    /// Where this thread last took several locks in one order, which the observer knows.
    pub(crate) in_order_at: Cell<*const Location<'static>>,
    /// How often the thread was unparked until it parked last, as far as it is known.
    pub(crate) unparks: Cell<u64>,
    /// How long the thread had been in the detector when it began to wait.
    pub(crate) waits_from: Cell<u64>,
    /// The trace says who the thread is, as it has waited.
    pub(crate) introduced: Cell<bool>,
    /// The thread's clock may be published with the next event.
    pub(crate) may_publish: Cell<bool>,
    /// How often there was something new to publish.
    pub(crate) version: Cell<u32>,
    /// The last event to which this thread's current clock was published; 0 if none.
    pub(crate) last_published: Cell<u64>,
    /// The thread-locals of `std` and of the program are gone: only this crate's last steps are left.
    pub(crate) locals_gone: Cell<bool>,
    pub(crate) own: RefCell<Own>,
}

/// What the owner needs on cold paths.
#[derive(Debug, Default)]
pub(crate) struct Own {
    /// Where the thread is.
    pub(crate) at: ThreadPoint,
    /// How many epochs the thread has published with events.
    pub(crate) published_epochs: u32,
    /// Holds under which the thread has spawned others.
    pub(crate) sections: Vec<Arc<CriticalSection>>,
    /// What the threads that it has spawned have inherited.
    pub(crate) children: Vec<Arc<InheritedLocks>>,
    /// How many more acquisitions are compared with the locks that this thread has inherited.
    pub(crate) first_steps: u32,
    /// Inherited locks that the thread has asked for, each with the number of acquisitions before that.
    pub(crate) entered: Vec<(Arc<CriticalSection>, u64)>,
    /// How often the thread's clock has changed.
    pub(crate) clock_changes: u64,
    pub(crate) scratch: Vec<HeldLock>,
    pub(crate) captured: CapturedStacks,
    /// Locks asked for in earlier windows of this thread, without repetition.
    pub(crate) asked: Vec<(HoldWord, Site)>,
    /// How far other threads were when this one last looked for a livelock.
    pub(crate) marks: Vec<Mark>,
    /// Findings that wait for the release of a lock by this thread.
    pub(crate) pending: Vec<PendingFinding>,
    /// The number of the tasks that it has spawned since its clocks changed, which know just what those before them
    /// knew; zero where there are none.
    pub(crate) brood: u64,
    /// Its own number among such tasks: it knows nothing more than they did at first. Zero where it does.
    pub(crate) kin: u64,
    /// Whether one of its futures, or it as a task, has asked for a lock while it held others.
    pub(crate) shows_orders: bool,
    /// Where it was spawned, if it is a task: it is introduced to the observer when it must be named.
    pub(crate) task: Option<TaskOrigin>,
    /// Whether the observer knows it by name.
    pub(crate) is_known: bool,
    /// Whether it has told the observer of a dependency.
    pub(crate) is_witness: bool,
}

/// Where a task comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskOrigin {
    /// Who spawned it, where that is known.
    pub(crate) parent: Option<ThreadId>,
    pub(crate) site: Site,
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
    /// Where the task was spawned that acts by this record.
    pub(crate) fn task(&self) -> Option<Site> {
        // SAFETY: null, or stored by `set_task` from a `Site`, which is a reference for ever.
        unsafe { self.task.load(Relaxed).as_ref() }
    }

    pub(crate) fn new() -> Record {
        Record {
            held: HeldStack::new(),
            wait: WaitSlot::default(),
            permits: Permits::default(),
            retries: Retries::default(),
            times: Mutex::default(),
            locks: AtomicU64::new(0),
            asked_at: AtomicU64::new(0),
            detector_time: AtomicU64::new(0),
            system: AtomicU32::new(0),
            thread: AtomicU32::new(0),
            task: AtomicPtr::new(ptr::null_mut()),
            in_use: AtomicBool::new(true),
            foreign: AtomicBool::new(true),
            is_leaving: AtomicBool::new(false),
            was_active: AtomicBool::new(false),
            looks: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            is_task: AtomicBool::new(false),
            is_idle: AtomicBool::new(false),
            outer_holds: AtomicUsize::new(0),
            joins: AtomicBool::new(false),
            acts_by: AtomicPtr::new(ptr::null_mut()),
            polls: Polling::new(),
            sleeper: Sleeper::default(),
            next: AtomicPtr::new(ptr::null_mut()),
            mine: OwnerOnly(Mine {
                known: Known::new(),
                next_serial: Cell::new(0),
                recent_class: Cell::new(ClassEntry::NONE),
                classes: OnceCell::new(),
                recent: RecentAcquisitions::new(),
                in_order_at: Cell::new(ptr::null()),
                unparks: Cell::new(0),
                waits_from: Cell::new(0),
                introduced: Cell::new(false),
                may_publish: Cell::new(false),
                version: Cell::new(0),
                last_published: Cell::new(0),
                locals_gone: Cell::new(false),
                own: RefCell::new(Own::default()),
            }),
        }
    }

    /// The record of the task that the thread of this one acts by now.
    pub(crate) fn acts_by(&self) -> Option<&'static Record> {
        // SAFETY: null, or stored by `set_acts_by` from a reference for ever.
        unsafe { self.acts_by.load(SeqCst).as_ref() }
    }

    /// The thread of this record acts by that one from here on, or by its own. Only the owner calls this.
    pub(crate) fn set_acts_by(&self, other: Option<&'static Record>) {
        let other = other.map_or(ptr::null_mut(), |other| ptr::from_ref(other).cast_mut());
        // What another thread then reads in that record is read after this.
        self.acts_by.store(other, Release);
    }

    /// Whether it is the record of a task that no thread polls.
    pub(crate) fn rests(&self) -> bool {
        self.is_task.load(Relaxed) && self.system.load(Relaxed) == 0
    }

    /// Whether the thread has done nothing yet that others could see.
    pub(crate) fn is_bystander(&self) -> bool {
        self.held.pushed() == 0 && !self.was_active.load(Relaxed)
    }

    /// What this thread adds to the totals of the process.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            threads: u64::from(!self.is_task.load(Relaxed)),
            locks: self.locks.load(Relaxed),
            edges: 0,
            acquisitions: self.held.pushed(),
        }
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
            _asks: self.retries.asks(),
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

/// The record of the calling thread, with what only that thread may reach. It cannot be sent to or shared
/// with another thread.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct OwnRecord {
    record: &'static Record,
    stays: PhantomData<*const ()>,
}

impl Deref for OwnRecord {
    type Target = Record;

    #[inline(always)]
    fn deref(&self) -> &Record {
        self.record
    }
}

impl OwnRecord {
    /// # Safety
    /// The record is in use by the calling thread and no other, for as long as the result or a copy of it
    /// is used.
    #[inline(always)]
    pub(super) unsafe fn new(record: &'static Record) -> OwnRecord {
        OwnRecord { record, stays: PhantomData }
    }

    /// The record as others see it.
    #[inline(always)]
    pub(crate) fn shared(self) -> &'static Record {
        self.record
    }

    /// What only this thread may reach.
    #[inline(always)]
    pub(crate) fn mine(self) -> &'static Mine {
        &self.record.mine.0
    }

    /// The thread was the first to acquire a lock.
    pub(crate) fn count_lock(self) {
        self.locks.store(self.locks.load(Relaxed) + 1, Relaxed);
    }

    /// As [`HeldStack::context`].
    #[inline(always)]
    pub(crate) fn context(self, word: HoldWord, site: Site, level: u8) -> u64 {
        self.record.held.context(word, site, level)
    }

    /// As [`HeldStack::set_context`].
    pub(crate) fn set_context(self, seed: u64) {
        self.held.set_context(seed);
    }

    /// As [`HeldStack::has_room`].
    #[inline(always)]
    pub(crate) fn has_room(self) -> bool {
        self.record.held.has_room()
    }

    /// As [`HeldStack::reserve`].
    pub(crate) fn reserve(self) {
        self.held.reserve();
    }

    /// As [`HeldStack::push`].
    #[inline(always)]
    pub(crate) fn push(self, prepared: Prepared, site: Site, address: usize, level: u8) {
        self.record.held.push(prepared, site, address, level);
    }

    /// As [`HeldStack::pop`].
    #[inline(always)]
    pub(crate) fn pop(self, lock: LockWord, mode: Mode) -> bool {
        self.record.held.pop(lock, mode)
    }

    /// As [`HeldStack::pop_below_top`].
    #[inline(always)]
    pub(crate) fn pop_below_top(self, lock: LockWord, mode: Mode) -> bool {
        self.record.held.pop_below_top(lock, mode)
    }

    /// As [`HeldStack::remove`].
    pub(crate) fn remove(self, lock: LockWord, mode: Mode) -> Option<Ended> {
        self.held.remove(lock, mode)
    }

    /// As [`HeldStack::level_held`].
    pub(crate) fn level_held(self, lock: LockWord, mode: Mode) -> u8 {
        self.held.level_held(lock, mode)
    }

    /// Nothing of what the record holds is held any more, as far as it is known.
    pub(crate) fn forget_holds(self) {
        self.held.take_above(0);
    }

    /// What this record holds above the outermost `depth` locks is held by another one of the calling thread
    /// from here on, above what that holds.
    pub(crate) fn move_holds(self, depth: usize, to: OwnRecord) {
        for (lock, since) in self.held.take_above(depth) {
            to.reserve();
            to.stamp_next(since);
            let HeldLock { word, site, address, level } = lock;
            let context = to.context(word.without_marks(), site, level);
            to.push(Prepared { word, context }, site, address, level);
        }
        self.mine().own.borrow_mut().captured.forget_next(&self.held);
    }

    /// This time of the clock without what the thread has spent in the detector: only differences between
    /// such times of one thread mean anything.
    pub(crate) fn program_time(self, now: u64) -> u64 {
        // Zero is no time.
        now.saturating_sub(self.detector_time.load(Relaxed)).max(1)
    }

    /// The thread was in the detector for so long.
    pub(crate) fn was_in_detector(self, nanos: u64) {
        self.detector_time.fetch_add(nanos, Relaxed);
    }

    /// As [`HeldStack::stamp_next`].
    pub(crate) fn stamp_next(self, time: u64) {
        self.held.stamp_next(time);
    }

    /// As [`HeldStack::watch_releases`].
    pub(crate) fn watch_releases(self) {
        self.held.watch_releases();
    }

    /// As [`HeldStack::mark_graphed`].
    pub(crate) fn mark_graphed(self) {
        self.held.mark_graphed();
    }

    /// As [`HeldStack::mark_tried_under`].
    pub(crate) fn mark_tried_under(self) -> u64 {
        self.held.mark_tried_under()
    }

    /// As [`HeldStack::take_released_elsewhere`].
    pub(crate) fn take_released_elsewhere(self, ended: impl FnMut(Ended)) {
        self.held.take_released_elsewhere(ended);
    }

    /// Acquisitions may take the fast path again, unless some part of the crate asks for the slow one.
    pub(crate) fn leave_slow_path(self) {
        self.held.leave_slow_path(demand::wants_slow_path);
    }

    /// Ends the window: locks that the thread asked for before this delay no later event.
    #[inline]
    pub(crate) fn close_window(self) {
        if !self.mine().recent.is_empty() {
            self.mine().recent.close_into(&mut self.mine().own.borrow_mut().asked);
        }
    }

    /// A task that was spawned there acts by this record from here on, or none.
    pub(crate) fn set_task(self, site: Option<Site>) {
        let site = site.map_or(ptr::null_mut(), |site| ptr::from_ref(site).cast_mut());
        self.task.store(site, Relaxed);
    }

    /// Lets go of what belongs to the record's last task, which holds and awaits nothing.
    pub(super) fn forget_task(self) {
        self.retries.reset();
        let mine = self.mine();
        self.set_task(None);
        mine.recent.clear();
        mine.in_order_at.set(ptr::null());
        mine.introduced.set(false);
        mine.may_publish.set(false);
        mine.last_published.set(0);
    }

    /// Empties the record of its last thread.
    pub(super) fn reset(self) {
        let Record { held, wait: _, permits, retries, .. } = self.record;
        held.reset();
        permits.reset();
        retries.reset();
        let mine = self.mine();
        self.set_task(None);
        mine.known.clear();
        mine.recent.clear();
        mine.in_order_at.set(ptr::null());
        mine.unparks.set(0);
        mine.introduced.set(false);
        mine.may_publish.set(false);
        mine.version.set(0);
        mine.last_published.set(0);
        mine.locals_gone.set(false);
        self.foreign.store(true, Relaxed);
        self.is_leaving.store(false, Relaxed);
        self.was_active.store(false, Relaxed);
        self.looks.store(false, Relaxed);
        self.ended.store(false, SeqCst);
        self.is_task.store(false, Relaxed);
        self.is_idle.store(false, Relaxed);
        self.set_acts_by(None);
        self.polls.set(None);
        self.locks.store(0, Relaxed);
    }
}
